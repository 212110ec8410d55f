"""Links as their table holds them: fields as arrays under a layout, and back."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy.engine import Row

from sync_engine.models import Kind, Link, LinkState, Owes
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import LinkRow
from sync_engine.values import Held

LINK: Any = Link.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
_COLUMNS = tuple(column.name for column in LINK.c)
# looked up in a dict: an enumeration called with a number takes three times as long
_KINDS = {kind.value: kind for kind in Kind}
_STATES = {state.value: state for state in LinkState}
_OWES = {owes.value: owes for owes in Owes}
#: every column that may change
ALL = tuple(field.name for field in fields(LinkRow) if field.name not in ("id", "was"))


def decoded(names: Layouts, row: Row[Any]) -> LinkRow:
    """A link from its row: arrays become fields."""
    columns = dict(zip(_COLUMNS, row, strict=False))  # some queries add what they join
    layout, seen, base = columns["layout"], columns["seen"], columns["base"]
    shown = None if seen is None else names.decode(layout, seen)
    columns["seen"] = shown
    columns["base"] = dict(shown or {}) if base is None else names.decode(layout, base)
    held, stamps = columns["held"], columns["stamps"]
    columns["held"] = _kept(names, held) if held else {}
    columns["stamps"] = names.by_name(stamps) if stamps else {}
    columns["match_keys"] = numbers(columns["match_keys"])
    columns["alike"] = numbers(columns["alike"])
    columns["kind"], columns["state"] = _KINDS[columns["kind"]], _STATES[columns["state"]]
    columns["owes"], columns["ends"] = _OWES[columns["owes"]], _OWES[columns["ends"]]
    columns["inactive"] = bool(columns["inactive"])
    return LinkRow(**columns, was=(columns["state"], columns["entity_id"]))


def _kept(names: Layouts, held: Mapping[str, Any]) -> dict[str, Held]:
    return {
        names.field_name(int(number)): Held(kept["of"], kept["why"], kept.get("as"))
        for number, kept in held.items()
    }


def encoded(names: Layouts, link: LinkRow, columns: Sequence[str] = ("id", *ALL)) -> dict[str, Any]:
    """Column -> value."""
    columns = tuple(columns)
    row = dict(zip(columns, attributes(columns)(link), strict=True))
    for name in _translated(columns):
        row[name] = _TRANSLATED[name](names, link)
    return row


@lru_cache(maxsize=64)
def attributes(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads these attributes, two or more, of a row."""
    return attrgetter(*names)


@lru_cache(maxsize=64)
def _translated(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if name in _TRANSLATED)


def _seen(names: Layouts, link: LinkRow) -> list[Any] | None:
    return None if link.seen is None else names.encode(_layout(link), link.seen)


def _base(names: Layouts, link: LinkRow) -> list[Any] | None:
    """Null means: equal to ``seen``."""
    if link.seen is not None and link.base == link.seen:
        return None
    return names.encode(_layout(link), link.base) if link.base else []


def _held(names: Layouts, link: LinkRow) -> dict[str, Any] | None:
    return {
        str(names.field_id(name)): {"of": kept.of, "why": kept.why, "as": kept.shown}
        for name, kept in link.held.items()
    } or None


def numbers(packed: bytes | None) -> tuple[int, ...]:
    """Digests from the bytes in which a link's row holds them."""
    return struct.unpack(f">{len(packed) // 8}q", packed) if packed else ()


def _packed(numbers: Sequence[int]) -> bytes | None:
    return struct.pack(f">{len(numbers)}q", *numbers) if numbers else None


def _layout(link: LinkRow) -> int:
    if link.layout is None:
        raise ValueError(f"link {link.id} has values, and no layout to keep them under")
    return link.layout


_TRANSLATED: Mapping[str, Callable[[Layouts, LinkRow], Any]] = {
    "seen": _seen,
    "base": _base,
    "held": _held,
    "match_keys": lambda _names, link: _packed(link.match_keys),
    "alike": lambda _names, link: _packed(link.alike),
    "stamps": lambda names, link: names.by_id(link.stamps) or None,
    "inactive": lambda _names, link: int(link.inactive),
}
