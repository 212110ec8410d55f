"""Lets instances work side by side: one that hangs, or has much to tell, delays no other.

Calls to different instances overlap. All else is done by one thread at a time, the one that
has the baton: it hands it on while it waits for an answer. No call is made inside a
transaction, so neither the state nor what a world keeps in memory ever meets two threads;
what comes in between is what another worker's turn brings as well.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context

from connectors import TransientError
from sync_engine.engine.world import Step

#: waits for turns to end, so many seconds at most
Until = Callable[[Collection[Future[None]], float | None], object]


class Turns:
    """The turns of one service's instances; each has at most one."""

    def __init__(self, instances: Collection[str], until: Until = wait) -> None:
        self._until = until
        #: seconds before work goes on without those that are still at it; None: they are waited for
        self.patience: float | None = None
        self._pool = ThreadPoolExecutor(max(1, len(instances)), "turn")
        self._busy: dict[str, Future[None]] = {}
        self._calling = {name: threading.Lock() for name in instances}
        self._baton = threading.Lock()
        self._mine = threading.local()
        self._is_closed = False

    def __call__(self, steps: Sequence[Step]) -> Collection[str]:
        """Do these steps, those of one instance in their order; who is still at it.

        Whoever is at an earlier turn is left alone. Raises what a turn raised that has ended.
        """
        self._collect()
        turns: dict[str, list[Callable[[], None]]] = {}
        for instance, step in steps:
            if instance not in self._busy:
                turns.setdefault(instance, []).append(step)
        for instance, turn in turns.items():
            self._busy[instance] = self._pool.submit(copy_context().run, self._take, turn)
        with self.handed_on():
            self._until([self._busy[instance] for instance in turns], self.patience)
        self._collect()
        return sorted(self._busy)

    @property
    def under_way(self) -> Collection[Future[None]]:
        return list(self._busy.values())

    def _collect(self) -> None:
        ended = [name for name, turn in self._busy.items() if turn.done()]
        for turn in [self._busy.pop(name) for name in ended]:
            turn.result()

    def _take(self, turn: Sequence[Callable[[], None]]) -> None:
        with self.held():
            for step in turn:
                step()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work with state and world, while nobody else does."""
        with self._baton:
            self._mine.has_it = True
            try:
                yield
            finally:
                self._mine.has_it = False

    @contextmanager
    def handed_on(self) -> Iterator[None]:
        """Wait, while others may work."""
        if not getattr(self._mine, "has_it", False):
            yield
            return
        self._mine.has_it = False
        self._baton.release()
        try:
            yield
        finally:
            self._baton.acquire()
            self._mine.has_it = True

    def waiting(self, wait: Callable[[float], bool]) -> Callable[[float], bool]:
        """The same wait, while others may work."""

        def wait_aside(seconds: float) -> bool:
            with self.handed_on():
                return wait(seconds)

        return wait_aside

    @contextmanager
    def call(self, instance: str) -> Iterator[None]:
        """Around one call. Raises TransientError where an earlier one has no answer yet."""
        calling = self._calling[instance]
        if self._is_closed or not calling.acquire(blocking=False):
            raise TransientError(f"{instance} has not answered an earlier call yet")
        try:
            with self.handed_on():
                yield
        finally:
            calling.release()

    def close(self) -> None:
        """No further call is made; whoever waits for an answer ends with it."""
        self._is_closed = True
        self._pool.shutdown(wait=False)
