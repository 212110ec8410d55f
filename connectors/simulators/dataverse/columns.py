"""The columns of lead, contact and account: what they hold, and what they take.

Types by powerapps-docs, developer/data-platform: column types; webapi/web-api-types-operations.
"""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded")
SETS = {"leads": "lead", "contacts": "contact", "accounts": "account"}
SET_OF = {table: name for name, table in SETS.items()}
#: state -> the status values it allows; the first is the default (CDM option values)
STATES: dict[str, dict[int, tuple[int, ...]]] = {
    "lead": {0: (1, 2), 1: (3,), 2: (4, 5, 6, 7)},
    "contact": {0: (1,), 1: (2,)},
    "account": {0: (1,), 1: (2,)},
}
#: table -> lookups, each with its kind and its targets
LOOKUPS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "lead": {
        "parentcontactid": ("Lookup", ("contact",)),
        "parentaccountid": ("Lookup", ("account",)),
        "masterid": ("Lookup", ("lead",)),
    },
    "contact": {
        "parentcustomerid": ("Customer", ("account", "contact")),
        "originatingleadid": ("Lookup", ("lead",)),
        "masterid": ("Lookup", ("contact",)),
    },
    "account": {
        "primarycontactid": ("Lookup", ("contact",)),
        "originatingleadid": ("Lookup", ("lead",)),
        "masterid": ("Lookup", ("account",)),
    },
}
READ_ONLY = frozenset(
    {"fullname", "address1_composite", "versionnumber", "createdon", "modifiedon", "merged"}
)
_DATES = frozenset({"birthdate", "anniversary", "estimatedclosedate"})
#: what the recorded columns call their types -> AttributeType
_TYPES = {
    "boolean": "Boolean", "dateTime": "DateTime", "integer": "Integer", "timezone": "Integer",
    "bigInteger": "BigInt", "decimal": "Decimal", "double": "Double", "latitude": "Double",
    "longitude": "Double", "currency": "Money", "baseCurrency": "Money",
    "listLookup": "Picklist", "listLookupCorrelated": "Status", "lookup": "Lookup",
    "entityId": "Uniqueidentifier",
}  # fmt: skip
_FORMATS = {"email": "Email", "phone": "Phone", "url": "Url", "tickerSymbol": "TickerSymbol"}
_NUMBERS = ("Decimal", "Double", "Money")
_MEMO = 2000  #: characters; no single line of text is as long
#: as SQL Server's datetime; the words of the refusal, without its code, as live systems are
#: reported to say them, the misspelling theirs
_EARLIEST = "1753-01-01"
#: what XmlConvert.VerifyXmlChars refuses (powerapps-docs, invalidcharactersinfield)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class RowError(Exception):
    """A request is refused; in Dataverse's code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def load() -> dict[str, dict[str, dict[str, Any]]]:
    """Table -> name as it is read -> kind, length, options, targets."""
    recorded = json.loads((RECORDED / "columns.json").read_text())
    # the extract gives the address group for leads only; all three tables have it
    address = {n: c for n, c in recorded["lead"].items() if n.startswith("address1_")}
    return {table: _table(table, address | recorded[table]) for table in SET_OF}


def _table(table: str, recorded: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, column in recorded.items():
        kind = _kind(name, column)
        if kind not in ("Lookup", "Uniqueidentifier"):
            found[name] = {
                "kind": kind,
                "length": column.get("maxLength"),
                "format": _FORMATS.get(column["type"], "Text"),
                "options": [one["value"] for one in column.get("options", ())],
            }
    for name, (kind, targets) in LOOKUPS[table].items():
        found[f"_{name}_value"] = {"kind": kind, "targets": targets}
    found["_transactioncurrencyid_value"] = {"kind": "Lookup", "targets": ("transactioncurrency",)}
    found["_ownerid_value"] = {"kind": "Owner", "targets": ("systemuser", "team")}
    found[f"{table}id"] = {"kind": "Uniqueidentifier"}
    found["versionnumber"] = {"kind": "BigInt"}
    for name in ("createdon", "modifiedon"):
        found[name] = {"kind": "DateTime"}
    states = STATES[table]
    found["statecode"] = {"kind": "State", "options": list(states)}
    found["statuscode"] = {"kind": "Status", "options": [n for s in states.values() for n in s]}
    found.setdefault("merged", {"kind": "Boolean"})
    return found


def _kind(name: str, column: Mapping[str, Any]) -> str:
    if column["type"] == "Lookup":
        return "Lookup"
    if column.get("maxLength", 0) >= _MEMO:
        return "Memo"
    return _TYPES.get(column["type"], "String")


def is_date(name: str) -> bool:
    """Whether the column's behaviour is DateOnly."""
    return name in _DATES


def own_name(name: str) -> str:
    """The logical name of a column that is read as ``name``."""
    return re.sub(r"^_(\w+)_value$", r"\1", name)


def taken(table: str, name: str, column: Mapping[str, Any], value: Any) -> Any:
    """The value as it is kept. Raises RowError."""
    kind = column["kind"]
    if value is None or value == "":
        return False if kind == "Boolean" else None
    if not _fits(kind, name, value):
        words = (
            f"Error identified in Payload provided by the user for Entity :'{SET_OF[table]}': "
            f"Cannot convert the value of property '{name}' to the expected type."
        )
        raise RowError(400, "0x80048d19", words)
    most = column.get("length")
    if most and isinstance(value, str) and len(value) > most:
        words = (
            f"A validation error occurred.  The length of the '{name}' attribute of the "
            f"'{table}' entity exceeded the maximum allowed length of '{most}'."
        )
        raise RowError(400, "0x80044331", words)
    if kind == "DateTime" and value < _EARLIEST:
        words = (
            "DateTime is less than minumum value supported by CrmDateTime. Actual value: "
            f"{value}, Minimum value supported: 01/01/1753 00:00:00"
        )
        raise RowError(400, "", words)
    if kind == "String" and _NO_XML.search(value):
        words = f"The '{name}' attribute of '{table}' contains an invalid character."
        raise RowError(400, "0x80040278", words)
    options = column.get("options")
    if options and value not in options:
        words = (
            f"A validation error occurred. The value {value} of '{name}' on record of type "
            f"'{table}' is outside the valid range. Accepted Values: {_listed(options)}"
        )
        raise RowError(400, "0x8004431a", words)
    return value


def _fits(kind: str, name: str, value: Any) -> bool:
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind in ("Integer", "BigInt", "Picklist", "State", "Status"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "DateTime":
        return isinstance(value, str) and _is_moment(value, day=is_date(name))
    return isinstance(value, str)


def _is_moment(text: str, *, day: bool) -> bool:
    try:
        if day:
            date.fromisoformat(text)
            return True
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def _listed(options: list[int]) -> str:
    return ",".join(str(one) for one in options)
