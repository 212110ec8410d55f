"""Connectors that answer as they should not, around one that works; and small looks at a world."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from connectors import Outcome, Result, TransientError, Write
from sync_engine.engine import Source
from sync_engine.store import LinkRow
from tests.engine.three import Three


class Fault:
    """Everything works but what a subclass breaks."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Unanswered(Fault):
    """While ``silent``, writes have no answer; they land when they are let go."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.kept: list[tuple[str, Sequence[Write]]] = []
        self.silent = False

    def write(self, name: str, writes: Sequence[Write]) -> Any:
        if not self.silent:
            return self._inner.write(name, writes)
        self.kept.append((name, writes))
        raise TransientError("no answer")

    def land(self) -> None:
        for name, writes in self.kept:
            self._inner.write(name, writes)
        self.kept = []


class Busy(Unanswered):
    """Asks for another try, always."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.asked = 0

    def write(self, name: str, writes: Sequence[Write]) -> list[Outcome]:
        self.asked += len(writes)
        self.kept = [(name, writes)]
        return [Outcome(Result.RETRY, one.id, reason="busy") for one in writes]


class Meddler(Fault):
    """Something happens after a write has landed and before its answer is here."""

    def __init__(self, inner: Any, deed: Any) -> None:
        super().__init__(inner)
        self._deed = deed

    def write(self, name: str, writes: Sequence[Write]) -> Any:
        outcomes = self._inner.write(name, writes)
        self._deed()
        return outcomes


class Failing(Fault):
    """Writing raises this."""

    def __init__(self, inner: Any, error: Exception) -> None:
        super().__init__(inner)
        self._error = error

    def write(self, _name: str, _writes: Sequence[Write]) -> Any:
        raise self._error


def only(rows: Any) -> Any:
    (row,) = rows
    return row


def source(three: Three, name: str) -> Source:
    return next(one for one in three.world.sources if one.name == name)


def links(three: Three, name: str) -> list[LinkRow]:
    """The links to all records of a source, in the order of their ids."""
    one = source(three, name)
    records = set(three.systems[one.instance].objects[one.object].rows)
    with three.store.reading() as connection:
        found = three.store.links.by_record(connection, one.id, records)
    return [found[number] for number in sorted(found)]


@contextmanager
def replaced(three: Three, name: str, fault: type[Any], *more: Any) -> Iterator[Any]:
    """A source with a faulty connector, for as long as it is asked for."""
    one = source(three, name)
    real = one.connector
    one.connector = fault(real, *more)
    try:
        yield one.connector
    finally:
        one.connector = real


def opened(three: Three) -> int:
    """How many writes may or may not have landed."""
    with three.store.reading() as connection:
        counted = connection.exec_driver_sql("select count(*) from sent where result is null")
        return int(counted.scalar_one())


def crowd(three: Three, number: int, letter: str = "P") -> list[str]:
    """That many leads of the first system, none like another."""
    return [
        three.sales.create(
            "Lead", first=letter, last=f"{letter}name{n}", mail=f"{letter}{n}@x.example", firm="F"
        )
        for n in range(number)
    ]
