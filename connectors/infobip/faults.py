"""What the People API says when it refuses something.

Reads the three shapes of error bodies in circulation and tells what a refusal means for one
record. The texts contain addresses of people, so only codes and field names leave this module.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.protocol import Outcome, Refusal, Result

ADDRESS_TAKEN = "address belongs to another profile"
CONTACTS = {"emails": "email", "phones": "phone"}  #: native field -> the API's word
#: error code -> native field it is about
FIELDS = {"40004": "phones", "40005": "emails", "40003": "externalId"}
#: profile, external id, phone or e-mail exists already
DUPLICATES = frozenset({"40002", "40003", "40004", "40005", "40006"})
#: concurrent update; a merge of the account is running
LATER = frozenset({"40901", "40902", "IMPORT_ALREADY_IN_PROGRESS", "OPTIMISTIC_LOCK"})
NOBODY = frozenset({"40401", "40405", "NOT_FOUND"})  #: of a 404: the record, not its tag or so
NO_WRITING = {
    "40501": "the account is read-only (40501)",
    "40502": "writing through the API is switched off for the account (40502)",
}
#: of the record itself; its tag, attribute or company may be missing in the same words
_GONE = re.compile(
    r"\bno (person|company) matching|^(person|company)\b.* does not exist", re.IGNORECASE
)
_EXISTS = re.compile(r"already exists|duplicate|already (used|taken)", re.IGNORECASE)
_WORDS = {
    Refusal.TOO_LONG: re.compile(
        r"\b(too long|max(imum)? (length|size)|size must)\b", re.IGNORECASE
    ),
    Refusal.REQUIRED: re.compile(r"\b(required|must not be (null|blank|empty))\b", re.IGNORECASE),
}
_PERSONAL = re.compile(r"\S+@\S+|\+?\d[\d .-]{4,}\d|\"[^\"]*\"|'[^']*'|=\([^)]*\)")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """One refusal, of a call or of one entry of a batch."""

    status: int
    code: str = ""
    message: str = ""
    paths: tuple[str, ...] = ()  #: of the properties that were found invalid

    @property
    def later(self) -> bool:
        return self.code in LATER or self.status == 429 or self.status >= 500

    @property
    def gone(self) -> bool:
        if self.status == 410 or (self.status == 404 and self.code in NOBODY):
            return True
        return self.status in (404, 409) and bool(_GONE.search(self.message))

    @property
    def may_be_duplicate(self) -> bool:
        """Something of the entry may exist already: told by a code, by 409 in a batch, or by
        nothing but words, which are not fixed, in the documented envelope."""
        if self.later or self.gone:
            return False
        wordy = self.status == 400 and not self.code.isdigit()
        return self.code in DUPLICATES or self.status == 409 or wordy

    @property
    def says_exists(self) -> bool:
        """Batches give other refusals status 409 as well."""
        return self.code in DUPLICATES or bool(_EXISTS.search(self.message))

    def reason(self, sent: Any = None) -> str:
        """Code and text, without what was ``sent`` or looks like somebody's."""
        if self.code in NO_WRITING:
            return NO_WRITING[self.code]
        text = self.message
        for word in sorted(set(_texts(sent)), key=len, reverse=True):
            text = re.sub(re.escape(word), "...", text, flags=re.IGNORECASE)
        text = " ".join(_PERSONAL.sub("...", text).split())
        return f"{self.code or self.status} {text}".strip()[:_LONGEST]


def _texts(sent: Any) -> Iterable[str]:
    """Every text in a JSON value that is long enough to be known by."""
    if isinstance(sent, str):
        if len(sent) > 1:
            yield sent
    elif isinstance(sent, Mapping):
        for value in sent.values():
            yield from _texts(value)
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from _texts(value)


def fault_of(status: int, body: Any) -> Fault:
    """The refusal in a whole answer, whichever of the documented shapes it has."""
    if not isinstance(body, Mapping):
        return Fault(status)
    inner = body
    envelope = body.get("requestError")
    if isinstance(envelope, Mapping):
        inner = envelope.get("serviceException") or envelope.get("policyException") or {}
    code = next(
        (inner[name] for name in ("errorCode", "code", "messageId", "value") if inner.get(name)),
        "",
    )
    message = next(
        (
            str(inner[name])
            for name in ("errorMessage", "message", "text", "description")
            if inner.get(name)
        ),
        "",
    )
    return Fault(status, _numbered(str(code), message), message, tuple(_paths(inner)))


def entry_fault(entry: Mapping[str, Any]) -> Fault | None:
    """The refusal in one result of a batch answer; None where the entry succeeded."""
    errors = [error for error in entry.get("errors") or [] if isinstance(error, Mapping)]
    status = int(entry.get("status") or (409 if errors else 200))
    if status < 300 and not errors:
        return None
    message = "; ".join(str(error.get("message", "")) for error in errors)
    told = [str(e.get("errorCode") or e.get("code") or "") for e in errors]
    code = next((code for code in told if code), "")
    return Fault(status, _numbered(code, message), message)


def _numbered(code: str, message: str) -> str:
    """The People code, where only a general one such as BAD_REQUEST stands beside it."""
    if code.isdigit():
        return code
    found = re.search(r"\b40\d{3}\b", message)
    return found.group() if found else code


def _paths(inner: Mapping[str, Any]) -> Iterable[str]:
    errors = inner.get("validationErrors") or inner.get("violations") or inner.get("details")
    if isinstance(errors, Mapping):
        yield from map(str, errors)
    elif isinstance(errors, list):
        for error in errors:
            if isinstance(error, Mapping):
                yield str(error.get("propertyPath") or error.get("property") or "")


def fields_of(fault: Fault, fields: Iterable[str]) -> dict[str, str]:
    """Which of the native ``fields`` of a write the refusal is about -> its code."""
    why = fault.code or str(fault.status)
    given = list(fields)
    found = {field: why for path in fault.paths for field in given if _names(path, field)}
    named = FIELDS.get(fault.code)
    if not found and named in given:
        found = {named: why}
    if not found:
        found = dict.fromkeys(_told_of(fault.message, given), why)
    return found


def _told_of(text: str, fields: Iterable[str]) -> list[str]:
    """The fields that the words name; "Email address" is no postal address, "type" is any word."""
    named = [f for f in fields if re.search(rf"\b{re.escape(_bare(f))}\b", text, re.IGNORECASE)]
    contacts = [field for field in named if field in CONTACTS]
    return contacts or [field for field in named if field != "type"]


def _bare(field: str) -> str:
    return CONTACTS.get(field, field.removeprefix("customAttributes."))


def _names(path: str, field: str) -> bool:
    return _bare(field) in re.split(r"[.\[\]]+", path)


def sort_of(fault: Fault) -> Refusal:
    """What sort of refusal: by the code, and where the vendor has none for it by its words."""
    if fault.may_be_duplicate and fault.says_exists:
        return Refusal.DUPLICATE
    if fault.status == 403:
        return Refusal.PERMISSION
    words = (sort for sort, told in _WORDS.items() if told.search(fault.message))
    return next(words, Refusal.FORM if fault.status == 400 else Refusal.OTHER)


def outcome_of(fault: Fault, id: str | None, values: Mapping[str, Any]) -> Outcome:
    """What a refusal means for one write; not for duplicates, whose owner must be looked up."""
    reason = fault.reason(values)
    if fault.later:
        return Outcome(Result.RETRY, id, reason=reason)
    if fault.gone and id is not None:
        return Outcome(Result.GONE, id, reason=reason)
    faults = fields_of(fault, values)
    return Outcome(Result.REJECTED, id, reason=reason, faults=faults, refusal=sort_of(fault))
