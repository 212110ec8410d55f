"""What should have become of edits about which there can be no two opinions.

An edit since the last quiet moment that nobody contradicts, on a record that nothing else
happened to, ends on every live record of that person (I-4). Knows all that happened; knows
nothing of the engine.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.people import kind_of

if TYPE_CHECKING:
    from tests.simulation.world import Simulated

#: compared as they are in every system -> golden field
GOLDEN = {"title": "job_title", "city": "address"}


@dataclass(slots=True)
class Ideal:
    sim: "Simulated"
    since: int = 0  #: entries before this one were everywhere at a quiet moment
    _written: Any = None
    _still: int = 0
    _entries: int = 0
    _asked: set[str | None] = field(default_factory=set)  #: fields that wait for a person

    def look(self) -> None:
        """A moment is quiet when two looks apart nobody entered or wrote anything."""
        written, entries = self.sim.written(), len(self.sim.people.entries)
        same = written == self._written and entries == self._entries
        self._still = self._still + 1 if same else 0
        self._written, self._entries = written, entries

    def violations(self) -> list[str]:
        people = self.sim.people
        self._asked = {one.field_name for one in self.sim.issues() if one.what == "conflict"}
        found = []
        for name in GOLDEN:
            by_person: dict[tuple[str, str], list[Any]] = {}
            for entry in people.entries:
                if entry.field == name:
                    row = self.sim.systems[entry.system].row(entry.object, entry.record)
                    kind = kind_of(entry.object, row)
                    by_person.setdefault((row.values["last"], kind), []).append(entry)
            for (last, kind), entries in sorted(by_person.items()):
                records = {(e.system, e.object, e.record) for e in entries}
                if len(records) > 1 or last in people.ended | people.twice:
                    continue
                found += self._elsewhere(last, kind, name, entries[-1])
        return found

    def _elsewhere(self, last: str, kind: str, name: str, entry: Any) -> list[str]:
        if entry.in_window or GOLDEN[name] in self._asked:
            return []
        if self.sim.restored_at is not None and "identity" in self.sim.whats():
            return []  # whose record it is was forgotten with the state, and is asked
        return [
            f"one-sided edit lost (I-4): {name} of {last} is {row.values.get(name)!r} in {system},"
            f" entered as {entry.value!r} in {entry.system}"
            for system, records in self.sim.live_by_name().items()
            for row_kind, row in records.get(last, ())
            if row_kind == kind and row.values.get(name) != entry.value
        ]
