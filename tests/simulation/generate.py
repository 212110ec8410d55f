"""Draws histories: small worlds in which things collide, and faults in random company.

One world is drawn and copied into the systems with perturbations (independent ones would never
match); each history has its own subset of the faults, each at its own rate (swarm testing).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.simulation.events import Event, Fault, Script, Setup
from tests.simulation.faults import ALL, CROSSINGS, EVENTS, RATES, WAYS
from tests.simulation.systems import REWRITES

FIELDS = ("job_title", "description", "mobile", "address", "email_opt_out")
SYSTEMS = (("sales", "salesforce"), ("service", "dynamics"), ("profiles", "profiles"))
SHARE = 0.35  #: of histories in which a fault is on
#: ways in which a write is left open
_OPEN = frozenset({"lost", "applied", "later", "500 applied", "reset", "html", "crash applied"})
COMMANDS = ("release", "stop", "resume", "resync", "link", "keepapart", "unlink")


def script(seed: int) -> Script:
    """The safety history of a seed: any faults in any company; in the end all is well again."""
    rng = random.Random(f"history {seed}")
    return _told(rng, _setup(rng, seed, _swarm(rng)))


def restore(seed: int) -> Script:
    """States put back, cursors lost, mappings and rights that drift, and nothing else."""
    rng = random.Random(f"restore {seed}")
    on = rng.choice((("F15",), ("F8", "F16"), ("F16", "F19"), ("F15", "F8")))
    return _told(rng, _setup(rng, seed, {name: rng.choice((0.05, 0.2)) for name in on}))


def workers(seed: int) -> Script:
    """Two workers on one state, beside each other or past a lease; crashes and lost answers."""
    rng = random.Random(f"workers {seed}")
    beside = (name for name in ("F1", "F2", "F3", "F11") if rng.random() < 0.5)
    return _told(rng, _setup(rng, seed, {"F13": 0.2} | dict.fromkeys(beside, 0.05)))


def liveness(seed: int) -> Script:
    """From some point on one system is down, or one record refused, for good."""
    rng = random.Random(f"liveness {seed}")
    setup = _setup(rng, seed, _swarm(rng))
    freeze = rng.choice(("down", "poison"))
    return _told(rng, replace(setup, frozen=(freeze, rng.choice(setup.names))))


MODES: dict[str, Callable[[int], Script]] = {
    "safety": script,
    "liveness": liveness,
    "workers": workers,
    "restore": restore,
}


def _told(rng: random.Random, setup: Setup) -> Script:
    return Script(setup, tuple(_Teller(rng, setup).tell()))


def _setup(rng: random.Random, seed: int, faults: dict[str, float]) -> Setup:
    systems = SYSTEMS if rng.random() < 0.5 else tuple(sorted(rng.sample(SYSTEMS, 2)))
    if rng.random() < 0.15:  # a second organization of one vendor
        name, flavour = rng.choice(systems)
        systems = (*systems, (f"{name}2", flavour))
    kinds = rng.choices(
        (("lead",), ("customer",), ("lead", "customer"), ("lead", "customer", "company")),
        (60, 15, 20, 5),
    )[0]
    fields = tuple(sorted(rng.sample(FIELDS, rng.randint(2, 4))))
    return Setup(
        seed=seed,
        systems=systems,
        kinds=kinds,
        fields=fields,
        policy=rng.choices(("prefer", "newest", "longest", "manual"), (40, 25, 20, 15))[0],
        deletes=rng.choices(("unlink", "propagate"), (70, 30))[0],
        faults=faults,
        page=rng.randint(1, 5),
        batch=rng.randint(1, 3),
        late=rng.randint(1, 5) if "F10" in faults else 0,
        clear=rng.random() < 0.75,
        yields=_yields(seed, systems, fields),
        stored=_stored(seed, systems),
        limits=rng.choice((0, 2)) if "F20" in faults else 0,
    )


def _yields(seed: int, systems: Sequence[tuple[str, str]], fields: Sequence[str]) -> dict[str, str]:
    """In some histories a side does not own a field."""
    rng = random.Random(f"yields {seed}")
    plain = [name for name in fields if name in ("job_title", "description")]
    if not plain or rng.random() < 0.8:
        return {}
    return {rng.choice(systems)[0]: rng.choice(plain)}


def _stored(seed: int, systems: Sequence[tuple[str, str]]) -> dict[str, str]:
    """In some histories a system, or two, keep another form of what they are given."""
    rng = random.Random(f"stored {seed}")
    if rng.random() > 0.15:
        return {}
    named = rng.sample(systems, rng.randint(1, 2))
    return {name: rng.choice(sorted(REWRITES)) for name, _ in named}


def _swarm(rng: random.Random) -> dict[str, float]:
    kind = rng.random()
    if kind < 0.2:
        return {}
    if kind < 0.25:
        return {"F10": 0.2, "F11": 0.2}
    if kind < 0.3:
        return {"F15": 0.2}
    on = (name for name in ALL if name != "F15" and rng.random() < SHARE)
    return {name: rng.choice(RATES) for name in on}


class _Teller:
    """Draws the events of one history."""

    def __init__(self, rng: random.Random, setup: Setup) -> None:
        self.rng, self.setup = rng, setup
        self.events: list[Event] = []
        self.people = self._crowd()
        self.last: tuple[str, str, int] | None = None  #: the record touched last
        self.edited: dict[str, Any] | None = None  #: the last edit
        self.number = 0

    def tell(self) -> list[Event]:
        rng = self.rng
        self._start()
        length = rng.randint(8, 28)
        rest = rng.randrange(length) if rng.random() < 0.2 else None
        for number in range(length):
            if number == rest:
                self._add("quiet")
            what = rng.choices(("edit", "cycle", "birth", "end", "pause"), (58, 22, 10, 7, 3))[0]
            getattr(self, f"_{what}")()
            for fault in EVENTS:
                if rng.random() < self.setup.faults.get(fault, 0.0):
                    getattr(self, f"_{fault.lower()}")()
            if rng.random() < self.setup.faults.get("F21", 0.0):
                self.events.append(self._command())
        return self.events

    def _crowd(self) -> int:
        size = self.rng.random()
        if size < 0.85:
            return self.rng.randint(1, 6)
        return self.rng.randint(7, 20)

    def _start(self) -> None:
        """One world, seen differently by each system; or empty systems."""
        shared = self.rng.random() < 0.3
        for who in range(self.people):
            kind = self.rng.choice(self.setup.kinds)
            names = self.setup.names if shared else [self.rng.choice(self.setup.names)]
            for name in names:
                if not shared or self.rng.random() < 0.85:
                    self._born(name, kind, who)
        self._cycle()

    def _born(self, name: str, kind: str, who: int) -> None:
        fields = [f for f in self.setup.fields if self.rng.random() < 0.4]
        if kind == "company":
            fields = []
        self._add("birth", on=name, kind=kind, who=who, fields=fields)
        self.last = (name, kind, who)

    def _birth(self) -> None:
        self.people += 1
        self._born(
            self.rng.choice(self.setup.names), self.rng.choice(self.setup.kinds), self.people - 1
        )

    def _place(self) -> tuple[str, str, int]:
        if self.last is not None and self.rng.random() < 0.3:
            return self.last
        name, kind = self.rng.choice(self.setup.names), self.rng.choice(self.setup.kinds)
        return name, kind, self.rng.randrange(self.people)

    def _edit(self) -> None:
        name, kind, who = self.last = self._place()
        self.edited = edited = self._edited(name, kind, who)
        self._add("edit", **edited)
        if self.rng.random() < 0.25:  # somebody else has another opinion
            other = edited | {"on": self.rng.choice([n for n in self.setup.names if n != name])}
            if edited["field"] == "email_opt_out" and self.rng.random() < 0.5:
                other = {k: v for k, v in other.items() if k != "clear"} | (
                    {} if "clear" in edited else {"clear": True}
                )
            self._add("edit", **other)

    def _edited(self, name: str, kind: str, who: int) -> dict[str, Any]:
        field = "name" if kind == "company" else self.rng.choice(self.setup.fields)
        rate = 0.4 if field == "email_opt_out" else 0.15  # permissions given by somebody else
        clear = kind != "company" and self.rng.random() < rate
        return {"on": name, "kind": kind, "who": who, "field": field} | (
            {"clear": True} if clear else {}
        )

    def _end(self) -> None:
        name, kind, who = self._place()
        if (
            "customer" in self.setup.kinds
            and "lead" in self.setup.kinds
            and self.rng.random() < 0.4
        ):
            self._add("convert", on=name, who=who, into=self.rng.random() < 0.5)
            return
        what = self.rng.choice(("delete", "undelete", "merge", "delete"))
        self._add(what, on=name, kind=kind, who=who)

    def _pause(self) -> None:
        self._add("pause", minutes=self.rng.choice((1, 16, 70)))

    def _f9(self) -> None:
        """A hint that comes once, twice, late, or of a record that is not there."""
        name, kind, who = self._place()
        self._add("hint", on=name, kind=kind, who=who, times=self.rng.choice((1, 1, 2)))

    def _f15(self) -> None:
        self._add(self.rng.choice(("backup", "restore")))

    def _f16(self) -> None:
        how = self.rng.choice(("remap", "reorder", "reject"))
        if how == "remap":
            self._add("remap", fields=self._other_fields())
        elif how == "reorder":
            self._add("reorder")
        else:  # the next edit, which other systems do not take
            on = self.rng.choice(self.setup.names)
            self._add("reject", on=on, native="title", value=f"zq{self.number + 2}q")
            self._add("edit", **self._edited(*self._place()) | {"field": "job_title"})

    def _other_fields(self) -> list[str]:
        return sorted(
            self.rng.sample(self.setup.fields, self.rng.randint(1, len(self.setup.fields)))
        )

    def _f19(self) -> None:
        name = self.rng.choice(self.setup.names)
        self._add("hide", on=name, share=self.rng.choice((0.3, 1.0)))
        self._cycle()
        self._add("show", on=name)

    def _f20(self) -> None:
        name, kind, _ = self._place()
        if self.rng.random() < 0.3:
            self._add("massdelete", on=name, kind=kind)
        elif kind != "company":
            self._add("mass", on=name, kind=kind, field=self.rng.choice(self.setup.fields))

    def _command(self) -> Event:
        what = self.rng.choices(COMMANDS, (15, 15, 20, 40, 8, 6, 6))[0]
        name, kind, who = self._place()
        prefer = {"prefer": name} if self.rng.random() < 0.6 else {}
        every: dict[str, dict[str, Any]] = {
            "release": {"kind": kind},
            "stop": {"on": name},
            "resume": {"on": name},
            "resync": {"kind": kind, "full": self.rng.random() < 0.5, **prefer},
            "link": {"kind": kind, "who": who},
            "keepapart": {"kind": kind, "who": who, "other": self.rng.randrange(self.people)},
            "unlink": {"on": name, "kind": kind, "who": who},
        }
        return Event(self._next(), what, every[what])

    def _cycle(self) -> None:
        number = self._next()
        planned = []
        for fault, rate in self.setup.faults.items():
            for seam, ways in WAYS.get(fault, {}).items():
                often = min(1.0, 3 * rate) if seam == "write" else rate  # writes are few
                for nth in range(1, CROSSINGS[seam] + 1):
                    if self.rng.random() < often:
                        how = self.rng.choice(ways)
                        planned.append(Fault(fault, seam, nth, how, self._deed(fault, how)))
        kinds = {"kinds": [self.rng.choice(self.setup.kinds)]} if self.rng.random() < 0.2 else {}
        self.events.append(Event(number, "cycle", kinds, tuple(planned)))
        if any(one.how in _OPEN for one in planned):
            self._on_top()

    def _on_top(self) -> None:
        """Somebody edits what our write, whose answer was lost, may just have changed."""
        if self.edited is not None and self.rng.random() < 0.5:
            self._add("edit", **self.edited | {"on": self.rng.choice(self.setup.names)})

    def _deed(self, fault: str, how: str) -> Event | None:
        """What somebody does in the midst of a run, or before another worker steps in."""
        if how == "beside" and self.edited is not None and self.rng.random() < 0.7:
            other = self._edited(*self._place())
            on_same = self.edited | {"on": self.rng.choice(self.setup.names)}
            return Event(self._next(), "edit", on_same if self.rng.random() < 0.7 else other)
        if how not in ("deed", "window"):
            return None
        if fault == "F17":
            return Event(self._next(), "reload", {"fields": self._other_fields()})
        if fault == "F21":
            return self._command()
        name, kind, who = self._place()
        what = self.rng.choices(("edit", "delete", "merge", "convert"), (80, 10, 5, 5))[0]
        if what == "edit" or how == "window":
            return Event(self._next(), "edit", self._edited(name, kind, who))
        if what == "convert":
            return Event(self._next(), "convert", {"on": name, "who": who})
        return Event(self._next(), what, {"on": name, "kind": kind, "who": who})

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _add(self, what: str, **args: Any) -> None:
        self.events.append(Event(self._next(), what, args))
