"""SOQL, as far as a synchronising client asks it: parsed by a grammar, evaluated on rows.

Source: SOQL and SOSL Reference, "SOQL SELECT Syntax".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError

_GRAMMAR = r"""
start: "SELECT"i selected "FROM"i NAME where? order? limit? offset?
selected: COUNT -> count | path ("," path)* -> fields
path: NAME ("." NAME)*
where: "WHERE"i either
?either: both ("OR"i both)*
?both: negated ("AND"i negated)*
?negated: "NOT"i negated -> inverted | "(" either ")" | comparison
comparison: path OPERATOR value -> compared
    | path "NOT"i "IN"i "(" value ("," value)* ")" -> among_not
    | path "IN"i "(" value ("," value)* ")" -> among
value: STRING -> text | MOMENT -> moment | DATE -> date | NUMBER -> number
    | "TRUE"i -> yes | "FALSE"i -> no | "NULL"i -> null
order: "ORDER"i "BY"i term ("," term)*
term: path DIRECTION? NULLS?
limit: "LIMIT"i INT
offset: "OFFSET"i INT
COUNT.3: /COUNT\(\s*\)/i
OPERATOR: "!=" | "<>" | "<=" | ">=" | "=" | "<" | ">" | /LIKE\b/i
DIRECTION: /ASC\b/i | /DESC\b/i
NULLS: /NULLS\s+(FIRST|LAST)\b/i
STRING: /'(\\.|[^'\\])*'/
MOMENT.2: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/
DATE.1: /\d{4}-\d\d-\d\d/
NUMBER: /-?\d+(\.\d+)?/
NAME: /(?!(SELECT|FROM|WHERE|AND|OR|NOT|IN|ORDER|LIMIT|OFFSET|LIKE|NULL|TRUE|FALSE)\b)[A-Za-z_]\w*/i
%import common.INT
%import common.WS
%ignore WS
"""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class SoqlError(Exception):
    """A query that Salesforce would refuse as MALFORMED_QUERY."""


@dataclass(frozen=True, slots=True)
class Query:
    fields: tuple[str, ...]  #: dotted paths; empty for COUNT()
    object: str
    where: Test
    named: frozenset[str]  #: every path that the query names
    filters: tuple[tuple[str, Any], ...]  #: path and literal of every comparison
    order: tuple[tuple[str, bool, bool], ...]  #: path, descending, nulls last
    limit: int | None
    offset: int


def parse(text: str) -> Query:
    """Raises SoqlError."""
    try:
        tree = _PARSER.parse(text)
    except LarkError as error:
        line, column = getattr(error, "line", 1), getattr(error, "column", 1)
        raise SoqlError(f"unexpected token\nERROR at Row:{line}:Column:{column}") from error
    reading = _Reading()
    query: Query = reading.transform(tree)
    return query


def value_at(row: Row, path: str) -> Any:
    """A field, or a field of a related record that the row carries."""
    value: Any = row
    for part in path.lower().split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def in_order(rows: list[Any], order: tuple[tuple[str, bool, bool], ...]) -> list[Any]:
    """Text without case; nulls first unless the term says otherwise."""
    for path, descending, nulls_last in reversed(order):
        empty = [row for row in rows if value_at(row, path) is None]
        filled = [row for row in rows if value_at(row, path) is not None]
        filled.sort(key=partial(_place, path), reverse=descending)
        rows = filled + empty if nulls_last else empty + filled
    return rows


def _place(path: str, row: Row) -> Any:
    return _folded(value_at(row, path))


@v_args(inline=True)
class _Reading(Transformer[Any, Any]):
    def __init__(self) -> None:
        super().__init__()
        self._named: set[str] = set()
        self._filters: list[tuple[str, Any]] = []

    def start(self, fields: Any, name: Any, *rest: Any) -> Query:
        given = dict(rest)
        return Query(
            fields=fields,
            object=str(name),
            where=given.get("where", lambda _row: True),
            named=frozenset(self._named | set(fields)),
            filters=tuple(self._filters),
            order=given.get("order", ()),
            limit=given.get("limit"),
            offset=given.get("offset", 0),
        )

    def count(self, _token: Any) -> tuple[str, ...]:
        return ()

    def fields(self, *paths: str) -> tuple[str, ...]:
        return paths

    def path(self, *names: Any) -> str:
        found = ".".join(str(name) for name in names)
        self._named.add(found)
        return found

    def where(self, test: Test) -> tuple[str, Test]:
        return "where", test

    def order(self, *terms: tuple[str, bool, bool]) -> tuple[str, tuple[Any, ...]]:
        return "order", terms

    def term(self, path: str, *how: Any) -> tuple[str, bool, bool]:
        words = " ".join(str(one).upper() for one in how).split()
        return path, "DESC" in words, "LAST" in words

    def limit(self, number: Any) -> tuple[str, int]:
        return "limit", int(number)

    def offset(self, number: Any) -> tuple[str, int]:
        return "offset", int(number)

    def either(self, *tests: Test) -> Test:
        return lambda row: any(test(row) for test in tests)

    def both(self, *tests: Test) -> Test:
        return lambda row: all(test(row) for test in tests)

    def inverted(self, test: Test) -> Test:
        return lambda row: not test(row)

    def compared(self, path: str, operator: Any, value: Any) -> Test:
        self._filters.append((path, value))
        compare = _OPERATORS[str(operator).upper()]
        return lambda row: compare(_comparable(value_at(row, path), value), _folded(value))

    def among(self, path: str, *values: Any) -> Test:
        self._filters += [(path, value) for value in values]
        wanted = {_folded(value) for value in values}
        return lambda row: _comparable(value_at(row, path), values[0]) in wanted

    def among_not(self, path: str, *values: Any) -> Test:
        inside = self.among(path, *values)
        return lambda row: not inside(row)

    def text(self, token: Any) -> str:
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), str(token)[1:-1])

    def moment(self, token: Any) -> datetime:
        return datetime.fromisoformat(str(token).replace("Z", "+00:00")).astimezone(UTC)

    def date(self, token: Any) -> date:
        return date.fromisoformat(str(token))

    def number(self, token: Any) -> float:
        return float(token)

    def yes(self) -> bool:
        return True

    def no(self) -> bool:
        return False

    def null(self) -> None:
        return None


def _folded(value: Any) -> Any:
    """Text compares without regard to case."""
    return value.casefold() if isinstance(value, str) else value


def _comparable(held: Any, wanted: Any) -> Any:
    if isinstance(wanted, datetime) and isinstance(held, str):
        return datetime.fromisoformat(held).astimezone(UTC)
    if isinstance(wanted, date) and isinstance(held, str):
        return date.fromisoformat(held)
    return _folded(held)


def _like(held: Any, pattern: Any) -> bool:
    if held is None or not isinstance(pattern, str):
        return False
    expression = re.escape(pattern).replace("%", ".*").replace("_", ".")
    return re.fullmatch(expression, str(held), re.DOTALL) is not None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda held, wanted: held is not None and wanted is not None and compare(held, wanted)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, wanted: held == wanted,
    "!=": lambda held, wanted: held != wanted,
    "<>": lambda held, wanted: held != wanted,
    "<": _ordered(lambda held, wanted: held < wanted),
    "<=": _ordered(lambda held, wanted: held <= wanted),
    ">": _ordered(lambda held, wanted: held > wanted),
    ">=": _ordered(lambda held, wanted: held >= wanted),
    "LIKE": _like,
}
_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)
