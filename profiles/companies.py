"""Companies (Early Access): unique names and domains, members."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from profiles.errors import Refusal
from profiles.store import Store, packed

LENGTHS = {
    "name": 255, "notes": 1023, "country": 50, "region": 255, "accountManager": 255,
    "customerStage": 255, "industry": 255, "segment": 255, "vatNumber": 50,
}  # fmt: skip
_READ_ONLY = {"id", "createdAt", "modifiedAt", "origin", "modifiedFrom", "serviceData"}


class Companies:
    """The companies of one account; every method works inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> int:
        """By exactly one of id, externalId, name, domain. Raises Refusal 40405."""
        named = [name for name in ("id", "externalId", "name", "domain") if query.get(name)]
        if len(named) != 1:
            raise Refusal(40001, "name exactly one of id, externalId, name, domain")
        value = str(query[named[0]])
        row = db.execute(
            {
                "id": "SELECT id FROM company WHERE id = ?",
                "externalId": "SELECT id FROM company WHERE external_id = ?",
                "name": "SELECT id FROM company WHERE name_key = ?",
                "domain": "SELECT company_id FROM domain WHERE name = ?",
            }[named[0]],
            (value.lower() if named[0] in ("name", "domain") else value,),
        ).fetchone()
        if row is None:
            raise Refusal(40405, "There is no company matching the query")
        return int(row[0])

    def shown(self, db: sqlite3.Connection, number: int) -> dict[str, Any]:
        row = db.execute("SELECT * FROM company WHERE id = ?", (number,)).fetchone()
        domains = db.execute(
            "SELECT name FROM domain WHERE company_id = ? ORDER BY rowid", (number,)
        )
        found = {
            "id": row["id"],
            **json.loads(row["fields"]),
            "domains": [domain[0] for domain in domains],
            "createdAt": row["created_at"],
            "modifiedAt": row["modified_at"],
            "origin": "API",
            "modifiedFrom": "API",
        }
        return found | ({"externalId": row["external_id"]} if row["external_id"] else {})

    def page(
        self, db: sqlite3.Connection, limit: int, page: int, order: str
    ) -> list[dict[str, Any]]:
        column, _, direction = order.partition(":")
        by = {"createdAt": "created_at", "modifiedAt": "modified_at"}.get(column)
        if by is None or direction not in ("asc", "desc"):
            raise Refusal(40001, "orderBy is createdAt or modifiedAt, :asc or :desc", "orderBy")
        rows = db.execute(
            f"SELECT id FROM company ORDER BY {by} {direction}, id LIMIT ? OFFSET ?",  # noqa: S608  # one of two names
            (limit, limit * (page - 1)),
        ).fetchall()
        return [self.shown(db, row[0]) for row in rows]

    def create(self, db: sqlite3.Connection, given: Mapping[str, Any]) -> int:
        fields = _checked(given, {})
        if not fields.get("name"):
            raise Refusal(40001, "a company has a name", "name")
        now = self._store.now()
        try:
            cursor = db.execute(
                "INSERT INTO company (external_id, name_key, fields, created_at, modified_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (given.get("externalId"), fields["name"].lower(), packed(fields), now, now),
            )
        except sqlite3.IntegrityError as error:
            raise _taken(error, fields["name"], given.get("externalId")) from error
        number = int(cursor.lastrowid or 0)
        self._own(db, number, given.get("domains") or [])
        return number

    def update(
        self,
        db: sqlite3.Connection,
        number: int,
        given: Mapping[str, Any],
        *,
        replace_domains: bool = False,
    ) -> list[str]:
        row = db.execute("SELECT * FROM company WHERE id = ?", (number,)).fetchone()
        before = json.loads(row["fields"])
        fields = _checked(given, before)
        changed = [n for n in sorted({*before, *fields}) if before.get(n) != fields.get(n)]
        external = given.get("externalId", row["external_id"])
        if replace_domains and "domains" in given:
            db.execute("DELETE FROM domain WHERE company_id = ?", (number,))
            changed.append("domains")
        if self._own(db, number, given.get("domains") or []):
            changed.append("domains")
        if changed or external != row["external_id"]:
            try:
                db.execute(
                    "UPDATE company SET external_id = ?, name_key = ?, fields = ?, "
                    "modified_at = ? WHERE id = ?",
                    (external, fields["name"].lower(), packed(fields), self._store.now(), number),
                )
            except sqlite3.IntegrityError as error:
                raise _taken(error, fields["name"], external) from error
        return changed

    def delete(self, db: sqlite3.Connection, number: int) -> None:
        db.execute("DELETE FROM company WHERE id = ?", (number,))

    def _own(self, db: sqlite3.Connection, number: int, domains: list[str]) -> bool:
        fresh = False
        for domain in domains:
            row = db.execute(
                "SELECT company_id FROM domain WHERE name = ?", (domain.lower(),)
            ).fetchone()
            if row is not None and row[0] != number:
                raise Refusal(40006, f"Domain {domain} already exists.", "domains")
            if row is None:
                db.execute("INSERT INTO domain VALUES (?, ?)", (domain.lower(), number))
                fresh = True
        return fresh


def _taken(error: sqlite3.IntegrityError, name: str, external: Any) -> Refusal:
    if "external_id" in str(error):
        return Refusal(40003, f"External id {external} already exists.", "externalId")
    return Refusal(40006, f"Company {name.lower()} already exists.", "name")


def _checked(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    known = {*LENGTHS, *_READ_ONLY, "externalId", "domains", "tags", "customAttributes"}
    unknown = set(given) - known
    if unknown:
        raise Refusal(40015, f"unknown property {sorted(unknown)[0]}", sorted(unknown)[0])
    fields = dict(before)
    for name, most in LENGTHS.items():
        if name not in given:
            continue
        value = given[name] or None
        if value is not None and (not isinstance(value, str) or len(value) > most):
            raise Refusal(40001, f"{name} is text of at most {most} characters", name)
        fields[name] = value
    if given.get("customAttributes"):
        fields["customAttributes"] = {
            **before.get("customAttributes", {}),
            **given["customAttributes"],
        }
    return {name: value for name, value in fields.items() if value is not None}
