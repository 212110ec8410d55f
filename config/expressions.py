"""Conditions on a person or company, written in CEL (cel.dev) and checked when they are loaded."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import cel

LONGEST = 500  #: characters; CEL has no limit of cost of its own
#: comprehensions over lists may take for ever when they are nested
_LOOP = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(")


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition over golden fields; a field without a value is null."""

    text: str
    names: frozenset[str]
    _program: Any = field(repr=False, compare=False)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of these values; one that cannot be told of them is false."""
        try:
            return self._program.execute({n: values.get(n) for n in self.names}) is True
        except (TypeError, RuntimeError, ValueError, KeyError):
            return False  # a part of an empty address, a comparison with null


def condition(text: str, known: Collection[str]) -> Condition:
    """Compile a condition over the fields ``known``. Raises ValueError with what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"a condition has at most {LONGEST} characters")
    if loop := _LOOP.search(text):
        raise ValueError(f"uses {loop[1]}, which is not allowed in a condition")
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(f"is no CEL expression: {_first_line(error)}") from error
    names = frozenset(program.variables())
    if unknown := sorted(names - set(known)):
        raise ValueError(
            f"names {', '.join(unknown)}, which is no field; there are {', '.join(sorted(known))}"
        )
    return Condition(text, names, program)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if "Syntax error" in line]
    return (lines or str(error).splitlines())[0].split("<input>:")[-1]
