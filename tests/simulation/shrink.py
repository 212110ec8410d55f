"""Makes a failing history short, and keeps it as a script."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from tests.simulation.events import Event, History
from tests.simulation.history import run

SCRIPTS = Path(__file__).with_name("scripts")
CHUNKS = (16, 8, 4, 2, 1)


def shrunk(history: History, fails: Callable[[History], bool]) -> History:
    """The same failure with fewer events; one that is left out changes none of the others."""
    for size in CHUNKS:
        start = 0
        while start < len(history.events):
            events = history.events[:start] + history.events[start + size :]
            smaller = replace(history, events=events)
            if fails(smaller):
                history = smaller
            else:
                start += size
    return history


def still(sort: str) -> Callable[[History], bool]:
    """Whether a history fails in the same way."""
    return lambda history: run(history).sort == sort


def text(history: History) -> str:
    """A script: one event on each line."""
    events = ",\n  ".join(json.dumps(asdict(event)) for event in history.events)
    head = f'"seed": {history.seed}, "order": {json.dumps(history.order)}'
    return f'{{{head}, "events": [\n  {events}\n]}}\n'


def read(script: Path) -> History:
    told = json.loads(script.read_text())
    events = tuple(Event(**event) for event in told["events"])
    return History(told["seed"], tuple(told["order"]), events)


def told(history: History, failure: str) -> str:
    """A table for a person: what happened, in order, and how it ended."""
    lines = [f"seed {history.seed}, {' '.join(history.order)}"]
    for event in history.events:
        args = " ".join(f"{name}={value}" for name, value in event.args.items())
        lines.append(f"  {event.id:>3}  {event.do:<12} {args}")
    return "\n".join([*lines, f"  =>   {failure}"])
