"""Tables that fit a terminal of 80 columns, and the words that values are told in."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from sync_engine.operations.shapes import SideRow

_NAMES = ("sync", "kind", "instance", "object")


def plain_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def sides_table(rows: Sequence[SideRow], title: str = "Per system") -> Table:
    """Per side: what it holds and what happened to it; columns that say nothing are left out."""
    table = plain_table(title, "kind", "side")
    numbers = [
        name
        for name in SideRow.model_fields
        if name not in _NAMES and any(getattr(row, name) for row in rows)
    ]
    for name in numbers:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        shown = (str(getattr(row, name) or "") for name in numbers)
        table.add_row(row.kind, f"{row.instance}/{row.object}", *shown)
    return table


def number_of(things: int, name: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{things} {name}" if things == 1 else f"{things} {name}s"


def told(value: Any) -> str:
    """A golden value in words; an address on one line."""
    if value is None:
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part) or "(empty)"
    return str(value)
