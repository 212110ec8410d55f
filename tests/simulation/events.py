"""Histories as data: a setting, what happens in it in order, and what goes wrong meanwhile.

Each event has an id of its own and draws only from a generator seeded by (seed, id), so that
leaving out one event leaves the others as they were. A script is written as JSON and read back.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people, systems, operators or time do."""

    id: int
    what: str
    args: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple["Fault", ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong when the engine crosses a seam for the nth time within an event."""

    id: str  #: of the catalogue, F1 to F21
    seam: str  #: ``commit``, ``read``, ``write``
    nth: int
    how: str
    deed: Event | None = None  #: what somebody does at that moment


@dataclass(frozen=True, slots=True)
class Setup:
    """The setting of a history."""

    seed: int
    systems: tuple[tuple[str, str], ...]  #: instance -> whose model: crm or profiles flavour
    kinds: tuple[str, ...] = ("lead",)
    fields: tuple[str, ...] = ("job_title",)  #: beside names and addresses, which are always there
    policy: str = "prefer"
    deletes: str = "unlink"
    faults: Mapping[str, float] = field(default_factory=dict)  #: fault -> its rate
    page: int = 3  #: records that a system shows at once
    batch: int = 2  #: writes that a system takes at once
    engine_batch: int = 5000  #: records that the engine takes into one transaction
    late: int = 0  #: events until a change is visible, at most
    stored: Mapping[str, str] = field(default_factory=dict)  #: instance -> how it rewrites values
    yields: Mapping[str, str] = field(default_factory=dict)  #: instance -> a field it does not own
    limits: int = 0  #: what the guard lets through, where it is not the usual
    released: bool = True  #: whether the first report was released before the history begins
    clear: bool = True  #: whether people can be told apart by name and address

    #: what stays broken in the end, and where: ``down`` or ``poison``; empty: nothing
    frozen: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.systems)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole history."""

    setup: Setup
    events: tuple[Event, ...]

    def rng(self, event: Event) -> random.Random:
        return random.Random(f"{self.setup.seed}/{event.id}")  # by SHA-512: the same everywhere

    def to_json(self) -> str:
        events = ",\n  ".join(json.dumps(_bare(asdict(one))) for one in self.events)
        setup = json.dumps(asdict(self.setup))
        return f'{{"setup": {setup},\n "events": [\n  {events}\n ]}}\n'


def from_json(text: str) -> Script:
    tree = json.loads(text)
    setup = tree["setup"]
    setup["systems"] = tuple((name, flavour) for name, flavour in setup["systems"])
    setup |= {name: tuple(setup[name]) for name in ("kinds", "fields", "frozen")}
    return Script(Setup(**setup), tuple(_event(one) for one in tree["events"]))


def load(path: Path) -> Script:
    return from_json(path.read_text())


def _event(tree: dict[str, Any]) -> Event:
    faults = tuple(
        Fault(**one | {"deed": _event(one["deed"]) if one.get("deed") else None})
        for one in tree.get("faults", ())
    )
    return Event(tree["id"], tree["what"], tree.get("args", {}), faults)


def _bare(tree: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, so that a script reads as a list of what happens."""
    found = {name: value for name, value in tree.items() if value not in (None, (), [], {})}
    if "faults" in found:
        found["faults"] = [_bare(one) for one in found["faults"]]
    if "deed" in found:
        found["deed"] = _bare(found["deed"])
    return found
