"""Proves that an environment and our user in it suffice, before anything is read or written."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.dynamics.client import SETS, DynamicsClient
from connectors.dynamics.currencies import CURRENCY, Currencies
from connectors.dynamics.metadata import (
    BINDS,
    Rights,
    Table,
    logical_name,
    read_rights,
    read_table,
)
from connectors.dynamics.owners import OWNER
from connectors.errors import AuthError
from connectors.protocol import Checked, Finding, Level, Selection
from connectors.replies import documented

#: OrganizationType: what holds real customers, and what is for trying out
_PRODUCTION = frozenset({"Customer", "Secondary", "Default", "Teams"})
_SANDBOX = frozenset(
    {
        "CustomerTest",
        "CustomerFreeTest",
        "CustomerPreview",
        "TestDrive",
        "EmailTrial",
        "Trial",
        "Developer",
        "Support",
    }
)
_ALLOWED = 4  #: of a column security profile's permissions
_ROLE = "add it, organization-wide, to the application user's security role"
_WHOLE = "Global"  #: the depth that covers the organization


@documented("Dataverse")
def check(client: DynamicsClient, selections: Sequence[Selection]) -> Checked:
    who = client.get("WhoAmI()")
    told = client.get(
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
    )
    kind = told["Detail"].get("OrganizationType")
    sandbox = True if kind in _SANDBOX else False if kind in _PRODUCTION else None
    findings = tuple(_Examination(client, who).findings(selections)) if selections else ()
    return Checked(who["OrganizationId"], told["Detail"]["FriendlyName"], sandbox, findings)


class _Examination:
    """One look at some tables, as one user."""

    def __init__(self, client: DynamicsClient, who: Mapping[str, Any]) -> None:
        self._client = client
        self._who = who
        self._tables: dict[str, Table | None] = {}
        self._currencies = Currencies(client)

    def findings(self, selections: Sequence[Selection]) -> Iterator[Finding]:
        yield self._ownership(all(OWNER in one.fields for one in selections))
        rights = read_rights(self._client, self._who["UserId"])
        if rights is None:
            yield Finding(
                Level.WARNING,
                "the application user may not read its own privileges: they are not checked",
                "add Read on User, organization-wide, to its security role",
            )
        for selection in selections:
            table = self._table(selection.object)
            if table is None:
                yield _missing(selection.object)
                continue
            yield from _definition(selection.object, table)
            if rights is not None:
                yield from self._rights(selection, table, rights)
            yield from self._fields(selection, table)
            yield from self._money(selection, table)

    def _table(self, name: str) -> Table | None:
        if name not in self._tables:
            self._tables[name] = read_table(self._client, name)
        return self._tables[name]

    def _ownership(self, is_mapped: bool) -> Finding:
        """Practice 1.6, 4.5 and 6.2: whose the new records will be, and what runs for them."""
        try:
            unit = self._client.get(f"businessunits({self._who['BusinessUnitId']})?$select=name")
        except AuthError:
            unit = {"name": self._who["BusinessUnitId"]}
        if is_mapped:
            what = f"our user works in the business unit {unit['name']}; plug-ins and flows run for"
            return Finding(Level.OK, f"{what} what it writes, duplicate detection does not")
        return Finding(
            Level.WARNING,
            f"records created here belong to the application user, in the business unit "
            f"{unit['name']}; plug-ins and flows run for them, duplicate detection does not",
            f"map {OWNER}, or let a flow assign them where people look by owner",
        )

    def _rights(self, selection: Selection, table: Table, rights: Rights) -> Iterator[Finding]:
        name = selection.object
        if rights.depth(table, "Read") != _WHOLE:
            what = f"the application user may not read every {name}: change tracking is refused"
            yield Finding(Level.ERROR, what, f"Read on {name}: {_ROLE}")
        for kind, loss in (("Create", "nothing is created"), ("Write", "nothing is updated")):
            depth = rights.depth(table, kind)
            if depth is None:
                yield Finding(
                    Level.WARNING,
                    f"the application user lacks {kind} on {name}: {loss} there",
                    f"{kind} on {name}: {_ROLE}",
                )
            elif depth != _WHOLE and kind == "Write":
                what = f"the application user may write only some rows of {name} (depth {depth})"
                yield Finding(Level.WARNING, what, f"Write on {name}: {_ROLE}")
        contacts = self._table("contact") if name == "lead" else None
        if contacts is not None and rights.depth(contacts, "Create") is None:
            yield Finding(
                Level.OK,
                "the application user lacks Create on contact: no lead is qualified on behalf of "
                "another side (converts)",
                f"Create on contact: {_ROLE}",
            )
        for of in ("contact", "account") if name == "lead" else ():
            found = self._table(of)
            if found is None or rights.depth(found, "Read") != _WHOLE:
                what = f"the application user may not read every {of}: what leads become is unseen"
                yield Finding(Level.ERROR, what, f"Read on {of}: {_ROLE}")
        if OWNER in selection.fields and rights.depth(table, "Assign") != _WHOLE:
            yield Finding(
                Level.WARNING,
                f"the application user may not assign every {name}: {name}.{OWNER} is not "
                "written everywhere",
                f"Assign on {name}: {_ROLE}",
            )
        for column in set(BINDS) & set(selection.fields):
            target = BINDS[column][1]
            for needed, of in (("Append", name), ("AppendTo", target), ("Read", target)):
                found = self._table(of)
                if found is None or rights.depth(found, needed) != _WHOLE:
                    yield Finding(
                        Level.WARNING,
                        f"the application user lacks {needed} on every {of}: "
                        f"{name}.{column} is not written everywhere",
                        f"{needed} on {of}: {_ROLE}",
                    )

    def _money(self, selection: Selection, table: Table) -> Iterator[Finding]:
        """Practice 4.7: an amount means something beside its currency only."""
        amounts = [
            name
            for name in selection.fields
            if name in table.columns and table.columns[name].kind == "Money"
        ]
        several = len(self._currencies.read()) > 1 if amounts else False
        for name in amounts:
            place = f"{selection.object}.{name}"
            if name.endswith("_base"):
                what = f"{place} is converted to the organization's own currency, by its own rates"
                yield Finding(Level.ERROR, what, f"map {name.removesuffix('_base')} instead")
            elif several and CURRENCY not in selection.fields:
                what = f"{place} is an amount without its currency"
                remedy = f"map it in parts, with currency: {CURRENCY}, or unmap it"
                yield Finding(Level.ERROR, what, remedy)

    def _fields(self, selection: Selection, table: Table) -> Iterator[Finding]:
        secured = [n for n in selection.fields if n in table.columns and table.columns[n].secured]
        permitted = self._permitted() if secured else frozenset[str]()
        for name in selection.fields:
            column = table.columns.get(name)
            if column is None:
                yield Finding(
                    Level.ERROR,
                    f"{selection.object}.{name} does not exist",
                    "correct the name or unmap the field; a lookup is named _name_value",
                    selection.object,
                    name,
                )
            elif column.secured and column.id not in permitted:
                yield Finding(
                    Level.WARNING,
                    f"{selection.object}.{name} is secured: without permission it would read "
                    "as empty and refuse to be written; it is left out",
                    f"add the application user to a column security profile that allows "
                    f"reading and updating {logical_name(name)}, or unmap the field",
                    selection.object,
                    name,
                )
            elif not (column.type.createable or column.type.updateable):
                yield Finding(
                    Level.WARNING,
                    f"{selection.object}.{name} can only be read",
                    "map it for reading only, or unmap it",
                )

    def _permitted(self) -> frozenset[str]:
        """Ids of the secured columns that our user may read and update."""
        told = self._client.get(
            f"systemusers({self._who['UserId']})"
            "/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"
        )
        return frozenset(
            one["AttributeId"]
            for one in told["AttributePrivileges"]
            if one["CanRead"] == one["CanUpdate"] == _ALLOWED
        )


def _missing(name: str) -> Finding:
    if name == "lead":
        remedy = "the table lead exists only with Dynamics 365 Sales; check the license"
    elif name in SETS:
        remedy = "check that the environment has the standard tables"
    else:
        remedy = f"name one of {', '.join(SETS)}"
    return Finding(Level.ERROR, f"there is no table {name}", remedy)


def _definition(name: str, table: Table) -> Iterator[Finding]:
    if not table.tracks_changes:
        what = f"{name} has no change tracking"
        yield Finding(Level.ERROR, what, "turn it on in the table's properties")
    if not table.takes_conditions:
        what = f"{name} cannot be written under a condition"
        yield Finding(Level.ERROR, what, "turn on optimistic concurrency for the table")
