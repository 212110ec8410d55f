"""Reads the YAML file into plain values that still know their line.

YAML 1.2; no duplicate keys, no tags, few aliases. ``${VAR}`` is replaced after parsing,
in values only and once; ``$$`` is a dollar sign.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

LARGEST = 1024 * 1024  #: bytes of a configuration file
DEEPEST = 40
MOST_NODES = 10_000
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")

Location = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the file."""

    line: int
    column: int
    what: str
    remedy: str = ""

    def text(self, file: str) -> str:
        end = f"; {self.remedy}" if self.remedy else ""
        return f"{file}:{self.line}:{self.column}: {self.what}{end}"


class ConfigError(Exception):
    """The configuration cannot be used; ``faults`` say where and why."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(fault.text(file) for fault in faults))
        self.file, self.faults = file, tuple(faults)


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
                line, column = node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
            else:
                continue  # a union's tag, or a key that is missing: stay at the parent
            node = node[part]
        return Fault(line + 1, column + 1, what, remedy)


def read_tree(path: Path, environment: Mapping[str, str]) -> Tree:
    """Parse a configuration file. Raises ConfigError."""
    file = str(path)
    root = _parse(file, _text(path))
    if not isinstance(root, CommentedMap):
        raise ConfigError(file, [Fault(1, 1, "the file configures nothing", "run crm-sync check")])
    walk = _Walk(file, environment)
    values = walk.plain(root, (), 1, 1)
    if walk.faults:
        raise ConfigError(file, walk.faults)
    return Tree(file, root, values, frozenset(walk.from_environment))


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ConfigError(str(path), [Fault(1, 1, "there is no such file", _WHERE)])
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [Fault(1, 1, f"cannot be read: {error.strerror}")]) from error
    if len(raw) > LARGEST:
        raise ConfigError(str(path), [Fault(1, 1, f"is larger than {LARGEST} bytes")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [Fault(1, 1, "is not UTF-8", "save it as UTF-8")]) from error
    if "\0" in text:
        raise ConfigError(str(path), [Fault(1, 1, "holds a NUL character")])
    return text


_WHERE = (
    "name one with --config or CRM_SYNC_CONFIG, "
    "or put it at ./crm-sync.yaml or /etc/crm-sync/crm-sync.yaml"
)


def _parse(file: str, text: str) -> Any:
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = (error.problem or error.context or "cannot be parsed").strip()
        raise ConfigError(file, [Fault(line, column, what)]) from error
    except YAMLError as error:
        raise ConfigError(file, [Fault(1, 1, "is no single YAML document")]) from error
    except RecursionError as error:
        raise ConfigError(file, [Fault(1, 1, "is nested too deeply")]) from error


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
        if getattr(node, "tag", None) is not None and getattr(node.tag, "value", None):
            self.faults.append(Fault(line, column, "tags are not allowed"))
        if isinstance(node, CommentedMap):
            return {
                str(key): self.plain(value, (*where, str(key)), *_at(node.lc.value(key)))
                for key, value in node.items()
            }
        if isinstance(node, CommentedSeq):
            return [
                self.plain(value, (*where, number), *_at(node.lc.item(number)))
                for number, value in enumerate(node)
            ]
        return self._expanded(str(node), where, line, column) if isinstance(node, str) else node

    def _expanded(self, text: str, where: tuple[str | int, ...], line: int, column: int) -> str:
        def value_of(found: re.Match[str]) -> str:
            if found[0] == "$$":
                return "$"
            name = found[1]
            if name is None:
                self.faults.append(Fault(line, column, "a variable is written ${NAME}"))
                return ""
            self.from_environment.add(where)
            if not self._environment.get(name):
                what = f"the environment variable {name} is not set"
                self.faults.append(Fault(line, column, what, "set it before the start"))
            return self._environment.get(name, "")

        return _VARIABLE.sub(value_of, text)


def _at(position: tuple[int, int]) -> tuple[int, int]:
    return position[0] + 1, position[1] + 1
