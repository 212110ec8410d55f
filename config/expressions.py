"""Conditions and values written in CEL (cel.dev), checked when they are loaded."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import cel

LONGEST = 500  #: characters; CEL has no limit of cost of its own
#: comprehensions over lists may take for ever when they are nested
_LOOP = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")
#: what the language brings by name; operators are told by their signs
_BUILT_IN = frozenset(
    {"bool", "bytes", "contains", "double", "duration", "endsWith", "getDate", "getDayOfMonth",
     "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
     "getMinutes", "getMonth", "getSeconds", "int", "matches", "max", "min", "size",
     "startsWith", "string", "timestamp", "type", "uint", "has"}
)  # fmt: skip


def _substring(text: str, start: int, end: int) -> str:
    return text[max(start, 0) : max(end, 0)]


#: what is added to the language, each to be called as ``text.name(...)``
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "trim": lambda text: text.strip(),
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, at: text.split(at),
    "join": lambda texts, between: between.join(texts),
    "substring": _substring,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression over golden fields; a field without a value is null."""

    text: str
    names: frozenset[str]
    functions: frozenset[str]  #: of ours, that it calls
    _program: Any = field(repr=False, compare=False)

    def value(self, values: Mapping[str, Any]) -> Any:
        """What it comes to. Raises ValueError where that cannot be told of these values."""
        context = cel.Context({name: values.get(name) for name in self.names})
        for name in self.functions:
            context.add_function(name, FUNCTIONS[name])
        try:
            return self._program.execute(context)
        except (TypeError, RuntimeError, ValueError, KeyError, AttributeError) as error:
            # a part of an empty address, a comparison with null
            raise ValueError(f"{self.text} cannot be told") from error

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of these values; one that cannot be told of them is false."""
        try:
            return self.value(values) is True
        except ValueError:
            return False


def expression(text: str, known: Collection[str]) -> Expression:
    """Compile an expression over the fields ``known``. Raises ValueError with what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters")
    if loop := _LOOP.search(text):
        raise ValueError(f"uses {loop[1]}, which is not allowed in an expression")
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(f"is no CEL expression: {_first_line(error)}") from error
    names = frozenset(program.variables())
    if unknown := sorted(names - set(known)):
        raise ValueError(
            f"names {', '.join(unknown)}, which is no field; there are {', '.join(sorted(known))}"
        )
    called = frozenset(name for name in program.functions() if name.isalpha())
    if strange := sorted(called - _BUILT_IN - FUNCTIONS.keys()):
        raise ValueError(
            f"calls {', '.join(strange)}, which is no function; beside those of CEL there are "
            f"{', '.join(sorted(FUNCTIONS))}"
        )
    return Expression(text, names, called & FUNCTIONS.keys(), program)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if "Syntax error" in line]
    return (lines or str(error).splitlines())[0].split("<input>:")[-1]
