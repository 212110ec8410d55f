"""One organization's records: stamps, transactions, validation, deletion.

Sources stand beside the rules; stamps have whole seconds, as in all recorded answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.simulators.clock import ServerClock
from connectors.simulators.journal import Journal
from connectors.simulators.salesforce import people, places
from connectors.simulators.salesforce.refusals import RowError, deleted, missing, no_reference
from connectors.simulators.salesforce.schema import Schema, default, is_required, organization
from connectors.simulators.salesforce.values import cleaned

PREFIXES = {"Lead": "00Q", "Contact": "003", "Account": "001"}
API_USER, QUEUE = "005000000000001AAA", "00G000000000009AAA"
CONVERTED = "Closed - Converted"  #: the lead status that means it
#: what is deleted stays in the recycle bin for 15 days (Object Reference, undelete)
RECYCLE_BIN = timedelta(days=15)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(slots=True)
class Stored:
    """One record: what it holds, and what everybody still sees of it until it is committed."""

    object: str
    values: dict[str, Any]
    committed: datetime
    before: dict[str, Any] | None = None  #: None: nobody sees a record that is not there yet
    along: str = ""  #: the record whose deletion took this one along

    @property
    def id(self) -> str:
        return str(self.values["Id"])

    def seen(self, now: datetime) -> dict[str, Any] | None:
        return self.values if self.committed <= now else self.before


@dataclass(slots=True)
class Org:
    """The organization."""

    clock: ServerClock = field(default_factory=ServerClock)
    journal: Journal = field(default_factory=Journal)
    switches: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Stored] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    schema: Schema = field(default_factory=Schema)
    _numbers: int = 0

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.rows.clear()
        self.journal.clear()
        self.schema = Schema()
        self.clock.offset *= 0
        self._numbers = 0
        self.switches = {
            "page_size": 2000,
            "visible_late": 0,  #: seconds between a row's stamp and its being seen
            "assignment_rule": False,  #: gives leads to a queue
            "duplicate_rule": False,  #: blocks a second record with the same address
            "may_convert": True,  #: our user has the permission Convert Leads
            "soap": True,  #: whether SOAP takes access tokens for session ids
            "key_readers": 1,  #: permission sets and profiles that may see the key field
            "organization": "00D000000000001AAA",
            "users": [  #: who works there
                {"Id": API_USER, "Email": "integration@plavi.example", "IsActive": True},
                {"Id": people.PERSON, "Email": "eva@plavi.example", "IsActive": True},
                {"Id": "005000000000007AAA", "Email": "ivo@plavi.example", "IsActive": True},
            ],
            "offered": {},  #: record type -> picklist -> its choices there, where they are fewer
            "queues": [{"Id": QUEUE, "Name": "Inbound", "objects": ["Lead"]}],
        }

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def act(self, act: dict[str, Any]) -> dict[str, Any]:
        return people.act(self, act)

    def records(self, name: str) -> list[dict[str, Any]]:
        return [row.values for row in self.rows.values() if row.object == name]

    def setup(self, name: str) -> list[dict[str, Any]] | None:
        """The rows of a set-up object; None where there is no such object."""
        if name == "Organization":
            return [organization() | {"Id": self.switches["organization"]}]
        if name == "AssignmentRule":
            rule = {"Id": "01Q000000000001AAA", "Name": "Standard", "SobjectType": "Lead"}
            return [rule | {"Active": self.switches["assignment_rule"]}]
        if name == "DuplicateRule":
            rules = {"Lead": "Standard_Lead", "Contact": "Standard_Contact"}
            return [
                {"Id": f"0Bm00000000000{n}AAA", "SobjectType": of, "DeveloperName": rule}
                | {"IsActive": self.switches["duplicate_rule"]}
                for n, (of, rule) in enumerate(rules.items())
            ]
        if name == "FieldPermissions":
            return self._field_permissions()
        if name == "UserPermissionAccess":
            return [{"Id": None, "PermissionsConvertLeads": self.switches["may_convert"]}]
        if name == "LeadStatus":
            return self._statuses()
        if name == "User":
            return [{"UserType": "Standard"} | one for one in self.switches["users"]]
        if name == "Group":
            return [{"Type": "Queue"} | one for one in self.switches["queues"]]
        if name == "QueueSobject":
            return [
                {"Id": f"03g{one['Id'][3:]}", "QueueId": one["Id"], "SobjectType": of}
                for one in self.switches["queues"]
                for of in one["objects"]
            ]
        return None

    def find(self, name: str, number: str) -> Stored | None:
        """A row by its 18- or 15-character id; what has left the recycle bin is nowhere."""
        row = self.rows.get(number if len(number) == 18 else lengthened(number))
        if row is None or row.object != name or self.is_purged(row):
            return None
        return row

    def is_purged(self, row: Stored) -> bool:
        if not row.values["IsDeleted"]:
            return False
        since = datetime.fromisoformat(row.values["SystemModstamp"])
        return self.clock.now() - since > RECYCLE_BIN

    def create(self, name: str, values: Mapping[str, Any], by: str, *, assign: bool = False) -> str:
        clean = self._placed(name, {}, self._checked(name, values, "createable"))
        for one in self.schema.fields(name):
            if is_required(one) and clean.get(one["name"]) is None:
                raise missing(one["name"])
        self._refuse_duplicates(name, clean)
        self._numbers += 1
        number = lengthened(f"{PREFIXES[name]}5e{self._numbers:010d}")
        filled = {one["name"]: default(one) for one in self.schema.fields(name)} | clean
        filled |= {"Id": number, "OwnerId": clean.get("OwnerId", by), "CreatedById": by}
        filled |= {"CreatedDate": self._now(), "IsDeleted": False}
        self.rows[number] = row = Stored(name, {}, self.clock.now())
        self.write(row, filled | self._assigned(name, assign), by)
        self.journal.write(name, number, "create", clean, _who(by))
        return number

    def update(
        self, row: Stored, values: Mapping[str, Any], by: str, *, assign: bool = False
    ) -> None:
        if row.values["IsDeleted"]:
            raise deleted()
        if row.values.get("IsConverted"):
            message = "cannot reference converted lead"
            raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", message)
        checked = self._checked(row.object, values, "updateable", row.id)
        clean = self._placed(row.object, row.values, checked)
        for name, value in clean.items():
            one = self.schema.field(row.object, name)
            if value is None and one is not None and not one["nillable"]:
                raise missing(name)
        changed = [name for name, value in clean.items() if row.values.get(name) != value]
        self.write(row, clean | self._assigned(row.object, assign), by)
        self.journal.write(row.object, row.id, "update", changed, _who(by))

    def delete(self, row: Stored, by: str) -> None:
        if row.values["IsDeleted"]:
            raise deleted()
        self.write(row, {"IsDeleted": True}, by)
        self.journal.write(row.object, row.id, "delete", [], _who(by))
        # an account takes its contacts along: cascadeDelete in the recorded description
        for child in self.children(row.id):
            self.write(child, {"IsDeleted": True}, by)
            child.along = row.id

    def children(self, number: str) -> list[Stored]:
        """The contacts of an account that are there."""
        return [
            row
            for row in self.rows.values()
            if row.values.get("AccountId") == number and not row.values["IsDeleted"]
        ]

    def write(self, row: Stored, changes: Mapping[str, Any], by: str) -> None:
        """One transaction: stamped now, seen once it is committed."""
        now = self.clock.now()
        seen = row.seen(now)
        row.before = dict(seen) if seen else None
        stamp = self._now()
        row.values |= changes
        row.values |= {"SystemModstamp": stamp, "LastModifiedDate": stamp, "LastModifiedById": by}
        if row.object != "Account":
            parts = (row.values.get("FirstName"), row.values.get("LastName"))
            row.values["Name"] = " ".join(part for part in parts if part)
        row.committed = now + timedelta(seconds=self.switches["visible_late"])

    def touch(self, row: Stored) -> None:
        """A background job: the system moves its stamp, no user changed anything."""
        row.values["SystemModstamp"] = self._now()

    # rules

    def _checked(
        self, name: str, values: Mapping[str, Any], allowed: str, number: str | None = None
    ) -> dict[str, Any]:
        clean = {}
        for given, value in values.items():
            one = self.schema.field(name, given)
            if one is None:
                message = f"No such column '{given}' on sobject of type {name}"
                raise RowError("INVALID_FIELD", message)
            if not one[allowed]:
                message = (
                    f"Unable to create/update fields: {one['name']}. "
                    f"Please check the security settings of this field."
                )
                raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, one["name"])
            clean[one["name"]] = self._value(name, one, value, number)
        return clean

    def _value(self, name: str, one: Mapping[str, Any], value: Any, number: str | None) -> Any:
        clean = cleaned(one, value)
        if clean is None:
            return None
        if one["name"] == "AccountId":
            parent = self.find("Account", clean)
            if parent is None or parent.values["IsDeleted"]:
                raise no_reference(one["name"])
        if one["name"] == "RecordTypeId":
            self._may_choose(name, clean)
        if one["name"] == "OwnerId":
            self._may_own(name, clean)
        if one["unique"] and one["custom"]:
            holders = self.holding(name, one["name"], clean)
            if holders and holders[0].id != number:
                message = (
                    f"duplicate value found: {one['name']} duplicates value on record "
                    f"with id: {holders[0].id}"
                )
                raise RowError("DUPLICATE_VALUE", message, one["name"])
        return clean

    def _placed(
        self, name: str, before: Mapping[str, Any], clean: Mapping[str, Any]
    ) -> dict[str, Any]:
        fields = {one["name"]: one for one in self.schema.fields(name)}
        return places.placed(fields, before, clean)

    def _may_choose(self, name: str, number: str) -> None:
        told = (self.schema.of(name) or {}).get("recordTypeInfos") or ()
        if not any(one["recordTypeId"] == number and one["available"] for one in told):
            words = "Record Type ID: this ID value isn't valid for the user"
            raise RowError("INVALID_CROSS_REFERENCE_KEY", words, "RecordTypeId")

    def _may_own(self, name: str, number: str) -> None:
        """Source: SOAP API Developer Guide, StatusCode; the messages as reported."""
        user = next((one for one in self.switches["users"] if one["Id"] == number), None)
        queue = next((one for one in self.switches["queues"] if one["Id"] == number), None)
        if user is not None and not user["IsActive"]:
            message = (
                f"operation performed with inactive user [{number}] as owner of {name.lower()}"
            )
            raise RowError("INACTIVE_OWNER_OR_USER", message)
        if queue is not None and name not in queue["objects"]:
            words = "Operation not valid for this user type"
            raise RowError("OP_WITH_INVALID_USER_TYPE_EXCEPTION", words)
        if user is None and queue is None:
            raise no_reference("OwnerId")

    def holding(self, name: str, of: str, value: Any) -> list[Stored]:
        """The records with that value; those in the recycle bin hold no unique value."""
        return [
            row
            for row in self.rows.values()
            if row.object == name and row.values.get(of) == value and not row.values["IsDeleted"]
        ]

    def _refuse_duplicates(self, name: str, clean: Mapping[str, Any]) -> None:
        if not self.switches["duplicate_rule"] or not clean.get("Email"):
            return
        if self.holding(name, "Email", clean["Email"]):
            raise RowError("DUPLICATES_DETECTED", "Use one of these records?")

    def _assigned(self, name: str, assign: bool) -> dict[str, Any]:
        on = assign and self.switches["assignment_rule"] and name == "Lead"
        return {"OwnerId": QUEUE} if on else {}

    def _field_permissions(self) -> list[dict[str, Any]]:
        return [
            {"Id": f"01k00000000000{n}AAA", "ParentId": f"0PS00000000000{n}AAA"}
            | {"SobjectType": name, "Field": f"{name}.CrmSync_Key__c"}
            | {"PermissionsRead": True, "PermissionsEdit": n == 0}
            for name in self.schema.names()
            for n in range(self.switches["key_readers"])
        ]

    def _statuses(self) -> list[dict[str, Any]]:
        """Object Reference, LeadStatus: the values of a lead's status."""
        field_ = self.schema.field("Lead", "Status") or {"picklistValues": []}
        return [
            {"Id": f"01J00000000000{n}AAA", "ApiName": one["value"], "MasterLabel": one["label"]}
            | {"SortOrder": n, "IsConverted": one["value"] == CONVERTED, "IsDefault": n == 0}
            for n, one in enumerate(field_["picklistValues"])
        ]

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def lengthened(number: str) -> str:
    """The 18-character id of a 15-character one: three letters tell which are capitals."""
    suffix = ""
    for start in range(0, 15, 5):
        bits = sum(1 << n for n, c in enumerate(number[start : start + 5]) if c.isupper())
        suffix += _LETTERS[bits]
    return number[:15] + suffix


def _who(user: str) -> str:
    return "api" if user == API_USER else "person"
