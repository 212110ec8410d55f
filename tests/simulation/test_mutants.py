"""The mutation gate: every seeded bug is killed, stored scripts first, then by search."""

import pytest

from tests.simulation.mutants import MUTANTS, ROOT, hunted

BOX = 360  #: CPU seconds for all of them: three minutes on two cores
LEAST = 20


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_names_a_line_that_is_there(name: str) -> None:
    mutant = MUTANTS[name]
    path = ROOT / (mutant.module.replace(".", "/") + ".py")
    assert mutant.right in path.read_text()


def test_there_are_enough_of_them() -> None:
    assert len(MUTANTS) >= LEAST


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed(name: str) -> None:
    assert hunted(name, BOX / len(MUTANTS)), f"no history notices: {name}"
