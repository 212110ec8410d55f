"""The boxed search: thousands of histories, and proof that they tried what they should.

``CRM_SYNC_ALL=1`` runs the whole boxes, ``CRM_SYNC_SIMULATION_SECONDS`` others, for developers;
without either a few seconds are searched and only failures count.
"""

import os
import re
from pathlib import Path

import pytest

from tests.simulation.faults import ALL
from tests.simulation.search import Found, box

WHOLE = os.environ.get("CRM_SYNC_ALL") == "1"
OWN = os.environ.get("CRM_SYNC_SIMULATION_SECONDS")
#: mode -> seconds on two cores
BOXES = {"safety": 360, "liveness": 60, "workers": 60, "restore": 60}
SMOKE = 5
LEAST = 3000  #: safety histories
OFTEN = 50  #: how often each fault strikes and each situation is met
README = Path(__file__).parents[2] / "sync_engine" / "README.md"


def seconds(mode: str) -> float:
    if OWN:
        return float(OWN)
    return BOXES[mode] if WHOLE else SMOKE


def situations() -> set[str]:
    """The situations of the decision table, as it is written."""
    table = README.read_text().split("## Decision table")[1].split("## Decisions")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", BOXES)
def test_no_history_fails(mode: str) -> None:
    found = box(mode, seconds(mode))
    print(f"\n{mode}: {found.told()}")  # noqa: T201  # every run tells what it has tried
    assert not found.failures, found.told()
    if WHOLE and not OWN and mode == "safety":
        assert wanting(found) == []


def wanting(found: Found) -> list[str]:
    """What a whole box of safety histories has not tried enough."""
    number = max(1, found.histories)
    short = [] if found.histories >= LEAST else [f"{found.histories} histories"]
    means = {"steps": (found.steps, 30), "systems": (found.systems, 2), "faults": (found.kinds, 3)}
    short += [
        f"{name}: {n / number:.2f}" for name, (n, least) in means.items() if n < least * number
    ]
    short += [f"{name}: {found.fired[name]}" for name in ALL if found.fired[name] < OFTEN]
    met = found.situations
    return short + [f"{name}: {met[name]}" for name in sorted(situations()) if met[name] < OFTEN]


def test_the_gate_names_what_was_not_tried() -> None:
    assert "F7: 0" in wanting(Found())
    assert "edit on an open write: 0" in wanting(Found())
