"""What Salesforce refuses of one row, and why: the codes sorted by what a person can do.

SOAP API Developer Guide, "Core Data Types Used in API Calls", StatusCode. Reasons name codes
and fields; messages hold personal values, and of them only the ids of records are taken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.protocol import Outcome, Refusal, Result
from connectors.salesforce.answers import LATER, LIMITS, MALFORMED, code_of
from connectors.salesforce.owners import OWNER

#: of one row, and passing by itself
_RETRY = (
    LATER
    | LIMITS
    | {
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "ALREADY_IN_PROCESS",
        "PROCESSING_HALTED",
        "STORAGE_LIMIT_EXCEEDED",
        "TXN_SECURITY_METERING_ERROR",
        "UNABLE_TO_LOCK_ROW",
        "UNKNOWN_EXCEPTION",
    }
)
_STALE = "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"
_SORTS = {
    "DUPLICATES_DETECTED": Refusal.DUPLICATE,
    "DUPLICATE_VALUE": Refusal.DUPLICATE,
    "DUPLICATE_EXTERNAL_ID": Refusal.DUPLICATE,
    "CANNOT_EXECUTE_FLOW_TRIGGER": Refusal.VALIDATION,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Refusal.VALIDATION,
    "DELETE_FAILED": Refusal.VALIDATION,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Refusal.VALIDATION,
    "FIELD_FILTER_VALIDATION_EXCEPTION": Refusal.VALIDATION,
    "REQUIRED_FIELD_MISSING": Refusal.REQUIRED,
    "STRING_TOO_LONG": Refusal.TOO_LONG,
    "CANNOT_DELETE_MANAGED_OBJECT": Refusal.PERMISSION,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Refusal.PERMISSION,
    "INSUFFICIENT_ACCESS_OR_READONLY": Refusal.PERMISSION,
    "INVALID_FIELD_FOR_INSERT_UPDATE": Refusal.PERMISSION,
    "ENTITY_IS_LOCKED": Refusal.LOCKED,
    "CANNOT_UPDATE_CONVERTED_LEAD": Refusal.CONVERTED,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Refusal.CHOICE,
    "INVALID_CROSS_REFERENCE_KEY": Refusal.REFERENCE,
    "INACTIVE_OWNER_OR_USER": Refusal.REFERENCE,
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": Refusal.REFERENCE,
    "INVALID_EMAIL_ADDRESS": Refusal.FORM,
    "FIELD_INTEGRITY_EXCEPTION": Refusal.FORM,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Refusal.FORM,
    "NUMBER_OUTSIDE_VALID_RANGE": Refusal.FORM,
    MALFORMED: Refusal.FORM,
}
_OWNERS = frozenset({"INACTIVE_OWNER_OR_USER", "OP_WITH_INVALID_USER_TYPE_EXCEPTION"})
#: "duplicate value found: Key__c duplicates value on record with id: 00Q..."
_WITH_ID = re.compile(r"\bwith id: ([a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?)\b")


def refusal(errors: Sequence[Mapping[str, Any]], number: str | None) -> Outcome:
    """What the errors of one row mean for its write."""
    codes = [code_of(error) for error in errors]
    fields = {name: code_of(error) for error in errors for name in _fields(error)}
    reason = ", ".join([*codes, *sorted(fields)])[:300] or "refused without a reason"
    if _RETRY & set(codes):
        return Outcome(Result.RETRY, number, reason=reason)
    if _STALE in codes:
        return Outcome(Result.STALE, number, reason=reason)
    sort = next((_SORTS[code] for code in codes if code in _SORTS), Refusal.OTHER)
    found = tuple(dict.fromkeys(found for error in errors for found in _found(error)))
    return Outcome(Result.REJECTED, number, reason=reason, faults=fields, refusal=sort, found=found)


def _fields(error: Mapping[str, Any]) -> Sequence[str]:
    """The fields at fault; who may not own a record is told without."""
    told = error.get("fields") or ()
    return told or ((OWNER,) if code_of(error) in _OWNERS else ())


def _found(error: Mapping[str, Any]) -> Iterator[str]:
    """The records that a duplicate rule, or a unique field, has met.

    A rule tells them in ``duplicateResult`` (REST guide, duplicate records; recorded answers
    of old versions have the name without its last l).
    """
    for told in (error.get("duplicateResult"), error.get("duplicateResut")):
        results = told.get("matchResults") if isinstance(told, Mapping) else None
        for result in results or ():
            for match in result.get("matchRecords") or ():
                if number := (match.get("record") or {}).get("Id"):
                    yield str(number)
    if match := _WITH_ID.search(str(error.get("message", ""))):
        yield match.group(1)
