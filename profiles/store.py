"""The profiles' database: one SQLite file, one transaction per request.

Unique constraints carry the account's rules: a phone, an e-mail (whatever its case), an
external id, a company's name and a domain belong to one owner each.
"""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from profiles.switches import Switches

VERSION = 2
_STAMPS = "created_at TEXT NOT NULL, modified_at TEXT NOT NULL"
_TABLES = f"""
CREATE TABLE account (id TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT, external_id TEXT UNIQUE, type TEXT NOT NULL,
    fields TEXT NOT NULL, origin TEXT NOT NULL, modified_from TEXT NOT NULL, {_STAMPS});
CREATE INDEX person_modified ON person (modified_at);
CREATE TABLE contact (
    kind TEXT NOT NULL, value TEXT NOT NULL, person_id INTEGER NOT NULL
    REFERENCES person (id) ON DELETE CASCADE, PRIMARY KEY (kind, value));
CREATE INDEX contact_person ON contact (person_id);
CREATE TABLE company (
    id INTEGER PRIMARY KEY AUTOINCREMENT, external_id TEXT UNIQUE, name_key TEXT NOT NULL UNIQUE,
    fields TEXT NOT NULL, origin TEXT NOT NULL, modified_from TEXT NOT NULL, {_STAMPS});
CREATE TABLE domain (
    name TEXT PRIMARY KEY, company_id INTEGER NOT NULL
    REFERENCES company (id) ON DELETE CASCADE);
CREATE TABLE member (
    person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    company_id INTEGER NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, company_id));
CREATE TABLE tag (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, {_STAMPS});
CREATE TABLE person_tag (
    person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, tag_id));
CREATE TABLE attribute (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    type TEXT NOT NULL, schema TEXT, {_STAMPS});
"""
#: what crm-sync needs; ``crm-sync setup`` makes them in an account elsewhere
_ATTRIBUTES = {
    "crmsync_company_id": "STRING",
    "crmsync_key": "STRING",
    "job_title": "STRING",
    "email_opt_out": "BOOLEAN",
    "phone_opt_out": "BOOLEAN",
    "fax_opt_out": "BOOLEAN",
    "bulk_email_opt_out": "BOOLEAN",
}


class StoreError(Exception):
    """The file is no database of profiles of this version."""


class Store:
    """One account."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600, exist_ok=True)
        self._lock = Lock()
        self.offset = timedelta()  #: of the clock, moved by the control face
        self.writer = "API"  #: of the running transaction, in the words of the API's modifiedFrom
        self.switches = Switches()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._prepare()

    def _prepare(self) -> None:
        found = self._connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'account'"
        ).fetchone()[0]
        if not found:
            self._connection.executescript(f"BEGIN;{_TABLES}COMMIT;")
            now = self.now()
            with self.transaction() as connection:
                account = (str(uuid.uuid4()), VERSION)
                connection.execute("INSERT INTO account VALUES (?, ?)", account)
                connection.executemany(
                    "INSERT INTO attribute VALUES (NULL, ?, ?, NULL, ?, ?)",
                    [(name, type, now, now) for name, type in _ATTRIBUTES.items()],
                )
        version = self._connection.execute("SELECT version FROM account").fetchone()[0]
        if version != VERSION:
            raise StoreError(f"the file was written by version {version}, this is {VERSION}")

    @contextmanager
    def transaction(self, writer: str = "API") -> Iterator[sqlite3.Connection]:
        """All of it is kept when it ends, or nothing."""
        with self._lock:
            self.writer = writer
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def now(self) -> str:
        """The stamp of this moment: UTC, whole seconds, no zone."""
        return (datetime.now(UTC) + self.offset).strftime("%Y-%m-%dT%H:%M:%S")

    def reset(self) -> None:
        """Forget every person, company and tag."""
        with self.transaction() as connection:
            for table in ("person", "company", "tag"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names from here
        self.offset = timedelta()
        self.switches = Switches()


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """One entry of a batch: its failure takes back nothing but itself."""
    connection.execute("SAVEPOINT entry")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO entry")
        connection.execute("RELEASE entry")
        raise
    connection.execute("RELEASE entry")


def packed(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True)
