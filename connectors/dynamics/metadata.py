"""What the environment's own definitions say of a table and of our user's rights.

Sources: powerapps-docs, webapi/query-metadata-web-api; AttributeMetadata, EntityMetadata and
RetrieveUserPrivileges in the Web API reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.dynamics.client import SETS, DynamicsClient
from connectors.dynamics.currencies import CURRENCY
from connectors.dynamics.owners import OWNER
from connectors.errors import AuthError, ResponseError
from connectors.protocol import FieldType
from connectors.replies import documented

PARENT = "_parentcustomerid_value"
#: lookups that are written: name as it is read -> navigation property and target table; of the
#: two targets that parentcustomerid has, a person's company is the account
BINDS = {PARENT: ("parentcustomerid_account", "account")}
_LOOKUPS = ("Lookup", "Customer", "Owner")
_TYPES = {
    "Boolean": "boolean",
    "Integer": "number",
    "BigInt": "number",
    "Decimal": "number",
    "Double": "number",
    "Money": "number",
    "Picklist": "choice",
    "State": "choice",
    "Status": "choice",
    **dict.fromkeys(_LOOKUPS, "reference"),
}
_FORMATS = {"Email": "email", "Phone": "phone"}
#: what only a derived type of attribute has must be asked of that type
_CASTS = {
    "String": "$select=LogicalName,MaxLength,FormatName",
    "Memo": "$select=LogicalName,MaxLength",
    "DateTime": "$select=LogicalName,DateTimeBehavior",
    "Picklist": "$select=LogicalName"
    "&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)",
    "Status": "$select=LogicalName&$expand=OptionSet($select=Options)",
}
_ATTRIBUTE = (
    "LogicalName,AttributeType,MetadataId,RequiredLevel,IsSecured,"
    "IsValidForCreate,IsValidForRead,IsValidForUpdate,IsValidODataAttribute"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; its name is the one under which it is read."""

    id: str
    type: FieldType
    secured: bool
    kind: str = ""  #: its AttributeType


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is defined now."""

    tracks_changes: bool
    takes_conditions: bool
    #: Create, Read, Write, Delete, Append, AppendTo -> id of the privilege
    privileges: Mapping[str, str]
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may do, by the roles of the user and of its teams."""

    depths: Mapping[str, str]  #: privilege id -> Basic, Local, Deep, Global

    def depth(self, table: Table, kind: str) -> str | None:
        return self.depths.get(table.privileges.get(kind, ""))


@documented("Dataverse")
def read_table(client: DynamicsClient, name: str) -> Table | None:
    """None where the environment, or this connector, has no such table."""
    if name not in SETS:
        return None
    found = client.get(
        "EntityDefinitions?$select=ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled,Privileges"
        f"&$filter=LogicalName eq '{name}'&$expand=Attributes($select={_ATTRIBUTE})"
    )["value"]
    if not found:
        return None
    (told,) = found
    details: dict[str, Any] = {}
    for kind, query in _CASTS.items():
        rows = client.get(f"{_attributes(name, kind)}?{query}")["value"]
        details |= {one["LogicalName"]: one for one in rows}
    return Table(
        tracks_changes=told["ChangeTrackingEnabled"],
        takes_conditions=told["IsOptimisticConcurrencyEnabled"],
        privileges={one["PrivilegeType"]: one["PrivilegeId"] for one in told["Privileges"]},
        columns={
            _read_name(one): _column(one, details.get(one["LogicalName"], {}))
            for one in told["Attributes"]
            if one["IsValidForRead"] and one["IsValidODataAttribute"]
        },
    )


@documented("Dataverse")
def read_rights(client: DynamicsClient, user: str) -> Rights | None:
    """None where the user may not read its own."""
    try:
        told = client.get(f"systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")
    except AuthError:
        return None
    return Rights({one["PrivilegeId"]: one["Depth"] for one in told["RolePrivileges"]})


@documented("Dataverse")
def closing(client: DynamicsClient, table: str) -> dict[str, int]:
    """What deactivates a row: the closed state, and the reason this organization has for it."""
    state = 2 if table == "lead" else 1  # disqualified; inactive: states cannot be customized
    return {"statecode": state, "statuscode": _reason(client, table, state)}


@documented("Dataverse")
def qualified(client: DynamicsClient) -> int:
    """The status reason with which this organization qualifies a lead."""
    return _reason(client, "lead", 1)


def _reason(client: DynamicsClient, table: str, state: int) -> int:
    """The default status reason of a state."""
    query = "$select=LogicalName&$expand=OptionSet($select=Options)"
    told = client.get(f"{_attributes(table, 'State')}?{query}")
    for option in told["value"][0]["OptionSet"]["Options"]:
        if option["Value"] == state:
            return int(option["DefaultStatus"])
    raise ResponseError(f"{table} has no state {state}")


def _attributes(table: str, kind: str) -> str:
    """The address of a table's attributes of one kind."""
    return (
        f"EntityDefinitions(LogicalName='{table}')/Attributes"
        f"/Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
    )


def _read_name(attribute: Mapping[str, Any]) -> str:
    """A lookup is read under a name of its own (webapi/query/select-columns)."""
    name = str(attribute["LogicalName"])
    return f"_{name}_value" if attribute["AttributeType"] in _LOOKUPS else name


def logical_name(name: str) -> str:
    """A column's own name, as functions and messages say it."""
    return name[1:].removesuffix("_value") if name.startswith("_") else name


def _column(attribute: Mapping[str, Any], detail: Mapping[str, Any]) -> Column:
    kind = str(attribute["AttributeType"])
    writable = kind not in _LOOKUPS or _read_name(attribute) in (*BINDS, OWNER, CURRENCY)
    created = writable and attribute["IsValidForCreate"]
    options = (detail.get("OptionSet") or detail.get("GlobalOptionSet") or {}).get("Options", ())
    found = FieldType(
        type=_type(kind, detail),
        length=detail.get("MaxLength"),
        # what the system requires it sets itself; what people must give is this level
        required=created and attribute["RequiredLevel"]["Value"] == "ApplicationRequired",
        createable=created,
        updateable=writable and attribute["IsValidForUpdate"],
        choices=tuple(option["Value"] for option in options),
    )
    return Column(attribute["MetadataId"], found, attribute["IsSecured"], kind)


def _type(kind: str, detail: Mapping[str, Any]) -> str:
    if kind == "DateTime":
        behaviour = detail.get("DateTimeBehavior", {}).get("Value")
        return "date" if behaviour == "DateOnly" else "datetime"
    if kind == "String":
        return _FORMATS.get((detail.get("FormatName") or {}).get("Value", ""), "string")
    return _TYPES.get(kind, "string")
