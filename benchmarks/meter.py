"""What a stretch of work costs this process, the database and the systems."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Self

from sqlalchemy import Engine, event

BESIDE = ("BEGIN", "PRAGMA")  #: no work of ours


@dataclass(slots=True)
class Cost:
    """Of one stretch of work, for ``records`` records."""

    records: int
    cpu: float = 0.0  #: seconds, user and system, of this process
    wall: float = 0.0
    rss: float = 0.0  #: the most this process has held, MiB
    statements: int = 0
    calls: int = 0  #: API calls, counted by the systems
    state: float = 0.0  #: bytes of the database per link; 0 where it was not looked at
    stages: dict[str, float] = field(default_factory=dict)  #: CPU seconds of each

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def told(self) -> str:
        return json.dumps(asdict(self))


@contextmanager
def measured(cost: Cost, calls: Callable[[], int]) -> Iterator[None]:
    """Add what is done in here to ``cost``; ``calls`` tells how many a system has counted."""
    said = 0

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        nonlocal said
        said += not statement.startswith(BESIDE)

    event.listen(Engine, "before_cursor_execute", heard)
    before = calls()
    begun, cpu = time.perf_counter(), cpu_seconds()
    try:
        yield
    finally:
        cost.cpu += cpu_seconds() - cpu
        cost.wall += time.perf_counter() - begun
        event.remove(Engine, "before_cursor_execute", heard)
        cost.calls += calls() - before
        cost.statements += said
        cost.rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
