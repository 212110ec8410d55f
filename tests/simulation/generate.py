"""Draws histories: small worlds in which things collide, and faults in random company.

One world is drawn and copied into the systems with perturbations (independent ones would never
match); each history has its own subset of the faults, each at its own rate (swarm testing).
"""

import random
from typing import Any

from tests.simulation.events import Event, Fault, Script, Setup
from tests.simulation.faults import CROSSINGS, RATES, WAYS

FIELDS = ("job_title", "description", "mobile", "address", "email_opt_out")
SYSTEMS = (("sales", "salesforce"), ("service", "dynamics"), ("profiles", "profiles"))
SHARE = 0.35  #: of histories in which a fault is on
SOON = ("F1", "F2", "F3", "F4", "F5", "F6", "F10", "F11")


def script(seed: int) -> Script:
    """The history of a seed."""
    rng = random.Random(f"history {seed}")
    setup = _setup(rng, seed)
    return Script(setup, tuple(_Teller(rng, setup).tell()))


def _setup(rng: random.Random, seed: int) -> Setup:
    systems = SYSTEMS if rng.random() < 0.5 else tuple(sorted(rng.sample(SYSTEMS, 2)))
    if rng.random() < 0.15:  # a second organization of one vendor
        name, flavour = rng.choice(systems)
        systems = (*systems, (f"{name}2", flavour))
    kinds = rng.choices(
        (("lead",), ("customer",), ("lead", "customer"), ("lead", "customer", "company")),
        (60, 15, 20, 5),
    )[0]
    faults = _swarm(rng)
    return Setup(
        seed=seed,
        systems=systems,
        kinds=kinds,
        fields=tuple(sorted(rng.sample(FIELDS, rng.randint(2, 4)))),
        policy=rng.choices(("prefer", "newest", "longest", "manual"), (40, 25, 20, 15))[0],
        deletes=rng.choices(("unlink", "propagate"), (70, 30))[0],
        faults=faults,
        page=rng.randint(1, 5),
        batch=rng.randint(1, 3),
        late=rng.randint(1, 5) if "F10" in faults else 0,
        clear=rng.random() < 0.75,
    )


def _swarm(rng: random.Random) -> dict[str, float]:
    kind = rng.random()
    if kind < 0.2:
        return {}
    if kind < 0.25:
        return {"F10": 0.2, "F11": 0.2}
    return {name: rng.choice(RATES) for name in SOON if rng.random() < SHARE}


class _Teller:
    """Draws the events of one history."""

    def __init__(self, rng: random.Random, setup: Setup) -> None:
        self.rng, self.setup = rng, setup
        self.events: list[Event] = []
        self.people = self._crowd()
        self.last: tuple[str, str, int] | None = None  #: the record touched last
        self.number = 0

    def tell(self) -> list[Event]:
        rng = self.rng
        self._start()
        for _ in range(rng.randint(20, 50)):
            what = rng.choices(("edit", "cycle", "birth", "end", "pause"), (58, 22, 10, 7, 3))[0]
            getattr(self, f"_{what}")()
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
        self._add("edit", **self._edited(name, kind, who))

    def _edited(self, name: str, kind: str, who: int) -> dict[str, Any]:
        field = "name" if kind == "company" else self.rng.choice(self.setup.fields)
        clear = kind != "company" and self.rng.random() < 0.15
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

    def _cycle(self) -> None:
        number = self._next()
        planned = []
        for fault, rate in self.setup.faults.items():
            for seam, ways in WAYS.get(fault, {}).items():
                for nth in range(1, CROSSINGS[seam] + 1):
                    if self.rng.random() < rate:
                        how = self.rng.choice(ways)
                        planned.append(Fault(fault, seam, nth, how, self._deed(how)))
        kinds = {"kinds": [self.rng.choice(self.setup.kinds)]} if self.rng.random() < 0.2 else {}
        self.events.append(Event(number, "cycle", kinds, tuple(planned)))

    def _deed(self, how: str) -> Event | None:
        """What somebody does in the midst of a run."""
        if how not in ("deed", "window"):
            return None
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
