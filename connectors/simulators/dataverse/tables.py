"""One environment's tables and rules: versions, validation, states, merge, qualification."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.simulators.clock import ServerClock
from connectors.simulators.control import ActError
from connectors.simulators.journal import Journal

RECORDED = Path(__file__).with_name("recorded")
SETS = {"leads": "lead", "contacts": "contact", "accounts": "account"}
#: state -> the status values it allows (CDM option values)
STATES: dict[str, dict[int, tuple[int, ...]]] = {
    "lead": {0: (1, 2), 1: (3,), 2: (4, 5, 6, 7)},
    "contact": {0: (1,), 1: (2,)},
    "account": {0: (1,), 1: (2,)},
}
#: navigation property -> the lookup's read column and the target set
NAVIGATION = {
    "lead": {
        "parentcontactid": ("_parentcontactid_value", "contacts"),
        "parentaccountid": ("_parentaccountid_value", "accounts"),
    },
    "contact": {
        "parentcustomerid_account": ("_parentcustomerid_value", "accounts"),
        "parentcustomerid_contact": ("_parentcustomerid_value", "contacts"),
        "originatingleadid": ("_originatingleadid_value", "leads"),
    },
    "account": {"primarycontactid": ("_primarycontactid_value", "contacts")},
}
_COMPUTED = {"fullname", "address1_composite", "versionnumber", "createdon", "modifiedon"}
_LOOKUPS = {
    name: sorted({column for column, _ in found.values()} | {"_masterid_value", "_ownerid_value"})
    for name, found in NAVIGATION.items()
}
_CARRIED = [
    "salutation",
    "firstname",
    "middlename",
    "lastname",
    "emailaddress1",
    "telephone1",
    "mobilephone",
    "jobtitle",
    "description",
    "address1_line1",
    "address1_city",
    "address1_postalcode",
    "address1_stateorprovince",
    "address1_country",
    "donotemail",
    "donotphone",
    "donotfax",
    "donotbulkemail",
]


class RowError(Exception):
    """A request is refused; in Dataverse's code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Stored:
    table: str
    values: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.values[f"{self.table}id"])

    @property
    def version(self) -> int:
        return int(self.values["versionnumber"])

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


@dataclass(slots=True)
class Environment:
    """The environment."""

    clock: ServerClock = field(default_factory=ServerClock)
    journal: Journal = field(default_factory=Journal)
    switches: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, Stored] = field(default_factory=dict)
    #: deleted row -> table and the version of its deletion
    tombstones: dict[str, tuple[str, int]] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 1000

    def __post_init__(self) -> None:
        recorded = json.loads((RECORDED / "columns.json").read_text())
        # the extract gives the address group for leads only; all three tables have it
        address = {n: c for n, c in recorded["lead"].items() if n.startswith("address1_")}
        for table in STATES:
            recorded[table] = address | recorded[table]
            found: dict[str, Any] = {
                name: column
                for name, column in recorded[table].items()
                if column["type"] not in ("entityId", "customer", "lookup", "owner")
            }
            for name in _LOOKUPS[table]:
                found[name] = {"type": "lookup"}
            found[f"{table}id"] = {"type": "entityId"}
            for name in ("createdon", "modifiedon"):
                found[name] = {"type": "dateTime"}
            found["versionnumber"] = {"type": "bigInteger"}
            found.setdefault("merged", {"type": "boolean"})
            found.setdefault("statecode", {"type": "state"})
            found.setdefault("statuscode", {"type": "status"})
            self.columns[table] = found
        self.reset()

    def reset(self) -> None:
        self.rows.clear()
        self.tombstones.clear()
        self.journal.clear()
        self.clock.offset *= 0
        self.switches = {
            "page_size": 5000,
            "untracked": [],  #: tables without change tracking
            "plugin_upper": [],  #: columns that a plug-in writes in capitals after us
            "schema_changed_at": 0,  #: tokens below this version are forgotten
        }

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def find(self, table: str, number: str) -> Stored:
        row = self.rows.get(number.lower())
        if row is None or row.table != table:
            message = f"Entity '{table}' With Id = {number} Does Not Exist"
            raise RowError(404, "0x80040217", message)
        return row

    def create(self, table: str, number: str, given: Mapping[str, Any], by: str) -> Stored:
        values = {name: _empty(column) for name, column in self.columns[table].items()}
        row = Stored(
            table, values | {f"{table}id": number.lower(), "statecode": 0, "statuscode": 1}
        )
        clean = self._checked(table, {n: v for n, v in given.items() if n != f"{table}id"})
        row.values |= clean
        row.values["createdon"] = self._now()
        self._state(row)
        self.rows[row.id] = row
        self._moved(row)
        self.journal.write(table, row.id, "create", clean, by)
        self._plug(row, by)
        return row

    def update(self, row: Stored, given: Mapping[str, Any], by: str) -> None:
        clean = self._checked(row.table, given)
        before = dict(row.values)
        row.values |= clean
        try:
            self._state(row)
        except RowError:
            row.values = before
            raise
        self._moved(row)
        changed = [name for name in clean if before.get(name) != row.values[name]]
        self.journal.write(row.table, row.id, "update", changed, by)
        self._plug(row, by)

    def delete(self, row: Stored, by: str) -> None:
        del self.rows[row.id]
        self.version += 1
        self.tombstones[row.id] = (row.table, self.version)
        self.journal.write(row.table, row.id, "delete", [], by)

    def act(self, act: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._act(act)
        except RowError as error:
            raise ActError(f"{error.code}: {error.message}") from error

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        table, action = act["object"], act["action"]
        if action == "create":
            return {"id": self.create(table, str(uuid.uuid4()), act["values"], "person").id}
        row = self.find(table, act["id"])
        if action == "update":
            self.update(row, act["values"], "person")
        elif action == "delete":
            self.delete(row, "person")
        elif action == "merge":
            self._merge(row, act["losers"])
        elif action == "convert":
            return {"id": row.id, "into": self._qualify(row, act.get("into", {}))}
        else:
            raise ActError(f"nobody can {action} a {table}")
        return {"id": row.id}

    def records(self, name: str) -> list[dict[str, Any]]:
        return [row.values for row in self.rows.values() if row.table == name]

    def _merge(self, target: Stored, losers: list[str]) -> None:
        """The subordinate is deactivated, not deleted; what the target lacks is filled."""
        for number in losers:
            loser = self.find(target.table, number)
            for name, value in loser.values.items():
                if target.values.get(name) is None and name not in _COMPUTED:
                    target.values[name] = value
            loser.values |= {"merged": True, "_masterid_value": target.id}
            loser.values |= {"statecode": 1, "statuscode": 2} if target.table != "lead" else {}
            self._moved(loser)
        self._moved(target)

    def _qualify(self, lead: Stored, into: Mapping[str, str]) -> dict[str, str]:
        """QualifyLead: a contact that names the lead, and the lead closed as qualified."""
        if lead.values["statecode"] != 0:
            raise RowError(400, "0x80040519", "The lead is already closed.")
        found = dict(into)
        if "contact" not in found:
            carried = {name: lead.values.get(name) for name in _CARRIED}
            given = {n: v for n, v in carried.items() if n in self.columns["contact"]}
            contact = self.create("contact", str(uuid.uuid4()), given, "person")
            contact.values["_originatingleadid_value"] = lead.id
            found["contact"] = contact.id
        lead.values |= {"statecode": 1, "statuscode": 3, "_parentcontactid_value": found["contact"]}
        if "account" in found:
            lead.values["_parentaccountid_value"] = found["account"]
        self._moved(lead)
        return found

    def _checked(self, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, value in given.items():
            if name.endswith("@odata.bind"):
                column, bound = self._bound(table, name.removesuffix("@odata.bind"), value)
                clean[column] = bound
            elif name not in self.columns[table] or name.startswith("_"):
                message = f"The property '{name}' does not exist on type '{table}'."
                raise RowError(400, "0x80060888", message)
            elif name not in _COMPUTED:
                clean[name] = self._value(table, name, value)
        return clean

    def _bound(self, table: str, navigation: str, value: Any) -> tuple[str, str | None]:
        if navigation not in NAVIGATION[table]:
            raise RowError(400, "0x80060888", f"An undeclared property '{navigation}'")
        column, target = NAVIGATION[table][navigation]
        if value is None:
            return column, None
        found = re.search(r"(\w+)\(([0-9a-fA-F-]{36})\)$", str(value))
        if found is None or found[1] != target:
            raise RowError(400, "0x80060888", f"{navigation} takes /{target}(id)")
        return column, self.find(SETS[target], found[2]).id

    def _value(self, table: str, name: str, value: Any) -> Any:
        column = self.columns[table][name]
        if column["type"] == "boolean":
            return bool(value)
        if value is None or value == "":
            return None
        most = column.get("maxLength")
        if most and isinstance(value, str) and len(value) > most:
            message = (
                f"A validation error occurred. The length of the '{name}' attribute of the "
                f"'{table}' entity exceeded the maximum allowed length of '{most}'."
            )
            raise RowError(400, "0x80044331", message)
        options = {one["value"] for one in column.get("options", ())}
        if options and name != "statuscode" and value not in options:
            message = f"The value of attribute '{name}' is outside the valid range."
            raise RowError(400, "0x8004431a", message)
        return value

    def _state(self, row: Stored) -> None:
        state, status = row.values["statecode"], row.values["statuscode"]
        if status not in STATES[row.table].get(state, ()):
            message = f"{status} is not a valid status code for state code {state}"
            raise RowError(400, "0x80048408", message)

    def _moved(self, row: Stored) -> None:
        self.version += 1
        parts = [row.values.get("firstname"), row.values.get("lastname")]
        if "fullname" in row.values:
            row.values["fullname"] = " ".join(part for part in parts if part) or None
        row.values |= {"versionnumber": self.version, "modifiedon": self._now()}

    def _plug(self, row: Stored, by: str) -> None:
        for name in self.switches["plugin_upper"]:
            if by == "api" and isinstance(row.values.get(name), str):
                row.values[name] = row.values[name].upper()
                self._moved(row)

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _empty(column: Mapping[str, Any]) -> Any:
    return False if column["type"] == "boolean" else None
