"""The contract's face of a Dataverse environment: lead, contact, account."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx
from pydantic import BaseModel
from ruamel.yaml import YAML

from connectors.dynamics.client import SETS, DynamicsClient, error_of, problem
from connectors.dynamics.reading import Reader
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import ConnectorError, ResponseError
from connectors.protocol import (
    Action,
    Checked,
    Cursor,
    FieldType,
    Finding,
    Level,
    ObjectType,
    Outcome,
    Page,
    Record,
    Result,
    Runtime,
    Selection,
    Write,
)

_STALE, _GONE, _EXISTS = "0x80060882", "0x80040217", "0x80040237"
_NO_SEGMENT = "0x80060888"
_LATER = frozenset({"0x80044151", "0x80044150"})
_ACTIONS = frozenset({Action.CREATE, Action.UPDATE, Action.DEACTIVATE, Action.DELETE})
_TYPES = {
    "DateTime": "date",
    "Boolean": "boolean",
    "Integer": "number",
    "Picklist": "choice",
    "Lookup": "reference",
    "Customer": "reference",
}
_COLUMN = re.compile(r"'(\w+)' attribute|attribute '(\w+)'")
#: how a read column is written
_BINDS = {"_parentcustomerid_value": ("parentcustomerid_account", "accounts")}


class DynamicsConnector:
    """One environment, as its application user sees it."""

    Settings: ClassVar[type[BaseModel]] = DynamicsSettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("mapping.yaml")
    )

    def __init__(self, settings: DynamicsSettings, runtime: Runtime) -> None:
        self._client = DynamicsClient(settings, runtime)
        self._reader = Reader(self._client, settings, runtime.clock)

    @classmethod
    def open(cls, settings: DynamicsSettings, runtime: Runtime) -> Self:
        return cls(settings, runtime)

    def close(self) -> None:
        self._client.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        who = self._client.get("WhoAmI()")
        rows = self._client.get("organizations?$select=name")["value"]
        findings = [found for one in selections for found in self._check(one)]
        name = rows[0]["name"] if rows else who["OrganizationId"]
        return Checked(who["OrganizationId"], name, None, tuple(findings))

    def _check(self, selection: Selection) -> Iterator[Finding]:
        definition = self._definition(selection.object)
        if definition is None:
            yield Finding(
                Level.ERROR,
                f"there is no table {selection.object}",
                "the table lead exists only with Dynamics 365 Sales; check the license",
            )
            return
        if not definition["ChangeTrackingEnabled"]:
            yield Finding(
                Level.ERROR,
                f"{selection.object} has no change tracking",
                "turn it on in the table's properties",
            )
        if not definition["IsOptimisticConcurrencyEnabled"]:
            what = f"{selection.object} cannot be written under a condition"
            yield Finding(Level.ERROR, what, "turn on optimistic concurrency for the table")
        present = {_read_name(one) for one in definition["Attributes"]}
        for name in selection.fields:
            if name not in present:
                yield Finding(
                    Level.ERROR, f"{selection.object}.{name} does not exist", "unmap the field"
                )

    def describe(self) -> Sequence[ObjectType]:
        found = []
        for table in SETS:
            definition = self._definition(table)
            if definition is not None:
                types = {_read_name(one): _type(one) for one in definition["Attributes"]}
                found.append(
                    ObjectType(table, types, _ACTIONS, reports_deletions=True, max_batch=100)
                )
        return found

    def _definition(self, table: str) -> dict[str, Any] | None:
        try:
            return self._client.get(
                f"EntityDefinitions(LogicalName='{table}')"
                "?$select=LogicalName,ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled"
                "&$expand=Attributes($select=LogicalName,AttributeType,MaxLength)"
            )
        except ResponseError:
            return None

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        return self._reader.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        return self._reader.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """One call each, in order; after the first answer a failing connection is an outcome."""
        outcomes: list[Outcome] = []
        failure = ""
        for one in writes:
            if failure:
                outcomes.append(Outcome(Result.RETRY, one.id, reason=failure))
                continue
            try:
                outcomes.append(self._write(object, one))
            except ConnectorError as error:
                if not outcomes:
                    raise
                failure = error.what
                outcomes.append(Outcome(Result.RETRY, one.id, reason=failure))
        return outcomes

    def _write(self, table: str, write: Write) -> Outcome:
        if write.action is Action.CREATE:
            number = str(write.key)
            response = self._client.create(table, number, _native(write.values))
            if response.status_code == 412 and error_of(response)[0] in ("", _EXISTS):
                return Outcome(Result.DONE, number)  # our own, whose answer was lost
            return _outcome(response, number)
        number = write.id or ""
        if write.action is Action.DELETE:
            return _outcome(self._client.delete(table, number, write.version), number)
        values = _native(write.values)
        if write.action is Action.DEACTIVATE:
            values = (
                {"statecode": 2, "statuscode": 4}
                if table == "lead"
                else {"statecode": 1, "statuscode": 2}
            )
        elif write.action is not Action.UPDATE:
            return Outcome(Result.REJECTED, number, reason="not done by this connector")
        return _outcome(self._client.update(table, number, values, write.version), number)


def _native(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the API writes them: a lookup by its navigation property."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _BINDS:
            navigation, table = _BINDS[name]
            found[f"{navigation}@odata.bind"] = f"/{table}({value})" if value else None
        else:
            found[name] = None if value == "" else value
    return found


def _outcome(response: httpx.Response, number: str) -> Outcome:
    """Reasons name codes: messages may hold personal values."""
    if response.status_code in (200, 201, 204):
        version = response.headers.get("ETag") if response.status_code != 204 else None
        return Outcome(Result.DONE, number, version)
    code, message = error_of(response)
    # the documentation shows both answers without a code, live systems send one
    if code == _STALE or (response.status_code == 412 and not code):
        return Outcome(Result.STALE, number, reason=code)
    if code == _GONE or (response.status_code == 404 and not code):
        return Outcome(Result.GONE, number, reason=code)
    if code in _LATER:
        return Outcome(Result.RETRY, number, reason=code)
    if response.status_code in (400, 405, 409, 412) and code != _NO_SEGMENT:
        fields = dict.fromkeys(_named(message), code)
        return Outcome(Result.REJECTED, number, reason=", ".join([code, *fields]), faults=fields)
    raise problem(response)


def _named(message: str) -> list[str]:
    """The columns that a message names: "the 'lastname' attribute", "attribute 'lastname'"."""
    return [first or second for first, second in _COLUMN.findall(message)]


def _read_name(attribute: Mapping[str, Any]) -> str:
    """The name under which a column is read: a lookup's is wrapped."""
    name = str(attribute["LogicalName"])
    lookup = attribute["AttributeType"] in ("Lookup", "Customer", "Owner")
    return f"_{name}_value" if lookup else name


def _type(attribute: Mapping[str, Any]) -> FieldType:
    return FieldType(
        _TYPES.get(str(attribute["AttributeType"]), "string"), attribute.get("MaxLength")
    )
