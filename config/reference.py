"""Writes the tables of fields in the README: ``python -m config.reference``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from config.catalogue import CATALOGUE
from connectors import registry

PATH = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- python -m config.reference writes from here -->", "<!-- to here -->"


def renewed(readme: str) -> str:
    """The README with its tables as catalogue and connectors have them now."""
    between = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    return between.sub(lambda _: f"{_BEGIN}\n\n{_text()}\n{_END}", readme)


def _text() -> str:
    names = sorted({name for fields in CATALOGUE.values() for name in fields})
    parts = ["### Golden fields\n\n" + _golden(names)]
    for connector in registry.names():
        mappings = registry.load(connector).Mappings
        parts.append(f"### Shipped mappings of `{connector}`\n\n" + _mapped(names, mappings))
    return "\n".join(parts)


def _golden(names: Sequence[str]) -> str:
    forms = {name: form for fields in CATALOGUE.values() for name, form in fields.items()}
    rows = (
        [
            f"`{name}`",
            forms[name],
            *("yes" if name in CATALOGUE[kind] else "" for kind in CATALOGUE),
        ]
        for name in names
    )
    return _table(["golden field", "form", *CATALOGUE], rows)


def _mapped(names: Sequence[str], mappings: Mapping[str, Mapping[str, Any]]) -> str:
    objects = list(mappings)
    rows = [
        [f"`{name}`", *(_native(mappings[one], name) for one in objects)]
        for name in names
        if any(name in mappings[one]["fields"] for one in objects)
    ]
    return _table(["golden field", *(f"`{one}`" for one in objects)], rows)


def _native(mapping: Mapping[str, Any], name: str) -> str:
    entry = mapping["fields"].get(name, "")
    if isinstance(entry, str):
        shown = entry
    elif "parts" in entry:
        shown = ", ".join(entry["parts"].values())
    else:
        shown = entry.get("field") or f"a member of {entry['member_of']}"
        shown += " (value map)" if "values" in entry else ""
    return shown + (" (required)" if name in mapping.get("required", ()) else "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PATH.write_text(renewed(PATH.read_text()))
