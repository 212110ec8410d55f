"""Refuses improbable mass changes before the first risky write (practice 8.1). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limit:
    """More than both ``count`` and ``share`` of the links is improbable."""

    count: int
    share: float

    def most(self, links: int) -> int:
        return max(self.count, int(self.share * links))

    def allows(self, planned: int, links: int) -> bool:
        return planned <= self.most(links)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits by class of risk."""

    delete: Limit = Limit(10, 0.02)
    create: Limit = Limit(50, 0.10)
    clear: Limit = Limit(20, 0.05)  #: of one field
    same: Limit = Limit(20, 0.05)  #: one field set to one same value
    owner: Limit = Limit(20, 0.05)  #: records given to another owner
    convert: Limit = Limit(10, 0.02)
    missing: Limit = Limit(10, 0.02)  #: records that a full listing does not show
    emptied: Limit = Limit(0, 0.5)  #: the same, where a side has few: half of it is too much
    remapped: Limit = Limit(20, 0.05)  #: of a page: one field means another value than before

    def of(self, risk: str) -> Limit:
        limit: Limit = getattr(self, risk)
        return limit


@dataclass(frozen=True, slots=True)
class Load:
    """What one source's push would do, with what it did in the last 24 hours."""

    links: int
    #: class, ``clear:field`` or ``same:field:hash of the value`` -> links
    planned: Mapping[str, int] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)
    #: let go by a person, once; of ``same`` as it was shown, without the value
    released: Mapping[str, int] = field(default_factory=dict)
    first: bool = False  #: a first sync creates and fills what it must; its report was released


def stopped(load: Load, limits: Limits) -> dict[str, int]:
    """What a person is shown -> planned number, for each class that must wait for a person."""
    found: dict[str, int] = {}
    for name, planned in load.planned.items():
        risk, shown = class_of(name), as_shown(name)
        if load.first and risk in ("create", "same"):
            continue
        if planned <= load.released.get(shown, 0):
            continue
        if planned and not limits.of(risk).allows(planned + load.done.get(name, 0), load.links):
            found[shown] = max(planned, found.get(shown, 0))
    return found


def class_of(name: str) -> str:
    """A class without the field that it is about."""
    return name.split(":", 1)[0]


def as_shown(name: str) -> str:
    """A class without the value that counts in it."""
    return ":".join(name.split(":")[:2])


def may_lack(limits: Limits, missing: int, known: int) -> bool:
    """Whether a full listing may lack so many of the records that are known there."""
    return limits.missing.allows(missing, known) and limits.emptied.allows(missing, known)
