"""Carries out writes: creates as upserts on the external id, updates under a condition."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ConnectorError
from connectors.http import json_of
from connectors.protocol import Action, Outcome, Result, Write
from connectors.salesforce.client import (
    COLLECTION,
    SalesforceClient,
    code_of,
    errors_of,
    http_date,
    problem,
)
from connectors.salesforce.reading import Reader
from connectors.salesforce.settings import SalesforceSettings

_RETRY = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "ALREADY_IN_PROCESS",
        "TXN_SECURITY_METERING_ERROR",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
    }
)
_GONE = frozenset(
    {
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "NOT_FOUND",
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "DELETE_OPERATION_FAILED",
    }
)


class Writer:
    """Writes one organization's objects."""

    def __init__(
        self, client: SalesforceClient, reader: Reader, settings: SalesforceSettings
    ) -> None:
        self._client = client
        self._reader = reader
        self._settings = settings

    def write(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order. Raises ConnectorError if nothing is known of any."""
        outcomes: dict[int, Outcome] = {}
        creates = [n for n, one in enumerate(writes) if one.action is Action.CREATE]
        for start in range(0, len(creates), COLLECTION):
            batch = creates[start : start + COLLECTION]
            self._attempt(
                outcomes, batch, lambda b=batch: self._create(name, [writes[n] for n in b])
            )
        for number, one in enumerate(writes):
            if one.action is Action.UPDATE:
                self._attempt(outcomes, [number], lambda w=one: [self._update(name, w)])
        deletes = [n for n, one in enumerate(writes) if one.action is Action.DELETE]
        for start in range(0, len(deletes), COLLECTION):
            batch = deletes[start : start + COLLECTION]
            self._attempt(
                outcomes, batch, lambda b=batch: self._delete(name, [writes[n] for n in b])
            )
        unable = Outcome(Result.REJECTED, reason="Salesforce's REST API has no such action")
        return [outcomes.get(number, unable) for number in range(len(writes))]

    def _attempt(self, outcomes: dict[int, Outcome], numbers: Sequence[int], call: Any) -> None:
        """Keep what is known: after the first answer a failing connection is an outcome."""
        if any(one.result is Result.RETRY and not one.id for one in outcomes.values()):
            answers = [Outcome(Result.RETRY, reason="not sent")] * len(numbers)
        else:
            try:
                answers = call()
            except ConnectorError as error:
                if not outcomes:
                    raise
                answers = [Outcome(Result.RETRY, reason=error.what)] * len(numbers)
        outcomes.update(zip(numbers, answers, strict=True))

    def _create(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        field = self._settings.external_id_field
        rows = [{field: str(one.key), **_native(one.values)} for one in writes]
        answers = self._client.upsert(name, field, rows)
        return [_outcome(answer, None) for answer in answers]

    def _update(self, name: str, write: Write) -> Outcome:
        condition = http_date(write.version) if write.version else None
        response = self._client.update(name, write.id or "", _native(write.values), condition)
        if response.status_code in (200, 204):
            return Outcome(Result.DONE, write.id)
        if response.status_code == 412:
            return Outcome(Result.STALE, write.id, reason="changed since it was read")
        if response.status_code == 404:
            return Outcome(Result.GONE, write.id, reason="NOT_FOUND")
        if response.status_code != 400:
            refusal = problem(response)
            raise refusal
        return _outcome({"success": False, "errors": errors_of(json_of(response))}, write.id)

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
            answers = self._client.delete(due)
            outcomes |= {n: _outcome(a, n) for n, a in zip(due, answers, strict=True)}
        return [outcomes[one.id or ""] for one in writes]


def _native(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in values.items()}


def _outcome(answer: Mapping[str, Any], number: str | None) -> Outcome:
    """One row's answer. Reasons name codes and fields; messages may hold personal values."""
    if answer.get("success"):
        return Outcome(Result.DONE, answer.get("id") or number)
    errors = errors_of(answer.get("errors") or [])
    codes = [code_of(error) for error in errors]
    fields = {name: code_of(e) for e in errors for name in e.get("fields") or ()}
    reason = ", ".join([*codes, *sorted(fields)])[:300] or "refused without a reason"
    if _RETRY & set(codes):
        return Outcome(Result.RETRY, number, reason=reason)
    if _GONE & set(codes):
        return Outcome(Result.GONE, number, reason=reason)
    return Outcome(Result.REJECTED, number, reason=reason, faults=fields)
