"""The contract's face of a Salesforce organization: Lead, Contact, Account."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from ruamel.yaml import YAML

from connectors.protocol import (
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
from connectors.salesforce.checking import check
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.converting import Converter
from connectors.salesforce.metadata import (
    LEAD,
    OBJECTS,
    Described,
    Metadata,
    Offered,
    converting_faults,
    object_type,
    record_types,
)
from connectors.salesforce.owners import owners
from connectors.salesforce.reading import Reader
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.writing import Writer


class SalesforceConnector:
    """One organization, as the user of the connected app sees it."""

    Settings: ClassVar[type[BaseModel]] = SalesforceSettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("mapping.yaml")
    )

    def __init__(self, settings: SalesforceSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._client = SalesforceClient(settings, runtime)
        self._metadata = Metadata(self._client)
        self._reader = Reader(self._client, self._metadata, settings, runtime.clock)
        self._converter = Converter(self._client, self._reader, settings)
        self._writer = Writer(self._client, self._metadata, self._reader, self._converter, settings)

    @classmethod
    def open(cls, settings: SalesforceSettings, runtime: Runtime) -> Self:
        return cls(settings, runtime)

    def close(self) -> None:
        self._client.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        return check(self._client, self._metadata, self._converter, self._settings, selections)

    def describe(self) -> Sequence[ObjectType]:
        found = [self._metadata.ask(name) for name in OBJECTS]
        key_field = self._settings.external_id_field
        told = {one["name"]: one for one in found if one is not None}
        converts = not converting_faults(told) and not self._converter.missing()
        return [
            object_type(one, key_field, self._offered(one), converts=converts and name == LEAD)
            for name, one in told.items()
        ]

    def _offered(self, described: Described) -> Offered:
        """The choices under each record type; one call for each that there is."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, number in record_types(described).items():
            for field, choices in self._client.offered(described["name"], number).items():
                found.setdefault(field, {}).update(dict.fromkeys((name, number), choices))
        return found

    def owners(self) -> Sequence[Owner]:
        return owners(self._client)

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        return self._reader.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        return self._reader.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        return self._writer.write(object, writes)
