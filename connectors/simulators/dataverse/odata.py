"""``$filter`` and ``$orderby`` of the Web API, parsed by a grammar, evaluated on rows.

Source: powerapps-docs, webapi/query/filter-rows. Text compares without case.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError, VisitError

from connectors.simulators.dataverse.columns import is_guid

_GRAMMAR = r"""
?start: either
?either: both ("or" both)*
?both: one ("and" one)*
?one: "not" one -> inverted | "(" either ")" | comparison
comparison: NAME OPERATOR value -> compared
    | FUNCTION "(" NAME "," value ")" -> called
    | IN "PropertyName" "=" ALIAS "," "PropertyValues" "=" ALIAS ")" -> among
value: STRING -> text | GUID -> guid | MOMENT -> moment | NUMBER -> number
    | "true" -> yes | "false" -> no | "null" -> null
IN.4: "Microsoft.Dynamics.CRM.In("
OPERATOR: /(eq|ne|gt|ge|lt|le)\b/
FUNCTION.2: /(contains|startswith|endswith)(?=\()/
ALIAS: /@\w+/
STRING: /'([^']|'')*'/
GUID.3: /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/
MOMENT.2: /\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?/
NUMBER: /-?\d+(\.\d+)?/
NAME: /(?!(and|or|not|true|false|null|eq|ne|gt|ge|lt|le)\b)[A-Za-z_]\w*/
%import common.WS
%ignore WS
"""

Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class FilterError(Exception):
    """A filter that the Web API would refuse."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a filter speaks of: columns as they are read, attributes by their logical name."""

    columns: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)


def parse(text: str, aliases: Mapping[str, str]) -> tuple[Test, Named]:
    """The test, and what it names. Raises FilterError."""
    try:
        tree = _PARSER.parse(text)
    except LarkError as error:
        raise FilterError("Syntax error in the filter") from error
    reading = _Reading(aliases)
    try:
        return reading.transform(tree), reading.named
    except VisitError as error:
        raise FilterError(str(error.orig_exc)) from error


@v_args(inline=True)
class _Reading(Transformer[Any, Any]):
    def __init__(self, aliases: Mapping[str, str]) -> None:
        super().__init__()
        self._aliases = aliases
        self.named = Named()

    def either(self, *tests: Test) -> Test:
        return lambda row: any(test(row) for test in tests)

    def both(self, *tests: Test) -> Test:
        return lambda row: all(test(row) for test in tests)

    def inverted(self, test: Test) -> Test:
        return lambda row: not test(row)

    def compared(self, name: Any, operator: Any, value: Any) -> Test:
        column = self._column(name)
        compare = _OPERATORS[str(operator)]
        return lambda row: compare(_like(row.get(column), value), _folded(value))

    def called(self, function: Any, name: Any, value: Any) -> Test:
        column, wanted = self._column(name), _folded(value)
        work = _FUNCTIONS[str(function)]
        return lambda row: work(str(_folded(row.get(column) or "")), wanted)

    def among(self, _in: Any, name: Any, values: Any) -> Test:
        """A function takes logical names: a lookup's is not wrapped."""
        attribute = self._alias(name).strip("'")
        self.named.attributes.add(attribute)
        try:
            told = json.loads(self._alias(values))
        except ValueError as error:
            raise FilterError("Invalid JSON.") from error
        if attribute.endswith("id") and not all(is_guid(one) for one in told):
            raise FilterError("Unrecognized Guid format.")
        wanted = {str(_folded(value)) for value in told}
        return lambda row: (
            str(_folded(row.get(attribute, row.get(f"_{attribute}_value")))) in wanted
        )

    def text(self, token: Any) -> str:
        return str(token)[1:-1].replace("''", "'")

    def guid(self, token: Any) -> str:
        return str(token).lower()

    def moment(self, token: Any) -> Any:
        text = str(token)
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if "T" in text else text

    def number(self, token: Any) -> float:
        return float(token)

    def yes(self) -> bool:
        return True

    def no(self) -> bool:
        return False

    def null(self) -> None:
        return None

    def _column(self, name: Any) -> str:
        self.named.columns.add(str(name))
        return str(name)

    def _alias(self, name: Any) -> str:
        if str(name) not in self._aliases:
            raise FilterError(f"the parameter {name} is missing")
        return self._aliases[str(name)]


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _like(held: Any, wanted: Any) -> Any:
    if isinstance(wanted, datetime) and isinstance(held, str):
        return datetime.fromisoformat(held.replace("Z", "+00:00")).astimezone(UTC)
    return _folded(held)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda held, wanted: held is not None and wanted is not None and compare(held, wanted)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, wanted: held == wanted,
    "ne": lambda held, wanted: held != wanted,
    "gt": _ordered(lambda held, wanted: held > wanted),
    "ge": _ordered(lambda held, wanted: held >= wanted),
    "lt": _ordered(lambda held, wanted: held < wanted),
    "le": _ordered(lambda held, wanted: held <= wanted),
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda held, part: part in held,
    "startswith": lambda held, part: held.startswith(part),
    "endswith": lambda held, part: held.endswith(part),
}
_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)
