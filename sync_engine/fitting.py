"""What an organization's own schema lets a field hold, and how a value is made to fit. Pure.

Checked before a write: what does not fit, and is not repaired as the mapping chooses, is not
sent at all. A repaired value is that side's normal form (practice 4.10): it is compared as
such and never flows back.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

TRUNCATE, STRIP, REPLACE = "truncate", "strip", "replace"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_BLANKS = re.compile(r" {2,}")
#: type of a native field -> what a value of it looks like, and how that is called
_LOOKS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "email": (_EMAIL, "no e-mail address"),
    "date": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "no date"),
    "number": (re.compile(r"[+-]?[0-9]+(\.[0-9]*)?"), "no number"),
    "datetime": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?"), "no date and time"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What one native field may hold."""

    type: str = "string"
    length: int | None = None  #: units of UTF-16, in which the systems count characters
    forbidden: frozenset[str] = frozenset()  #: characters
    choices: tuple[Any, ...] = ()  #: where only these are allowed
    controller: str = ""  #: a native field whose value tells which choices there are
    dependent: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether anything goes."""
        bound = self.length or self.forbidden or self.choices or self.dependent
        return not bound and self.type not in _LOOKS


def fitted(value: Any, limit: Limit, repair: Collection[str]) -> Any:
    """A native value as the chosen repairs make it; what none of them mends stays as it is."""
    if not isinstance(value, str) or limit.choices:
        return value
    if limit.forbidden & set(value) and (STRIP in repair or REPLACE in repair):
        blank = " " if REPLACE in repair else ""
        mended = "".join(blank if sign in limit.forbidden else sign for sign in value)
        value = _BLANKS.sub(" ", mended).strip() or value  # of signs alone nothing is left
    if limit.length is not None and _units(value) > limit.length and TRUNCATE in repair:
        value = _cut(value, limit.length)
    return value


def misfit(
    value: Any, limit: Limit, beside: Mapping[str, Any] = MappingProxyType({})
) -> str | None:
    """Why a native value does not fit, without the value; None if it does.

    ``beside`` has other native values of the record, as far as they are known.
    """
    if value is None:
        return None
    if limit.dependent and limit.controller in beside:
        told = beside[limit.controller]
        which = str(told).lower() if isinstance(told, bool) else str(told)
        if str(value) not in map(str, limit.dependent.get(which, ())):
            return f"is not among the choices beside that of {limit.controller}"
    if limit.choices:
        known = {str(one) for one in limit.choices}
        return None if str(value) in known else "is not among the choices there"
    if not isinstance(value, str):
        return None
    if limit.length is not None and _units(value) > limit.length:
        return f"is longer than {limit.length} characters"
    if found := sorted(limit.forbidden & set(value)):
        return f"holds what is forbidden there: {' '.join(repr(sign)[1:-1] for sign in found)}"
    looks = _LOOKS.get(limit.type)
    return f"is {looks[1]}" if looks and not looks[0].fullmatch(value) else None


def _units(text: str) -> int:
    return len(text) + (0 if text.isascii() else sum(sign > "\uffff" for sign in text))


def _cut(text: str, length: int) -> str:
    """At the end of a word, if there is one in the second half; never within a character."""
    cut = text[:length]
    while _units(cut) > length:
        cut = cut[:-1]
    if text[len(cut)] not in " \n":
        at = max(cut.rfind(" "), cut.rfind("\n"))
        if at >= length // 2:
            cut = cut[:at]
    while cut and _is_joined(text[len(cut)]):  # a mark belongs to the character before it
        cut = cut[:-1]
    return cut.rstrip(" \n,;-")


def _is_joined(following: str) -> bool:
    return unicodedata.combining(following) != 0 or following == "\u200d"
