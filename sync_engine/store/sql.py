"""What the queries share: batches of parameters, and writing many rows at once."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ARRAY, Text, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect

MOST_VALUES = 5000  #: that one statement looks for
_GIVEN = "given"  #: the parameter that holds all values looked for
_ID = "_id"  #: the parameter that finds a row, beside the column it may set

Rows = Sequence[Mapping[str, Any]]


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values, sorted, in lists for one statement each."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), MOST_VALUES):
        yield ordered[start : start + MOST_VALUES]


def among(connection: Connection, column: Any, values: Sequence[Any]) -> Any:
    """Whether the column holds one of the values: one parameter, so one statement's text.

    SQLAlchemy would write out a parameter for each, which costs more than finding the rows.
    """
    return _member(connection.dialect.name, column, None, _parameter(connection, column, values))


@lru_cache(maxsize=64)
def finding(dialect: str, column: Any, *more: Any) -> Any:
    """Rows of the column's table, by id, with one of the values that ``given`` hands over.

    Put together once: SQLAlchemy takes longer over that than SQLite over finding a few rows.
    """
    table = column.table
    wanted = _member(dialect, column, _GIVEN, None)
    return select(table).where(wanted, *more).order_by(table.c.id).with_for_update()


def given(connection: Connection, column: Any, values: Sequence[Any]) -> dict[str, Any]:
    """The parameter of ``finding``."""
    return {_GIVEN: _parameter(connection, column, values)}


def _member(dialect: str, column: Any, name: str | None, values: Any) -> Any:
    if dialect == "postgresql":
        return column == any_(bindparam(name, values, type_=ARRAY(column.type)))
    each = func.json_each(bindparam(name, values, type_=Text())).table_valued("value")
    return column.in_(select(each.c.value))


def _parameter(connection: Connection, column: Any, values: Sequence[Any]) -> Any:
    dialect = connection.dialect
    if dialect.name == "postgresql":
        return values
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    plain = values if process is None else [process(value) for value in values]
    return orjson.dumps(plain).decode()


def insert_new(connection: Connection, table: Any) -> Any:
    """An insert that leaves rows alone which are there already."""
    return new_row(connection.dialect.name, table).on_conflict_do_nothing()


def insert_many(connection: Connection, table: Any, rows: Rows, *, new: bool = False) -> None:
    """Insert rows of the same columns; with ``new`` those that are there already stay."""
    if rows:
        _prepared(connection.dialect, table, tuple(rows[0]), "new" if new else "all").run(
            connection, rows
        )


def update_many(connection: Connection, table: Any, rows: Rows) -> None:
    """Set the columns that the rows name beside their ``id``."""
    if rows:
        _prepared(connection.dialect, table, tuple(rows[0]), "update").run(connection, rows)


def delete_many(connection: Connection, table: Any, rows: Rows) -> None:
    """Delete the rows that are like these in all the columns they name."""
    if rows:
        _prepared(connection.dialect, table, tuple(rows[0]), "delete").run(connection, rows)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as the driver takes it.

    SQLAlchemy spends more on the parameters of each row than SQLite on storing it: here its
    types' own processors are looked up once, and not asked what becomes of None.
    """

    text: str
    places: tuple[str, ...]  #: the parameters by name, where the driver takes no tuples
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]  #: of a row, in the parameters' order
    processed: tuple[tuple[int, Callable[[Any], Any]], ...]  #: those that the driver cannot take

    def run(self, connection: Connection, rows: Rows) -> None:
        connection.exec_driver_sql(self.text, [self._bound(row) for row in rows])

    def _bound(self, row: Mapping[str, Any]) -> Any:
        values = self.values(row)
        if self.processed:
            given = list(values)
            for place, process in self.processed:
                if given[place] is not None:
                    given[place] = process(given[place])
            values = tuple(given)
        return dict(zip(self.places, values, strict=True)) if self.places else values


@lru_cache(maxsize=256)
def _prepared(dialect: Dialect, table: Any, names: tuple[str, ...], how: str) -> _Prepared:
    statement: Any
    keys: list[str] | None
    if how == "update":
        values: dict[str, Any] = {name: bindparam(name) for name in names if name != "id"}
        statement = update(table).where(table.c.id == bindparam(_ID)).values(values)
        keys = list(values)
    elif how == "delete":
        statement = delete(table).where(*(table.c[name] == bindparam(name) for name in names))
        keys = None
    else:
        statement = new_row(dialect.name, table)
        if how == "new":
            statement = statement.on_conflict_do_nothing()
        keys = list(names)
    compiled: Any = statement.compile(dialect=dialect, column_keys=keys)
    places = tuple(compiled.positiontup or compiled.binds)
    types = (compiled.binds[place].type.dialect_impl(dialect) for place in places)
    processors = [(n, type_.bind_processor(dialect)) for n, type_ in enumerate(types)]
    return _Prepared(
        str(compiled),
        () if compiled.positiontup else places,
        _values(["id" if place == _ID else place for place in places]),
        tuple((n, process) for n, process in processors if process is not None),
    )


def _values(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) == 1:  # itemgetter gives one item bare
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def new_row(dialect: str, table: Any) -> Any:
    """An insert that can say what becomes of a row that is there already."""
    family: Any = postgresql if dialect == "postgresql" else sqlite
    return family.insert(table)
