"""A person's name in one field: put together from its parts, and taken apart again. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]

#: words that begin a surname rather than end a first name
_PARTICLES = frozenset(
    {"af", "al", "av", "bin", "d'", "da", "dal", "de", "degli", "dei", "del", "della", "den",
     "der", "des", "di", "do", "dos", "du", "el", "la", "las", "le", "los", "mac", "mc", "of",
     "san", "st", "ten", "ter", "van", "vande", "vander", "vom", "von", "zu", "zum", "zur"}
)  # fmt: skip


def joined(slots: Sequence[str], values: Values) -> str | None:
    """The parts, in order, with a blank between them."""
    return " ".join(str(values[name]) for name in slots if values.get(name)) or None


def parted(slots: Sequence[str], text: str | None, like: Values) -> dict[str, Any]:
    """The parts of a name that stands in one field.

    | the text                         | then                                              |
    |----------------------------------|---------------------------------------------------|
    | is ``like``'s parts put together | they are the parts                                |
    | begins or ends as ``like`` does  | those parts stay, the others are what is left     |
    | anything else                    | last slot: the last word and its particles;       |
    |                                  | first slot: the first word, or all up to the last |
    """
    if text is None:
        return dict.fromkeys(slots)
    if joined(slots, like) == text:
        return {name: like.get(name) for name in slots}
    words = text.split(" ")
    for kept in range(len(slots) - 1, 0, -1):
        end = joined(slots[-kept:], like)
        if end and text.endswith(f" {end}"):
            rest = text.removesuffix(f" {end}")
            return _spread(slots[:-kept], rest.split(" ")) | _as_in(slots[-kept:], like)
        start = joined(slots[:kept], like)
        if start and text.startswith(f"{start} "):
            rest = text.removeprefix(f"{start} ")
            return _as_in(slots[:kept], like) | _spread(slots[kept:], rest.split(" "))
    return _spread(slots, words)


def _as_in(slots: Sequence[str], values: Values) -> dict[str, Any]:
    return {name: values.get(name) for name in slots}


def _spread(slots: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """The last slot first: a name of one word is a surname."""
    if len(slots) == 1:
        return {slots[0]: " ".join(words) or None}
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in _PARTICLES:
        start -= 1
    found = {slots[-1]: " ".join(words[start:]) or None}
    before = list(words[:start])
    for name in slots[:-2]:
        found[name] = before.pop(0) if before else None
    return {**found, slots[-2]: " ".join(before) or None}
