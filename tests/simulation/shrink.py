"""Makes a failing history small: fewer events, fewer faults, a smaller world, the same failure."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.simulation.events import Script
from tests.simulation.history import run

Fails = Callable[[Script], bool]
_EASIER: tuple[dict[str, Any], ...] = (
    {"late": 0},
    {"page": 50},
    {"batch": 25},
    {"engine_batch": 5000},
    {"limits": 0},
    {"policy": "prefer"},
    {"deletes": "unlink"},
    {"faults": {}},
    {"stored": {}},
)


def shrink(script: Script, signature: str) -> Script:
    """The smallest history found that ends with this signature."""

    def fails(candidate: Script) -> bool:
        return run(candidate).signature == signature

    while True:
        small = script
        for size in (16, 8, 4, 2, 1):
            small = _without_events(small, size, fails)
        small = _first_that_fails(small, _calmer(small), fails)
        small = _first_that_fails(small, _smaller(small), fails)
        if small == script:
            return small
        script = small


def _without_events(script: Script, size: int, fails: Fails) -> Script:
    at = 0
    while at < len(script.events):
        fewer = script.events[:at] + script.events[at + size :]
        candidate = replace(script, events=fewer)
        if fails(candidate):
            script = candidate
        else:
            at += size
    return script


def _calmer(script: Script) -> Iterator[Script]:
    """All faults of one event off, then single ones."""
    for place, event in enumerate(script.events):
        kept = [event.faults[:n] + event.faults[n + 1 :] for n in range(len(event.faults))]
        for faults in [(), *kept] if event.faults else []:
            events = list(script.events)
            events[place] = replace(event, faults=faults)
            yield replace(script, events=tuple(events))


def _smaller(script: Script) -> Iterator[Script]:
    setup = script.setup
    for name in setup.names:
        if len(setup.systems) > 2 and not any(
            one.args.get("on") == name
            or any(f.deed and f.deed.args.get("on") == name for f in one.faults)
            for one in script.events
        ):
            systems = tuple(one for one in setup.systems if one[0] != name)
            yield replace(script, setup=replace(setup, systems=systems))
    for field in setup.fields:
        if len(setup.fields) > 1:
            fields = tuple(one for one in setup.fields if one != field)
            yield replace(script, setup=replace(setup, fields=fields))
    for easier in _EASIER:
        if any(getattr(setup, name) != value for name, value in easier.items()):
            yield replace(script, setup=replace(setup, **easier))


def _first_that_fails(script: Script, candidates: Iterator[Script], fails: Fails) -> Script:
    for candidate in candidates:
        if candidate != script and fails(candidate):
            return candidate
    return script
