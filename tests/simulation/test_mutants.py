"""The mutation gate: every seeded bug is noticed by a stored script."""

import pytest

from tests.simulation.mutants import MUTANTS, ROOT, UNNOTICED, Mutant, hunted

EVERY = {**MUTANTS, **UNNOTICED}


@pytest.mark.parametrize("mutant", EVERY.values(), ids=EVERY)
def test_a_mutant_names_a_line_that_is_there(mutant: Mutant) -> None:
    path = ROOT / (mutant.module.replace(".", "/") + ".py")
    assert mutant.right in path.read_text()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed(name: str) -> None:
    assert hunted(name, 0), f"no stored history notices: {name}"
