"""One simulated installation: organizations, a state database, and processes of the real engine.

A worker is a process: it builds its world anew, as a start does, and a killed one is never
used again. Time moves only here; what lands late lands when its time has come.
"""

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config import Config
from config.catalogue import CATALOGUE, CONSENT
from connectors import ConnectorError, Write
from sync_engine.engine import Run, Source, Sync, World, new_run
from sync_engine.engine.restored import begin
from sync_engine.guard import Limit, Limits
from sync_engine.ids import Ids
from sync_engine.mapping import Mapping
from sync_engine.models import Kind
from sync_engine.parsing import parse
from sync_engine.reconcile import Policy
from sync_engine.service import Service, SystemClock, Turns
from sync_engine.store import Epoch, LeaseLostError, LeaseTakenError, StateError, epoch
from tests.engine.three import VirtualClock
from tests.simulation.connecting import Crash, Line, SimulatedConnector
from tests.simulation.events import Event, Fault, Setup
from tests.simulation.faults import Faults
from tests.simulation.stores import HookedStore
from tests.simulation.systems import OBJECTS, REWRITES, Crm, tree_of

START = datetime(2026, 6, 1, tzinfo=UTC)
SYNCS = {"lead": "leads", "customer": "customers", "company": "companies"}
#: how a run of the service may end; it goes on with the next one
FAILURES = (ConnectorError, LeaseTakenError, LeaseLostError, StateError, SQLAlchemyError)


class Clock(VirtualClock):
    """The clock of our host, which may be wrong; the systems go by the true time."""

    wrong = timedelta()

    def now(self) -> datetime:
        return self.time + self.wrong


class Installation:
    """Everything there is in one history."""

    def __init__(self, setup: Setup, engine: Engine) -> None:
        self.setup, self.engine = setup, engine
        self.clock = Clock(START)
        self.systems = {
            name: Crm(name, flavour, lambda: self.clock.time) for name, flavour in setup.systems
        }
        for name, crm in self.systems.items():
            crm.page_size, crm.max_batch, crm.late = setup.page, setup.batch, setup.late
            if name in setup.stored:
                crm.stored = REWRITES[setup.stored[name]]
        self.faults = Faults()
        self.trace = hashlib.blake2b(digest_size=16)
        self.table: list[str] | None = None  #: what happened, for people; None: nobody reads it
        self.late: list[tuple[datetime, int, Crm, str, Write]] = []
        self.dead: set[str] = set()
        self.cursors: dict[int, int] = {}  #: source -> the position stored last
        self.fields, self.order = setup.fields, setup.names
        self.processes = 0
        self.sent = 0  #: writes handed to connectors
        self.epoch: Epoch | None = None  #: what the witness outside the database has seen
        self.deed: Any = None  #: carries out what somebody does in the midst of a run
        self.worker = self.start()

    def note(self, *told: Any) -> None:
        """Into the trace: what was said between the engine and the world."""
        text = repr(told)
        self.trace.update(text.encode())
        if self.table is not None:
            self.table.append(text)

    def start(self) -> "Worker":
        """A process begins."""
        self.processes += 1
        self.faults.are_off = True
        self.worker = Worker(self, f"host:{self.processes}")
        self.faults.are_off = False
        return self.worker

    @property
    def is_outdated(self) -> bool:
        """Whether the process was killed, or has not taken the configuration of now."""
        return self.worker.store.is_dead or self.worker.configured != (self.fields, self.order)

    def pass_time(self, span: timedelta) -> None:
        """Time passes, and lands what was under way."""
        for one in [one for one in self.late if one[0] <= self.clock.time + span]:
            self._land(one)
        self.clock.time += span

    def tick(self) -> None:
        """The next event: what becomes visible by now is visible."""
        for crm in self.systems.values():
            crm.tick += 1
        for one in [one for one in self.late if one[1] <= one[2].tick]:
            self._land(one)

    def land_all(self) -> None:
        for one in list(self.late):
            self._land(one)

    def _land(self, one: tuple[datetime, int, Crm, str, Write]) -> None:
        self.late.remove(one)
        _, _, crm, name, write = one
        self.worker.connectors[crm.name].land(name, write)

    def begin(self, event: Event, rng: random.Random) -> None:
        for crm in self.systems.values():
            crm.rng = rng
        self.faults.begin(event.faults)

    def meanwhile(self, fault: Fault, crm: Crm) -> None:
        """What strikes in the midst of a run."""
        if fault.id == "F12":
            self.clock.wrong += timedelta(hours=1 if fault.how == "forward" else -1)
        elif fault.id == "F13":
            if fault.deed is not None:
                self.deed(fault.deed)
            self._beside(past_lease=fault.how == "past lease")
        elif fault.deed is not None:
            self.deed(fault.deed)

    def _beside(self, *, past_lease: bool) -> None:
        """Another worker runs a cycle while this one stands still, maybe past its lease."""
        if past_lease:
            self.pass_time(timedelta(minutes=2))
        first, failed = self.worker, set(self.worker.line.failed)
        other = self.start()
        other.cycle(self.setup.kinds)
        if not other.store.is_dead:
            self.dead.add(other.store.holder)
        self.worker, first.line.failed = first, failed


class Worker:
    """One process of the engine."""

    def __init__(self, home: Installation, holder: str) -> None:
        self.home = home
        self.configured = (home.fields, home.order)
        self.store = HookedStore(home.engine, home.clock.now, holder, home.dead, home.cursors)
        self.store.faults = home.faults
        self.line = Line(
            faults=home.faults,
            now=lambda: home.clock.time,
            note=home.note,
            is_writing=lambda: self.store.depth > 0,
            kill=self.store.kill,
            meanwhile=home.meanwhile,
            late=home.late,
            sending=self._sending,
        )
        self.connectors = {
            name: SimulatedConnector(crm, self.line) for name, crm in home.systems.items()
        }
        random_of_process = random.Random(f"{home.setup.seed}/{holder}")
        self.ids = Ids(home.clock.now, random_of_process)
        self.world = self._world()
        self._watch()
        self.last: Run | None = None  #: the run at hand, or the last one
        clock = cast(SystemClock, home.clock)
        turns = Turns(home.systems)
        self.service = Service(
            cast(Config, None), clock, self.store, self.world, self.connectors, turns
        )

    def _sending(self, number: int) -> None:
        self.home.sent += number

    def cycle(self, kinds: Sequence[str]) -> str:
        """What the daemon does when syncs are due; how it ended."""
        self.line.failed = set()
        try:
            self.service.prepare()
            run = new_run(self.world, "+".join(SYNCS[kind] for kind in kinds))
            self.last = run
            self.service.cycle([self.world.syncs[Kind[kind.upper()]] for kind in kinds], run)
        except FAILURES as error:
            return type(error).__name__
        except Crash:
            return "killed"
        return "done"

    def _watch(self) -> None:
        """As ``service.witness`` does with a file."""
        home = self.home
        with self.store.reading() as connection:
            own = epoch(connection)
        if home.epoch is not None and home.epoch.number > own.number:
            begin(self.world, "a test's witness has seen more", reached=home.epoch.number)

        def hear(reached: Epoch) -> None:
            home.epoch = reached

        self.world.witness = hear

    def _world(self) -> World:
        home, registry = self.home, self.store.registry
        parsed = {
            (name, found): mapping
            for name, crm in home.systems.items()
            for found, mapping in _mappings(
                crm.flavour, home.setup.kinds, home.fields, home.setup.yields.get(name)
            ).items()
        }
        self.store.open(mapping.forms for mapping in parsed.values())
        with self.store.transaction() as connection:
            newest = (self.store.entities.newest, self.store.writes.newest)
            self.ids.after(max(one(connection) for one in newest))
            installation = registry.installation(connection, self.ids.installation())
            registry.add_instances(connection, home.systems)
            instances = registry.instances(connection)
            registry.add_sources(connection, [(instances[i].id, name) for i, name in parsed])
            rows = {(row.instance_id, row.object): row.id for row in registry.sources(connection)}
            for kind in home.setup.kinds:
                registry.add_sync(connection, SYNCS[kind], Kind[kind.upper()])
        sources = [
            Source(
                rows[instances[name].id, found],
                name,
                instances[name].id,
                found,
                self.connectors[name],
                mapping,
                frozenset(
                    Kind[kind.upper()]
                    for kind in home.setup.kinds
                    if OBJECTS[home.systems[name].flavour][kind] == found
                ),
            )
            for (name, found), mapping in parsed.items()
        ]
        for source in sources:
            self.connectors[source.instance].mapped[source.object] = set(source.selection.fields)
        names = {field.name for mapping in parsed.values() for field in mapping.fields}
        syncs = {Kind[k.upper()]: self._sync(k, names) for k in home.setup.kinds}
        return World(self.store, home.clock, self.ids, installation, sources, syncs)

    def _sync(self, kind: str, names: set[str]) -> Sync:
        setup, order = self.home.setup, self.home.order
        small = Limit(setup.limits, 0.02)
        few = {"delete": small, "create": small, "convert": small} if setup.limits else {}
        return Sync(
            name=SYNCS[kind],
            kind=Kind[kind.upper()],
            sides=order,
            policies={
                name: Policy(
                    "consent" if name in CONSENT else setup.policy,
                    order,
                    concerns=CONSENT.get(name, ()),
                )
                for name in sorted(names)
            },
            deletes=dict.fromkeys(order, setup.deletes),
            creates=dict.fromkeys(order, "create"),
            limits=Limits(**few),
        )


@lru_cache(maxsize=256)
def _mappings(
    flavour: str, kinds: tuple[str, ...], fields: tuple[str, ...], yields: str | None
) -> dict[str, Mapping]:
    trees = {OBJECTS[flavour][kind]: tree_of(flavour, kind, fields, yields) for kind in kinds}
    return {name: parse(name, tree, CATALOGUE, "HR") for name, tree in trees.items()}
