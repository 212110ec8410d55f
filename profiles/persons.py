"""Persons: rules, creation, partial and full update, contacts, batches, matching."""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from profiles.errors import Refusal
from profiles.store import Store, packed

LENGTHS = {
    "firstName": 255, "lastName": 255, "middleName": 50, "address": 256, "city": 50,
    "country": 50, "preferredLanguage": 20, "profilePicture": 2083, "birthDate": 10, "gender": 6,
}  # fmt: skip
_READ_ONLY = {"id", "createdAt", "modifiedAt", "origin", "modifiedFrom", "computedAttributes"}
_FORBIDDEN = re.compile(r'[&<>"/\\\n\r:(){}=;#]')
_NAMES = ("firstName", "lastName", "middleName")
_MOST_CONTACTS = 100
KINDS = {"email": ("EMAIL", "address"), "phone": ("PHONE", "number")}
_TYPES = {"STRING": str, "BOOLEAN": bool, "INTEGER": int, "DECIMAL": (int, float), "DATE": str}


class Persons:
    """The persons of one account; every method works inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, db: sqlite3.Connection, type: str, identifier: str) -> int:
        """The internal id. Raises Refusal 40401."""
        if type == "ID":
            row = db.execute("SELECT id FROM person WHERE id = ?", (identifier,)).fetchone()
        elif type == "EXTERNAL_ID":
            row = db.execute(
                "SELECT id FROM person WHERE external_id = ?", (identifier,)
            ).fetchone()
        elif type in ("PHONE", "EMAIL"):
            row = db.execute(
                "SELECT person_id FROM contact WHERE kind = ? AND value = ?",
                (type, contact_value(type, identifier)),
            ).fetchone()
        else:
            raise Refusal(40001, f"type {type} is not served here", "type")
        if row is None:
            raise Refusal(40401, "There is no person matching the query")
        return int(row[0])

    def shown(self, db: sqlite3.Connection, number: int) -> dict[str, Any]:
        """A person as the API shows it."""
        row = db.execute("SELECT * FROM person WHERE id = ?", (number,)).fetchone()
        found: dict[str, Any] = {"id": row["id"], "type": row["type"], **json.loads(row["fields"])}
        if row["external_id"] is not None:
            found["externalId"] = row["external_id"]
        contacts: dict[str, list[dict[str, str]]] = {}
        told = db.execute(
            "SELECT kind, value FROM contact WHERE person_id = ? ORDER BY rowid", (number,)
        )
        for kind, value in told:
            name = next(n for n, (k, _) in KINDS.items() if k == kind)
            contacts.setdefault(name, []).append({KINDS[name][1]: value})
        tags = db.execute("SELECT name FROM person_tag WHERE person_id = ?", (number,)).fetchall()
        return found | {
            "contactInformation": contacts,
            "tags": [tag[0] for tag in tags],
            "createdAt": row["created_at"],
            "modifiedAt": row["modified_at"],
            "origin": "API",
            "modifiedFrom": "API",
        }

    def page(
        self, db: sqlite3.Connection, limit: int, page: int, order: str
    ) -> list[dict[str, Any]]:
        column, _, direction = order.partition(":")
        by = {"createdAt": "created_at", "modifiedAt": "modified_at"}.get(column)
        if by is None or direction not in ("asc", "desc"):
            raise Refusal(40001, "orderBy is createdAt or modifiedAt, :asc or :desc", "orderBy")
        rows = db.execute(
            f"SELECT id FROM person ORDER BY {by} {direction}, id LIMIT ? OFFSET ?",  # noqa: S608  # one of two names
            (limit, limit * (page - 1)),
        ).fetchall()
        return [self.shown(db, row[0]) for row in rows]

    def create(self, db: sqlite3.Connection, given: Mapping[str, Any]) -> int:
        fields = self._checked(db, given, {})
        contacts = _contacts(given)
        external = given.get("externalId")
        if not contacts and not external:
            raise Refusal(40018, "a phone, an email or an external id is needed")
        now = self._store.now()
        self._free(db, external, None)
        cursor = db.execute(
            "INSERT INTO person (external_id, type, fields, created_at, modified_at) "
            "VALUES (?, ?, ?, ?, ?)",
            (external, given.get("type", "CUSTOMER"), packed(fields), now, now),
        )
        number = int(cursor.lastrowid or 0)
        self._own(db, number, contacts)
        self._tag(db, number, given.get("tags", []))
        return number

    def update(self, db: sqlite3.Connection, number: int, given: Mapping[str, Any]) -> list[str]:
        """Change what is given; null clears, contacts and tags are added. Names what changed."""
        row = db.execute("SELECT * FROM person WHERE id = ?", (number,)).fetchone()
        before = json.loads(row["fields"])
        fields = self._checked(db, given, before)
        changed = [n for n in sorted({*before, *fields}) if before.get(n) != fields.get(n)]
        kind = given.get("type", row["type"])
        external = given.get("externalId", row["external_id"])
        changed += ["type"] if kind != row["type"] else []
        if external != row["external_id"]:
            self._free(db, external, number)
            changed.append("externalId")
        changed += self._own(db, number, _contacts(given))
        changed += self._tag(db, number, given.get("tags", []))
        if changed:
            db.execute(
                "UPDATE person SET external_id = ?, type = ?, fields = ?, modified_at = ? "
                "WHERE id = ?",
                (external, kind, packed(fields), self._store.now(), number),
            )
        return changed

    def replace(self, db: sqlite3.Connection, number: int, given: Mapping[str, Any]) -> None:
        """PUT: what is left out is emptied."""
        db.execute("DELETE FROM contact WHERE person_id = ?", (number,))
        db.execute("DELETE FROM person_tag WHERE person_id = ?", (number,))
        db.execute(
            "UPDATE person SET fields = '{}', external_id = NULL, type = 'CUSTOMER' WHERE id = ?",
            (number,),
        )
        self.update(db, number, given)
        self.touch(db, number)

    def delete(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM person WHERE id = ?", (number,))

    def remove_contacts(
        self, db: sqlite3.Connection, number: int, given: Mapping[str, Any]
    ) -> None:
        for kind, value in _contacts(given):
            db.execute(
                "DELETE FROM contact WHERE person_id = ? AND kind = ? AND value = ?",
                (number, kind, value),
            )
        self.touch(db, number)

    def replace_contacts(
        self, db: sqlite3.Connection, number: int, given: Mapping[str, Any]
    ) -> None:
        db.execute("DELETE FROM contact WHERE person_id = ?", (number,))
        self._own(db, number, _contacts(given))
        self.touch(db, number)

    def touch(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("UPDATE person SET modified_at = ? WHERE id = ?", (self._store.now(), number))

    def _checked(
        self, db: sqlite3.Connection, given: Mapping[str, Any], before: Mapping[str, Any]
    ) -> dict[str, Any]:
        if given.get("type", "LEAD") not in ("LEAD", "CUSTOMER"):
            raise Refusal(40001, "type is LEAD or CUSTOMER", "type")
        if "integrations" in given:
            raise Refusal(40023, "integrations cannot be modified", "integrations")
        known = {*LENGTHS, *_READ_ONLY, "type", "externalId", "tags"}
        unknown = set(given) - known - {"contactInformation", "customAttributes"}
        if unknown:
            raise Refusal(40015, f"unknown property {sorted(unknown)[0]}", sorted(unknown)[0])
        fields = dict(before)
        for name in LENGTHS:
            if name in given:
                fields[name] = _text(name, given[name])
        if given.get("customAttributes") is not None:
            own = dict(before.get("customAttributes", {}))
            for name, value in given["customAttributes"].items():
                own[name] = self._attribute(db, name, value)
            fields["customAttributes"] = {n: v for n, v in own.items() if v is not None}
        return {name: value for name, value in fields.items() if value is not None}

    def _attribute(self, db: sqlite3.Connection, name: str, value: Any) -> Any:
        row = db.execute("SELECT type FROM attribute WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise Refusal(40015, f"unknown custom attribute {name}", f"customAttributes.{name}")
        wanted: Any = _TYPES[row[0]]
        if value is not None and (
            not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)
        ):
            raise Refusal(40007, f"{name} is {row[0]}", f"customAttributes.{name}")
        return value

    def _free(self, db: sqlite3.Connection, external: Any, number: int | None) -> None:
        row = db.execute("SELECT id FROM person WHERE external_id = ?", (external,)).fetchone()
        if external is not None and row is not None and row[0] != number:
            raise Refusal(40003, f"External id {external} already exists.", "externalId")

    def _own(
        self, db: sqlite3.Connection, number: int, contacts: list[tuple[str, str]]
    ) -> list[str]:
        """Give contacts to a person; each has one owner in the account."""
        fresh = False
        for kind, value in contacts:
            row = db.execute(
                "SELECT person_id FROM contact WHERE kind = ? AND value = ?", (kind, value)
            ).fetchone()
            if row is not None and row[0] == number:
                continue
            if row is not None:
                code = 40004 if kind == "PHONE" else 40005
                raise Refusal(code, f"Destination({kind.lower()}) {value} already exists.")
            db.execute("INSERT INTO contact VALUES (?, ?, ?)", (kind, value, number))
            fresh = True
        query = "SELECT count(*) FROM contact WHERE person_id = ?"
        if db.execute(query, (number,)).fetchone()[0] > _MOST_CONTACTS:
            raise Refusal(40001, "a person has at most 100 contacts", "contactInformation")
        return ["contactInformation"] if fresh else []

    def _tag(self, db: sqlite3.Connection, number: int, names: list[str]) -> list[str]:
        fresh = False
        for name in names:
            if db.execute("SELECT 1 FROM tag WHERE name = ?", (name,)).fetchone() is None:
                raise Refusal(40403, f"there is no tag {name}", status=404)
            done = db.execute("INSERT OR IGNORE INTO person_tag VALUES (?, ?)", (number, name))
            fresh = fresh or bool(done.rowcount)
        return ["tags"] if fresh else []


def contact_value(kind: str, text: str) -> str:
    """How a contact is kept: e-mails in lower case, phones as digits."""
    text = str(text).strip()
    return text.lower() if kind == "EMAIL" else text.removeprefix("+")


def _contacts(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = given.get("contactInformation") or {}
    unwritable = set(told) - set(KINDS)
    if unwritable:
        raise Refusal(40013, f"{sorted(unwritable)[0]} cannot be managed", "contactInformation")
    found = []
    for name, (kind, part) in KINDS.items():
        for number, entry in enumerate(told.get(name) or []):
            value = contact_value(kind, entry[part])
            shape = r"\d{5,20}" if kind == "PHONE" else r"[^@\s]+@[^@\s]+"
            if not re.fullmatch(shape, value):
                path = f"contactInformation.{name}[{number}].{part}"
                raise Refusal(40001, f"{name} is invalid", path)
            found.append((kind, value))
    return list(dict.fromkeys(found))


def _text(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refusal(40001, f"{name} is text", name)
    if len(value) > LENGTHS[name]:
        raise Refusal(40001, f"{name} is longer than {LENGTHS[name]} characters", name)
    if name in _NAMES and _FORBIDDEN.search(value):
        raise Refusal(40001, f"{name} holds a forbidden character", name)
    if name == "gender" and value not in ("MALE", "FEMALE"):
        raise Refusal(40001, "gender is MALE or FEMALE", name)
    return value
