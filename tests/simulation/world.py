"""One simulated installation: the real engine and store over systems in memory."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from connectors import Connector, Write
from connectors.testing.memory import Row
from sync_engine.engine import Run, cycle, new_run
from sync_engine.engine.restored import begin
from sync_engine.guard import Limit, Limits
from sync_engine.models import Happened, Kind
from sync_engine.reconcile import Policy
from sync_engine.store import (
    Epoch,
    LeaseLostError,
    LeaseTakenError,
    StateError,
    Store,
    epoch,
    migrate,
    open_database,
)
from tests.engine.three import Three
from tests.simulation.faults import Crash, Faults, SimulatedConnector, SimulatedStore
from tests.simulation.people import OBJECTS, People, kind_of

#: small, as the worlds are: what is improbable among a thousand is so among six
LIMITS = Limits(
    delete=Limit(2, 0.2),
    create=Limit(8, 0.5),
    clear=Limit(4, 0.4),
    same=Limit(8, 0.5),
    convert=Limit(3, 0.3),
    missing=Limit(2, 0.2),
)
LATE_AFTER = 4  #: events after which a late write lands
#: what the daemon takes for a failed run
FAILED = (SQLAlchemyError, LeaseTakenError, LeaseLostError, StateError)


def _template() -> sqlite3.Connection:
    engine = open_database("sqlite://")
    migrate(engine)
    taken = sqlite3.connect(":memory:", check_same_thread=False)
    _driver(engine).backup(taken)
    engine.dispose()
    return taken


def _driver(engine: Engine) -> sqlite3.Connection:
    return cast(sqlite3.Connection, engine.raw_connection().driver_connection)


_TEMPLATE = _template()


def fresh_engine() -> Engine:
    engine = open_database("sqlite://")
    _TEMPLATE.backup(_driver(engine))
    return engine


class Simulated(Three):
    """A world with a memory of all that happens in it."""

    def __init__(
        self, order: Sequence[str], kinds: Collection[Kind], engine: Engine | None = None
    ) -> None:
        self.faults = Faults()
        self.people = People(self)
        self.late: list[tuple[SimulatedConnector, str, list[Write]]] = []
        self.step = 0
        self.situations: Counter[str] = Counter()
        self.writes_seen: list[str] = []  #: what is wrong with what we wrote
        self.snapshot: bytes | None = None
        self.restored_at: int | None = None  #: the step whose state was put back
        self.reached: Epoch | None = None  #: what the witness outside has seen
        self.busy = False  #: a peer works already
        self.check_due = False  #: whether the systems are to be asked what they offer
        self.lost: dict[tuple[str, str], Mapping[str, Any]] = {}  #: object -> its fields before
        self._hash = hashlib.blake2b(digest_size=16)
        self._cursors: dict[int, Any] = {}
        super().__init__(engine or fresh_engine(), order=order, kinds=kinds)
        for system in self.systems.values():
            system.page_size, system.max_batch = 3, 2
        for kind in sorted(self.kinds):
            self._replace(kind, limits=LIMITS)

    def trace(self, *what: Any) -> None:
        self._hash.update(repr(what).encode())

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()

    # the process

    def open_store(self, holder: str) -> Store:
        store = SimulatedStore(self.engine, self.clock.now, holder)
        store.sim = self
        return store

    def connect(self, instance: str) -> Connector:
        return SimulatedConnector(self.systems[instance], self, instance)

    def start_again(self) -> None:
        """A new process: nothing of the old one's memory is left."""
        syncs = self.world.syncs
        armed, self.faults.armed = self.faults.armed, []
        self.open()
        self.faults.armed = armed
        self.world.syncs = syncs
        self._watch()

    def _watch(self) -> None:
        with self.store.reading() as connection:
            own = epoch(connection)
        if self.reached and self.reached.number > own.number:
            begin(self.world, "the witness has seen a later state", self.reached.number)
        self.world.witness = self._witness

    def _witness(self, reached: Epoch) -> None:
        self.reached = reached

    def run(self, *kinds: Kind) -> None:
        """One cycle, whatever becomes of it."""
        self.clock.time += timedelta(minutes=1)
        if self.world.witness is None:
            self._watch()
        try:
            self.world.down.clear()
            self._check()
            run = new_run(self.world, "all")
            cycle(self.world, [self.world.syncs[kind] for kind in kinds or sorted(self.kinds)], run)
            self.trace("ran", sorted(run.counts.items()))
        except Crash:
            self.start_again()
        except FAILED as error:
            self.trace("failed", type(error).__name__)
        self._look_at_cursors()

    def _check(self) -> None:
        if self.check_due:
            self.check_due = False
            for health in self.face().prepare():
                self.trace("health", health.instance, health.why)

    def drift(self, system: str, kind: int) -> None:
        """An administrator takes a field from our sight, or gives it back."""
        place = (system, OBJECTS[system][kind])
        one = self.systems[system].objects[place[1]]
        if place in self.lost:
            one.fields = self.lost.pop(place)
            self.check_due = True
        else:
            self.lost[place] = one.fields
            one.fields = {name: type_ for name, type_ in one.fields.items() if name != "title"}

    def peer(self, *, slow: bool) -> None:
        """A second worker does a whole cycle while the first one waits for an answer."""
        if self.busy:
            return
        self.busy = True
        first, self.store = (self.store, self.world), self.open_store("test:2")
        if slow:  # the first one's lease ends
            self.clock.time += timedelta(minutes=5)
        self.faults.fire("F13")
        syncs, armed = self.world.syncs, self.faults.armed
        self.faults.armed = []
        self.world = self._world()
        self.world.syncs, self.world.witness = syncs, self._witness
        try:
            cycle(self.world, list(syncs.values()), Run(self.ids.row(), "peer", self.clock.now()))
        except FAILED as error:
            self.trace("peer failed", type(error).__name__)
        finally:
            (self.store, self.world), self.busy = first, False
            self.faults.armed = armed

    # what the simulation watches

    def outside_transaction(self) -> None:
        store = self.store
        if isinstance(store, SimulatedStore) and store.depth and not self.busy:
            raise AssertionError("a call inside a transaction (I-32)")

    def note_writes(self, instance: str, object: str, writes: Sequence[Write]) -> None:
        source = self.source(f"{instance}/{object}")
        mapped = set(source.configured.native_fields(["lead", "customer"]))
        for write in writes:
            self.trace("write", instance, object, write.action, write.id, sorted(write.values))
            if beyond := set(write.values) - mapped - set(source.configured.on_create):
                self.writes_seen.append(f"{instance} was written {sorted(beyond)}, unmapped (I-7)")

    def _look_at_cursors(self) -> None:
        with self.store.reading() as connection:
            rows = self.store.registry.sources(connection)
        for row in rows:
            before, now = self._cursors.get(row.id), row.cursor
            listed = row.listed_at is not None and row.listing is None
            if before and now and listed and now["at"] < before["at"]:
                self.writes_seen.append(f"the cursor of source {row.id} went back (I-22)")
            self._cursors[row.id] = now

    def count_situations(self) -> None:
        """How often each line of the decision table was used, from history."""
        with self.store.reading() as connection:
            rows = connection.exec_driver_sql(
                "select rule, count(*) from history where what in (?, ?) group by rule",
                (int(Happened.VALUE), int(Happened.CONFLICT)),
            )
            self.situations.update({str(rule): number for rule, number in rows})

    # what happens to the state, the configuration and the clock

    def take_snapshot(self) -> None:
        self.snapshot = _driver(self.engine).serialize()
        self.snapped_at = self.step

    def restore(self) -> None:
        """Somebody puts an older state back, and starts the service again."""
        if self.snapshot is None:
            return
        self.faults.fire("F15")
        self.restored_at = self.step
        _driver(self.engine).deserialize(self.snapshot)
        _driver(self.engine).execute("PRAGMA foreign_keys=ON")
        self._cursors = {}
        self.late = []
        self.start_again()

    def set_policy(self, field: str, policy: str) -> None:
        for kind in sorted(self.kinds):
            policies = {**self.world.syncs[kind].policies, field: Policy(policy, self.order)}
            self._replace(kind, policies=policies)

    def land(self, *, all_: bool = False) -> None:
        """Late writes reach their systems, long after anybody waited for them."""
        for one in list(self.late):
            if all_ or self.step % LATE_AFTER == 0:
                connector, object, writes = one
                self.late.remove(one)
                super(SimulatedConnector, connector).write(object, writes)

    def heal(self) -> None:
        """Everything works from now on."""
        self.faults.armed = []
        for (where, name), fields in self.lost.items():
            self.systems[where].objects[name].fields = fields
        self.lost, self.check_due = {}, True
        self.land(all_=True)
        for system in self.systems.values():
            system.down, system.lagging, system.expired = False, None, 0
        with self.store.transaction() as connection:
            for name in self.store.registry.syncs(connection):
                self.store.registry.save_sync(connection, name, state="active")
            for row in self.store.registry.instances(connection).values():
                self.store.registry.save_instance(connection, row.id, state="active")

    def let_go(self) -> None:
        """A person reads the reports and releases what waits."""
        face = self.face()
        for sync in self.world.syncs.values():
            face.release(sync.name)

    def live_by_name(self) -> dict[str, dict[str, list[tuple[str, Row]]]]:
        """System -> surname -> the records that people see, with their kind."""
        found: dict[str, dict[str, list[tuple[str, Row]]]] = {}
        for system in self.order:
            for name in dict.fromkeys(OBJECTS[system]):
                for row in self.systems[system].alive(name):
                    by_name = found.setdefault(system, {})
                    told = (kind_of(name, row), row)
                    by_name.setdefault(row.values["last"], []).append(told)
        return found
