"""The contract's face of a Salesforce organization: Lead, Contact, Account."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from ruamel.yaml import YAML

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
    Runtime,
    Selection,
    Write,
)
from connectors.salesforce.client import COLLECTION, SalesforceClient
from connectors.salesforce.reading import Reader
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.writing import Writer

OBJECTS = ("Lead", "Contact", "Account")
_TYPES = {
    "email": "email",
    "phone": "phone",
    "date": "date",
    "datetime": "datetime",
    "boolean": "boolean",
    "int": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "picklist": "choice",
    "reference": "reference",
}
_BUSY = 0.8  #: share of the daily calls from which on a warning is due


class SalesforceConnector:
    """One organization, as the user of the connected app sees it."""

    Settings: ClassVar[type[BaseModel]] = SalesforceSettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("mapping.yaml")
    )

    def __init__(self, settings: SalesforceSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._client = SalesforceClient(settings, runtime)
        self._reader = Reader(self._client, settings)
        self._writer = Writer(self._client, self._reader, settings)

    @classmethod
    def open(cls, settings: SalesforceSettings, runtime: Runtime) -> Self:
        return cls(settings, runtime)

    def close(self) -> None:
        self._client.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        rows = next(self._client.query("SELECT Id, Name, IsSandbox FROM Organization"))
        findings = [found for one in selections for found in self._check(one)]
        used, most = self._client.used
        if most and used > _BUSY * most:
            what = f"{used} of {most} API calls of the last 24 hours are used"
            findings.append(Finding(Level.WARNING, what, "run the syncs less often"))
        return Checked(rows[0]["Id"], rows[0]["Name"], rows[0].get("IsSandbox"), tuple(findings))

    def _check(self, selection: Selection) -> Iterator[Finding]:
        described = self._client.describe(selection.object)
        if described is None:
            yield Finding(
                Level.ERROR,
                f"there is no object {selection.object}",
                "check its name and the permission to read it",
            )
            return
        fields = {field["name"]: field for field in described["fields"]}
        for name in selection.fields:
            if name not in fields:
                yield Finding(
                    Level.ERROR,
                    f"{selection.object}.{name} cannot be read",
                    "check the name and the field-level security, or unmap it",
                )
        key = fields.get(self._settings.external_id_field)
        if key is None or not (key["externalId"] and key["unique"] and key["createable"]):
            yield Finding(
                Level.WARNING,
                f"{selection.object} has no key field {self._settings.external_id_field}: "
                f"nothing is created there",
                "create it as Text(36), external id, unique, case-sensitive",
            )

    def describe(self) -> Sequence[ObjectType]:
        found = (self._describe(name) for name in OBJECTS)
        return [one for one in found if one is not None]

    def _describe(self, name: str) -> ObjectType | None:
        described = self._client.describe(name)
        if described is None:
            return None
        fields = {field["name"]: field for field in described["fields"]}
        key = fields.get(self._settings.external_id_field)
        actions = {Action.UPDATE} if described["updateable"] else set()
        if described["deletable"]:
            actions.add(Action.DELETE)
        if described["createable"] and key and key["externalId"] and key["unique"]:
            actions.add(Action.CREATE)
        types = {each: _type(field) for each, field in fields.items()}
        return ObjectType(
            name, types, frozenset(actions), reports_deletions=True, max_batch=COLLECTION
        )

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        return self._reader.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        return self._reader.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._writer.write(object, writes)


def _type(field: Mapping[str, Any]) -> FieldType:
    required = not field["nillable"] and field["createable"] and not field["defaultedOnCreate"]
    choices = tuple(v["value"] for v in field["picklistValues"] if v["active"])
    return FieldType(
        type=_TYPES.get(field["type"], "string"),
        length=field["length"] or None,
        required=required,
        createable=field["createable"],
        updateable=field["updateable"],
        choices=choices if field["restrictedPicklist"] else (),
    )
