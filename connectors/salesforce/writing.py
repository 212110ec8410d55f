"""Carries out writes: creates as upserts on the external id, updates under a condition."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.errors import ConnectorError, ResponseError, TransientError
from connectors.protocol import Action, Outcome, Result, Selection, Write
from connectors.replies import json_of
from connectors.salesforce.answers import (
    DISABLED,
    LIMITS,
    MALFORMED,
    code_of,
    errors_of,
    problem,
)
from connectors.salesforce.client import COLLECTION, SalesforceClient
from connectors.salesforce.converting import Converter
from connectors.salesforce.metadata import LEADS, Metadata, takes
from connectors.salesforce.reading import Reader
from connectors.salesforce.refusals import refusal
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.shaping import Shaper, is_placed

_DOUBLE = "DUPLICATE_VALUE"  #: of a unique field; the message says of which, ``fields`` does not
_CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
#: the row is not there; or, of a write that refers to another record, that other one
_ABSENT = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})


#: writes of one call
_SIZES = {
    Action.CREATE: COLLECTION,
    Action.UPDATE: 1,
    Action.DELETE: COLLECTION,
    Action.CONVERT: LEADS,
}


class MalformedError(ConnectorError):
    """A value of another type than its field's makes Salesforce refuse the whole call."""


class Writer:
    """Writes one organization's objects."""

    def __init__(
        self,
        client: SalesforceClient,
        metadata: Metadata,
        reader: Reader,
        converter: Converter,
        settings: SalesforceSettings,
    ) -> None:
        self._client = client
        self._metadata = metadata
        self._reader = reader
        self._key_field = settings.external_id_field
        self._converter = converter
        self._shaper = Shaper(metadata)

    def write(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order. Raises ConnectorError if nothing is known of any."""
        outcomes: dict[int, Outcome] = {}
        calls = deque(_calls(writes))
        failure = ""
        while calls:
            numbers = calls.popleft()
            batch = [writes[number] for number in numbers]
            try:
                answers = _unsent(batch, failure) if failure else self._call(name, batch)
            except MalformedError:  # the row at fault is found by halving
                middle = len(numbers) // 2
                calls += [numbers[:middle], numbers[middle:]]
                continue
            except ConnectorError as error:
                if not outcomes:
                    raise
                failure = error.what
                answers = _unsent(batch, failure)
            outcomes.update(zip(numbers, answers, strict=True))
        unable = Outcome(Result.REJECTED, reason="not done by this connector")
        return [outcomes.get(number, unable) for number in range(len(writes))]

    def _call(self, name: str, batch: Sequence[Write]) -> list[Outcome]:
        if batch[0].action is Action.CREATE:
            return self._create(name, batch)
        if batch[0].action is Action.DELETE:
            return self._delete(name, batch)
        if batch[0].action is Action.CONVERT:
            return self._converter.convert(batch)
        return [self._update(name, batch[0])]

    def _create(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        """What the organization cannot take is refused before the call."""
        shaped = [self._shaper.created(name, one.values) for one in writes]
        due = [
            replace(write, values=values)
            for write, values in zip(writes, shaped, strict=True)
            if not isinstance(values, Outcome)
        ]
        answers = iter(self._upsert(name, due) if due else ())
        return [
            one if isinstance(one, Outcome) else _in_texts(next(answers), write)
            for write, one in zip(writes, shaped, strict=True)
        ]

    def _upsert(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        rows = [{self._key_field: str(one.key), **_native(one.values)} for one in writes]
        response = self._client.upsert(name, self._key_field, rows)
        errors = errors_of(json_of(response)) if response.status_code == 400 else []
        if MALFORMED in map(code_of, errors):
            if len(writes) > 1:
                raise MalformedError("a row of the call is not well formed")
            return [self._malformed(name, writes[0], errors)]
        outcomes = [_of_row(answer, None) for answer in _answers(response, len(writes))]
        return self._ours_among(name, writes, outcomes)

    def _ours_among(
        self, name: str, writes: Sequence[Write], outcomes: Sequence[Outcome]
    ) -> list[Outcome]:
        """A duplicate may be our own create, which another call was still carrying out."""
        doubtful = [str(w.key) for w, o in zip(writes, outcomes, strict=True) if _is_double(o)]
        selection = Selection(name, ())
        found = self._reader.fetch(selection, "key", doubtful) if doubtful else []
        landed = {record.key: record.id for record in found}
        return [
            Outcome(Result.DONE, landed[write.key]) if write.key in landed else outcome
            for write, outcome in zip(writes, outcomes, strict=True)
        ]

    def _update(self, name: str, write: Write) -> Outcome:
        shaped = self._shaper.updated(name, write.id, write.values)
        if isinstance(shaped, Outcome):
            return shaped
        return _in_texts(self._patch(name, replace(write, values=shaped)), write)

    def _patch(self, name: str, write: Write) -> Outcome:
        condition = _http_date(write.version) if write.version else None
        response = self._client.update(name, write.id or "", _native(write.values), condition)
        if response.status_code == 204:
            return Outcome(Result.DONE, write.id)
        if response.status_code == 412:  # what its body says is not documented
            return Outcome(Result.STALE, write.id, reason="changed since it was read")
        errors = errors_of(json_of(response))
        codes = {code_of(error) for error in errors}
        if response.status_code < 300 or not errors or codes & LIMITS or DISABLED in codes:
            raise problem(response)
        if _CONVERTED in codes or response.status_code in (404, 410):
            return Outcome(Result.GONE, write.id, reason=", ".join(sorted(codes)))
        if codes & _ABSENT and not self._refers(name, write):
            return Outcome(Result.GONE, write.id, reason=", ".join(sorted(codes)))
        if MALFORMED in codes:
            return self._malformed(name, write, errors)
        return refusal(errors, write.id)

    def _malformed(self, name: str, write: Write, errors: Sequence[Mapping[str, Any]]) -> Outcome:
        """A field is of another type than when it was mapped; the description says which."""
        self._metadata.forget()
        fields = self._metadata.fields(name)
        values = _native(write.values)
        faults = {
            f: MALFORMED for f, v in values.items() if f in fields and not takes(fields[f], v)
        }
        return replace(refusal(errors, write.id), faults=faults)

    def _refers(self, name: str, write: Write) -> bool:
        """Whether the write names another record, which may be the one that is not there."""
        fields = self._metadata.fields(name)
        return any(
            value and field in fields and fields[field]["type"] == "reference"
            for field, value in write.values.items()
        )

    def _delete(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        """Deletes know no condition: the rows are read immediately before (practice 7.4)."""
        now = self._reader.versions(name, [one.id or "" for one in writes])
        outcomes: dict[str, Outcome] = {}
        for one in writes:
            if one.id not in now:
                outcomes[one.id or ""] = Outcome(Result.GONE, one.id, reason="NOT_FOUND")
            elif one.version not in (None, now[one.id]):
                outcomes[one.id] = Outcome(Result.STALE, one.id, reason="changed since")
        due = [one.id for one in writes if one.id and one.id not in outcomes]
        if due:
            answers = _answers(self._client.delete(due), len(due))
            outcomes |= {n: _of_row(a, n) for n, a in zip(due, answers, strict=True)}
        return [outcomes[one.id or ""] for one in writes]


def _calls(writes: Sequence[Write]) -> Iterator[list[int]]:
    """The numbers of the writes that go in one call: conditions are possible for single rows."""
    for action, size in _SIZES.items():
        numbers = [number for number, one in enumerate(writes) if one.action is action]
        for start in range(0, len(numbers), size):
            yield numbers[start : start + size]


def _unsent(batch: Sequence[Write], failure: str) -> list[Outcome]:
    return [Outcome(Result.RETRY, one.id, reason=failure) for one in batch]


def _in_texts(outcome: Outcome, write: Write) -> Outcome:
    """A fault of a code is that of the text which was to be written."""
    texts = {f"{name}Code": name for name in write.values if is_placed(name)}
    return replace(outcome, faults={texts.get(n, n): why for n, why in outcome.faults.items()})


def _native(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in values.items()}


def _answers(response: httpx.Response, expected: int) -> list[Mapping[str, Any]]:
    """The answers of a collection, one for each row, in order."""
    if response.status_code != 200:
        raise problem(response)
    answers = json_of(response)
    if not isinstance(answers, list) or len(answers) != expected:
        raise TransientError("Salesforce answers a collection with another number of rows")
    if not all(isinstance(answer, Mapping) for answer in answers):
        raise ResponseError("Salesforce answers a collection without its rows")
    return answers


def _of_row(answer: Mapping[str, Any], number: str | None) -> Outcome:
    """One row of a collection; ``number`` where it was to be there already."""
    if answer.get("success"):
        found = answer.get("id")
        if not found or number not in (None, found):  # whose row that is, only a look-up tells
            return Outcome(Result.RETRY, number, reason="answered without the row's id")
        return Outcome(Result.DONE, found)
    errors = errors_of(answer.get("errors") or [])
    codes = {code_of(error) for error in errors}
    if number and codes & _ABSENT:
        return Outcome(Result.GONE, number, reason=", ".join(sorted(codes)))
    return refusal(errors, number)


def _is_double(outcome: Outcome) -> bool:
    return outcome.result is Result.REJECTED and _DOUBLE in outcome.reason


def _http_date(stamp: str) -> str:
    """A SystemModstamp as the HTTP date that conditional requests take; seconds only."""
    moment = datetime.fromisoformat(stamp).astimezone(UTC)
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
