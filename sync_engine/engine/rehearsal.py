"""A connector that reads for real and only notes what it is told to write.

What it has noted lies over what it reads, so that later stages find what they would find:
a record that was converted, a company that was created. ``plan`` and ``--dry-run`` run the
real stages on it and on a copy of the state.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors import (
    Action,
    Checked,
    Connector,
    Cursor,
    ObjectType,
    Outcome,
    Page,
    Record,
    Result,
    Selection,
    Write,
)

PLANNED = "planned:"  #: the id of a record that would be created begins so


@dataclass(slots=True)
class Rehearsal:
    """Stands in for one instance's connector."""

    inner: Connector
    writes: list[tuple[str, Write]] = field(default_factory=list)  #: object, write

    def check(self, selections: Sequence[Selection]) -> Checked:
        return self.inner.check(selections)

    def describe(self) -> Sequence[ObjectType]:
        return self.inner.describe()

    def close(self) -> None:
        """The connector it stands in for belongs to somebody else."""

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        return self.inner.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        real = [v for v in values if field != "id" or not v.startswith(PLANNED)]
        found = list(self.inner.fetch(selection, field, real)) if real else []
        noted = [write for name, write in self.writes if name == selection.object]
        ended = {write.id for write in noted if write.into}
        changed = [_changed(record, noted) for record in found if record.id not in ended]
        born = [_born(selection, write) for write in noted if write.action is Action.CREATE]
        return changed + [record for record in born if _shows(record, field, set(values))]

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        self.writes += [(object, write) for write in writes]
        return [
            Outcome(Result.DONE, id=_id(write), version="planned", into=_into(write))
            for write in writes
        ]


def _id(write: Write) -> str:
    return write.id or f"{PLANNED}{write.key}"


def _into(write: Write) -> dict[str, str]:
    return {name: number or f"{PLANNED}{write.key}" for name, number in write.into.items()}


def _changed(record: Record, writes: Sequence[Write]) -> Record:
    values: dict[str, Any] = dict(record.values)
    for write in writes:
        if write.id == record.id:
            values |= {name: _laid(values.get(name), v) for name, v in write.values.items()}
    return replace(record, values={name: values[name] for name in record.values})


def _born(selection: Selection, write: Write) -> Record:
    values = {name: _laid(None, write.values.get(name)) for name in selection.fields}
    return Record(_id(write), values, key=write.key, version="planned")


def _laid(held: Any, written: Any) -> Any:
    """A written value over the one that is there; sets are written as what joins and leaves."""
    if isinstance(written, Mapping) and set(written) <= {"add", "remove"}:
        leaving = written.get("remove", ())
        return [*(one for one in held or () if one not in leaving), *written.get("add", ())]
    return written


def _shows(record: Record, field: str, values: set[str]) -> bool:
    if field == "id":
        return record.id in values
    if field == "key":
        return str(record.key) in values
    shown = record.values.get(field)
    several = shown if isinstance(shown, list) else [shown]
    return any(str(one) in values for one in several)
