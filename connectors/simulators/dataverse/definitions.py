"""``EntityDefinitions``: tables and columns as the Web API tells of them.

Source: powerapps-docs, webapi/query-metadata-web-api; AttributeMetadata and its derived types
in the Web API reference. What only a derived type has is told after a cast to it.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from connectors.simulators.dataverse import odata
from connectors.simulators.dataverse.columns import (
    READ_ONLY,
    SET_OF,
    STATES,
    RowError,
    is_date,
    own_name,
)
from connectors.simulators.dataverse.tables import PRIVILEGES, Environment, privilege_id

_ENTITY = re.compile(r"EntityDefinitions\(LogicalName='(\w+)'\)(/Attributes.*)?")
_CAST = re.compile(r"/Attributes(?:/Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata)?")
#: business required (CDM); the form asks for it, the API does not
_REQUIRED = {
    ("lead", "subject"),
    ("lead", "lastname"),
    ("contact", "lastname"),
    ("account", "name"),
}
_OPTIONS = ("Picklist", "State", "Status")


def answer(env: Environment, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The body; None where the path is about something else. Raises RowError."""
    if path == "EntityDefinitions":
        return {"value": _definitions(env, query)}
    found = _ENTITY.fullmatch(path)
    if found is None:
        return None
    table, rest = found[1], found[2] or ""
    if table not in env.columns or table in env.switches["missing"]:
        words = f"Could not find an entity with specified entity name: {table}"
        raise RowError(404, "0x80060888", words)
    if not rest:
        return _definition(env, table, query)
    cast = _CAST.fullmatch(rest)
    if cast is None:
        raise RowError(404, "0x80060888", f"Resource not found for the segment '{rest}'.")
    rows = [
        _attribute(env, table, name, cast[1])
        for name, column in sorted(env.columns[table].items())
        if cast[1] in (None, column["kind"])
    ]
    if "$filter" in query:
        test, _ = odata.parse(query["$filter"], {})
        rows = [row for row in rows if test(row)]
    expanded = re.findall(r"(\w+)(?:\(|,|$)", re.sub(r"\(.*?\)", "", query.get("$expand", "")))
    return {"value": [_chosen(row, query.get("$select", ""), expanded) for row in rows]}


def _definitions(env: Environment, query: Mapping[str, str]) -> list[dict[str, Any]]:
    tables = [table for table in SET_OF if table not in env.switches["missing"]]
    if "$filter" in query:
        test, _ = odata.parse(query["$filter"], {})
        tables = [table for table in tables if test(_table(env, table))]
    return [_definition(env, table, query) for table in tables]


def _table(env: Environment, table: str) -> dict[str, Any]:
    return {
        "LogicalName": table,
        "EntitySetName": SET_OF[table],
        "PrimaryIdAttribute": f"{table}id",
        "ChangeTrackingEnabled": table not in env.switches["untracked"],
        "IsOptimisticConcurrencyEnabled": table not in env.switches["unconditional"],
        "Privileges": [
            {
                "CanBeBasic": True, "CanBeDeep": True, "CanBeGlobal": True, "CanBeLocal": True,
                "Name": f"prv{kind}{table.capitalize()}",
                "PrivilegeId": privilege_id(kind, table),
                "PrivilegeType": kind,
            }
            for kind in PRIVILEGES
        ],
    }  # fmt: skip


def _definition(env: Environment, table: str, query: Mapping[str, str]) -> dict[str, Any]:
    shown = _chosen(_table(env, table), query.get("$select", ""), ())
    if expand := re.fullmatch(r"Attributes(?:\(\$select=([\w,]+)\))?", query.get("$expand", "")):
        rows = [_attribute(env, table, name, None) for name in sorted(env.columns[table])]
        shown["Attributes"] = [_chosen(row, expand[1] or "", ()) for row in rows]
    return shown


def _attribute(env: Environment, table: str, name: str, cast: str | None) -> dict[str, Any]:
    column = env.columns[table][name]
    given = name not in READ_ONLY and not name.endswith("_base") and name != "_masterid_value"
    level = "ApplicationRequired" if (table, name) in _REQUIRED else "None"
    told = {
        "LogicalName": own_name(name),
        "AttributeType": column["kind"],
        "MetadataId": attribute_id(table, name),
        "RequiredLevel": {"Value": level, "CanBeChanged": True},
        "IsSecured": f"{table}.{name}" in env.switches["secured"],
        "IsValidForCreate": given,
        "IsValidForRead": True,
        "IsValidForUpdate": given and name != f"{table}id",
        "IsValidODataAttribute": True,
        "AttributeOf": None,
    }
    return told | (_derived(env, table, name) if cast else {})


def _derived(env: Environment, table: str, name: str) -> dict[str, Any]:
    """What the column's own type adds."""
    column = env.columns[table][name]
    kind = column["kind"]
    if kind == "String":
        return {"MaxLength": column["length"], "FormatName": {"Value": column["format"]}}
    if kind == "Memo":
        return {"MaxLength": column["length"]}
    if kind == "DateTime":
        return {"DateTimeBehavior": {"Value": "DateOnly" if is_date(name) else "UserLocal"}}
    if kind in _OPTIONS:
        options = [_option(table, kind, value) for value in column["options"]]
        return {"OptionSet": {"Options": options}, "GlobalOptionSet": None}
    return {}


def _option(table: str, kind: str, value: int) -> dict[str, Any]:
    states = STATES[table]
    if kind == "State":
        return {"Value": value, "DefaultStatus": states[value][0]}
    if kind == "Status":
        return {"Value": value, "State": next(s for s, of in states.items() if value in of)}
    return {"Value": value}


def _chosen(row: Mapping[str, Any], select: str, expanded: Any) -> dict[str, Any]:
    """The properties asked for; navigation properties come with ``$expand`` only."""
    names = select.split(",") if select else [n for n in row if not n.endswith("OptionSet")]
    for name in names:
        if name not in row:
            words = f"Could not find a property named '{name}' on the type."
            raise RowError(400, "0x80060888", words)
    return {name: row[name] for name in [*names, *expanded]}


def attribute_privileges(env: Environment) -> list[dict[str, Any]]:
    """What column security profiles permit the user; 4 is allowed."""
    return [
        {
            "AttributeId": attribute_id(*name.split(".")),
            "CanRead": 4,
            "CanUpdate": 4,
            "CanCreate": 4,
        }
        for name in env.switches["granted"]
    ]


def attribute_id(table: str, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{table}.{name}"))
