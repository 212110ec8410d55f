"""A CRM in a dictionary: the reference connector, and the system the engine is tested on.

``MemorySystem`` is what people and the connector share; ``MemoryConnector`` keeps every
promise of the contract in as few lines as it can. Its oddities are switches.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel

from connectors.errors import CursorExpiredError, TransientError
from connectors.protocol import (
    Action,
    Change,
    Checked,
    Converted,
    Cursor,
    Deleted,
    FieldType,
    Finding,
    Level,
    Merged,
    ObjectType,
    Outcome,
    Owner,
    Page,
    Record,
    Refusal,
    Result,
    Runtime,
    Selection,
    Upserted,
    Write,
)

START = datetime(2026, 5, 1, 8, tzinfo=UTC)


@dataclass(slots=True)
class Row:
    """One stored record."""

    id: str
    values: dict[str, Any]
    changed: int  #: position in the system's log; also the version
    key: UUID | None = None
    inactive: bool = False
    deleted: bool = False
    merged_into: str | None = None
    converted_into: dict[str, str] | None = None


@dataclass(slots=True)
class MemoryObject:
    """One kind of record: its fields, and what it converts into."""

    fields: Mapping[str, FieldType]
    converts_into: str | None = None
    kind_by: str | None = None  #: a field whose value tells the kind, changed by CONVERT
    #: object -> the field that refers to it; a conversion puts there what it was told of
    refers: Mapping[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    by_key: dict[UUID, Row] = field(default_factory=dict)


class MemorySystem:
    """One organization. Methods without an underscore are what its people do."""

    def __init__(self, objects: Mapping[str, MemoryObject], identity: str = "memory") -> None:
        self.objects = dict(objects)
        self.identity = identity
        self.page_size = 50
        self.max_batch = 25  #: writes of one call
        self.versions = True  #: records carry a version that writes are held against
        self.reports_deletions = True
        self.unique_addresses: tuple[str, ...] = ()  #: fields with one owner in the account
        self.owners: tuple[Owner, ...] = ()  #: whom records can belong to
        self.sends = False  #: messages to people go out from here
        self.actions = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE})
        self.stored: Callable[[str, Any], Any] = lambda _field, value: value
        self.rejects: dict[str, Any] = {}  #: field -> value that is refused
        self.refusal = Refusal.OTHER  #: what sort of refusal that is
        self.converts_none = ""  #: why no lead is converted for us, if so
        self.lost_answers = 0  #: of the next writes: carried out, but the answer is lost
        self.down = False
        self.lagging: int | None = None  #: feeds stop at this position
        self.expired = 0  #: cursors below this position are too old
        self.writes: Counter[str] = Counter()
        self.calls = 0
        self.clock = START
        self._position = 0
        self._next_id = 0

    def create(self, name: str, /, **values: Any) -> str:
        self._next_id += 1
        number = f"{name[:3].lower()}-{self._next_id}"
        known = dict.fromkeys(self.objects[name].fields)
        self.objects[name].rows[number] = Row(number, known | values, self._moved())
        return number

    def update(self, name: str, number: str, /, **values: Any) -> None:
        row = self.objects[name].rows[number]
        row.values |= values
        row.changed = self._moved()

    def deactivate(self, name: str, number: str) -> None:
        row = self.objects[name].rows[number]
        row.inactive, row.changed = True, self._moved()

    def delete(self, name: str, number: str) -> None:
        row = self.objects[name].rows[number]
        row.deleted, row.changed = True, self._moved()

    def undelete(self, name: str, number: str) -> None:
        row = self.objects[name].rows[number]
        row.deleted, row.merged_into, row.changed = False, None, self._moved()

    def merge(self, name: str, survivor: str, *losers: str) -> None:
        for number in losers:
            row = self.objects[name].rows[number]
            row.deleted, row.merged_into, row.changed = True, survivor, self._moved()
        self.objects[name].rows[survivor].changed = self._moved()

    def convert(self, name: str, number: str, into: str | None = None) -> str:
        """Turn a lead into a new record of what it converts into, or into an existing one."""
        target = self.objects[name].converts_into
        if target is None:
            raise ValueError(f"{name} does not convert")
        row = self.objects[name].rows[number]
        shared = {f: v for f, v in row.values.items() if f in self.objects[target].fields}
        into = into or self.create(target, **shared)
        row.converted_into, row.changed = {target: into}, self._moved()
        return into

    def row(self, name: str, number: str) -> Row:
        return self.objects[name].rows[number]

    def alive(self, name: str) -> list[Row]:
        """What a person of the organization sees in a list."""
        rows = self.objects[name].rows.values()
        return [row for row in rows if not row.deleted and row.converted_into is None]

    def release(self) -> None:
        """Everything becomes visible to the feeds."""
        self.lagging = None

    def _moved(self) -> int:
        self._position += 1
        self.clock += timedelta(seconds=1)
        return self._position

    def position(self) -> int:
        return self._position if self.lagging is None else min(self.lagging, self._position)


class MemorySettings(BaseModel):
    """Nothing to configure."""


class MemoryConnector:
    """A connector to a ``MemorySystem`` of the same process."""

    Settings: ClassVar[type[BaseModel]] = MemorySettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __init__(self, system: MemorySystem) -> None:
        self._system = system

    @classmethod
    def open(cls, settings: MemorySettings, runtime: Runtime) -> Self:
        return cls(MemorySystem({}))

    def close(self) -> None: ...

    def check(self, selections: Sequence[Selection]) -> Checked:
        self._called()
        lost = [
            Finding(Level.ERROR, f"{one.object}.{name} does not exist", "", one.object, name)
            for one in selections
            for name in one.fields
            if name not in self._system.objects[one.object].fields
        ]
        return Checked(self._system.identity, "a dictionary", sandbox=True, findings=tuple(lost))

    def describe(self) -> Sequence[ObjectType]:
        system = self._system
        return [
            ObjectType(
                name,
                one.fields,
                self._offered(one),
                reports_deletions=system.reports_deletions,
                max_batch=system.max_batch,
                versions=system.versions,
                unique_addresses=bool(system.unique_addresses),
                sends=system.sends,
            )
            for name, one in system.objects.items()
        ]

    def owners(self) -> Sequence[Owner]:
        self._called()
        return self._system.owners

    def _offered(self, one: MemoryObject) -> frozenset[Action]:
        others = self._system.actions - {Action.CONVERT}
        converts = one.converts_into is not None and Action.CONVERT in self._system.actions
        return others | ({Action.CONVERT} if converts or one.kind_by else frozenset())

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        asked = [selection.object, *selection.fields]
        cursor = dict(since or {"at": 0, "end": self._system.position(), "asked": asked})
        at = cursor.get("at")
        if cursor.get("asked") != asked or not isinstance(at, int):
            raise CursorExpiredError("the cursor is of another selection")
        if since and at < self._system.expired:
            raise CursorExpiredError("the cursor is too old")
        while True:
            self._called()
            position = self._system.position()
            rows = sorted(
                self._system.objects[selection.object].rows.values(), key=lambda row: row.changed
            )
            fresh = [row for row in rows if cursor["at"] < row.changed <= position]
            page = fresh[: self._system.page_size]
            more = len(fresh) > len(page)
            cursor["at"] = page[-1].changed if more else max(position, cursor["at"])
            lists = "end" in cursor and cursor["at"] >= cursor["end"]
            if lists:
                del cursor["end"]
            found = (self._change(selection, row) for row in page)
            yield Page([c for c in found if c is not None], dict(cursor), listed_all=lists)
            if not more:
                return

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        self._called()
        wanted = set(values)
        found = []
        for row in self._system.alive(selection.object):
            told = {"id": row.id, "key": str(row.key)}.get(field, row.values.get(field))
            if wanted & set(told if isinstance(told, list) else [told]):
                found.append(self._record(selection, row))
        return found

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        if not writes:
            return []
        self._called()
        outcomes = [self._carry_out(object, one) for one in writes]
        if self._system.lost_answers:
            self._system.lost_answers -= 1
            raise TransientError("the answer was lost")
        return outcomes

    def _called(self) -> None:
        self._system.calls += 1
        if self._system.down:
            raise TransientError("the system is down")

    def _change(self, selection: Selection, row: Row) -> Change | None:
        if row.converted_into is not None:
            return Converted(row.id, dict(row.converted_into), row.key)
        if row.merged_into is not None:
            return Merged(row.id, row.merged_into, row.key)
        if row.deleted:
            return Deleted(row.id, row.key) if self._system.reports_deletions else None
        return Upserted(self._record(selection, row))

    def _record(self, selection: Selection, row: Row) -> Record:
        return Record(
            id=row.id,
            values={name: row.values.get(name) for name in selection.fields},
            key=row.key,
            version=str(row.changed) if self._system.versions else None,
            modified_at=START + timedelta(seconds=row.changed),
            inactive=row.inactive,
        )

    def _carry_out(self, name: str, write: Write) -> Outcome:
        one = self._system.objects[name]
        faults = {
            f: "refused" for f, bad in self._system.rejects.items() if write.values.get(f) == bad
        }
        if write.action is Action.CREATE:
            return self._create(name, one, write, faults | self._taken(write.values))
        row = one.rows.get(write.id or "")
        if row is not None and row.converted_into is not None and write.action is Action.CONVERT:
            return Outcome(Result.DONE, row.id, into=dict(row.converted_into))
        if row is None or row.deleted or row.converted_into is not None:
            return Outcome(Result.GONE, write.id, reason="no such record")
        if self._system.versions and write.version not in (None, str(row.changed)):
            return Outcome(Result.STALE, row.id, reason="changed since")
        if faults:
            return Outcome(
                Result.REJECTED,
                row.id,
                reason="refused value",
                faults=faults,
                refusal=self._system.refusal,
            )
        if write.action is Action.DELETE:
            self._system.delete(name, row.id)
        elif write.into:
            return self._convert(name, row, write)
        else:
            self._apply(row, write.values)
            row.changed = self._system._moved()
        self._system.writes[write.action] += 1
        return Outcome(Result.DONE, row.id, self._version(row))

    def _create(
        self, name: str, one: MemoryObject, write: Write, faults: Mapping[str, str]
    ) -> Outcome:
        known = one.by_key.get(write.key)
        if known is not None and not known.deleted:
            return Outcome(Result.DONE, known.id, self._version(known))
        if faults:
            return Outcome(
                Result.REJECTED, reason="refused value", faults=faults, refusal=self._system.refusal
            )
        row = self._system.row(name, self._system.create(name))
        row.key = write.key
        one.by_key[write.key] = row
        self._apply(row, write.values)
        self._system.writes[Action.CREATE] += 1
        return Outcome(Result.DONE, row.id, self._version(row))

    def _convert(self, name: str, row: Row, write: Write) -> Outcome:
        if self._system.converts_none:
            reason, sort = self._system.converts_none, self._system.refusal
            return Outcome(Result.REJECTED, row.id, reason=reason, refusal=sort)
        target = self._system.objects[name].converts_into or ""
        into = self._system.convert(name, row.id, write.into[target])
        customer = self._system.row(target, into)
        for other, field_name in self._system.objects[target].refers.items():
            if write.into.get(other) is not None:
                customer.values[field_name] = write.into[other]
        self._system.writes[Action.CONVERT] += 1
        return Outcome(Result.DONE, row.id, into={target: into})

    def _version(self, row: Row) -> str | None:
        return str(row.changed) if self._system.versions else None

    def _apply(self, row: Row, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if isinstance(value, Mapping):
                held = [v for v in row.values.get(name) or [] if v not in value["remove"]]
                row.values[name] = held + [v for v in value["add"] if v not in held]
            else:
                row.values[name] = self._system.stored(name, value)

    def _taken(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Addresses that belong to another record of the account."""
        found = {}
        for name in self._system.unique_addresses:
            asked = values.get(name) or {}
            wanted = set(asked.get("add", ()) if isinstance(asked, Mapping) else [asked])
            for one in self._system.objects.values():
                for row in one.rows.values():
                    if not row.deleted and wanted & set(row.values.get(name) or ()):
                        found[name] = "belongs to another record"
        return found
