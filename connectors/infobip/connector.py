"""Infobip Customer Profiles in the terms of the connector contract.

Puts reading, writing and checking together; what the vendor's calls are is the client's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel
from ruamel.yaml import YAML

from connectors.errors import ConnectorError, SetupError
from connectors.http import HttpClient
from connectors.infobip import checking, companies, persons
from connectors.infobip.client import MOST, InfobipClient
from connectors.infobip.fields import (
    ATTRIBUTE,
    COMPANY,
    DATA_TYPES,
    FIELDS,
    PERSON,
    Places,
    offered,
)
from connectors.infobip.reading import Reader
from connectors.infobip.settings import InfobipSettings
from connectors.infobip.writing import Desk, Outcomes, left, turns
from connectors.protocol import (
    Action,
    Checked,
    Cursor,
    ObjectType,
    Outcome,
    Owner,
    Page,
    Record,
    Result,
    Runtime,
    Selection,
    Write,
)

ACTIONS = {
    PERSON: frozenset({Action.CREATE, Action.UPDATE, Action.CONVERT, Action.DELETE}),
    COMPANY: frozenset({Action.CREATE, Action.UPDATE, Action.DELETE}),
}
CREATE = {PERSON: persons.create, COMPANY: companies.create}
UPDATE = {PERSON: persons.update, COMPANY: companies.update}


class InfobipConnector:
    Settings: ClassVar[type[BaseModel]] = InfobipSettings
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]] = YAML(typ="safe", pure=True).load(
        Path(__file__).with_name("mapping.yaml").read_text(encoding="utf-8")
    )

    def __init__(self, settings: InfobipSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._client = InfobipClient(http, settings.pace)
        self._places = Places(settings.company_attribute, settings.key_attribute)
        overlap = timedelta(seconds=settings.overlap)
        self._reader = Reader(self._client, self._places, overlap, settings.page_size)

    @classmethod
    def open(cls, settings: InfobipSettings, runtime: Runtime) -> Self:
        key = settings.key()

        def authorize(fresh: bool) -> Mapping[str, str]:
            nonlocal key
            if fresh:  # refused: a key file may hold a new one
                key = settings.key()
            return {"Authorization": f"App {key}"}

        transport = runtime.transport(settings.ca_file)
        return cls(settings, HttpClient(settings.origin, transport, runtime.clock, authorize))

    def close(self) -> None:
        self._http.close()

    def check(self, selections: Sequence[Selection]) -> Checked:
        return checking.check(self._client, self._settings, self._places, selections)

    def describe(self) -> Sequence[ObjectType]:
        attributes = {
            f"{ATTRIBUTE}{name}": DATA_TYPES[type]
            for name, type in self._client.attributes().items()
            if type in DATA_TYPES
        }
        return [
            ObjectType(
                name=object,
                fields={
                    **offered(object, self._places),
                    **(attributes if object == PERSON else {}),
                },
                actions=ACTIONS[object],
                reports_deletions=False,
                max_batch=MOST,
                calls={Action.CREATE: 2 / MOST},  # the batch, and the look-up of the new ids
                unique_addresses=object == PERSON,
                sends=object == PERSON,
            )
            for object in FIELDS
        ]

    def owners(self) -> Sequence[Owner]:
        return ()  # profiles belong to nobody

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        _known(selection.object)
        return self._reader.changes(selection, since)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        _known(selection.object)
        return self._reader.fetch(selection, field, values)

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        _known(object)
        desk = Desk(object, self._client, self._reader, self._places)
        outcomes: Outcomes = {}
        try:
            for turn in turns(writes):
                _carry_out(desk, turn, outcomes)
        except ConnectorError as error:
            if not outcomes:
                raise
            for index, write in enumerate(writes):
                outcomes.setdefault(index, Outcome(Result.RETRY, write.id, reason=error.what))
        return [outcomes[index] for index in range(len(writes))]


def _carry_out(desk: Desk, turn: Mapping[int, Write], outcomes: Outcomes) -> None:
    for index, write in turn.items():
        if write.action not in ACTIONS[desk.object]:
            why = f"{desk.object} cannot {write.action.value} in Customer Profiles"
            outcomes[index] = Outcome(Result.REJECTED, write.id, reason=why)
    wishes = desk.acceptable(left(turn, outcomes), outcomes)
    steps = [
        (CREATE[desk.object], {Action.CREATE}),
        (UPDATE[desk.object], {Action.UPDATE, Action.CONVERT}),
    ]
    for carry_out, actions in steps:
        if chosen := {i: w for i, w in wishes.items() if w.action in actions}:
            carry_out(desk, chosen, outcomes)
    if deletes := {i: w for i, w in wishes.items() if w.action is Action.DELETE}:
        desk.delete(deletes, outcomes)


def _known(object: str) -> None:
    if object not in FIELDS:
        raise SetupError(
            f"Customer Profiles has no object {object!r}",
            remedy=f"the objects are: {', '.join(FIELDS)}",
        )
