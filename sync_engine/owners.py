"""Who records belong to, in words that mean the same in every system (practice 4.5). Pure.

A user is its e-mail address, a queue ``queue:NAME``, a team ``team:NAME``; capitals do not count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

FORM = "owner"  #: of the golden field


class Known(NamedTuple):
    """Somebody whom a record can belong to."""

    id: str
    word: str
    active: bool
    is_us: bool  #: our own user, which owns what nobody else was given


@dataclass(frozen=True, slots=True)
class Directory:
    """Who there is on one object of one system."""

    words: Mapping[str, str] = field(default_factory=dict)  #: native id -> word, active or not
    #: word -> native id of whom records can be given to; none whose word several have
    ids: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()  #: native ids of our own user

    @classmethod
    def of(cls, known: Iterable[Known]) -> "Directory":
        everybody = [one._replace(word=word_of(one.word)) for one in known]
        active = [one for one in everybody if one.active]
        times = Counter(one.word for one in active)
        return cls(
            {one.id: one.word for one in everybody},
            {one.word: one.id for one in active if times[one.word] == 1},
            frozenset(one.id for one in everybody if one.is_us),
        )


def word_of(text: object) -> str:
    """The form in which words are compared."""
    return str(text).strip().casefold()
