"""The state: every query, every transaction.

``Store.transaction`` is the seam between what is decided and what is kept; under a lease
it begins by renewing that lease, so that a worker which lost it stores nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from sync_engine.store.blank import blank_entity
from sync_engine.store.copying import copy_state
from sync_engine.store.database import (
    StateError,
    alembic_config,
    migrate,
    open_database,
    unusable,
)
from sync_engine.store.entities import DIRTY, POSTPONED, Entities
from sync_engine.store.epoch import (
    Epoch,
    advance,
    begin_restoring,
    decide_under,
    decided_under,
    end_restoring,
    epoch,
    is_restoring,
    keep_out,
    out_before,
)
from sync_engine.store.issues import Issues
from sync_engine.store.layouts import Layouts
from sync_engine.store.links import PLACED, READABLE, Links
from sync_engine.store.listings import Listings
from sync_engine.store.registry import LeaseLostError, LeaseTakenError, Registry
from sync_engine.store.rows import (
    DecisionRow,
    EntityRow,
    HistoryRow,
    InstanceRow,
    IssueRow,
    LinkRow,
    RunRow,
    SentRow,
    SourceRow,
    SyncRow,
)
from sync_engine.store.sole import sole
from sync_engine.store.writes import Writes

LEASE_SECONDS = 90.0  #: longer than a turn and its longest call
ASK_AGAIN = 0.25  #: seconds between two tries to take a lease


@dataclass(frozen=True, slots=True)
class LeaseHold:
    """A lease that this worker has taken."""

    name: str
    fence: int


class Store:
    """One state database."""

    def __init__(
        self,
        engine: Engine,
        now: Callable[[], datetime],
        holder: str,
        is_dead: Callable[[str], bool] = lambda _holder: False,
        wait: Callable[[float], bool] = lambda _seconds: False,
    ) -> None:
        self._engine = engine
        self._reading = engine.execution_options(read_only=True)
        self._now = now
        self._holder = holder
        self._is_dead = is_dead  #: whether a holder is a process of this host that has ended
        self._wait = wait
        self.patience = 0.0  #: seconds to wait for a lease that another worker holds
        self.layouts = Layouts()
        self.links = Links(self.layouts)
        self.listings = Listings(self.layouts)
        self.entities = Entities(self.layouts)
        self.writes = Writes(self.layouts)
        self.issues = Issues(self.layouts)
        self.registry = Registry()

    def open(self, sides: Iterable[Mapping[str, bytes]]) -> None:
        """Know the layouts; make room for what these sides show (field -> how it is read)."""
        with self.transaction() as connection:
            self.layouts.load(connection)
            self.layouts.add(connection, sides)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self, lease: LeaseHold | None = None) -> Iterator[Connection]:
        """Everything in it is kept, or nothing. Raises LeaseLostError before anything is stored."""
        with self._engine.begin() as connection:
            if lease is not None:
                self.registry.renew_lease(
                    connection, lease.name, lease.fence, self._now(), LEASE_SECONDS
                )
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot to read from, beside any writer."""
        with self._reading.begin() as connection:
            yield connection

    @contextmanager
    def sole(self) -> Iterator[None]:
        """Be the only service of this state. Raises StateInUseError where there is another."""
        with sole(self._engine, self._holder):
            yield

    def copy_to(self, target: Engine) -> None:
        """Copy everything, as it is at one moment, into an empty database."""
        copy_state(self._engine, target)

    def truncate_log(self) -> None:
        """Empty SQLite's write-ahead log; nothing to do on PostgreSQL."""
        if self._engine.dialect.name != "sqlite":
            return
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()

    @contextmanager
    def lease(self, name: str) -> Iterator[LeaseHold]:
        """Hold a lease for one turn.

        Raises LeaseTakenError where another worker still has it when patience ends.
        """
        hold = LeaseHold(name, self._take(name))
        try:
            yield hold
        finally:
            with self.transaction() as connection:
                self.registry.drop_lease(connection, name, hold.fence)

    def _take(self, name: str) -> int:
        waited = 0.0
        while True:
            try:
                with self.transaction() as connection:
                    return self.registry.take_lease(
                        connection, name, self._holder, self._now(), LEASE_SECONDS, self._is_dead
                    )
            except LeaseTakenError:
                if waited >= self.patience or not self._wait(ASK_AGAIN):
                    raise
            waited += ASK_AGAIN


__all__ = [
    "DIRTY",
    "PLACED",
    "POSTPONED",
    "READABLE",
    "DecisionRow",
    "EntityRow",
    "Epoch",
    "HistoryRow",
    "InstanceRow",
    "IssueRow",
    "LeaseHold",
    "LeaseLostError",
    "LeaseTakenError",
    "LinkRow",
    "RunRow",
    "SentRow",
    "SourceRow",
    "StateError",
    "Store",
    "SyncRow",
    "advance",
    "alembic_config",
    "begin_restoring",
    "blank_entity",
    "decide_under",
    "decided_under",
    "end_restoring",
    "epoch",
    "is_restoring",
    "keep_out",
    "migrate",
    "open_database",
    "out_before",
    "unusable",
]
