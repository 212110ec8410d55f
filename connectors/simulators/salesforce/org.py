"""One organization's records and rules: stamps, validation, deletion, merge, conversion.

Sources stand beside the rules; stamps have whole seconds, as in all recorded answers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.simulators.clock import ServerClock
from connectors.simulators.control import ActError
from connectors.simulators.journal import Journal

RECORDED = Path(__file__).with_name("recorded")
PREFIXES = {"Lead": "00Q", "Contact": "003", "Account": "001"}
API_USER, PERSON = "005000000000001AAA", "005000000000002AAA"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
#: fields that stock organizations have, but field-level security hid from the recorded user
_CONSENT = ("HasOptedOutOfEmail", "DoNotCall", "HasOptedOutOfFax")
_CARRIED = {
    "Salutation": "Salutation", "FirstName": "FirstName", "LastName": "LastName",
    "Email": "Email", "Phone": "Phone", "MobilePhone": "MobilePhone", "Title": "Title",
    "Description": "Description", "LeadSource": "LeadSource", "Street": "MailingStreet",
    "City": "MailingCity", "State": "MailingState", "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry", **{name: name for name in _CONSENT},
}  # fmt: skip


class RowError(Exception):
    """One row is refused; in Salesforce's code, words and fields."""

    def __init__(self, code: str, message: str, *fields: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.fields, self.status = code, message, fields, status


@dataclass(slots=True)
class Stored:
    """One record; ``visible`` is when queries may see it."""

    object: str
    values: dict[str, Any]
    visible: datetime

    @property
    def id(self) -> str:
        return str(self.values["Id"])


@dataclass(slots=True)
class Org:
    """The organization."""

    clock: ServerClock = field(default_factory=ServerClock)
    journal: Journal = field(default_factory=Journal)
    switches: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Stored] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    describes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: int = 0

    def __post_init__(self) -> None:
        self.describes = {name: _described(name) for name in PREFIXES}
        self.reset()

    def reset(self) -> None:
        self.rows.clear()
        self.journal.clear()
        self.clock.offset *= 0
        self._numbers = 0
        self.switches = {
            "page_size": 2000,
            "visible_late": 0,  #: seconds between a row's stamp and its being seen
            "assignment_rule": False,
        }

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def field(self, name: str, of: str) -> dict[str, Any] | None:
        wanted = of.lower()
        fields = self.describes[name]["fields"]
        return next((one for one in fields if one["name"].lower() == wanted), None)

    def find(self, name: str, number: str) -> Stored | None:
        """A row by its 18- or 15-character id."""
        row = self.rows.get(number if len(number) == 18 else lengthened(number))
        return row if row is not None and row.object == name else None

    # what the API and people do alike

    def create(self, name: str, values: Mapping[str, Any], by: str, *, assign: bool = False) -> str:
        clean = self._checked(name, values, "createable")
        for one in self.describes[name]["fields"]:
            required = not one["nillable"] and one["createable"] and not one["defaultedOnCreate"]
            if required and clean.get(one["name"]) is None:
                message = f"Required fields are missing: [{one['name']}]"
                raise RowError("REQUIRED_FIELD_MISSING", message, one["name"])
        self._numbers += 1
        number = lengthened(f"{PREFIXES[name]}5e{self._numbers:010d}")
        row = {one["name"]: _default(one) for one in self.describes[name]["fields"]} | clean
        row |= {"Id": number, "OwnerId": clean.get("OwnerId", by), "CreatedById": by}
        if assign and self.switches["assignment_rule"] and name == "Lead":
            row["OwnerId"] = "005000000000009AAA"
        self.rows[number] = Stored(name, row, self.clock.now())
        row["CreatedDate"] = self._stamp(self.rows[number], by)
        self._named(self.rows[number])
        self.journal.write(name, number, "create", clean, _who(by))
        return number

    def update(self, row: Stored, values: Mapping[str, Any], by: str) -> None:
        if row.values["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        if row.values.get("IsConverted"):
            message = "cannot reference converted lead"
            raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", message)
        clean = self._checked(row.object, values, "updateable", row.id)
        for name, value in clean.items():
            one = self.field(row.object, name)
            if value is None and one is not None and not one["nillable"]:
                message = f"Required fields are missing: [{name}]"
                raise RowError("REQUIRED_FIELD_MISSING", message, name)
        changed = [name for name, value in clean.items() if row.values.get(name) != value]
        row.values |= clean
        self._stamp(row, by)
        self._named(row)
        self.journal.write(row.object, row.id, "update", changed, _who(by))

    def delete(self, row: Stored, by: str) -> None:
        if row.values["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        row.values["IsDeleted"] = True
        self._stamp(row, by)
        self.journal.write(row.object, row.id, "delete", [], _who(by))

    # what only people do

    def act(self, act: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._act(act)
        except RowError as error:
            raise ActError(f"{error.code}: {error.message}") from error

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        name, action = act["object"], act["action"]
        if action == "create":
            return {"id": self.create(name, act["values"], PERSON)}
        row = self.find(name, act["id"])
        if row is None:
            raise ActError(f"there is no {name} {act['id']}")
        if action == "update":
            self.update(row, act["values"], PERSON)
        elif action == "delete":
            self.delete(row, PERSON)
        elif action == "undelete":
            row.values |= {"IsDeleted": False, "MasterRecordId": None}
            self._stamp(row, PERSON)
        elif action == "merge":
            self._merge(row, act["losers"])
        elif action == "convert":
            return {"id": row.id, "into": self._convert(row, act.get("into", {}))}
        elif action == "touch":  # a background job: no user changed anything
            row.values["SystemModstamp"] = self._now()
        else:
            raise ActError(f"nobody can {action} a {name}")
        return {"id": row.id}

    def records(self, name: str) -> list[dict[str, Any]]:
        return [row.values for row in self.rows.values() if row.object == name]

    def _merge(self, winner: Stored, losers: list[str]) -> None:
        """Losers are deleted with MasterRecordId; the winner is updated once (triggers-merge)."""
        for number in losers:
            loser = self.rows[number]
            loser.values |= {"IsDeleted": True, "MasterRecordId": winner.id}
            self._stamp(loser, PERSON)
            for child in self.rows.values():
                if child.values.get("AccountId") == number:
                    child.values["AccountId"] = winner.id
                    self._stamp(child, PERSON)
        self._stamp(winner, PERSON)

    def _convert(self, lead: Stored, into: Mapping[str, str]) -> dict[str, str]:
        """Account and Contact first, then the lead, in one transaction; our key is not copied."""
        if lead.values["IsConverted"]:
            raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "lead is already converted")
        account = into.get("Account") or self.create(
            "Account", {"Name": lead.values["Company"]}, PERSON
        )
        contact = into.get("Contact")
        if contact is None:
            carried = {to: lead.values.get(name) for name, to in _CARRIED.items()}
            filled = {name: value for name, value in carried.items() if value is not None}
            contact = self.create("Contact", {**filled, "AccountId": account}, PERSON)
        lead.values |= {
            "IsConverted": True,
            "ConvertedDate": self.clock.now().date().isoformat(),
            "ConvertedContactId": contact,
            "ConvertedAccountId": account,
            "Status": "Closed - Converted",
        }
        self._stamp(lead, PERSON)
        return {"Contact": contact, "Account": account}

    # rules

    def _checked(
        self, name: str, values: Mapping[str, Any], allowed: str, number: str | None = None
    ) -> dict[str, Any]:
        clean = {}
        for given, value in values.items():
            one = self.field(name, given)
            if one is None:
                message = f"No such column '{given}' on sobject of type {name}"
                raise RowError("INVALID_FIELD", message)
            if not one[allowed]:
                message = (
                    f"Unable to create/update fields: {one['name']}. "
                    f"Please check the security settings of this field."
                )
                raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, one["name"])
            clean[one["name"]] = self._value(one, value, number)
        return clean

    def _value(self, one: Mapping[str, Any], value: Any, number: str | None) -> Any:
        name = one["name"]
        if isinstance(value, str):
            value = value.strip() or None
        if one["type"] == "boolean":
            return bool(value)
        if value is None:
            return None
        if one["length"] and len(str(value)) > one["length"]:
            message = f"{one['label']}: data value too large (max length={one['length']})"
            raise RowError("STRING_TOO_LONG", message, name)
        if one["type"] == "email" and not _EMAIL.fullmatch(value):
            message = f"{one['label']}: invalid email address"
            raise RowError("INVALID_EMAIL_ADDRESS", message, name)
        offered = {choice["value"] for choice in one["picklistValues"]}
        if one["restrictedPicklist"] and value not in offered:
            message = f"{one['label']}: bad value for restricted picklist field"
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, name)
        if one["type"] == "reference" and name == "AccountId":
            parent = self.find("Account", value)
            if parent is None or parent.values["IsDeleted"]:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name)
        if one["unique"] and one["custom"]:
            self._unique(name, value, number)
        return value

    def _unique(self, name: str, value: Any, number: str | None) -> None:
        for row in self.rows.values():
            if row.values.get(name) == value and row.id != number:
                message = (
                    f"duplicate value found: {name} duplicates value on record with id: {row.id}"
                )
                raise RowError("DUPLICATE_VALUE", message, name)

    def _stamp(self, row: Stored, by: str) -> str:
        now = self._now()
        row.values |= {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": by}
        seen = self.clock.now().timestamp() + self.switches["visible_late"]
        row.visible = datetime.fromtimestamp(seen, self.clock.now().tzinfo)
        return now

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def _named(self, row: Stored) -> None:
        if row.object != "Account":
            parts = (row.values.get("FirstName"), row.values.get("LastName"))
            row.values["Name"] = " ".join(part for part in parts if part)


def lengthened(number: str) -> str:
    """The 18-character id of a 15-character one: three letters tell which are capitals."""
    suffix = ""
    for start in range(0, 15, 5):
        bits = sum(1 << n for n, c in enumerate(number[start : start + 5]) if c.isupper())
        suffix += _LETTERS[bits]
    return number[:15] + suffix


def _who(user: str) -> str:
    return "api" if user == API_USER else "person"


def _default(one: Mapping[str, Any]) -> Any:
    if one["type"] == "boolean":
        return False
    chosen = (choice["value"] for choice in one["picklistValues"] if choice["defaultValue"])
    return next(chosen, None) if one["defaultedOnCreate"] else None


def _described(name: str) -> dict[str, Any]:
    """A recorded description with the fields that a set-up organization has beside."""
    described: dict[str, Any] = json.loads((RECORDED / f"{name.lower()}_describe.json").read_text())
    like = next(one for one in described["fields"] if one["name"] == "Jigsaw")
    key = {
        "name": "CrmSync_Key__c", "label": "CrmSync Key", "length": 36, "externalId": True,
        "unique": True, "custom": True, "idLookup": True, "caseSensitive": True, "nillable": True,
        "createable": True, "updateable": True,
    }  # fmt: skip
    described["fields"].append(like | key)
    if name != "Account":
        flag = {"type": "boolean", "length": 0, "nillable": False, "defaultedOnCreate": True}
        flags = [{"name": n, "label": n, "createable": True, "updateable": True} for n in _CONSENT]
        described["fields"] += [like | flag | one for one in flags]
    return described
