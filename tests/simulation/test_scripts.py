"""Histories that once failed: they run first, for ever."""

from pathlib import Path

import pytest

from tests.simulation.events import load
from tests.simulation.history import run
from tests.simulation.tell import tell

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.json"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_stored_history_holds(path: Path) -> None:
    script = load(path)
    assert not run(script).signature, tell(script)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_read_as_it_was_written(path: Path) -> None:
    script = load(path)
    assert script.to_json() == path.read_text()
