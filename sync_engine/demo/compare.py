"""Reads everything back from the three systems and compares it: side with side, and with the cast.

Side with side goes through the mapping; the cast's expectations are in each system's own
words and know nothing of mapping or state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from connectors import Record, Upserted
from sync_engine.demo.people import CUSTOMERS, LEADS, Person
from sync_engine.engine.world import Source
from sync_engine.models import LinkState
from sync_engine.service import Service
from sync_engine.store import LinkRow

NAMED = {
    "sales": ("FirstName", "LastName"),
    "service": ("firstname", "lastname"),
    "profiles": ("firstName", "lastName"),
}
_KINDS = {"Lead": "lead", "lead": "lead", "Contact": "customer", "contact": "customer"}


@dataclass(slots=True)
class Reading:
    """All records of the three systems, as their connectors read them now."""

    records: dict[tuple[str, str], dict[str, Record]] = field(default_factory=dict)

    def named(self, system: str, object_name: str, person: Person) -> list[Record]:
        """The records of that first and last name."""
        first, last = person.name.split(" ", 1)
        one, two = NAMED[system]
        return [
            record
            for record in self.records[system, object_name].values()
            if (record.values.get(one), record.values.get(two)) == (first, last)
        ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared and what differs without a reason."""

    compared: int  #: pairs of values
    linked: int  #: people and companies that stand in several systems
    people: int  #: members of the cast
    explained: tuple[str, ...]  #: differences that an open issue explains
    differences: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.differences


def read(service: Service) -> Reading:
    """List every source from the beginning, over HTTP."""
    reading = Reading()
    for source in service.world.sources:
        found: dict[str, Record] = {}
        for page in source.connector.changes(source.selection, None):
            for change in page.changes:
                if isinstance(change, Upserted):
                    found[change.record.id] = change.record
                else:
                    found.pop(change.id, None)
            if page.listed_all:
                break
        reading.records[source.instance, source.object] = found
    return reading


def compare(service: Service, reading: Reading) -> Verdict:
    """Every linked pair of records, field by field; every member of the cast, by hand."""
    sides = _sides(service, reading)
    cast = (*LEADS, *CUSTOMERS)
    by_hand = [difference for person in cast for difference in _person(reading, person)]
    differences = (*sides.differences, *by_hand)
    return Verdict(sides.compared, sides.linked, len(cast), sides.explained, differences)


def _sides(service: Service, reading: Reading) -> Verdict:
    compared = linked = 0
    explained: list[str] = []
    found: list[str] = []
    issues = _issues(service)
    for links in _by_entity(service).values():
        values = {}
        for link in links:
            source = service.world.source(link.source_id)
            record = reading.records[source.instance, source.object].get(link.record_id or "")
            if record is None:
                found.append(f"{source.name}:{link.record_id} is linked but not there")
            elif link.kind.name.lower() == source.mapping.kind_of(record.values):
                values[source.name] = (source, record, link)
        linked += len(values) > 1
        for left, right in combinations(sorted(values), 2):
            (mine, record, link), (other, theirs, link_there) = values[left], values[right]
            for name, same in _pair(mine, record, other, theirs).items():
                compared += 1
                if same:
                    continue
                told = f"{name} of {left}:{record.id} and {right}:{theirs.id}"
                holding = [k for k in (link, link_there) if name in k.held and k.id in issues]
                if holding:
                    explained.append(f"{told} (issue: {issues[holding[0].id]})")
                else:
                    found.append(f"{told} differs")
    return Verdict(compared, linked, 0, tuple(explained), tuple(found))


def _issues(service: Service) -> dict[int, str]:
    """Link -> what is asked about it, of all open issues."""
    with service.store.reading() as connection:
        rows = service.store.issues.all(connection)
    return {row.link_id: row.what for row in rows if row.link_id is not None}


def _by_entity(service: Service) -> dict[int, list[LinkRow]]:
    with service.store.reading() as connection:
        entities = service.store.links.live_entities(connection)
        links = service.store.links.of_entities(connection, entities)
    found: dict[int, list[LinkRow]] = {}
    for link in links:
        if link.state is LinkState.LIVE:
            found.setdefault(link.entity_id or 0, []).append(link)
    return found


def _pair(source: Source, record: Record, other: Source, theirs: Record) -> dict[str, bool]:
    """Golden field -> whether both sides show the same, as well as each can."""
    kind = source.mapping.kind_of(record.values) or ""
    mine = source.mapping.golden_of(kind, record.values)
    reference = other.mapping.golden_of(kind, theirs.values)
    left = source.mapping.complete(kind, mine, {}, reference, [])
    right = other.mapping.complete(kind, reference, {}, left, [])
    references = {f.name for f in source.mapping.fields if f.ref}
    return {
        name: source.mapping.same(kind, name, left, right)
        or other.mapping.same(kind, name, right, left)
        for name in sorted(set(left) & set(right) - references)
    }


def _person(reading: Reading, person: Person) -> list[str]:
    found = []
    for system, expected in person.after.items():
        if expected is None:
            there = [
                record.id
                for (name, _), records in reading.records.items()
                if name == system
                for record in _called(records, system, person)
            ]
            found += [f"{person.name} should not be in {system}, but is {one}" for one in there]
            continue
        object_name, fields = expected
        records = reading.named(system, object_name, person)
        if not records:
            found.append(f"{person.name} is missing in {system}")
        for record in records:
            found += _fields(person, system, record, fields)
    return found


def _called(records: Mapping[str, Record], system: str, person: Person) -> list[Record]:
    one, two = NAMED[system]
    first, last = person.name.split(" ", 1)
    return [r for r in records.values() if (r.values.get(one), r.values.get(two)) == (first, last)]


def _fields(person: Person, system: str, record: Record, fields: Mapping[str, Any]) -> list[str]:
    found = []
    for name, wanted in fields.items():
        present = name if name in record.values else f"customAttributes.{name}"
        held = record.values.get(present)
        if isinstance(wanted, list):
            # the connector shows numbers with the plus sign that the system leaves out
            held, wanted = sorted(str(v).removeprefix("+") for v in held or []), sorted(wanted)
        if held != wanted:
            found.append(f"{person.name} in {system}: {name} is {held!r}, expected {wanted!r}")
    return found
