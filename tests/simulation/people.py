"""What people do in the systems, and the book the simulation keeps of it.

Every value that somebody enters is its own, so that it can be found again: on the records,
superseded by a later entry, or in history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from connectors import Action, Write
from connectors.testing.memory import MemorySystem, Row

if TYPE_CHECKING:
    from tests.simulation.world import Simulated

#: system -> the objects of its leads and customers
OBJECTS = {
    "sales": ("Lead", "Contact"),
    "service": ("lead", "contact"),
    "profiles": ("person", "person"),
}
TYPES = ("LEAD", "CUSTOMER")
FIELDS = ("title", "city", "mobile")
#: native field -> what people call it
TOUCHED = {"title": "title", "city": "city", "phones": "mobile", "mobile": "mobile"}


@dataclass(slots=True)
class Entry:
    """One value that a person entered."""

    number: int
    system: str
    object: str
    record: str
    field: str
    value: Any
    step: int
    #: proven to be made between our read and our write, where the system cannot tell (I-5)
    in_window: bool = False


@dataclass(slots=True)
class People:
    sim: "Simulated"
    entries: list[Entry] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)  #: surnames whose records ended somewhere
    twice: set[str] = field(default_factory=set)  #: surnames with two records in one system
    _numbers: int = 0
    _read: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def rows(self, system: str, kind: int) -> tuple[str, list[Row]]:
        """The object, and the records of a kind that somebody sees there."""
        name = OBJECTS[system][kind]
        rows = self._system(system).alive(name)
        if system == "profiles":
            rows = [row for row in rows if row.values["type"] == TYPES[kind]]
        return name, rows

    def create(self, system: str, kind: int, token: int, *, title: bool) -> None:
        name, rows = self.rows(system, kind)
        last = surname(token)
        if any(row.values["last"] == last for row in rows):
            self.twice.add(last)
        values: dict[str, Any] = {"first": f"F{chr(97 + token) * 3}", "last": last}
        mail = f"p{token}@corp{token}.hr"
        if system == "profiles":
            values |= {"type": TYPES[kind], "mails": [mail]}
        else:
            values |= {"mail": mail} | ({"firm": f"Firm{token}"} if kind == 0 else {})
        record = self._system(system).create(name, **values)
        if title:
            self._enter(system, name, self._system(system).row(name, record), "title", "new")

    def edit(self, system: str, kind: int, pick: float, field: str, how: str) -> None:
        name, rows = self.rows(system, kind)
        if rows:
            self._enter(system, name, chosen(rows, pick), field, how)

    def opt_out(self, system: str, kind: int, pick: float) -> None:
        name, rows = self.rows(system, kind)
        if rows:
            row = chosen(rows, pick)
            self._system(system).update(name, row.id, noemail=True)
            self._note(system, name, row.id, "noemail", True)

    def delete(self, system: str, kind: int, pick: float) -> None:
        name, rows = self.rows(system, kind)
        if rows:
            row = chosen(rows, pick)
            self.ended.add(row.values["last"])
            self._system(system).delete(name, row.id)

    def delete_all(self, system: str, kind: int) -> int:
        name, rows = self.rows(system, kind)
        for row in rows:
            self.ended.add(row.values["last"])
            self._system(system).delete(name, row.id)
        return len(rows)

    def clear_all(self, system: str, kind: int) -> int:
        name, rows = self.rows(system, kind)
        for row in rows:
            self._enter(system, name, row, "title", "clear")
        return len(rows)

    def undelete(self, system: str, kind: int, pick: float) -> None:
        name = OBJECTS[system][kind]
        rows = self._system(system).objects[name].rows.values()
        dead = [row for row in rows if row.deleted and not row.merged_into]
        if dead:
            self._system(system).undelete(name, chosen(dead, pick).id)

    def convert(self, system: str, pick: float, *, into_known: bool) -> None:
        name, rows = self.rows(system, 0)
        if not rows or system == "profiles":
            return
        row = chosen(rows, pick)
        self.ended.add(row.values["last"])
        _, customers = self.rows(system, 1)
        known = [one.id for one in customers if one.values["last"] == row.values["last"]]
        self._system(system).convert(name, row.id, known[0] if into_known and known else None)

    def merge(self, system: str, kind: int, pick: float) -> None:
        name, rows = self.rows(system, kind)
        same = [row for row in rows if row.values["last"] in self.twice]
        if system == "profiles" or len(same) < 2:
            return
        winner = chosen(same, pick)
        losers = [r for r in same if r.values["last"] == winner.values["last"] and r is not winner]
        if losers:
            self.ended.add(winner.values["last"])
            self._system(system).merge(name, winner.id, losers[0].id)

    def meddle(self, system: str, rng: Random) -> None:
        """Somebody edits something while we read."""
        self.edit(system, rng.randrange(2), rng.random(), rng.choice(FIELDS), "new")

    def edit_under(
        self, system: str, name: str, writes: Sequence[Write], what: str, rng: Random
    ) -> bool:
        """Somebody edits a record that is about to be written; whether there was one."""
        updates = [one for one in writes if one.action is Action.UPDATE and one.id]
        if not updates:
            return False
        write = rng.choice(updates)
        row = self._system(system).row(name, write.id or "")
        if row.deleted or row.converted_into:
            return False
        written = [TOUCHED[one] for one in write.values if one in TOUCHED]
        others = [one for one in FIELDS if one not in written]
        wanted = written if what == "same edit before" else others
        if not wanted:
            return False
        self._enter(system, name, row, rng.choice(sorted(wanted)), "new")
        return True

    def read(self, system: str, name: str, record: str) -> None:
        """We have read that record: what is entered from now on we do not know."""
        self._read[system, name, record] = self._numbers

    def overwritten(self, system: str, name: str, write: Write) -> None:
        """Our write meets entries that we cannot have read; the system has no versions to tell."""
        since = self._read.get((system, name, write.id or ""), 0)
        fields = {TOUCHED[one] for one in write.values if one in TOUCHED}
        for entry in self.entries:
            place = (entry.system, entry.object, entry.record)
            if place == (system, name, write.id) and entry.field in fields:
                entry.in_window |= entry.number > since

    def echo(self, system: str, name: str, writes: Sequence[Write]) -> bool:
        """An automation answers our write with a value of its own, once."""
        for write in writes:
            if write.id and write.values.get("title"):
                row = self._system(system).row(name, write.id)
                if not row.deleted and not row.converted_into:
                    self._enter(system, name, row, "title", "new")
                    return True
        return False

    def _enter(self, system: str, name: str, row: Row, field: str, how: str) -> None:
        self._numbers += 1
        value: Any = None
        if how == "new":
            forms = {"title": "t{}", "city": "c{}", "mobile": "+38591555{:04d}"}
            value = forms[field].format(self._numbers)
        if field == "mobile" and system == "profiles":
            held = list(row.values["phones"] or ())
            told = [value.removeprefix("+")] if value else []
            self._system(system).update(name, row.id, phones=told + held[1:])
        else:
            self._system(system).update(name, row.id, **{field: value})
        self._note(system, name, row.id, field, value)

    def _note(self, system: str, name: str, record: str, field: str, value: Any) -> None:
        self._numbers += 1
        entry = Entry(self._numbers, system, name, record, field, value, self.sim.step)
        self.entries.append(entry)
        self.sim.trace("entered", system, name, record, field, value)

    def _system(self, name: str) -> MemorySystem:
        return self.sim.systems[name]


def surname(token: int) -> str:
    return f"L{chr(97 + token % 26) * 4}{token}"


def chosen(rows: Sequence[Row], pick: float) -> Row:
    """One of them: the same for the same ``pick``."""
    return rows[int(pick * len(rows)) % len(rows)]


def kind_of(name: str, row: Row) -> str:
    """``LEAD`` or ``CUSTOMER``, as a record of that object is."""
    return str(row.values.get("type") or TYPES[name.lower() == "contact"])
