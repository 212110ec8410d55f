"""Copies a whole state: for plans, which must change nothing, and for backups."""

import sqlite3
from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Engine, ForeignKeyConstraint, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.schema import AddConstraint, DropConstraint

from sync_engine.models import Table
from sync_engine.store.database import migrate

ROWS = 5000  #: of one statement


def copy_state(source: Engine, target: Engine) -> None:
    """Make ``target``, which is empty, hold what ``source`` held at one moment.

    Works while others write to the source.
    """
    if source.dialect.name == target.dialect.name == "sqlite":
        _copy_file(source, target)
        return
    migrate(target)
    snapshot = source.execution_options(read_only=True)
    if source.dialect.name == "postgresql":
        snapshot = snapshot.execution_options(isolation_level="REPEATABLE READ")
    with snapshot.begin() as reading, target.begin() as writing:
        copy_rows(reading, writing)


def copy_rows(reading: Connection, writing: Connection) -> None:
    """Every row into tables that are empty, all in the caller's transactions."""
    loose = list(_self_references())
    for key in loose:
        _relax(writing, key)
    for table in Table.metadata.sorted_tables:
        rows = reading.execution_options(yield_per=ROWS).execute(select(table))
        for part in rows.mappings().partitions(ROWS):
            writing.execute(table.insert(), [dict(row) for row in part])
    for key in loose:
        _tighten(writing, key)
    if writing.dialect.name == "postgresql":
        _advance_sequences(writing)


def _copy_file(source: Engine, target: Engine) -> None:
    one, other = source.raw_connection(), target.raw_connection()
    try:
        from_file = cast(sqlite3.Connection, one.driver_connection)
        from_file.backup(cast(sqlite3.Connection, other.driver_connection))
    finally:
        other.close()
        one.close()


def _self_references() -> Iterable[ForeignKeyConstraint]:
    """Keys by which a row may point to a later row of its own table."""
    for table in Table.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.referred_table is table:
                yield key


def _relax(connection: Connection, key: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    else:
        connection.execute(DropConstraint(key))


def _tighten(connection: Connection, key: Any) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(AddConstraint(key))


def _advance_sequences(connection: Connection) -> None:
    """PostgreSQL does not count numbers that were given to it: the next one would be taken."""
    for table in Table.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        if connection.scalar(select(sequence)) is not None:
            highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(sequence, highest, False)))
