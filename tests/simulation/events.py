"""Histories as data: what happens, in order, and how one is drawn.

Each event is drawn by a generator of its own, seeded by the history's seed and its number:
leaving one out leaves the others as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.faults import COMMIT, READ, WRITE
from tests.simulation.people import FIELDS

SYSTEMS = ("sales", "service", "profiles")
#: event -> how likely, beside cycles and faults
DEEDS = {
    "create": 10,
    "edit": 26,
    "opt out": 2,
    "delete": 3,
    "undelete": 2,
    "convert": 3,
    "merge": 2,
}
#: faults that are events of their own -> their numbers
HAPPENINGS = {
    "down": "F4",
    "lag": "F10",
    "clock": "F12",
    "snapshot": "F15",
    "restore": "F15",
    "policy": "F16",
    "drift": "F16",
    "reload": "F17",
    "mass clear": "F20",
    "mass delete": "F20",
    "resync": "F21",
    "pause": "F21",
    "resume": "F21",
    "hour": "F12",
}
FOCUS = {"restore": ("F15",), "windows": ("F10", "F11"), "cursors": ("F8", "F16", "F19")}
SHARES = (("none", 0.2), ("restore", 0.05), ("windows", 0.05), ("swarm", 0.7))


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    do: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    seed: int
    order: tuple[str, ...]  #: the systems
    events: tuple[Event, ...]


def drawn(seed: int, focus: str = "") -> History:
    """The history of a seed; with ``focus`` one of a kind."""
    rng = Random(f"history {seed}")
    order = SYSTEMS if rng.random() < 0.5 else tuple(sorted(rng.sample(SYSTEMS, 2), reverse=True))
    kind = focus or rng.choices([k for k, _ in SHARES], [share for _, share in SHARES])[0]
    on = _faults(rng, kind)
    rate = rng.choice((0.02, 0.08, 0.25))
    size = rng.choices((4, 8, 14), (80, 18, 2))[0]
    length = rng.randrange(30, 50)
    starts = _start(rng, order, size)
    drawn_ = [_event(seed, n, order, on, rate, size) for n in range(length)]
    events = [*starts, *drawn_]
    return History(seed, order, tuple(Event(n, e.do, e.args) for n, e in enumerate(events)))


def _faults(rng: Random, kind: str) -> list[str]:
    every = [f"F{n}" for n in range(1, 22)]
    if kind == "none":
        return []
    if kind in FOCUS:
        return list(FOCUS[kind])
    return [one for one in every if rng.random() < 0.35]


def _start(rng: Random, order: Sequence[str], size: int) -> list[Event]:
    """One crowd, copied into each system and changed a little there."""
    found = []
    for token in range(rng.randrange(1, size)):
        kind = int(rng.random() < 0.3)
        for system in order:
            if rng.random() < 0.6:
                args = {"system": system, "kind": kind, "token": token, "title": rng.random() < 0.5}
                found.append(Event(0, "create", args))
    return found


def _event(
    seed: int, number: int, order: Sequence[str], on: Sequence[str], rate: float, size: int
) -> Event:
    rng = Random(f"{seed}:{number}")
    if on and rng.random() < max(rate, 0.12):
        return _fault(rng, number, order, on)
    if rng.random() < 0.3:
        return Event(number, "cycle", {"kinds": rng.choice(([1], [2], [1, 2], [1, 2]))})
    do = rng.choices(list(DEEDS), list(DEEDS.values()))[0]
    args: dict[str, Any] = {"system": rng.choice(order), "kind": int(rng.random() < 0.3)}
    args["pick"] = round(rng.random(), 3)
    if do == "create":
        args |= {"token": rng.randrange(size), "title": rng.random() < 0.5}
        del args["pick"]
    elif do == "edit":
        how = rng.choices(("new", "clear"), (5, 1))[0]
        args |= {"field": rng.choice(FIELDS), "how": how}
    elif do == "convert":
        args |= {"into_known": rng.random() < 0.5}
        del args["kind"]
    return Event(number, do, args)


def _fault(rng: Random, number: int, order: Sequence[str], on: Sequence[str]) -> Event:
    wishes: list[tuple[str, str]] = []
    for place, known in (("read", READ), ("write", WRITE), ("commit", COMMIT)):
        wishes += [(place, what) for what, of in known.items() if of in on]
    wishes += [("", what) for what, of in HAPPENINGS.items() if of in on]
    place, what = rng.choice(wishes)
    args: dict[str, Any] = {"system": rng.choice(order), "kind": int(rng.random() < 0.3)}
    if not place:
        args |= {"pick": round(rng.random(), 3)}
        return Event(number, what, args)
    del args["kind"]
    if place == "commit":
        args["system"] = ""
    args |= {"place": place, "what": what, "seed": f"{number}:{rng.random()}"}
    args["after"] = rng.randrange(20 if place == "commit" else 4)
    return Event(number, "arm", args)
