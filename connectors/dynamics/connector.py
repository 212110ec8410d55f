"""The contract's face of a Dataverse environment: lead, contact, account."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from ruamel.yaml import YAML

from connectors.dynamics import checking
from connectors.dynamics.client import SETS, DynamicsClient
from connectors.dynamics.metadata import Rights, Table, read_rights, read_table
from connectors.dynamics.owners import Owners
from connectors.dynamics.reading import Reader
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.writing import Writer
from connectors.protocol import (
    Action,
    Checked,
    Cursor,
    ObjectType,
    Outcome,
    Owner,
    Page,
    Record,
    Runtime,
    Selection,
    Write,
)
from connectors.replies import documented

#: what each privilege on a table allows
_ACTIONS = {
    "Create": {Action.CREATE},
    "Write": {Action.UPDATE, Action.DEACTIVATE},
    "Delete": {Action.DELETE},
}


class DynamicsConnector:
    """One environment, as its application user sees it."""

    Settings: ClassVar[type[BaseModel]] = DynamicsSettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("mapping.yaml")
    )

    def __init__(self, settings: DynamicsSettings, runtime: Runtime) -> None:
        self._client = DynamicsClient(settings, runtime)
        self._reader = Reader(self._client, settings)
        self._owners = Owners(self._client)
        self._writer = Writer(self._client, self._reader, self._owners)

    @classmethod
    def open(cls, settings: DynamicsSettings, runtime: Runtime) -> Self:
        return cls(settings, runtime)

    def close(self) -> None:
        self._client.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        return checking.check(self._client, selections)

    @documented("Dataverse")
    def describe(self) -> Sequence[ObjectType]:
        rights = read_rights(self._client, self._client.get("WhoAmI()")["UserId"])
        tables = {name: read_table(self._client, name) for name in SETS}
        allowed = {name: _allowed(table, rights) for name, table in tables.items() if table}
        if Action.UPDATE in allowed.get("lead", ()) and Action.CREATE in allowed.get("contact", ()):
            allowed["lead"] |= {Action.CONVERT}  # a lead that is qualified becomes a contact
        return [
            ObjectType(
                name,
                {each: column.type for each, column in table.columns.items()},
                allowed[name],
                reports_deletions=True,
                max_batch=100,
                calls={Action.CONVERT: 2},
            )
            for name, table in tables.items()
            if table is not None
        ]

    def owners(self) -> Sequence[Owner]:
        return self._owners.read()

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        return self._reader.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        return self._reader.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._writer.write(object, writes)


def _allowed(table: Table, rights: Rights | None) -> frozenset[Action]:
    """What our user may do to rows; everything where it may not read its own rights."""
    actions = (
        acts for kind, acts in _ACTIONS.items() if rights is None or rights.depth(table, kind)
    )
    return frozenset[Action]().union(*actions)
