"""Tables that fit a terminal of 80 columns, and the words that values are told in."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sync_engine.operations.shapes import SideRow

_NAMES = ("sync", "kind", "instance", "object")
_HEADINGS = {"possible_duplicates": "look alike"}
#: what a column counts, where its heading does not say so
_MEANINGS = {
    "linked": "linked: known and kept equal, with or without a record in another system",
    "past": "past: converted, merged or deleted there; kept, so that nothing comes back by itself",
    "asked": "asked: nobody can tell whose record it is; a person is asked",
    "possible_duplicates": "look alike: not created, since somebody there looks like them",
    "held": "held: not created or not written, since a value is missing or was refused",
}


def plain_table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        # names of fields are typed again, so that values break before they do
        table.add_column(column, overflow="fold", no_wrap=column == "field")
    return table


def show_sides(console: Console, rows: Sequence[SideRow], title: str = "Per side") -> None:
    """Per side: what it holds and what happened to it; columns that say nothing are left out."""
    numbers = [
        name
        for name in SideRow.model_fields
        if name not in _NAMES and any(getattr(row, name) for row in rows)
    ]
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("side", overflow="fold")
    for name in numbers:
        # a heading stands in two lines before it is cut off; where space is short, sides break
        heading = _HEADINGS.get(name, name.replace("_", " ")).replace(" ", "\n")
        table.add_column(heading, justify="right", no_wrap=True)
    objects = [(row.instance, row.object) for row in rows]
    for row in rows:
        several = objects.count((row.instance, row.object)) > 1
        side = f"{row.instance}/{row.object}" + (f" ({row.kind})" if several else "")
        table.add_row(side, *(str(getattr(row, name) or "") for name in numbers))
    console.print(table)
    for name in numbers:
        if name in _MEANINGS:
            console.print(_MEANINGS[name], style="dim")


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
