"""A whole state in one SQLite file, and the way back into a database of either family.

Restoring is all or nothing: what comes back is made ready beside the state, then takes its
place by one rename (SQLite) or one transaction (PostgreSQL).
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Select, exists, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from sync_engine.models import Table
from sync_engine.store.copying import copy_rows, copy_state
from sync_engine.store.database import StateError, alembic_config, migrate, open_database
from sync_engine.store.epoch import begin_restoring
from sync_engine.store.registry import LeaseTakenError, Registry

_TABLES = Table.metadata.tables
_LIVED_IN = ("entity", "link", "run", "decision")  #: without a row in these a state is empty


class StateInUseError(StateError):
    """Somebody else works with a state that one alone must have."""

    def __init__(self, what: str) -> None:
        super().__init__(what, remedy="stop crm-sync wherever it uses this state, then try again")


def write_backup(state: Engine, file: Path) -> None:
    """Copy the state, as it is at one moment, to a new file that only its owner may read.

    Works while others write to the state. Raises StateError where it cannot.
    """
    if state.dialect.name == "postgresql":
        _refuse_other_version(state)
    with _scratch(file) as part:
        engine = open_database(f"sqlite:///{part}")
        try:
            copy_state(state, engine)
        finally:
            engine.dispose()
        _close_log(part)
        os.replace(part, file)
        _flush_folder(file.parent)


def restore_file(backup: Path, state: Path, *, force: bool) -> None:
    """Put a backup in the place of a SQLite state. Raises StateError, and changes nothing then."""
    with _scratch(state) as part:
        _make_ready(backup, part)
        with _alone(state, force=force):
            os.replace(part, state)
            _flush_folder(state.parent)


def restore_rows(
    backup: Path,
    state: Engine,
    now: datetime,
    is_dead: Callable[[str], bool],
    *,
    force: bool,
) -> None:
    """Put a backup into a PostgreSQL state.

    Raises StateError, or LeaseTakenError while somebody is at work; nothing is changed then.
    """
    with tempfile.TemporaryDirectory(prefix="crm-sync-restore-") as folder:
        part = Path(folder) / "state.db"
        _make_ready(backup, part)
        migrate(state)
        ready = open_database(f"sqlite:///{part}")
        try:
            with ready.begin() as reading, state.begin() as writing:
                _refuse_workers(writing, now, is_dead)
                if not force and any(writing.scalar(_has_rows(name)) for name in _LIVED_IN):
                    raise _not_empty()
                names = ", ".join(table.name for table in Table.metadata.sorted_tables)
                writing.execute(text(f"TRUNCATE {names}"))
                copy_rows(reading, writing)
        except DBAPIError as error:
            raise StateError(
                "the state database refused the backup and is as it was",
                remedy="check the server and its rights",
            ) from error
        finally:
            ready.dispose()


def _refuse_other_version(state: Engine) -> None:
    """Rows are copied by the tables that this version knows; it must know all."""
    known = set(ScriptDirectory.from_config(alembic_config(state)).get_heads())
    with state.connect() as connection:
        if set(MigrationContext.configure(connection).get_current_heads()) == known:
            return
    raise StateError(
        "another version of crm-sync wrote this state", remedy="take the backup with that version"
    )


def _refuse_workers(state: Connection, now: datetime, is_dead: Callable[[str], bool]) -> None:
    """An idle service holds no lease, but a connection of this role.

    https://www.postgresql.org/docs/current/monitoring-stats.html (pg_stat_activity)
    """
    for name, holder, until in Registry().leases(state):
        if until > now and not is_dead(holder):
            raise LeaseTakenError(name, holder, until)
    others = state.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = current_user AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )
    )
    if others:
        raise StateInUseError(f"{others} other connections use the state as the same role")


def _has_rows(name: str) -> Select[tuple[bool]]:
    return select(exists(select(text("1")).select_from(_TABLES[name])))


def _not_empty() -> StateError:
    return StateError(
        "the state already knows people or companies",
        remedy="back it up, then give --force to put the backup in its place",
    )


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """A name on the same file system, so that a rename is one step; nothing of it stays."""
    try:
        with tempfile.TemporaryDirectory(prefix=".crm-sync-", dir=beside.parent) as folder:
            yield Path(folder) / "state.db"
    except OSError as error:
        raise StateError(
            f"{beside} cannot be written: {error.strerror}", remedy="check the folder and the disk"
        ) from error


def _close_log(file: Path) -> None:
    """Fold the write-ahead log into the file, which then stands alone."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _flush_folder(folder: Path) -> None:
    """A rename outlives a power cut once its folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_ready(backup: Path, part: Path) -> None:
    """A copy of the backup with this version's tables and nothing that time has made false."""
    part.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(backup))}?mode=ro", uri=True)) as given,
            closing(sqlite3.connect(part)) as copy,
        ):
            given.backup(copy)
            _refuse_stranger(copy, backup)
    except sqlite3.DatabaseError as error:
        raise _stranger(backup) from error
    engine = open_database(f"sqlite:///{part}")
    try:
        migrate(engine)
        with engine.begin() as connection:
            begin_restoring(connection)
    finally:
        engine.dispose()
    _close_log(part)


def _refuse_stranger(copy: sqlite3.Connection, backup: Path) -> None:
    found = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
    if not found >= {"alembic_version", "meta"}:
        raise _stranger(backup)
    whole = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if not whole or copy.execute("PRAGMA foreign_key_check").fetchone():
        raise StateError(f"{backup} is damaged", remedy="take another backup")


def _stranger(backup: Path) -> StateError:
    return StateError(
        f"{backup} is no backup of crm-sync", remedy="give a file made by crm-sync state backup"
    )


@contextmanager
def _alone(state: Path, *, force: bool) -> Iterator[None]:
    """Hold the present state, if there is one, so that nobody reads or writes it meanwhile.

    A connection in WAL mode holds a shared lock for as long as it is open, and leaving
    that mode needs to be alone (https://www.sqlite.org/wal.html): so an idle service is
    noticed too, in another container as well. Its log goes with the mode: beside the new
    file it would be taken for the new file's.
    """
    if not state.exists():
        _remove_log(state)
        yield
        return
    with closing(sqlite3.connect(state, timeout=1, isolation_level=None)) as present:
        if not force and not _holds_nothing(present, state):
            raise _not_empty()
        try:
            present.execute("PRAGMA journal_mode=DELETE")
            present.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StateInUseError(f"{state} is in use") from error
        except sqlite3.DatabaseError:  # damaged, and to be replaced by force
            _remove_log(state)
        yield


def _remove_log(state: Path) -> None:
    for end in ("-wal", "-shm"):
        state.with_name(state.name + end).unlink(missing_ok=True)


def _holds_nothing(present: sqlite3.Connection, state: Path) -> bool:
    try:
        tables = {name for (name,) in present.execute("SELECT name FROM sqlite_master")}
        if not tables >= set(_LIVED_IN):
            return not tables
        looks = (f"SELECT 1 FROM {name} LIMIT 1" for name in _LIVED_IN)  # noqa: S608  # our names
        return not any(present.execute(look).fetchone() for look in looks)
    except sqlite3.DatabaseError as error:
        raise StateError(
            f"{state} cannot be read", remedy="give --force to put the backup in its place"
        ) from error
