"""Three in-memory systems under the real engine and a real state database."""

import random
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, cast

from sqlalchemy import Engine

from config import Config
from config.catalogue import CATALOGUE, CONSENT, HOLDING_PLACEHOLDERS
from config.expressions import expression
from connectors import Action, Connector, FieldType
from connectors.testing.memory import MemoryConnector, MemorySystem
from sync_engine.engine import Run, Source, Sync, World, cycle, new_run
from sync_engine.engine.drift import leave_out
from sync_engine.engine.owners import learn
from sync_engine.fieldmap import Compute
from sync_engine.guard import Limit, Limits
from sync_engine.ids import Ids
from sync_engine.mapping import Mapping
from sync_engine.matching import rule_of
from sync_engine.models import Kind
from sync_engine.parsing import parse
from sync_engine.placeholders import Placeholders
from sync_engine.reconcile import Policy
from sync_engine.service import Service, SystemClock, Turns
from sync_engine.store import IssueRow, LinkRow, Store, migrate, open_database
from tests.engine.organizations import ACCOUNT, COMPANY, CONTACT, LEAD, PERSON, crm, profiles


def only(rows: list[Any]) -> Any:
    """The one row there is."""
    assert len(rows) == 1, rows
    return rows[0]


@dataclass(slots=True)
class VirtualClock:
    """A clock that a test moves; nothing waits."""

    time: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    waited: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        self.waited.append(seconds)
        return True


KEY = b"a secret of sixteen bytes"  #: of masks
ORDER = ("sales", "service", "profiles")
OBJECTS: dict[str, dict[str, Any]] = {
    "sales": {"Lead": LEAD, "Contact": CONTACT, "Account": ACCOUNT},
    "service": {"lead": LEAD, "contact": CONTACT, "account": ACCOUNT},
    "profiles": {"person": PERSON, "company": COMPANY},
}
SYNCS = {Kind.LEAD: "leads", Kind.CUSTOMER: "customers", Kind.COMPANY: "companies"}
KINDS = {"Lead": 1, "lead": 1, "Contact": 2, "contact": 2, "Account": 3, "account": 3, "company": 3}


class Three:
    """The three systems, and crm-sync between them; or some of them, for some kinds."""

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        released: bool = True,
        order: Sequence[str] = ORDER,
        kinds: Collection[Kind] = tuple(Kind),
    ) -> None:
        self.engine = engine or open_database("sqlite://")
        if engine is None:
            migrate(self.engine)
        self.clock = VirtualClock()
        systems = {
            "sales": crm("Lead", "Contact", "Account", "sales"),
            "service": crm("lead", "contact", "account", "service"),
            "profiles": profiles(),
        }
        self.systems = {name: systems[name] for name in order}
        self.order, self.kinds = tuple(order), frozenset(kinds)
        self.ids = Ids(self.clock.now, random.Random(7))
        self.open()
        if released:
            self.release()

    def open(self, holder: str = "test:1") -> None:
        """What a process has in its memory, as after a start."""
        self.store = self.open_store(holder)
        self.world = self._world()

    def open_store(self, holder: str) -> Store:
        return Store(self.engine, self.clock.now, holder)

    def connect(self, instance: str) -> Connector:
        return MemoryConnector(self.systems[instance])

    @property
    def sales(self) -> MemorySystem:
        return self.systems["sales"]

    @property
    def service(self) -> MemorySystem:
        return self.systems["service"]

    @property
    def profiles(self) -> MemorySystem:
        return self.systems["profiles"]

    def close(self) -> None:
        self.store.close()

    def face(self) -> Service:
        """What commands are given; it has no configuration file."""
        connectors = {source.instance: source.connector for source in self.world.sources}
        clock = cast(SystemClock, self.clock)
        turns = Turns(self.order)
        return Service(cast(Config, None), clock, self.store, self.world, connectors, turns)

    def release(self) -> None:
        with self.store.transaction() as connection:
            for sync in self.world.syncs.values():
                self.store.registry.save_sync(connection, sync.name, released_at=self.clock.now())

    def describe(self) -> None:
        """Tell the engine what the systems offer now."""
        for source in self.world.sources:
            types = {one.name: one for one in source.connector.describe()}
            source.type = types[source.object]
            leave_out(source, ())
            learn(source)

    def cycle(self, *kinds: Kind) -> Run:
        """One cycle of the syncs, a minute after the one before."""
        self.clock.time += timedelta(minutes=1)
        self.world.down.clear()
        wanted = [self.world.syncs[kind] for kind in kinds or sorted(self.kinds)]
        run = new_run(self.world, "all")
        cycle(self.world, wanted, run)
        return run

    def settle(self, most: int = 6) -> None:
        """Cycles until one writes nothing."""
        for _ in range(most):
            before = self.written()
            self.cycle()
            if self.written() == before:
                return
        raise AssertionError(f"still writing after {most} cycles: {self.written()}")

    def written(self) -> dict[str, dict[str, int]]:
        """System -> action -> writes it has carried out for us."""
        return {
            name: {str(action): n for action, n in system.writes.items()}
            for name, system in self.systems.items()
        }

    def source(self, name: str) -> Source:
        return next(one for one in self.world.sources if one.name == name)

    def links(self, name: str) -> list[LinkRow]:
        """What the engine keeps of the records of a source."""
        one = self.source(name)
        records = set(self.systems[one.instance].objects[one.object].rows)
        with self.store.reading() as connection:
            found = self.store.links.by_record(connection, one.id, records)
        return [found[number] for number in sorted(found)]

    def issues(self) -> list[IssueRow]:
        with self.store.reading() as connection:
            return self.store.issues.all(connection)

    def whats(self) -> list[str]:
        return sorted(issue.what for issue in self.issues())

    def policy(self, kind: Kind, name: str, policy: str) -> None:
        sync = self.world.syncs[kind]
        changed = {**sync.policies, name: Policy(policy, ORDER)}
        self._replace(kind, policies=changed)

    def filter(self, kind: Kind, side: str, text: str) -> None:
        self._replace(kind, enters={side: expression(text, CATALOGUE[kind.name.lower()]).holds})

    def creates(self, kind: Kind, side: str, policy: str) -> None:
        creates = {**self.world.syncs[kind].creates, side: policy}
        self._replace(kind, creates=creates, entry=repr(creates))

    def gate(self, kind: Kind, side: str, *, accept: str | None = None, exit: str = "keep") -> None:
        """Who is created on a side, and what becomes of who passes its conditions no more."""
        sync, known = self.world.syncs[kind], CATALOGUE[kind.name.lower()]
        accepts = {} if accept is None else {side: expression(accept, known).holds}
        pauses = sync.pauses | {side} if exit == "pause" else sync.pauses - {side}
        self._replace(kind, accepts=accepts, pauses=frozenset(pauses))
        with self.store.transaction() as connection:  # as a start with other conditions does
            self.store.entities.mark_kind(connection, kind)

    def converts(self, *sides: str) -> None:
        """Leads of these sides are converted there, on behalf of others."""
        for side in sides:
            self.systems[side].actions |= {Action.CONVERT}
        self.describe()
        self._replace(Kind.LEAD, converts=dict.fromkeys(sides, True))

    def conversion_from(self, *sides: str) -> None:
        self._replace(Kind.LEAD, conversion_from=frozenset(sides))

    def match(self, kind: Kind, *rules: str) -> None:
        """By which rules records are linked, strongest first."""
        name = kind.name.lower()
        self._replace(kind, match=tuple(rule_of(name, rule) for rule in rules))

    def deletes(self, kind: Kind, policy: str, *, approved_on: Collection[str] = ()) -> None:
        """What follows from a delete; on those instances a person has to approve it."""
        deletes = dict.fromkeys(ORDER, policy)
        self._replace(kind, deletes=deletes, approvals=frozenset(approved_on))

    def guard(self, kind: Kind, **limits: Limit) -> None:
        self._replace(kind, limits=replace(self.world.syncs[kind].limits, **limits))

    def remap(
        self,
        change: dict[str, Any],
        *names: str,
        catalogue: MappingOf[str, MappingOf[str, str]] = CATALOGUE,
    ) -> None:
        """Change the mapping of objects, as an edit of the configuration and a restart do."""
        known = {"value", *(name for fields in catalogue.values() for name in fields)}
        for name in names:
            one = self.source(name)
            tree = OBJECTS[one.instance][one.object]
            fields = {n: f for n, f in (tree["fields"] | change).items() if f is not None}
            whole = tree | {"fields": fields}
            compiled = partial(_compiled, known)
            parsed = parse(one.object, whole, catalogue, "HR", compiled, KEY)
            one.configured = parsed
            leave_out(one, ())
            learn(one)
        mapped = {f.name for each in self.world.sources for f in each.mapping.fields}
        self.store = self.world.store = self.open_store("test:1")
        self.store.open(each.mapping.forms for each in self.world.sources)
        self.world.syncs = self._syncs(mapped)

    def offer(self, name: str, /, **fields: FieldType) -> None:
        """The organization defines native fields of an object otherwise, or new ones."""
        one = self.source(name)
        held = self.systems[one.instance].objects[one.object]
        held.fields = {**held.fields, **fields}
        for row in held.rows.values():
            row.values = {**dict.fromkeys(fields), **row.values}
        self.describe()

    def _replace(self, kind: Kind, **changes: Any) -> None:
        syncs = {**self.world.syncs, kind: replace(self.world.syncs[kind], **changes)}
        self.world.syncs = syncs

    def _world(self) -> World:
        parsed = {
            (instance, name): _parsed(instance, name)
            for instance in self.order
            for name in OBJECTS[instance]
            if _kinds(name) & self.kinds
        }
        names = {one.name for mapping in parsed.values() for one in mapping.fields}
        self.store.open(mapping.forms for mapping in parsed.values())
        sources = []
        with self.store.transaction() as connection:
            registry = self.store.registry
            installation = registry.installation(connection, self.ids.installation())
            registry.add_instances(connection, self.order)
            instances = registry.instances(connection)
            registry.add_sources(connection, [(instances[i].id, name) for i, name in parsed])
            rows = {(row.instance_id, row.object): row.id for row in registry.sources(connection)}
            for kind in sorted(self.kinds):
                registry.add_sync(connection, SYNCS[kind], kind)
        for (instance, name), mapping in parsed.items():
            connector = self.connect(instance)
            types = {one.name: one for one in connector.describe()}
            number = instances[instance].id
            kinds = _kinds(name) & self.kinds
            sources.append(
                Source(
                    rows[number, name],
                    instance,
                    number,
                    name,
                    connector,
                    mapping,
                    kinds,
                    types[name],
                )
            )
            leave_out(sources[-1], ())
        return World(self.store, self.clock, self.ids, installation, sources, self._syncs(names))

    def _syncs(self, names: set[str]) -> MappingOf[Kind, Sync]:
        policies = {
            name: Policy(
                "consent" if name in CONSENT else "prefer",
                self.order,
                concerns=CONSENT.get(name, ()),
            )
            for name in names
        }
        return {
            kind: Sync(
                name=SYNCS[kind],
                kind=kind,
                sides=self.order,
                policies=policies,
                deletes=dict.fromkeys(self.order, "unlink"),
                creates=dict.fromkeys(self.order, "create"),
                limits=Limits(),
                placeholders={
                    name: Placeholders(form)
                    for name, form in CATALOGUE[kind.name.lower()].items()
                    if form in HOLDING_PLACEHOLDERS
                },
            )
            for kind in sorted(self.kinds)
        }


@lru_cache
def _parsed(instance: str, name: str) -> Mapping:
    return parse(name, OBJECTS[instance][name], CATALOGUE, "HR")


def _compiled(known: Collection[str], text: str) -> Compute:
    return expression(text, known).value


def _kinds(name: str) -> frozenset[Kind]:
    return frozenset({Kind(KINDS[name])} if name in KINDS else {Kind.LEAD, Kind.CUSTOMER})
