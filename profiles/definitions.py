"""Tags and custom attributes: what persons may carry, and the calls that define it."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from profiles.errors import Refusal
from profiles.rules import Given, day, members, paging, required, sorting
from profiles.store import Store

TYPES: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "INTEGER": (int,),
    "DECIMAL": (int, float),
    "DATE": (str,),
    "DATE_TIME": (str,),
    "LIST_OF_OBJECTS": (list,),
}
_LONGEST = 4096
_GREATEST = 9223372036854775807


def tag_id(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT id FROM tag WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise Refusal(40403, f"Tag {name} does not exist")
    return int(row[0])


def attribute(db: sqlite3.Connection, name: str, value: Any) -> tuple[str, Any]:
    """The defined name, and the value if its type allows it."""
    row = db.execute("SELECT name, type FROM attribute WHERE name = ?", (name,)).fetchone()
    path = f"customAttributes.{name}"
    if row is None:
        raise Refusal(40015, f"unknown custom attribute {name}", path)
    if value is None:
        return row["name"], None
    kind = row["type"]
    fits = isinstance(value, TYPES[kind]) and (kind == "BOOLEAN" or not isinstance(value, bool))
    if not fits:
        raise Refusal(40007, f"{name} is {kind}", path)
    if isinstance(value, int | float) and abs(value) > _GREATEST:
        raise Refusal(40010, f"{name} is out of bounds", path)
    if isinstance(value, str) and len(value) > _LONGEST:
        raise Refusal(40010, f"{name} is longer than {_LONGEST} characters", path)
    if kind in ("DATE", "DATE_TIME"):
        _parsed(kind, value, path)
    return row["name"], value


def _parsed(kind: str, value: str, path: str) -> None:
    try:
        if kind == "DATE":
            day(path, value)
        else:
            datetime.fromisoformat(value)
    except (Refusal, ValueError) as error:
        raise Refusal(40407, f"{path} holds no {kind}", path) from error


class Definitions:
    """The calls about tags and custom attributes; each works inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tags(self, db: sqlite3.Connection, query: Mapping[str, str]) -> list[dict[str, Any]]:
        limit, page, order = paging(query, "name:asc")
        ordered = sorting(order, {"name": "name"})
        rows = db.execute(f"SELECT * FROM tag {ordered}", (limit, limit * (page - 1)))  # noqa: S608  # one of two orders
        return [_shown_tag(row) for row in rows.fetchall()]

    def tag(self, db: sqlite3.Connection, name: str) -> dict[str, Any]:
        number = tag_id(db, name)
        return _shown_tag(db.execute("SELECT * FROM tag WHERE id = ?", (number,)).fetchone())

    def delete_tag(self, db: sqlite3.Connection, name: str) -> None:
        db.execute("DELETE FROM tag WHERE id = ?", (tag_id(db, name),))

    def add_tag(self, db: sqlite3.Connection, given: Given) -> dict[str, Any]:
        name, now = required(given, "name"), self._store.now()
        statement = "INSERT OR IGNORE INTO tag (name, created_at, modified_at) VALUES (?, ?, ?)"
        if not db.execute(statement, (name, now, now)).rowcount:
            raise Refusal(40006, f"Tag {name} already exists.", "name")
        return self.tag(db, name)

    def attributes(self, db: sqlite3.Connection, query: Mapping[str, str]) -> dict[str, Any]:
        limit, page, order = paging(query, "name:asc")
        ordered = sorting(order, {"name": "name"})
        rows = db.execute(f"SELECT * FROM attribute {ordered}", (limit, limit * (page - 1)))  # noqa: S608  # one of two orders
        told = [_shown_attribute(row) for row in rows.fetchall()]
        answer = {"limit": limit, "page": page, "orderBy": order, "customAttributes": told}
        if query.get("includeTotalCount") == "true":
            answer["totalCount"] = db.execute("SELECT count(*) FROM attribute").fetchone()[0]
        return answer

    def attribute(self, db: sqlite3.Connection, name: str) -> dict[str, Any]:
        row = db.execute("SELECT * FROM attribute WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise Refusal(40404, f"Custom attribute {name} does not exist")
        return _shown_attribute(row)

    def add_attribute(self, db: sqlite3.Connection, given: Given) -> dict[str, Any]:
        name, kind = required(given, "name"), required(given, "dataType")
        if set("{}[]") & set(name):
            raise Refusal(40001, "a name holds none of { } [ ]", "name")
        schema = members(given, "objectSchema")
        if kind not in TYPES or bool(schema) != (kind == "LIST_OF_OBJECTS"):
            raise Refusal(40001, f"dataType is one of {', '.join(TYPES)}", "dataType")
        now = self._store.now()
        row = (name, kind, json.dumps(schema) if schema else None, now, now)
        statement = "INSERT OR IGNORE INTO attribute VALUES (NULL, ?, ?, ?, ?, ?)"
        if not db.execute(statement, row).rowcount:
            raise Refusal(40006, f"Custom attribute {name} already exists.", "name")
        return self.attribute(db, name)


def _shown_tag(row: sqlite3.Row) -> dict[str, Any]:
    return {**_stamps(row), "id": row["id"], "name": row["name"]}


def _shown_attribute(row: sqlite3.Row) -> dict[str, Any]:
    told = {**_stamps(row), "name": row["name"], "dataType": row["type"]}
    return told | ({"objectSchema": json.loads(row["schema"])} if row["schema"] else {})


def _stamps(row: sqlite3.Row) -> dict[str, Any]:
    return {"createdAt": row["created_at"], "modifiedAt": row["modified_at"]}
