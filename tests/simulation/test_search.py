"""A fixed number of histories of each mode, and the gate of the boxes.

Whole boxes are a stage of their own: ``python -m tests.simulation --boxes``.
"""

import pytest

from tests.simulation.search import Found, box, wanting

#: mode -> the first seed, and how many
PLAYED = {"safety": (260, 78), "liveness": (100, 40), "workers": (200, 40), "restore": (0, 40)}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", PLAYED)
def test_no_history_fails(mode: str) -> None:
    first, most = PLAYED[mode]
    found = box(mode, 10**6, most, first)
    print(f"\n{mode}: {found.told()}")  # noqa: T201  # every run tells what it has tried
    assert not found.failures, found.told()


def test_the_gate_names_what_was_not_tried() -> None:
    assert "F7: 0" in wanting(Found())
    assert "edit on an open write: 0" in wanting(Found())
