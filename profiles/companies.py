"""Companies (Early Access): unique names and domains, members."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from profiles.definitions import tag_id
from profiles.errors import Refusal
from profiles.rules import Given, members, sorting, text, texts
from profiles.store import Store, packed

LENGTHS = {
    "name": 255, "notes": 1023, "country": 50, "region": 255, "accountManager": 255,
    "customerStage": 255, "industry": 255, "segment": 255, "vatNumber": 50,
}  # fmt: skip
_READ_ONLY = {"id", "createdAt", "modifiedAt", "origin", "modifiedFrom", "serviceData"}
_KNOWN = {*LENGTHS, *_READ_ONLY, "externalId", "domains", "tags", "customAttributes"}
_QUERIES = {
    "id": "SELECT id FROM company WHERE id = ?",
    "externalId": "SELECT id FROM company WHERE external_id = ?",
    "name": "SELECT id FROM company WHERE name_key = ?",
    "domain": "SELECT company_id FROM domain WHERE name = ?",
}
_ORDERS = {"createdAt": "created_at", "modifiedAt": "modified_at", "name": "name_key"}


class Companies:
    """The companies of one account; every method works inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> int:
        """By exactly one of id, externalId, name, domain. Raises Refusal 40405."""
        named = [name for name in _QUERIES if query.get(name)]
        if len(named) != 1:
            raise Refusal(40001, "name exactly one of id, externalId, name, domain")
        name, value = named[0], str(query[named[0]])
        folded = value.lower() if name in ("name", "domain") else value
        row = db.execute(_QUERIES[name], (folded,)).fetchone()
        if row is None:
            raise Refusal(40405, f'Company with {name} "{value}" does not exist')
        return int(row[0])

    def shown(self, db: sqlite3.Connection, number: int) -> dict[str, Any]:
        row = self._row(db, number)
        domains = db.execute(
            "SELECT name FROM domain WHERE company_id = ? ORDER BY rowid", (number,)
        )
        found = {
            "createdAt": row["created_at"],
            "modifiedAt": row["modified_at"],
            "id": row["id"],
            **json.loads(row["fields"]),
            "domains": [domain[0] for domain in domains],
            "origin": row["origin"],
            "modifiedFrom": row["modified_from"],
        }
        return found | ({"externalId": row["external_id"]} if row["external_id"] else {})

    def page(
        self, db: sqlite3.Connection, limit: int, page: int, order: str
    ) -> list[dict[str, Any]]:
        rows = db.execute(
            f"SELECT id FROM company {sorting(order, _ORDERS)}",  # noqa: S608  # names from here
            (limit, limit * (page - 1)),
        ).fetchall()
        return [self.shown(db, row[0]) for row in rows]

    def create(self, db: sqlite3.Connection, given: Given) -> int:
        fields = _checked(db, given, {})
        external = text("externalId", given.get("externalId"), 256)
        now, writer = self._store.now(), self._store.writer
        try:
            cursor = db.execute(
                "INSERT INTO company VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (external, fields["name"].lower(), packed(fields), writer, writer, now, now),
            )
        except sqlite3.IntegrityError as error:
            raise _taken(error, fields["name"], external) from error
        number = int(cursor.lastrowid or 0)
        self._own(db, number, texts("domains", given.get("domains")))
        return number

    def update(
        self,
        db: sqlite3.Connection,
        number: int,
        given: Given,
        *,
        replace_domains: bool = False,
        replace_tags: bool = False,
    ) -> list[str]:
        """Change what is given; domains and tags are added, or replace. Names what changed."""
        if not self._store.switches.null_clears:
            given = {name: value for name, value in given.items() if value is not None}
        row = self._row(db, number)
        before = json.loads(row["fields"])
        fields = _checked(db, given, before, replace_tags=replace_tags)
        changed = [n for n in sorted({*before, *fields}) if before.get(n) != fields.get(n)]
        external = text("externalId", given.get("externalId", row["external_id"]), 256)
        changed += ["externalId"] if external != row["external_id"] else []
        if "domains" in given and self._domains(db, number, given, replace=replace_domains):
            changed.append("domains")
        if changed:
            try:
                db.execute(
                    "UPDATE company SET external_id = ?, name_key = ?, fields = ? WHERE id = ?",
                    (external, fields["name"].lower(), packed(fields), number),
                )
            except sqlite3.IntegrityError as error:
                raise _taken(error, fields["name"], external) from error
            self._touch(db, number)
        return changed

    def delete(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM company WHERE id = ?", (number,))

    def join(self, db: sqlite3.Connection, company: int, person: int) -> None:
        db.execute("INSERT OR IGNORE INTO member VALUES (?, ?)", (person, company))

    def leave(self, db: sqlite3.Connection, company: int, person: int) -> None:
        statement = "DELETE FROM member WHERE person_id = ? AND company_id = ?"
        db.execute(statement, (person, company))

    def _row(self, db: sqlite3.Connection, number: int) -> sqlite3.Row:
        row: sqlite3.Row = db.execute("SELECT * FROM company WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise Refusal(40405, f'Company with id "{number}" does not exist')
        return row

    def _touch(self, db: sqlite3.Connection, number: int) -> None:
        db.execute(
            "UPDATE company SET modified_at = ?, modified_from = ? WHERE id = ?",
            (self._store.now(), self._store.writer, number),
        )

    def _domains(self, db: sqlite3.Connection, number: int, given: Given, *, replace: bool) -> bool:
        """Whether they are others than before."""
        query = "SELECT name FROM domain WHERE company_id = ?"
        before = {row[0] for row in db.execute(query, (number,))}
        wanted = texts("domains", given["domains"])
        if replace:
            db.execute("DELETE FROM domain WHERE company_id = ?", (number,))
        self._own(db, number, wanted)
        return before != {row[0] for row in db.execute(query, (number,))}

    def _own(self, db: sqlite3.Connection, number: int, domains: list[str]) -> None:
        """A domain belongs to one company."""
        for domain in domains:
            name = domain.lower()
            row = db.execute("SELECT company_id FROM domain WHERE name = ?", (name,)).fetchone()
            if row is not None and row[0] != number:
                raise Refusal(40006, f"Domain {domain} already exists.", "domains")
            db.execute("INSERT OR IGNORE INTO domain VALUES (?, ?)", (name, number))


def _taken(error: sqlite3.IntegrityError, name: str, external: str | None) -> Refusal:
    if "external_id" in str(error):
        return Refusal(40003, f"External id {external} already exists.", "externalId")
    return Refusal(40006, f"Key (lower(name::text))=({name}) already exists.", "name")


def _checked(
    db: sqlite3.Connection, given: Given, before: Mapping[str, Any], *, replace_tags: bool = False
) -> dict[str, Any]:
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        raise Refusal(40015, f"unknown property {unknown[0]}", unknown[0])
    fields = dict(before)
    fields |= {
        name: text(name, given[name], most) for name, most in LENGTHS.items() if name in given
    }
    if not fields.get("name"):
        raise Refusal(40001, "a company has a name", "name")
    if "tags" in given:
        tags = texts("tags", given["tags"])
        for tag in tags:
            tag_id(db, tag)  # it must be defined
        held = [] if replace_tags else before.get("tags", [])
        fields["tags"] = list(dict.fromkeys([*held, *tags])) or None
    own = before.get("customAttributes", {}) | members(given, "customAttributes")
    fields["customAttributes"] = {n: v for n, v in own.items() if v is not None} or None
    return {name: value for name, value in fields.items() if value is not None}
