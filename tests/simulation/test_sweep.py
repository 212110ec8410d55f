"""Every stored history once more with one crash, at each commit and each write in turn."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.events import Fault, Script, load
from tests.simulation.history import run
from tests.simulation.tell import tell

WHOLE = os.environ.get("CRM_SYNC_ALL") == "1"
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.json"))
BOX = 60 if WHOLE else 5  #: CPU seconds for all of them
POINTS = {"commit": ("crash before", "crash after"), "write": ("crash unsent", "crash applied")}
CROSSED = {"commit": 24, "write": 3}  #: how far the sweep goes into one cycle


def crashed(script: Script) -> Iterator[Script]:
    """The history with its own faults of a cycle replaced by one crash."""
    for place, event in enumerate(script.events):
        if event.what != "cycle":
            continue
        for seam, ways in POINTS.items():
            for nth in range(1, CROSSED[seam] + 1):
                for how in ways:
                    fault = Fault("F1" if seam == "commit" else "F2", seam, nth, how)
                    events = list(script.events)
                    events[place] = replace(event, faults=(fault,))
                    yield replace(script, events=tuple(events))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_crash_anywhere_changes_nothing_in_the_end(path: Path) -> None:
    start = time.process_time()
    for script in crashed(load(path)):
        if time.process_time() - start > BOX / len(SCRIPTS):
            break
        assert not run(script).signature, tell(script)
