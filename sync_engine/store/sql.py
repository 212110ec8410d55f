"""What the queries share: batches of parameters, and inserting only what is new."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

MOST_PARAMETERS = 5000  #: of one statement; SQLite allows 32,766, PostgreSQL 65,535


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values, sorted, in lists that one statement can take."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), MOST_PARAMETERS):
        yield ordered[start : start + MOST_PARAMETERS]


def insert_new(connection: Connection, table: Any) -> Any:
    """An insert that leaves rows alone which are there already."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
