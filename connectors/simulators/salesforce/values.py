"""Which values a field takes: its JSON type, then length, form and choices."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from connectors.simulators.salesforce.refusals import BodyError, RowError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def parse(one: Mapping[str, Any], value: Any) -> None:
    """Raises BodyError for a value that is not of the field's JSON type.

    "Cannot deserialize instance of date from VALUE_STRING value ...", as reported in
    qoretechnologies/qore issue 3908 and regican/Salesforce issue 2.
    """
    wanted = _WANTED.get(one["type"], "string")
    if value is None or _FORMS[wanted](value):
        return
    token = next(name for type_, name in _TOKENS if isinstance(value, type_))
    shown = str(value).lower() if isinstance(value, bool) else value
    raise BodyError(
        f"Cannot deserialize instance of {wanted} from {token} value {shown} "
        "or request may be missing a required field at [line:1, column:1]"
    )


def cleaned(one: Mapping[str, Any], value: Any) -> Any:
    """The value as it is stored. Raises RowError.

    Years: SOQL and SOSL Reference, "Date Formats", minimum and maximum; the code of a refusal as
    reported in salesforce.stackexchange question 339236.
    """
    name, label = one["name"], one["label"]
    if isinstance(value, str):  # there are no empty strings, and blanks around are cut off
        value = value.strip() or None
    if one["type"] == "boolean":
        return bool(value)
    if value is None:
        return None
    if one["length"] and len(value) > one["length"]:
        message = f"{label}: data value too large: {value} (max length={one['length']})"
        raise RowError("STRING_TOO_LONG", message, name)
    if one["type"] == "email" and not _EMAIL.fullmatch(value):
        message = f"{label}: invalid email address: {value}"
        raise RowError("INVALID_EMAIL_ADDRESS", message, name)
    offered = {choice["value"] for choice in one["picklistValues"] if choice["active"]}
    if one["restrictedPicklist"] and value not in offered:
        message = f"{label}: bad value for restricted picklist field: {value}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, name)
    if one["type"] in ("date", "datetime") and not "1700-01-01" <= value[:10] <= "4000-12-31":
        message = f"{label}: invalid date: {value}"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message, name)
    if one["type"] == "int":
        return int(value)
    return float(value) if _WANTED.get(one["type"]) == "double" else value


def _reads(read: Callable[[str], Any], value: Any) -> bool:
    try:
        read(str(value))
    except ValueError:
        return False
    return True


def _is_whole(value: Any) -> bool:
    return not isinstance(value, bool) and _reads(int, value)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and _reads(float, value)


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 10 and _reads(date.fromisoformat, value)


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and "T" in value and _reads(datetime.fromisoformat, value)


#: what the JSON of a field is read as; all others as text
_WANTED = {
    "boolean": "boolean", "int": "int", "double": "double", "currency": "double",
    "percent": "double", "date": "date", "datetime": "datetime",
}  # fmt: skip
_FORMS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "int": _is_whole,
    "double": _is_number,
    "date": _is_date,
    "datetime": _is_moment,
    "string": lambda value: isinstance(value, str),
}
_TOKENS = (
    (bool, "VALUE_BOOLEAN"),
    (str, "VALUE_STRING"),
    (int, "VALUE_NUMBER_INT"),
    (float, "VALUE_NUMBER_FLOAT"),
    (dict, "START_OBJECT"),
    (list, "START_ARRAY"),
)
