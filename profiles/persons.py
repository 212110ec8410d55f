"""Persons: rules, creation, partial and full update, contacts, tags."""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from profiles import contacts
from profiles.definitions import attribute, tag_id
from profiles.errors import Refusal
from profiles.rules import Given, day, members, sorting, text, texts
from profiles.store import Store, packed

LENGTHS = {
    "firstName": 255, "lastName": 255, "middleName": 50, "address": 256, "city": 50,
    "country": 50, "preferredLanguage": 20, "profilePicture": 2083, "gender": 6,
}  # fmt: skip
_READ_ONLY = {"id", "createdAt", "modifiedAt", "origin", "modifiedFrom", "computedAttributes"}
_KNOWN = {*LENGTHS, *_READ_ONLY, "type", "externalId", "birthDate", "tags"}
_FORBIDDEN = re.compile(r'[&<>"/\\\n\r:(){}=;#]')
_NAMES = ("firstName", "lastName", "middleName")
_INTEGRATIONS = "integrations"  #: ids that Infobip's own integrations left: read only
_ORDERS = {
    "createdAt": "created_at",
    "modifiedAt": "modified_at",
    "firstName": "json_extract(fields, '$.firstName')",
    "lastName": "json_extract(fields, '$.lastName')",
}


class Persons:
    """The persons of one account; every method works inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> int:
        """The internal id. Raises Refusal 40401."""
        type, identifier = query.get("type"), query.get("identifier")
        if type not in ("ID", "EXTERNAL_ID", "PHONE", "EMAIL"):
            raise Refusal(40001, "type is ID, EXTERNAL_ID, PHONE or EMAIL here", "type")
        if not isinstance(identifier, str) or not identifier:
            raise Refusal(40001, "identifier is required", "identifier")
        if type in ("PHONE", "EMAIL"):
            found = contacts.owner(db, (type, contacts.kept(type, identifier)))
        else:
            column = "id" if type == "ID" else "external_id"
            row = db.execute(
                f"SELECT id FROM person WHERE {column} = ?",  # noqa: S608  # one of two names
                (identifier,),
            ).fetchone()
            found = row and row[0]
        if found is None:
            raise Refusal(40401, "There is no person matching the query")
        return int(found)

    def shown(self, db: sqlite3.Connection, number: int) -> dict[str, Any]:
        """A person as the API shows it."""
        row = self._row(db, number)
        tags = db.execute(
            "SELECT name FROM person_tag JOIN tag ON tag.id = tag_id WHERE person_id = ? "
            "ORDER BY person_tag.rowid",
            (number,),
        )
        found = {
            "createdAt": row["created_at"],
            "modifiedAt": row["modified_at"],
            "id": row["id"],
            "type": row["type"],
            **json.loads(row["fields"]),
            "origin": row["origin"],
            "modifiedFrom": row["modified_from"],
            "tags": [tag[0] for tag in tags],
            "contactInformation": contacts.shown(db, number),
        }
        return found | ({"externalId": row["external_id"]} if row["external_id"] else {})

    def page(
        self, db: sqlite3.Connection, limit: int, page: int, order: str
    ) -> list[dict[str, Any]]:
        rows = db.execute(
            f"SELECT id FROM person {sorting(order, _ORDERS)}",  # noqa: S608  # names from here
            (limit, limit * (page - 1)),
        ).fetchall()
        return [self.shown(db, row[0]) for row in rows]

    def create(self, db: sqlite3.Connection, given: Given) -> int:
        fields = self._checked(db, given, {})
        external = text("externalId", given.get("externalId"), 256)
        now, writer = self._store.now(), self._store.writer
        self._free(db, external, None)
        cursor = db.execute(
            "INSERT INTO person VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (external, given.get("type", "CUSTOMER"), packed(fields), writer, writer, now, now),
        )
        number = int(cursor.lastrowid or 0)
        contacts.add(db, number, contacts.told(given))
        self._tag(db, number, texts("tags", given.get("tags")))
        self._reachable(db, number)
        return number

    def update(self, db: sqlite3.Connection, number: int, given: Given) -> list[str]:
        """Change what is given; null clears, contacts and tags are added. Names what changed."""
        if not self._store.switches.null_clears:
            given = _without_null(given)
        row = self._row(db, number)
        before = json.loads(row["fields"])
        fields = self._checked(db, given, before)
        changed = [n for n in sorted({*before, *fields}) if before.get(n) != fields.get(n)]
        kind = given.get("type", row["type"])
        if kind != row["type"]:
            if not self._store.switches.type_changes:
                raise Refusal(40001, "the type of a person cannot be changed", "type")
            changed.append("type")
        external = text("externalId", given.get("externalId", row["external_id"]), 256)
        if external != row["external_id"]:
            self._free(db, external, number)
            changed.append("externalId")
        if contacts.add(db, number, contacts.told(given)):
            changed.append("contactInformation")
        if self._tag(db, number, texts("tags", given.get("tags"))):
            changed.append("tags")
        if changed:
            statement = "UPDATE person SET external_id = ?, type = ?, fields = ? WHERE id = ?"
            db.execute(statement, (external, kind, packed(fields), number))
            self.touch(db, number)
            self._reachable(db, number)
        return changed

    def integrate(self, db: sqlite3.Connection, number: int, integrations: Given) -> None:
        """What the vendor's own integrations leave on a profile, and nobody else may write."""
        fields = json.loads(self._row(db, number)["fields"]) | {_INTEGRATIONS: dict(integrations)}
        db.execute("UPDATE person SET fields = ? WHERE id = ?", (packed(fields), number))
        self.touch(db, number)

    def replace(self, db: sqlite3.Connection, number: int, given: Given) -> None:
        """PUT: what is left out is emptied; the type is then the default one."""
        before = json.loads(self._row(db, number)["fields"])
        kept = {name: before[name] for name in before if name == _INTEGRATIONS}
        db.execute("DELETE FROM contact WHERE person_id = ?", (number,))
        db.execute("DELETE FROM person_tag WHERE person_id = ?", (number,))
        statement = "UPDATE person SET fields = ?, external_id = NULL, type = ? WHERE id = ?"
        db.execute(statement, (packed(kept), given.get("type") or "CUSTOMER", number))
        self.update(db, number, given)
        self.touch(db, number)
        self._reachable(db, number)

    def delete(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM person WHERE id = ?", (number,))

    def add_contacts(self, db: sqlite3.Connection, number: int, given: Given) -> list[str]:
        return self._contacted(db, number, contacts.add(db, number, contacts.told(given)))

    def remove_contacts(self, db: sqlite3.Connection, number: int, given: Given) -> list[str]:
        return self._contacted(db, number, contacts.remove(db, number, contacts.told(given)))

    def replace_contacts(self, db: sqlite3.Connection, number: int, given: Given) -> list[str]:
        before, wanted = contacts.of(db, number), contacts.told(given)
        contacts.remove(db, number, before)
        contacts.add(db, number, wanted)
        return self._contacted(db, number, set(before) != set(wanted))

    def _contacted(self, db: sqlite3.Connection, number: int, changed: bool) -> list[str]:
        if not changed:
            return []
        self._reachable(db, number)
        self.touch(db, number)
        return ["contactInformation"]

    def untag(self, db: sqlite3.Connection, number: int, name: str) -> list[str]:
        statement = "DELETE FROM person_tag WHERE person_id = ? AND tag_id = ?"
        if not db.execute(statement, (number, tag_id(db, name))).rowcount:
            return []
        self.touch(db, number)
        return ["tags"]

    def touch(self, db: sqlite3.Connection, number: int) -> None:
        db.execute(
            "UPDATE person SET modified_at = ?, modified_from = ? WHERE id = ?",
            (self._store.now(), self._store.writer, number),
        )

    def _row(self, db: sqlite3.Connection, number: int) -> sqlite3.Row:
        row: sqlite3.Row = db.execute("SELECT * FROM person WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise Refusal(40401, "There is no person matching the query")
        return row

    def _reachable(self, db: sqlite3.Connection, number: int) -> None:
        """A profile has a phone, an e-mail or an external id [customer-profiles/persons]."""
        if not contacts.of(db, number) and self._row(db, number)["external_id"] is None:
            raise Refusal(40018, "a phone, an email or an external id is needed")

    def _checked(
        self, db: sqlite3.Connection, given: Given, before: Mapping[str, Any]
    ) -> dict[str, Any]:
        if given.get("type", "LEAD") not in ("LEAD", "CUSTOMER"):
            raise Refusal(40001, "type is LEAD or CUSTOMER", "type")
        if _INTEGRATIONS in given:
            raise Refusal(40023, "integrations cannot be modified", _INTEGRATIONS)
        unknown = sorted(set(given) - _KNOWN - {"contactInformation", "customAttributes"})
        if unknown:
            raise Refusal(40015, f"unknown property {unknown[0]}", unknown[0])
        fields = dict(before)
        for name, most in LENGTHS.items():
            if name in given:
                fields[name] = self._named(name, text(name, given[name], most))
        if "birthDate" in given:
            fields["birthDate"] = day("birthDate", given["birthDate"])
        told = members(given, "customAttributes").items()
        own = dict(before.get("customAttributes", {}))
        own |= dict(attribute(db, name, value) for name, value in told)
        fields["customAttributes"] = {n: v for n, v in own.items() if v is not None} or None
        return {name: value for name, value in fields.items() if value is not None}

    def _named(self, name: str, value: str | None) -> str | None:
        checked = name in _NAMES and self._store.switches.names_checked
        if checked and _FORBIDDEN.search(value or ""):
            raise Refusal(40001, f"{name} holds a forbidden character", name)
        if name == "gender" and value not in (None, "MALE", "FEMALE"):
            raise Refusal(40001, "gender is MALE or FEMALE", name)
        return value

    def _free(self, db: sqlite3.Connection, external: str | None, number: int | None) -> None:
        row = db.execute("SELECT id FROM person WHERE external_id = ?", (external,)).fetchone()
        if row is not None and row[0] != number:
            raise Refusal(40003, f"External id {external} already exists.", "externalId")

    def _tag(self, db: sqlite3.Connection, number: int, names: list[str]) -> bool:
        """Whether any of them is new; a tag must be defined before."""
        statement = "INSERT OR IGNORE INTO person_tag VALUES (?, ?)"
        return sum(db.execute(statement, (number, tag_id(db, n))).rowcount for n in names) > 0


def _without_null(given: Given) -> dict[str, Any]:
    """Custom attributes included."""
    kept = {name: value for name, value in given.items() if value is not None}
    attributes = kept.get("customAttributes")
    if isinstance(attributes, dict):
        kept["customAttributes"] = {n: v for n, v in attributes.items() if v is not None}
    return kept
