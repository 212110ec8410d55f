"""The search: histories that must not fail, and proof that a whole box tries what it should.

The suite plays a fixed number of each mode; ``CRM_SYNC_SIMULATION_SECONDS`` plays boxes of that
many CPU seconds for each process instead, which find what nobody knows yet.
"""

import os
import re
from pathlib import Path

import pytest

from tests.simulation.faults import ALL
from tests.simulation.search import Found, box

SECONDS = os.environ.get("CRM_SYNC_SIMULATION_SECONDS")
#: mode -> the first seed, and how many
PLAYED = {"safety": (260, 78), "liveness": (0, 40), "workers": (0, 40), "restore": (0, 40)}
LEAST = 3000  #: safety histories of a whole box
OFTEN = 50  #: how often each fault strikes and each situation is met
README = Path(__file__).parents[2] / "sync_engine" / "README.md"


def situations() -> set[str]:
    """The situations of the decision table, as it is written."""
    table = README.read_text().split("## Decision table")[1].split("## Decisions")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", PLAYED)
def test_no_history_fails(mode: str) -> None:
    first, most = PLAYED[mode]
    found = box(mode, float(SECONDS)) if SECONDS else box(mode, 10**6, most, first)
    print(f"\n{mode}: {found.told()}")  # noqa: T201  # every run tells what it has tried
    assert not found.failures, found.told()


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
