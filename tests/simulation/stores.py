"""The engine's own store with hooks around COMMIT, and the state databases that it works on."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from sync_engine.store import LeaseHold, Store, migrate, open_database
from sync_engine.store.registry import Registry
from tests.simulation.connecting import Crash, Violation
from tests.simulation.faults import Faults

_BEFORE = {"busy": "database is locked", "full": "database or disk is full"}


class HookedStore(Store):
    """A store whose commits fail, or at which its process is killed."""

    def __init__(
        self, engine: Engine, now: Any, holder: str, dead: set[str], cursors: dict[int, int]
    ) -> None:
        super().__init__(engine, now, holder, dead.__contains__)
        self.holder, self._dead = holder, dead
        self.faults = Faults()
        self.depth = 0  #: open transactions
        self.registry: WatchedRegistry = WatchedRegistry(cursors)

    @property
    def is_dead(self) -> bool:
        return self.holder in self._dead

    def kill(self) -> None:
        self._dead.add(self.holder)
        raise Crash

    @contextmanager
    def transaction(self, lease: LeaseHold | None = None) -> Iterator[Connection]:
        if self.is_dead:  # what a killed process would tidy up stays as it is
            raise Crash
        fault = self.faults.cross("commit")
        how = fault.how if fault is not None else ""
        if how == "busy":
            raise _storage_error(_BEFORE[how])
        self.depth += 1
        try:
            with super().transaction(lease) as connection:
                yield connection
                if how == "crash before":
                    self.kill()
                if how == "full":
                    raise _storage_error(_BEFORE[how])
            self.registry.keep()
        finally:
            self.depth -= 1
            self.registry.forget()
        if how == "crash after":
            self.kill()
        if how == "unknown":  # the connection broke while the answer was on its way
            raise _storage_error("server closed the connection unexpectedly")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if self.is_dead:
            raise Crash
        self.depth += 1
        try:
            with super().reading() as connection:
                yield connection
        finally:
            self.depth -= 1


class WatchedRegistry(Registry):
    """Checks each cursor as it is stored (I-22): it never goes back but by a reset."""

    def __init__(self, at: dict[int, int]) -> None:
        super().__init__()
        self.at = at  #: by source, whoever stored it
        self._pending: dict[int, int] = {}

    def keep(self) -> None:
        self.at |= self._pending

    def forget(self) -> None:
        self._pending = {}

    def save_source(self, connection: Connection, source_id: int, **columns: Any) -> None:
        if "cursor" in columns:
            cursor = cast(Mapping[str, Any] | None, columns["cursor"])
            at = 0 if cursor is None else int(cursor["at"])
            if cursor is not None and at < self.at.get(source_id, 0):
                raise Violation("I-22", f"the cursor of source {source_id} went back to {at}")
            self._pending[source_id] = at
        super().save_source(connection, source_id, **columns)


def _storage_error(what: str) -> OperationalError:
    return OperationalError("COMMIT", {}, sqlite3.OperationalError(what))


@cache
def template() -> bytes:
    """A migrated, empty database."""
    engine = open_database("sqlite://")
    migrate(engine)
    whole = serialised(engine)
    engine.dispose()
    return whole


@cache
def _memory() -> Engine:
    """One database for all histories: statements are compiled once for each."""
    return open_database("sqlite://")


@contextmanager
def in_memory() -> Iterator[Engine]:
    """A migrated, empty database for one history."""
    put_back(_memory(), template())
    yield _memory()


def serialised(engine: Engine) -> bytes:
    connection = engine.raw_connection()
    try:
        whole: bytes = cast(sqlite3.Connection, connection.driver_connection).serialize()
        return whole
    finally:
        connection.close()


def put_back(engine: Engine, content: bytes) -> None:
    """Page by page: what SQLite has prepared outlives that, and would not a deserialisation."""
    connection = engine.raw_connection()
    try:
        with closing(sqlite3.connect(":memory:")) as then:
            then.deserialize(content)
            then.backup(cast(sqlite3.Connection, connection.driver_connection))
    finally:
        connection.close()
