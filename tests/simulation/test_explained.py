"""Two hundred random worlds without a fault: no value without its reason, no record astray."""

from dataclasses import replace

import pytest

from tests.simulation.acting import Acting
from tests.simulation.deeds import People
from tests.simulation.events import Script
from tests.simulation.explained import chained, explained
from tests.simulation.generate import script
from tests.simulation.history import run
from tests.simulation.state import State
from tests.simulation.tell import tell
from tests.simulation.world import Installation

WORLDS = 200


def undisturbed(seed: int) -> Script:
    drawn = script(seed)
    return replace(drawn, events=tuple(replace(event, faults=()) for event in drawn.events))


def truthful(home: Installation, people: People, acting: Acting, state: State) -> None:
    explained(home, state)
    chained(home, state)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, WORLDS, 50))
def test_explain_replayed_gives_every_value(first: int) -> None:
    for seed in range(first, first + 50):
        history = undisturbed(seed)
        assert not run(history, by=truthful).signature, tell(history)
