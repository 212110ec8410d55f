"""The YAML file as plain values that still know their line.

YAML 1.2; no duplicate keys, no tags, few aliases. ``${VAR}`` is replaced after parsing,
in values only and once; ``$$`` is a dollar sign.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from config.faults import ConfigError, Fault
from config.syntax import parse

DEEPEST = 40
MOST_NODES = 10_000
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")

Location = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed file: its values, where they stand, and which came from the environment."""

    file: str
    root: CommentedMap
    values: dict[str, Any]
    from_environment: frozenset[tuple[str | int, ...]]

    def fault(self, where: Location, what: str, remedy: str = "") -> Fault:
        """A fault at the deepest part of ``where`` that is in the file."""
        line, column = self.root.lc.line, self.root.lc.col
        node: Any = self.root
        for part in where:
            if isinstance(node, CommentedMap) and part in node:
                if part in node.lc.data:  # else it was merged in by <<
                    line, column = node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
            else:
                continue  # a union's tag, or a key that is missing: stay at the parent
            node = node[part]
        return Fault(line + 1, column + 1, what, remedy)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a file: faults refuse it, warnings do not."""

    tree: Tree
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def refuse(self, where: Location, what: str, remedy: str = "") -> None:
        self.faults.append(self.tree.fault(where, what, remedy))

    def warn(self, where: Location, what: str, remedy: str = "") -> None:
        self.warnings.append(self.tree.fault(where, what, remedy))


def read_tree(path: Path, environment: Mapping[str, str]) -> Tree:
    """Parse a configuration file. Raises ConfigError."""
    file = str(path)
    root = parse(path)
    walk = _Walk(file, environment)
    values = walk.plain(root, (), 1, 1)
    if walk.faults:
        raise ConfigError(file, walk.faults)
    return Tree(file, root, values, frozenset(walk.from_environment))


class _Walk:
    """Turns round-trip nodes into plain values and expands variables."""

    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._environment = environment
        self._nodes = 0
        self.faults: list[Fault] = []
        self.from_environment: set[tuple[str | int, ...]] = set()

    def plain(self, node: Any, where: tuple[str | int, ...], line: int, column: int) -> Any:
        self._nodes += 1
        if len(where) > DEEPEST or self._nodes > MOST_NODES:
            raise ConfigError(
                self._file, [Fault(line, column, "is nested too deeply or too large")]
            )
        if getattr(getattr(node, "tag", None), "value", None):
            self.faults.append(Fault(line, column, "tags are not allowed"))
            return None  # what is tagged knows no lines
        if isinstance(node, CommentedMap):
            return self._mapping(node, where, line, column)
        if isinstance(node, CommentedSeq):
            return [
                self.plain(value, (*where, number), *_at(node.lc.item(number)))
                for number, value in enumerate(node)
            ]
        if isinstance(node, str):
            return self._expanded(str(node), where, line, column)
        if isinstance(node, date):
            self.faults.append(Fault(line, column, "a date is read as text", "put it in quotes"))
        elif node is not None and not isinstance(node, bool | int | float):
            self.faults.append(Fault(line, column, "tags are not allowed"))
        return node

    def _mapping(
        self, node: CommentedMap, where: tuple[str | int, ...], line: int, column: int
    ) -> dict[str, Any]:
        found = {}
        for key, value in node.items():
            merged = key not in node.lc.data
            if not isinstance(key, str):
                here = (line, column) if merged else _at(node.lc.key(key))
                self.faults.append(Fault(*here, "a key must be text", "put it in quotes"))
            place = (line, column) if merged else _at(node.lc.value(key))
            found[str(key)] = self.plain(value, (*where, str(key)), *place)
        return found

    def _expanded(self, text: str, where: tuple[str | int, ...], line: int, column: int) -> str:
        if "\0" in text:
            self.faults.append(Fault(line, column, "holds a NUL character"))

        def value_of(found: re.Match[str]) -> str:
            if found[0] == "$$":
                return "$"
            name = found[1]
            if name is None:
                self.faults.append(Fault(line, column, "a variable is written ${NAME}"))
                return ""
            self.from_environment.add(where)
            value = self._environment.get(name, "")
            if not value:
                what = f"the environment variable {name} is not set, or empty"
                self.faults.append(Fault(line, column, what, "set it before the start"))
            elif any("\ud800" <= letter <= "\udfff" for letter in value):
                # what the system could not decode comes as a lone surrogate
                what = f"the environment variable {name} is not UTF-8"
                self.faults.append(Fault(line, column, what, "write it in UTF-8"))
            return value

        return _VARIABLE.sub(value_of, text)


def _at(position: tuple[int, int]) -> tuple[int, int]:
    return position[0] + 1, position[1] + 1
