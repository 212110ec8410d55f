"""The native fields of persons and companies, and how they lie in the API's objects.

A set (phones, e-mails, tags, domains) is one field. Phone numbers, which the API keeps as
digits, carry the plus of E.164 here, so that a number means the same without a region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from connectors.errors import ResponseError
from connectors.protocol import FieldType, Record

Row: TypeAlias = Mapping[str, Any]  #: a person or company as the API shows it

PERSON, COMPANY = "person", "company"
ATTRIBUTE = "customAttributes."  #: prefix of a custom attribute's native name
MOST_CONTACTS = 100  #: phones and e-mails of one profile together
#: refused in names of persons by the product
FORBIDDEN = frozenset('&<>"/\\\n\r:(){}=;#')
SETS = frozenset({"phones", "emails", "tags", "domains"})  #: many values
CHANNELS = {"phones": "PHONE", "emails": "EMAIL"}  #: native field -> identity type
IDENTITIES = {**CHANNELS, "externalId": "EXTERNAL_ID"}
NAMES = ("firstName", "middleName", "lastName")


def _shown(type: str, length: int | None = None) -> FieldType:
    return FieldType(type, length, createable=False, updateable=False)


FIELDS: Mapping[str, Mapping[str, FieldType]] = {
    PERSON: {
        # a type is changed by conversion, upward only
        "type": FieldType("choice", required=True, updateable=False, choices=("LEAD", "CUSTOMER")),
        "firstName": FieldType("string", 255, forbidden=FORBIDDEN),
        "middleName": FieldType("string", 50, forbidden=FORBIDDEN),
        "lastName": FieldType("string", 255, forbidden=FORBIDDEN),
        "address": FieldType("string", 256),
        "city": FieldType("string", 50),
        "country": FieldType("string", 50),
        "birthDate": FieldType("date"),
        "gender": FieldType("choice", choices=("MALE", "FEMALE")),
        "preferredLanguage": FieldType("string"),
        "phones": FieldType("phone", 50, many=True),
        "emails": FieldType("email", 255, many=True),
        "tags": FieldType("string", 256, many=True),
        "company": FieldType("reference"),
        "externalId": _shown("string", 256),
        "integrations.salesforce.contactId": _shown("string"),
        "integrations.salesforce.leadId": _shown("string"),
    },
    COMPANY: {
        "name": FieldType("string", 255, required=True),
        "domains": FieldType("string", many=True),
        "country": FieldType("string", 50),
        "region": FieldType("string", 255),
        "industry": FieldType("string", 255),
        "segment": FieldType("string", 255),
        "accountManager": FieldType("string", 255),
        "customerStage": FieldType("string", 255),
        "notes": FieldType("string", 1023),
        "vatNumber": FieldType("string", 50),
        "externalId": _shown("string", 256),
    },
}

#: dataType of a custom attribute -> type; a list of objects cannot be synchronised
DATA_TYPES = {
    "STRING": FieldType("string", 4096),
    "BOOLEAN": FieldType("boolean"),
    "INTEGER": FieldType("number"),
    "DECIMAL": FieldType("number"),
    "DATE": FieldType("date"),
    "DATE_TIME": FieldType("datetime"),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Where this account keeps what the API has no field for."""

    company_attribute: str
    key_attribute: str | None = None


def offered(object: str, places: Places) -> Mapping[str, FieldType]:
    """The standard fields. Where our key stands elsewhere, a new profile's external id may be a
    business id; an existing one is never changed."""
    if object == PERSON and places.key_attribute:
        return {**FIELDS[object], "externalId": FieldType("string", 256, updateable=False)}
    return FIELDS[object]


def is_field(object: str, field: str) -> bool:
    return field in FIELDS[object] or (field.startswith(ATTRIBUTE) and field != ATTRIBUTE)


def value_of(row: Row, field: str, places: Places) -> Any:
    """The value of one native field; None for empty, a list for a set."""
    if field == "company":
        return _text(_attribute(row, places.company_attribute))
    if field.startswith(ATTRIBUTE):
        return _filled(_attribute(row, field.removeprefix(ATTRIBUTE)))
    if field in SETS:
        return members_of(row, field)
    value: Any = row
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return _filled(value)


def members_of(row: Row, field: str) -> list[str]:
    if field == "phones":
        return [plus(number) for number in contacts(row, "phone", "number")]
    if field == "emails":
        return contacts(row, "email", "address")
    return [str(member) for member in row.get(field) or []]


def contacts(row: Row, channel: str, name: str) -> list[str]:
    told = row.get("contactInformation") or {}
    return [str(entry[name]) for entry in told.get(channel) or [] if entry.get(name)]


def _attribute(row: Row, name: str) -> Any:
    """Names of custom attributes do not distinguish case [dev.infobip.com, custom attributes]."""
    told: Mapping[str, Any] = row.get("customAttributes") or {}
    if name in told:
        return told[name]
    folded = name.casefold()
    return next((value for key, value in told.items() if key.casefold() == folded), None)


def _filled(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def plus(number: str) -> str:
    """E.164 with its plus; what is no such number (a short code) stays as it is."""
    return f"+{number}" if number.isdigit() and 7 <= len(number) <= 15 else number


def digits(number: str) -> str:
    return number[1:] if number.startswith("+") and number[1:].isdigit() else number


def id_of(row: Row) -> str:
    if row.get("id") is None:
        raise ResponseError("Customer Profiles answers a record without id")
    return str(row["id"])


def instant(text: str) -> datetime:
    """A stamp; the API gives whole seconds without a zone, which are UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stamp_of(row: Row, name: str = "modifiedAt") -> datetime:
    text = row.get(name)
    if not text:
        raise ResponseError(f"Customer Profiles answers a record without {name}")
    try:
        return instant(str(text))
    except ValueError as error:
        raise ResponseError(f"Customer Profiles answers an unreadable {name}") from error


def key_of(row: Row, places: Places) -> UUID | None:
    """Our key; an external id in any other form is somebody else's."""
    place = places.key_attribute
    text = _text(_attribute(row, place) if place else row.get("externalId"))
    try:
        key = UUID(text or "")
    except ValueError:
        return None
    return key if str(key) == text else None


def record_of(row: Row, fields: Sequence[str], places: Places) -> Record:
    modified = stamp_of(row)
    return Record(
        id=id_of(row),
        values={field: value_of(row, field, places) for field in fields},
        key=key_of(row, places),
        version=str(row["modifiedAt"]),
        modified_at=modified,
    )
