"""What the people of the simulated organizations do, and a log of every value they entered."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.testing.memory import Row
from tests.simulation.events import Event, Setup
from tests.simulation.systems import OBJECTS, PROFILE_TYPES, Crm

#: golden field -> native one; sets of Customer Profiles apart
NATIVE = {
    "first_name": "first",
    "email": "mail",
    "job_title": "title",
    "description": "description",
    "mobile": "mobile",
    "address": "city",
    "email_opt_out": "noemail",
    "name": "name",
}
_SETS = {"email": "mails", "mobile": "phones"}
_FIRST = ("Ana", "Boris", "Cvita", "Davor", "Ema", "Filip", "Goran", "Hana", "Iva", "Luka")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value that somebody entered."""

    event: int
    system: str
    record: str  #: that in which the person's entries began, where it was converted since
    who: int
    kind: str
    field: str
    value: Any
    over: Any = None  #: what the record showed before; of a set and of a new record nothing


class People:
    """Carries out deeds."""

    def __init__(self, setup: Setup, systems: Mapping[str, Crm]) -> None:
        self.setup, self.systems = setup, systems
        self.log: list[Entry] = []
        self.whose: dict[tuple[str, str], int] = {}  #: record -> the person it is about
        self.began: dict[tuple[str, str], str] = {}  #: record -> the one it was converted from
        self.born: dict[tuple[str, str], int] = {}  #: records that people made -> event
        self.deleted: list[
            tuple[Crm, str, int, str]
        ] = []  #: by people: where, object, whom, record
        self.event = 0
        self.quiet: list[int] = []  #: events after which everything had come to rest
        for crm in systems.values():
            crm.entered = partial(self._automated, crm)

    def do(self, event: Event, rng: random.Random) -> bool:
        """Whether there was anything to do it with."""
        self.event = event.id
        self._recognise()
        args = dict(event.args)
        crm = self.systems[args.pop("on")]
        done: bool = getattr(self, f"_{event.what}")(crm, rng, **args)
        return done

    def rows(self, crm: Crm, kind: str, who: int) -> list[Row]:
        """A person's records of a kind in a system."""
        return [row for row in crm.people(kind) if self.whose.get((crm.name, row.id)) == who]

    def root(self, system: str, number: str) -> str:
        return self.began.get((system, number), number)

    def now(self, system: str, root: str) -> str:
        """The record in which what began in another one is carried on."""
        followers = (n for (s, n), began in self.began.items() if (s, began) == (system, root))
        return next(followers, root)

    def who(self, crm: Crm, name: str, row: Row) -> int:
        """Whom a record is about; -1: nobody of ours."""
        place = (crm.name, row.id)
        if place not in self.whose:
            told = row.values.get("last") or row.values.get("name")
            kind = crm.kind_of(name, row)
            named = (who for who in range(400) if told == self.surname(who, kind))
            self.whose[place] = next(named, -1)
        return self.whose[place]

    def _recognise(self) -> None:
        """Whose the records are that the engine has made."""
        for crm in self.systems.values():
            for kind in self.setup.kinds:
                for row in crm.people(kind):
                    self.who(crm, OBJECTS[crm.flavour][kind], row)

    def surname(self, who: int, kind: str) -> str:
        if kind == "company":
            return f"Zq{_word(who)} Works"
        return f"Zq{_word(who if self.setup.clear else who % 4)}"

    def _birth(
        self, crm: Crm, rng: random.Random, kind: str, who: int, fields: list[str], twist: int = 0
    ) -> bool:
        name = OBJECTS[crm.flavour][kind]
        values = self._identity(crm, kind, who)
        entered = {f: self._value(f, f"{self.event}x{who}") for f in fields}
        values |= {n: v for f, v in entered.items() if (n := self._native(crm, name, f))}
        if "mobile" in fields and crm.flavour == "profiles":
            values["phones"] = [str(entered["mobile"]).removeprefix("+")]
        if twist and not self.setup.clear:
            values["mails" if crm.flavour == "profiles" else "mail"] = None
        if crm.flavour == "profiles" and self._taken(crm, values):
            return False
        number = crm.create(name, **values)
        self.whose[crm.name, number] = who
        self.born[crm.name, number] = self.event
        for field, value in entered.items():
            if self._native(crm, name, field):
                self._log(crm, number, who, kind, field, value)
        return True

    def _edit(
        self, crm: Crm, rng: random.Random, kind: str, who: int, field: str, clear: bool = False
    ) -> bool:
        rows = self.rows(crm, kind, who)
        if not rows:
            return False
        return self._enter(crm, rng.choice(rows), kind, field, str(self.event), clear)

    def _mass(self, crm: Crm, rng: random.Random, kind: str, field: str) -> bool:
        """An import touches every record."""
        done = [
            self._enter(crm, row, kind, field, f"{self.event}m{n}", False)
            for n, row in enumerate(crm.people(kind))
        ]
        return any(done)

    def _massdelete(self, crm: Crm, rng: random.Random, kind: str) -> bool:
        rows = crm.people(kind)
        for row in rows[: max(1, len(rows) * 2 // 3)]:
            self._end(crm, kind, row)
        return bool(rows)

    def _delete(self, crm: Crm, rng: random.Random, kind: str, who: int) -> bool:
        rows = self.rows(crm, kind, who)
        if rows:
            self._end(crm, kind, rng.choice(rows))
        return bool(rows)

    def _end(self, crm: Crm, kind: str, row: Row) -> None:
        name = OBJECTS[crm.flavour][kind]
        self.deleted.append((crm, name, self.who(crm, name, row), row.id))
        crm.delete(name, row.id)

    def _undelete(self, crm: Crm, rng: random.Random, kind: str, who: int) -> bool:
        name = OBJECTS[crm.flavour][kind]
        dead = [
            row
            for row in crm.objects[name].rows.values()
            if row.deleted and row.merged_into is None and self.whose.get((crm.name, row.id)) == who
        ]
        if not dead or (crm.flavour == "profiles" and self._taken(crm, dead[0].values)):
            return False
        crm.undelete(name, dead[0].id)
        return True

    def _merge(self, crm: Crm, rng: random.Random, kind: str, who: int) -> bool:
        rows = self.rows(crm, kind, who)
        if len(rows) < 2 or crm.flavour == "profiles":
            return False
        survivor, loser = rng.sample(rows, 2)
        crm.merge(OBJECTS[crm.flavour][kind], survivor.id, loser.id)
        return True

    def _convert(self, crm: Crm, rng: random.Random, who: int, into: bool = False) -> bool:
        rows = self.rows(crm, "lead", who)
        if not rows or "customer" not in self.setup.kinds:
            return False
        row = rng.choice(rows)
        name = OBJECTS[crm.flavour]["lead"]
        if crm.flavour == "profiles":
            crm.enter(name, row.id, type="CUSTOMER")
            return True
        there = self.rows(crm, "customer", who)
        number = crm.convert(name, row.id, there[0].id if into and there else None)
        if not (into and there):
            self.whose[crm.name, number] = who
            self.born[crm.name, number] = self.event
            self.began[crm.name, number] = self.root(crm.name, row.id)
        return True

    def _enter(self, crm: Crm, row: Row, kind: str, field: str, token: str, clear: bool) -> bool:
        name = OBJECTS[crm.flavour][kind]
        native = self._native(crm, name, field)
        if native is None:
            return False
        value = self._value(field, token)
        if clear:
            value = False if field == "email_opt_out" else None
        told: Any = value
        over = None if crm.flavour == "profiles" and field in _SETS else row.values[native]
        if crm.flavour == "profiles" and field in _SETS:
            old = self._shown(row, field)
            others = [v for v in row.values[native] or [] if v != old]
            told = [str(value).removeprefix("+"), *others] if value else others
        crm.enter(name, row.id, **{native: told})
        who = self.whose.get((crm.name, row.id), -1)
        self._log(crm, row.id, who, kind, field, value, over)
        return True

    def _shown(self, row: Row, field: str) -> Any:
        members = row.values.get(_SETS[field]) or [None]
        return members[0]

    def _native(self, crm: Crm, name: str, field: str) -> str | None:
        native = _SETS.get(field) if crm.flavour == "profiles" else None
        native = native or NATIVE[field]
        return native if native in crm.objects[name].fields else None

    def _value(self, field: str, token: str) -> Any:
        if field == "email_opt_out":
            return True
        if field == "mobile":
            digits = "".join(str(ord(c)) if c.isalpha() else c for c in token)
            return f"+385{'91' + digits.zfill(7)[-7:]}"
        return f"zq{token}@ured{token}.hr" if field == "email" else f"zq{token}q"

    def _identity(self, crm: Crm, kind: str, who: int) -> dict[str, Any]:
        last = self.surname(who, kind)
        if kind == "company":
            return {"name": last, "vat": f"HR{who:07}"}
        mail = f"zq{who if self.setup.clear else who % 3}@tvrtka{who % 7}.hr"
        person: dict[str, Any] = {"first": _FIRST[who % 10], "last": last}
        if crm.flavour == "profiles":
            return person | {"mails": [mail], "type": PROFILE_TYPES[kind], "phones": []}
        return person | {"mail": mail} | ({"firm": f"Zq{_word(who)}"} if kind == "lead" else {})

    def _taken(self, crm: Crm, values: Mapping[str, Any]) -> bool:
        return any(
            set(values.get(native) or ()) & set(row.values.get(native) or ())
            for native in _SETS.values()
            for row in crm.alive("person")
        )

    def _automated(
        self, crm: Crm, name: str, number: str, native: str, value: Any, over: Any
    ) -> None:
        field = next(f for f, n in NATIVE.items() if n == native)
        kind = crm.kind_of(name, crm.row(name, number))
        self._log(crm, number, self.whose.get((crm.name, number), -1), kind, field, value, over)

    def _log(
        self,
        crm: Crm,
        number: str,
        who: int,
        kind: str,
        field: str,
        value: Any,
        over: Any = None,
    ) -> None:
        root = self.root(crm.name, number)
        self.log.append(Entry(self.event, crm.name, root, who, kind, field, value, over))


def _word(number: int) -> str:
    """A name of its own sound for every number."""
    consonants, vowels = "bdfklmnprst", "aeiou"
    text, left = "", number + 13
    while left:
        left, c = divmod(left, len(consonants))
        text += consonants[c] + vowels[c % 5]
    return text
