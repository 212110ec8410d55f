"""Who records can belong to on a source, as its system tells it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sync_engine.engine.drift import leave_out
from sync_engine.engine.world import Source
from sync_engine.owners import FORM


def learn(source: Source) -> None:
    """Ask who there is, where an owner is mapped."""
    if owner_fields(source):
        source.owners = tuple(source.connector.owners())
        configured, read = (
            {native for one in mapping.fields for native in one.natives}
            for mapping in (source.configured, source.mapping)
        )
        leave_out(source, configured - read)


def meet(source: Source, records: Iterable[Mapping[str, Any]]) -> None:
    """Ask again where records belong to somebody who has come since; once for each."""
    fields = owner_fields(source)
    if not fields:
        return
    met = {str(values[name]) for values in records for name in fields if values.get(name)}
    new = met - {one.id for one in source.owners} - source.strangers
    if new:
        learn(source)
        source.strangers |= new


def owner_fields(source: Source) -> list[str]:
    """The native fields that hold an owner."""
    return [one.field for one in source.mapping.fields if one.form == FORM and one.field]
