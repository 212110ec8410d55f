"""One environment's tables and rules: versions, rights, states, merge, qualification."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.simulators.clock import ServerClock
from connectors.simulators.control import ActError
from connectors.simulators.dataverse.columns import (
    LOOKUPS,
    READ_ONLY,
    SET_OF,
    SETS,
    STATES,
    RowError,
    load,
    taken,
)
from connectors.simulators.journal import Journal

USER = "00000000-0000-0000-0000-000000000001"
PERSON = "00000000-0000-0000-0000-000000000003"
TEAM = "00000000-0000-0000-0000-000000000004"
EURO = "00000000-0000-0000-0000-000000000005"
PRIVILEGES = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign")
#: the sets of who can own rows -> switch that lists them, and the column of their ids
PRINCIPALS = {"systemusers": ("users", "systemuserid"), "teams": ("teams", "teamid")}
#: sets that can be read, and have no other face here -> switch that lists their rows
LISTED = {name: switch for name, (switch, _) in PRINCIPALS.items()}
LISTED["transactioncurrencies"] = "currencies"
_CARRIED = (
    "salutation", "firstname", "middlename", "lastname", "emailaddress1", "telephone1",
    "mobilephone", "jobtitle", "description", "address1_line1", "address1_city",
    "address1_postalcode", "address1_stateorprovince", "address1_country",
    "donotemail", "donotphone", "donotfax", "donotbulkemail",
)  # fmt: skip


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
    bin: dict[str, Stored] = field(default_factory=dict)  #: deleted rows, which can be restored
    tokens: dict[str, datetime] = field(default_factory=dict)
    columns: dict[str, dict[str, dict[str, Any]]] = field(default_factory=load)
    version: int = 1000

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.rows.clear()
        self.tombstones.clear()
        self.bin.clear()
        self.journal.clear()
        self.clock.offset *= 0
        self.switches = {
            "page_size": 5000,
            "missing": [],  #: tables that this environment has not
            "untracked": [],  #: tables without change tracking
            "unconditional": [],  #: tables without optimistic concurrency
            "denied": [],  #: privileges that the application user lacks: "Write contact"
            "secured": [],  #: columns under column-level security: "lead.fax"
            "granted": [],  #: of these, what the application user may see and write
            "locked": [],  #: ids of rows that the application user may not write
            "plugin_upper": [],  #: columns that a plug-in writes in capitals after us
            "schema_changed_at": 0,  #: tokens below this version are forgotten
            #: a contact that qualifying makes hangs on the lead's existing account; not documented
            "qualified_joins": True,
            "organization_type": "CustomerTest",  #: a sandbox
            "users": [
                {
                    "systemuserid": number,
                    "internalemailaddress": f"{name}@plavi.example",
                    "isdisabled": False,
                }
                for number, name in ((USER, "integration"), (PERSON, "eva"))
            ],
            "currencies": [
                {"transactioncurrencyid": EURO, "isocurrencycode": "EUR", "statecode": 0}
            ],
            "teams": [{"teamid": TEAM, "name": "First line", "teamtype": 0}],
            #: a listing's token covers what happened meanwhile; powerapps-docs issue 3862: not
            "token_of_start": False,
        }

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def may(self, kind: str, table: str) -> None:
        if f"{kind} {table}" in self.switches["denied"]:
            words = (
                f"Principal user (Id={USER}, type=8, roleCount=1, privilegeCount=400, "
                f"accessMode=4), is missing prv{kind}{table.capitalize()} privilege "
                f"(Id={privilege_id(kind, table)}) on OTC=1 for entity '{table}'. "
                f"context.Caller={USER}"
            )
            raise RowError(403, "0x80040220", words)

    def hides(self, table: str, name: str) -> bool:
        """Whether column-level security keeps the column from the application user."""
        column = f"{table}.{name}"
        return column in self.switches["secured"] and column not in self.switches["granted"]

    def find(self, table: str, number: str) -> Stored:
        row = self.rows.get(number.lower())
        if row is None or row.table != table:
            message = f"Entity '{table}' With Id = {number} Does Not Exist"
            raise RowError(404, "0x80040217", message)
        return row

    def create(self, table: str, number: str, given: Mapping[str, Any], by: str) -> Stored:
        clean = self._checked(table, {n: v for n, v in given.items() if n != f"{table}id"}, by)
        values = {name: _empty(column) for name, column in self.columns[table].items()}
        started = {"statecode": 0, "statuscode": 1, "_ownerid_value": USER}
        row = Stored(table, values | {f"{table}id": number.lower()} | started | clean)
        row.values["createdon"] = self._now()
        self._state(row)
        self.rows[row.id] = row
        self._moved(row)
        self.journal.write(table, row.id, "create", clean, by)
        self._plug(row, by)
        return row

    def update(self, row: Stored, given: Mapping[str, Any], by: str) -> None:
        clean = self._checked(row.table, given, by)
        if by == "api" and row.id in self.switches["locked"]:
            words = (
                f"Principal with id {USER} does not have WriteAccess right(s) for record with "
                f"id {row.id} of entity {row.table}"
            )
            raise RowError(403, "0x80048306", words)
        if "statecode" in clean and "statuscode" not in clean:
            clean["statuscode"] = STATES[row.table][clean["statecode"]][0]
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
        self.bin[row.id] = self.rows.pop(row.id)
        self.version += 1
        self.tombstones[row.id] = (row.table, self.version)
        self.journal.write(row.table, row.id, "delete", [], by)
        for other, column in self._pointing_at(row.id):
            other.values[column] = None
            self._moved(other)

    def act(self, act: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._act(act)
        except RowError as error:
            raise ActError(f"{error.code}: {error.message}") from error

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        table, action = act["object"], act["action"]
        if action == "create":
            return {"id": self.create(table, str(uuid.uuid4()), act["values"], "person").id}
        if action == "undelete":
            return {"id": self._restore(act["id"]).id}
        row = self.find(table, act["id"])
        if action == "update":
            self.update(row, act["values"], "person")
        elif action == "delete":
            self.delete(row, "person")
        elif action == "merge":
            for loser in act["losers"]:
                self.merge(row, self.find(table, loser), {})
        elif action == "convert":
            made = self.qualify(row, act.get("into", {}), ("contact",), 3)
            return {"id": row.id, "into": {one.table: one.id for one in made}}
        else:
            raise ActError(f"nobody can {action} a {table}")
        return {"id": row.id}

    def _restore(self, number: str) -> Stored:
        """A deleted row comes back under its id (powerapps-docs, restore-deleted-records)."""
        row = self.bin.pop(number)
        self.rows[number] = row
        self._moved(row)
        self.journal.write(row.table, number, "undelete", [], "person")
        return row

    def records(self, name: str) -> list[dict[str, Any]]:
        return [row.values for row in self.rows.values() if row.table == name]

    def merge(self, target: Stored, loser: Stored, content: Mapping[str, Any]) -> None:
        """The subordinate is deactivated, not deleted; its children go to the target."""
        if target is loser:
            words = "Merge cannot be performed on master and sub-entities that are identical."
            raise RowError(400, "0x80045305", words)
        if (
            0 not in (target.values["statecode"], loser.values["statecode"])
            or loser.values["merged"]
        ):
            words = "Merge cannot be performed on entity that is inactive."
            raise RowError(400, "0x80045304", words)
        for name, value in loser.values.items():
            if target.values.get(name) is None and name not in READ_ONLY:
                target.values[name] = value
        target.values |= self._checked(target.table, content, "person")
        for child, column in self._pointing_at(loser.id):
            child.values[column] = target.id
            self._moved(child)
        state = 2 if loser.table == "lead" else 1
        ended = {"statecode": state, "statuscode": STATES[loser.table][state][-1]}
        loser.values |= {"merged": True, "_masterid_value": target.id} | ended
        self._moved(loser)
        self._moved(target)

    def _pointing_at(self, number: str) -> list[tuple[Stored, str]]:
        return [
            (row, column)
            for row in self.rows.values()
            for column in (f"_{name}_value" for name in LOOKUPS[row.table])
            if row.values[column] == number
        ]

    def qualify(
        self, lead: Stored, into: Mapping[str, str], make: tuple[str, ...], status: int
    ) -> list[Stored]:
        """QualifyLead: rows that name the lead as their origin, and the lead closed.

        Gives what it became, made or named by ``into`` (table -> id).
        """
        if lead.values["statecode"] != 0:
            raise RowError(400, "0x80040519", "The lead is already closed.")
        found = {table: self.find(table, number) for table, number in into.items()}
        for table in make:
            if table in found:
                continue
            given = {n: lead.values[n] for n in _CARRIED if n in self.columns[table]}
            if table == "account":
                given["name"] = lead.values["companyname"] or lead.values["fullname"]
            made = self.create(table, str(uuid.uuid4()), given, "person")
            made.values["_originatingleadid_value"] = lead.id
            found[table] = made
        parent = "_parentaccountid_value"
        account = found["account"].id if "account" in found else lead.values[parent]
        if "contact" in make and account and self.switches["qualified_joins"]:
            found["contact"].values["_parentcustomerid_value"] = account
        lead.values |= {f"_parent{table}id_value": row.id for table, row in found.items()}
        lead.values |= {"statecode": 1, "statuscode": status}
        self._state(lead)
        self._moved(lead)
        return list(found.values())

    def _checked(self, table: str, given: Mapping[str, Any], by: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, value in given.items():
            if name.endswith("@odata.bind"):
                column, bound = self._bound(table, name.removesuffix("@odata.bind"), value)
                clean[column] = bound
            elif name not in self.columns[table] or name.startswith("_"):
                message = f"The property '{name}' does not exist on type '{table}'."
                raise RowError(400, "0x80060888", message)
            elif by == "api" and self.hides(table, name):
                words = (
                    "The user doesn't have AttributePrivilegeUpdate and not granted shared "
                    "access for a secured attribute during update operation"
                )
                raise RowError(403, "0x8004f507", words)
            elif name not in READ_ONLY:
                clean[name] = taken(table, name, self.columns[table][name], value)
        return clean

    def _bound(self, table: str, navigation: str, value: Any) -> tuple[str, str | None]:
        """A lookup of one target has its own name, one of several a name for each target."""
        if navigation == "ownerid":
            self.may("Assign", table)
            return "_ownerid_value", self._owner(str(value))
        if navigation == "transactioncurrencyid":
            return "_transactioncurrencyid_value", self._currency(value)
        for name, (_, targets) in LOOKUPS[table].items():
            for target in targets:
                if navigation == (name if len(targets) == 1 else f"{name}_{target}"):
                    column = f"_{name}_value"
                    return column, self._target(navigation, target, value)
        raise RowError(400, "0x80060888", f"An undeclared property '{navigation}'")

    def _owner(self, value: str) -> str:
        """One property for users and teams: the principal's own set tells which it is."""
        found = re.search(r"(systemusers|teams)\(([0-9a-fA-F-]{36})\)$", value)
        if found is None:
            raise RowError(400, "0x80060888", "ownerid takes /systemusers(id) or /teams(id)")
        switch, key = PRINCIPALS[found[1]]
        rows = [row for row in self.switches[switch] if row[key] == found[2].lower()]
        if not rows:
            entity = found[1].removesuffix("s")
            raise RowError(404, "0x80040217", f"{entity} With Id = {found[2]} Does Not Exist")
        if rows[0].get("isdisabled"):
            words = "The specified user is either disabled or is not a member of any business unit."
            raise RowError(400, "0x80040225", words)
        return str(rows[0][key])

    def _currency(self, value: Any) -> str | None:
        if value is None:
            return None
        found = re.search(r"transactioncurrencies\((.*)\)$", str(value))
        known = {one["transactioncurrencyid"] for one in self.switches["currencies"]}
        if found is None or found[1].lower() not in known:
            number = found[1] if found else value
            words = f"transactioncurrency With Id = {number} Does Not Exist"
            raise RowError(404, "0x80040217", words)
        return found[1].lower()

    def _target(self, navigation: str, target: str, value: Any) -> str | None:
        if value is None:
            return None
        found = re.search(r"(\w+)\(([0-9a-fA-F-]{36})\)$", str(value))
        if found is None or found[1] != SET_OF[target]:
            raise RowError(400, "0x80060888", f"{navigation} takes /{SET_OF[target]}(id)")
        return self.find(SETS[found[1]], found[2]).id

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


def privilege_id(kind: str, table: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {table}"))


def _empty(column: Mapping[str, Any]) -> Any:
    return False if column["kind"] == "Boolean" else None
