"""What an answer to a write means for its row."""

import re
from collections.abc import Mapping

import httpx

from connectors.dynamics.client import LATER, error_of, problem
from connectors.dynamics.currencies import CURRENCY
from connectors.dynamics.metadata import BINDS, logical_name
from connectors.dynamics.owners import DISABLED, OWNER
from connectors.errors import ResponseError
from connectors.protocol import Outcome, Refusal, Result, Values
from connectors.replies import object_of

_STALE, _GONE, EXISTS = "0x80060882", "0x80040217", "0x80040237"
CLOSED = "0x80040519"  #: "The lead is already closed."
NO_SEGMENT = "0x80060888"  #: no such resource, action or column
_WRONG_STATE = "0x80048408"  #: a status reason that the row's state does not have
#: of one row or column, where other 403s are about the user: no access to that row, a secured
#: column (Microsoft's error list; power-automate troubleshooting, "does not have ... right(s)")
SECURED = frozenset({"0x8004f504", "0x8004f507"})
_WITHHELD = SECURED | {"0x80048306"}
#: "DateTime is less than minumum value supported by CrmDateTime", in live systems' spelling
_EARLY, _EARLIEST = "supported by crmdatetime", "1753-01-01"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_REFUSALS = (400, 405, 409, 412)
#: Microsoft's error list, sorted by what a person can do
_SORTS = {
    EXISTS: Refusal.DUPLICATE,
    "0x80040333": Refusal.DUPLICATE,  # a duplicate detection rule
    "0x80060892": Refusal.DUPLICATE,  # an alternate key
    "0x80040265": Refusal.VALIDATION,  # a plug-in says no
    "0x80045305": Refusal.VALIDATION,
    "0x80040203": Refusal.REQUIRED,
    "0x80044331": Refusal.TOO_LONG,
    **dict.fromkeys(sorted(_WITHHELD), Refusal.PERMISSION),
    CLOSED: Refusal.CONVERTED,
    "0x8004431a": Refusal.CHOICE,
    _WRONG_STATE: Refusal.CHOICE,
    _GONE: Refusal.REFERENCE,
    DISABLED: Refusal.REFERENCE,
    "0x80040278": Refusal.FORM,
    "0x80048d19": Refusal.FORM,
}


def outcome_of(response: httpx.Response, number: str, values: Values) -> Outcome:
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
    if (
        missing
        or code in _WITHHELD
        or OWNER in faults
        or (status in _REFUSALS and code != NO_SEGMENT)
    ):
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
    if code == DISABLED and OWNER in values:  # our own user's being disabled ends other calls too
        return {OWNER: code}
    told = message.lower()
    return {
        name: code
        for name, value in values.items()
        if f"'{logical_name(name)}'" in told
        or (_EARLY in told and isinstance(value, str) and _DATE.match(value) and value < _EARLIEST)
        or (name in (*BINDS, OWNER, CURRENCY) and value and str(value).lower() in told)
    }
