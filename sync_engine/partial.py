"""Sides that hold less than golden does: some parts of an address, values without labels. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sync_engine.converters import PARTS

Values = Mapping[str, Any]


def projected(parts: Collection[str], value: Any) -> dict[str, Any]:
    return {part: (value or {}).get(part) for part in parts}


def whole(parts: Collection[str], seen: Any, references: Sequence[Any]) -> Any:
    """The address a side means that shows only some of its parts."""
    for reference in references:
        if reference is not None and projected(parts, reference) == projected(parts, seen):
            return reference
    if seen is None:
        return None
    golden = references[0] or dict.fromkeys(PARTS)
    return {**golden, **projected(parts, seen)}


def assigned(
    slots: Sequence[str],
    members: Sequence[Any],
    known: Collection[Any],
    base: Values,
    golden: Values,
) -> dict[str, Any]:
    """Which member of a set stands in which slot.

    | members are                       | then                                     |
    |-----------------------------------|------------------------------------------|
    | just golden's                     | they stand as in golden                  |
    | partly those agreed on (base)     | those stay where they were               |
    | partly golden's                   | those stand as in golden                 |
    | new                               | take the first slots that are free       |

    A slot is free whose member has gone, or for which golden has nothing. What is left over
    stands in none: it stays in the set and means nothing elsewhere, also later (``known``).
    """
    if members and set(members) == {golden.get(name) for name in slots} - {None}:
        return {name: golden.get(name) for name in slots}
    found: dict[str, Any] = {}
    for name in slots:
        if base.get(name) in members:
            found[name] = base[name]
    placed = set(found.values())
    for name in slots:
        value = golden.get(name)
        if name not in found and value in members and value not in placed:
            found[name] = value
            placed.add(value)
    fresh = [value for value in members if value not in placed and value not in known]
    free = [
        name
        for name in slots
        if name not in found and (base.get(name) is not None or golden.get(name) is None)
    ]
    found |= dict(zip(free, fresh, strict=False))
    return {name: found.get(name) for name in slots}


def settled(
    slots: Sequence[str],
    members: Sequence[Any],
    base: Values,
    completed: Values,
    agreed: Sequence[Values],
) -> tuple[dict[str, Any], list[Any]]:
    """After a decision: the slots that nothing was agreed on, emptied, and who stands in none.

    ``completed`` is how the members stood when it was decided.
    """
    lost = {n: None for n in slots if not any(base.get(n) == one.get(n) for one in agreed)}
    standing = {completed.get(name) for name in slots} - {base.get(name) for name in lost}
    emptied = {name: None for name in lost if name in base}
    return emptied, [one for one in members if one not in standing]


def exchanged(now: Values, then: Values, base: Values) -> tuple[list[Any], list[Any]]:
    """What joins a set, and what leaves it: only members that were agreed on (``base``) do."""
    held = {value for value in now.values() if value is not None}
    wanted = {value for value in then.values() if value is not None}
    agreed = {base.get(name) for name in now}
    return sorted(wanted - held), sorted((held - wanted) & agreed)
