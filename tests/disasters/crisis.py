"""Three systems in memory, kept equal, before something goes badly wrong in one of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from connectors.testing.memory import Row
from sync_engine.operations import grouped
from sync_engine.service import Service
from tests.engine.three import Three

PEOPLE = 2_000
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru")

Person = tuple[Any, ...]


def surname(n: int) -> str:
    """No two alike, nor such that one could be taken for the other."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{n:06d}").capitalize()


def lead(n: int, **more: Any) -> dict[str, Any]:
    person = {"first": f"{surname(n)[:4]}o", "last": surname(n), "mail": f"p{n}@f{n}.example"}
    return person | {"firm": f"Firm {surname(n)}", "title": f"Head of {surname(n)}"} | more


class Crisis:
    """The world after a first sync and the day in which that may create at will."""

    def __init__(self, people: int = PEOPLE, engine: Engine | None = None) -> None:
        self.three = Three(engine)
        for system in self.three.systems.values():
            system.page_size, system.max_batch = 2_000, 200
        self.three.describe()
        self.numbers = [self.three.sales.create("Lead", **lead(n)) for n in range(people)]
        self.three.settle()
        self.later(hours=25)
        self.three.settle()
        self.before = self.three.written()

    def later(self, **span: float) -> None:
        self.three.clock.time += timedelta(**span)

    def suffer(self, cycles: int = 4, **span: float) -> None:
        """Let the engine work on while the disaster lasts; a day between its cycles if asked."""
        for _ in range(cycles):
            self.later(**span)
            self.three.cycle()

    def assert_nothing_was_written(self) -> None:
        assert self.three.written() == self.before

    @property
    def face(self) -> Service:
        """What commands are given."""
        return self.three.face()

    def told(self) -> str:
        """What an operator reads of what waits."""
        return "\n".join(
            f"{group.count} x {group.what}: {group.meaning}. Remedy: {group.remedy}"
            for group in grouped(self.face)
        )

    def shown(self) -> dict[str, list[Person]]:
        """What each system shows of its people."""
        three = self.three
        crm: Callable[[Row], Person] = lambda row: tuple(  # noqa: E731
            row.values[name] for name in ("first", "last", "mail", "title")
        )
        profile: Callable[[Row], Person] = lambda row: (  # noqa: E731
            row.values["first"],
            row.values["last"],
            next(iter(row.values["mails"] or ()), None),
            row.values["title"],
        )
        return {
            "sales": sorted(map(crm, three.sales.alive("Lead")), key=str),
            "service": sorted(map(crm, three.service.alive("lead")), key=str),
            "profiles": sorted(map(profile, three.profiles.alive("person")), key=str),
        }

    def assert_all_equal(self, people: int = PEOPLE) -> None:
        """The same people everywhere, nothing left to write and nothing left to ask."""
        self.three.settle()
        found = self.shown()
        assert found["sales"] == found["service"] == found["profiles"]
        assert len(found["sales"]) == people
        assert self.three.whats() == []
