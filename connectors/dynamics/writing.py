"""Carries out writes: creates under ids of our own, updates and deletes under a condition."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from connectors.dynamics.client import LATER, SETS, DynamicsClient, error_of, problem
from connectors.dynamics.metadata import BINDS, PARENT, closing, logical_name, read_table
from connectors.dynamics.reading import Reader
from connectors.errors import ConnectorError, RateLimitError, ResponseError, TransientError
from connectors.protocol import Action, Outcome, Refusal, Result, Values, Write
from connectors.replies import object_of

_STALE, _GONE, _EXISTS = "0x80060882", "0x80040217", "0x80040237"
_NO_SEGMENT = "0x80060888"
_WRONG_STATE = "0x80048408"  #: a status reason that the row's state does not have
#: of one row or column, where other 403s are about the user: no access to that row, a secured
#: column (Microsoft's error list; power-automate troubleshooting, "does not have ... right(s)")
_SECURED = frozenset({"0x8004f504", "0x8004f507"})
_WITHHELD = _SECURED | {"0x80048306"}
#: "DateTime is less than minumum value supported by CrmDateTime", in live systems' spelling
_EARLY, _EARLIEST = "supported by crmdatetime", "1753-01-01"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_REFUSALS = (400, 405, 409, 412)
#: Microsoft's error list, sorted by what a person can do
_SORTS = {
    _EXISTS: Refusal.DUPLICATE,
    "0x80040333": Refusal.DUPLICATE,  # a duplicate detection rule
    "0x80060892": Refusal.DUPLICATE,  # an alternate key
    "0x80040265": Refusal.VALIDATION,  # a plug-in says no
    "0x80045305": Refusal.VALIDATION,
    "0x80040203": Refusal.REQUIRED,
    "0x80044331": Refusal.TOO_LONG,
    **dict.fromkeys(sorted(_WITHHELD), Refusal.PERMISSION),
    "0x80040519": Refusal.CONVERTED,  # "The lead is already closed."
    "0x8004431a": Refusal.CHOICE,
    _WRONG_STATE: Refusal.CHOICE,
    _GONE: Refusal.REFERENCE,
    "0x80040278": Refusal.FORM,
    "0x80048d19": Refusal.FORM,
}
_PATIENCE = 2  #: failing calls in a row after which the rest of a batch is left


class Writer:
    """Writes one environment's tables."""

    def __init__(self, client: DynamicsClient, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def write(self, table: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call each, in order. Raises ConnectorError if nothing is known of any.

        A row that always fails with 5xx (a plug-in's unexpected error) must not keep the
        others from being written: only failures in a row say that the connection is down.
        """
        children = self._children_of_contacts(table, writes)
        outcomes: list[Outcome] = []
        failures: list[ConnectorError] = []
        for one in writes:
            if len(failures) >= _PATIENCE:
                outcomes.append(Outcome(Result.RETRY, one.id, reason="not sent"))
                continue
            try:
                outcomes.append(self._named(table, one, self._write(table, one, children)))
                failures = []
            except ConnectorError as error:
                hopeless = isinstance(error, RateLimitError) or not isinstance(
                    error, TransientError
                )
                failures += [error] * (_PATIENCE if hopeless else 1)
                outcomes.append(Outcome(Result.RETRY, one.id, reason=error.what))
        if failures and all(one.result is Result.RETRY for one in outcomes):
            raise failures[0]
        return outcomes

    def _named(self, table: str, write: Write, outcome: Outcome) -> Outcome:
        """A refusal for a secured column does not say for which: the definitions do."""
        if outcome.faults or outcome.reason not in _SECURED:
            return outcome
        found = read_table(self._client, table)
        columns = found.columns if found else {}
        secured = [name for name in write.values if name in columns and columns[name].secured]
        return replace(outcome, faults=dict.fromkeys(secured, outcome.reason))

    def _children_of_contacts(self, table: str, writes: Sequence[Write]) -> frozenset[str]:
        """Rows whose company is to change but hang on a contact: these stay (practice 4.8)."""
        moved = [one.id for one in writes if one.id and PARENT in one.values]
        return self._reader.children_of_contacts(moved) if table == "contact" else frozenset()

    def _write(self, table: str, write: Write, children: frozenset[str]) -> Outcome:
        if write.action is Action.CREATE:
            return self._create(table, str(write.key), write.values)
        number = write.id or ""
        if write.action is Action.DELETE:
            answer = self._client.delete(table, number, write.version)
            return _outcome(answer, number, {})
        if write.action is Action.DEACTIVATE:
            answer = self._client.update(table, number, closing(self._client, table), write.version)
            return _outcome(answer, number, {})
        if write.action is not Action.UPDATE:
            return Outcome(Result.REJECTED, number, reason="not done by this connector")
        if number in children:
            why = "the parent is a contact"
            return Outcome(Result.REJECTED, number, reason=why, faults={PARENT: why})
        answer = self._client.update(table, number, _native(write.values), write.version)
        return _outcome(answer, number, write.values)

    def _create(self, table: str, number: str, values: Values) -> Outcome:
        answer = self._client.create(table, number, _native(values))
        if answer.status_code != 412 or error_of(answer)[0] not in ("", _EXISTS):
            return _outcome(answer, number, values)
        if self._client.exists(table, number):
            return Outcome(Result.DONE, number)  # our own, whose answer was lost
        # another row stands in the way: the code is that of any integrity violation
        return Outcome(Result.REJECTED, number, reason=_EXISTS, refusal=Refusal.DUPLICATE)


def _native(values: Values) -> dict[str, Any]:
    """Columns as the API writes them: a lookup by its navigation property."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in BINDS:
            navigation, target = BINDS[name]
            found[f"{navigation}@odata.bind"] = f"/{SETS[target]}({value})" if value else None
        else:
            found[name] = None if value == "" else value
    return found


def _outcome(response: httpx.Response, number: str, values: Values) -> Outcome:
    """Reasons name codes and columns: messages may hold personal values."""
    status = response.status_code
    if status in (200, 201):  # with the row, which is asked for
        version = object_of(response).get("@odata.etag")
        if version is None:
            raise ResponseError("Dataverse answers a write without the row")
        return Outcome(Result.DONE, number, str(version))
    if status == 204:
        return Outcome(Result.DONE, number)
    code, message = error_of(response)
    # the documentation shows these answers without a code, live systems send one
    if code == _STALE or (status == 412 and not code):
        return Outcome(Result.STALE, number, reason=code)
    if code in LATER:
        return Outcome(Result.RETRY, number, reason=code)
    missing = code == _GONE or (status == 404 and not code) or status == 410
    faults = _faults(code, message, values)
    if missing and not faults:
        return Outcome(Result.GONE, number, reason=code)
    if missing or code in _WITHHELD or (status in _REFUSALS and code != _NO_SEGMENT):
        reason = ", ".join([code or f"refused with {status}", *faults])
        sort = _SORTS.get(code, Refusal.OTHER)
        return Outcome(Result.REJECTED, number, reason=reason, faults=faults, refusal=sort)
    raise problem(response)


def _faults(code: str, message: str, values: Values) -> Mapping[str, str]:
    """Which of the written columns the message is about.

    It quotes a column's name; of a lookup it may tell the target's id, which is not there; of
    a date only that it is too early.
    """
    if code == _WRONG_STATE:
        return {name: code for name in ("statecode", "statuscode") if name in values}
    told = message.lower()
    return {
        name: code
        for name, value in values.items()
        if f"'{logical_name(name)}'" in told
        or (_EARLY in told and isinstance(value, str) and _DATE.match(value) and value < _EARLIEST)
        or (name in BINDS and value and str(value).lower() in told)
    }
