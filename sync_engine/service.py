"""Builds everything from the configuration and runs it: the one place with a clock, ids,
randomness, signals and child processes. It knows nothing of HTTP; what it does, the
command line and the service call alike.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from config import Config, SyncSettings
from config.catalogue import CATALOGUE, CONSENT
from connectors import (
    Checked,
    Connector,
    ConnectorError,
    Level,
    Runtime,
    Selection,
    SetupError,
)
from connectors.http import GuardedTransport
from sync_engine import mapping as mappings
from sync_engine.engine import Run, Source, Sync, World, cycle
from sync_engine.guard import Limit, Limits
from sync_engine.ids import Ids
from sync_engine.models import Kind
from sync_engine.processes import holder, is_dead
from sync_engine.reconcile import Policy
from sync_engine.store import Store, migrate, open_database


class SystemClock:
    """The system's time. ``stop`` makes every wait end at once."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        return not self._stop.wait(seconds) if seconds > 0 else not self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()


class CountingTransport(httpx.BaseTransport):
    """Counts the calls that an instance costs."""

    def __init__(self, inner: httpx.BaseTransport, calls: Counter[str], instance: str) -> None:
        self._inner, self._calls, self._instance = inner, calls, instance

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._calls[self._instance] += 1
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True, slots=True)
class Health:
    """What a check of one instance found."""

    instance: str
    checked: Checked | None
    failure: str = ""
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        if self.checked is None:
            return False
        return all(finding.level is not Level.ERROR for finding in self.checked.findings)

    @property
    def why(self) -> str:
        """Why it is not well, with the remedy; empty if it is."""
        if self.checked is None:
            told = [(self.failure, self.remedy)]
        else:
            errors = (f for f in self.checked.findings if f.level is Level.ERROR)
            told = [(finding.what, finding.remedy) for finding in errors]
        return "; ".join(f"{what} (remedy: {remedy})" if remedy else what for what, remedy in told)


@dataclass(slots=True)
class Service:
    """A configured crm-sync: its state, its connectors and what can be done with them."""

    config: Config
    clock: SystemClock
    store: Store
    world: World
    connectors: Mapping[str, Connector]
    calls: Counter[str] = field(default_factory=Counter)

    def check(self, names: Iterable[str] = ()) -> list[Health]:
        """Ask every instance, or those named, whether it can work as configured."""
        wanted = list(names) or list(self.connectors)
        return [self._check(name) for name in wanted]

    def _check(self, name: str) -> Health:
        selections: list[Selection] = [
            source.selection for source in self.world.sources if source.instance == name
        ]
        try:
            checked = self.connectors[name].check(selections)
        except ConnectorError as error:
            return Health(name, None, error.what, error.remedy)
        with self.store.reading() as connection:
            pinned = self.store.registry.instances(connection)[name].identity
        if pinned is None or pinned["id"] == checked.identity:
            return Health(name, checked)
        return Health(
            name,
            None,
            f"is organization {checked.identity} ({checked.name}), but was linked with "
            f"{pinned['id']} ({pinned['name']})",
            f"point {name} back to the organization it was linked with, or, if it has moved "
            f"for good, run crm-sync rebind {name}",
        )

    def start(self) -> list[Health]:
        """Check every instance and pin those that are new; those that fail are out of the run.

        Raises SetupError where a sandbox would meet a production organization.
        """
        found = self.check()
        self._refuse_mixture(found)
        for health in found:
            if not health.is_well:
                self.world.down[health.instance] = health.why
            elif health.checked is not None:
                self._pin(health.instance, health.checked)
        self._describe()
        return found

    def _refuse_mixture(self, found: Sequence[Health]) -> None:
        """Practice 1.5: test data must not meet real people unless somebody says so."""
        kinds: dict[bool | None, list[str]] = {}
        for health in found:
            if health.checked is not None:
                kinds.setdefault(health.checked.sandbox, []).append(health.instance)
        if (
            True in kinds
            and False in kinds
            and not (self.config.settings.allow_sandbox_with_production)
        ):
            raise SetupError(
                f"{', '.join(kinds[True])} is a sandbox, {', '.join(kinds[False])} is production",
                remedy="keep them in files and states of their own, or write "
                "allow_sandbox_with_production: true",
            )

    def _pin(self, name: str, checked: Checked) -> None:
        with self.store.transaction() as connection:
            row = self.store.registry.instances(connection)[name]
            if row.identity is None:
                self.store.registry.pin(
                    connection, row.id, {"id": checked.identity, "name": checked.name}
                )

    def _describe(self) -> None:
        for name, connector in self.connectors.items():
            if name in self.world.down:
                continue
            try:
                types = {one.name: one for one in connector.describe()}
            except ConnectorError as error:
                self.world.down[name] = error.what
                continue
            for source in self.world.sources:
                if source.instance == name and source.object in types:
                    source.type = types[source.object]

    def sync(self, name: str | None = None) -> Run:
        """One cycle of one sync, or of all."""
        wanted = [s for s in self.world.syncs.values() if name in (None, s.name)]
        return cycle(self.world, wanted, name=name or "all")

    def release(self, name: str) -> dict[str, int]:
        """Let a sync's first stop and its guard stops go, once, for the numbers shown."""
        sync = next(s for s in self.world.syncs.values() if s.name == name)
        now = self.clock.now()
        let_go: dict[str, int] = {}
        with self.store.transaction() as connection:
            registry = self.store.registry
            if registry.syncs(connection)[name].released_at is None:
                registry.release(connection, name, now)
            sources = {source.id for source in self.world.of_kind(sync.kind)}
            released: dict[int, dict[str, int]] = {}
            for issue in registry.issues(connection, whats=("guard",)):
                if issue.source_id in sources and issue.detail.get("sync") == name:
                    number = int(issue.detail["planned"])
                    released.setdefault(issue.source_id or 0, {})[issue.cause] = number
                    let_go[issue.cause] = let_go.get(issue.cause, 0) + number
            for source_id, numbers in released.items():
                guard = {"released": numbers, "at": now.isoformat()}
                registry.save_source(connection, source_id, guard=guard)
            registry.close_issues(connection, now, whats=("guard",), sources=sources)
        return let_go

    def rebind(self, name: str) -> Checked:
        """Take an instance's present organization for the one it is linked with.

        Every source of it is listed anew; nothing is deleted.
        """
        checked = self.connectors[name].check([])
        with self.store.transaction() as connection:
            registry = self.store.registry
            row = registry.instances(connection)[name]
            registry.pin(connection, row.id, {"id": checked.identity, "name": checked.name})
            for source in self.world.sources:
                if source.instance == name:
                    registry.save_source(connection, source.id, cursor=None, listed_at=None)
        return checked

    def close(self) -> None:
        for connector in self.connectors.values():
            connector.close()
        self.store.close()


def build(config: Config) -> Service:
    """A service for a configuration; nothing is sent yet. Raises StateError."""
    clock = SystemClock()
    engine = open_database(_state_url(config))
    migrate(engine)
    ids = Ids(clock.now, random.SystemRandom())
    store = Store(engine, clock.now, holder(), is_dead)
    calls: Counter[str] = Counter()
    connectors = {
        name: instance.connector.open(
            instance.settings, _runtime(clock, calls, name, instance.settings)
        )
        for name, instance in config.instances.items()
    }
    world = _world(config, clock, ids, store, connectors)
    return Service(config, clock, store, world, connectors, calls)


def _state_url(config: Config) -> str:
    """Relative SQLite paths count from the configuration file."""
    url = config.settings.state
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith("sqlite:////"):
        return prefix + str((config.path.parent / url.removeprefix(prefix)).resolve())
    return url


def _runtime(clock: SystemClock, calls: Counter[str], name: str, settings: Any) -> Runtime:
    allowed: Sequence[str] = getattr(settings, "allow_host", ())

    def transport(ca_file: str | None) -> httpx.BaseTransport:
        return CountingTransport(GuardedTransport(ca_file, allowed), calls, name)

    return Runtime(clock, _random_id, transport)


def _random_id() -> UUID:
    return uuid.uuid4()


def _world(
    config: Config,
    clock: SystemClock,
    ids: Ids,
    store: Store,
    connectors: Mapping[str, Connector],
) -> World:
    parsed = {
        (s.instance, s.object): mappings.parse(s.object, s.mapping, CATALOGUE, s.region)
        for s in config.sources
    }
    names = {field.name for mapping in parsed.values() for field in mapping.fields}
    store.open(names)
    with store.transaction() as connection:
        registry = store.registry
        installation = registry.installation(connection, ids.installation())
        registry.add_instances(connection, config.settings.instances)
        instances = registry.instances(connection)
        wanted = [(instances[s.instance].id, s.object) for s in config.sources]
        registry.add_sources(connection, wanted)
        rows = {(row.instance_id, row.object): row.id for row in registry.sources(connection)}
        for name, sync in config.settings.syncs.items():
            registry.add_sync(connection, name, Kind[sync.kind.upper()])
    sources = [
        Source(
            id=rows[instances[s.instance].id, s.object],
            instance=s.instance,
            instance_id=instances[s.instance].id,
            object=s.object,
            connector=connectors[s.instance],
            mapping=parsed[s.instance, s.object],
            kinds=frozenset(Kind[kind.upper()] for kind in s.kinds),
        )
        for s in config.sources
    ]
    syncs = {
        Kind[sync.kind.upper()]: _sync(name, sync, names)
        for name, sync in config.settings.syncs.items()
    }
    return World(store, clock, ids, installation, sources, syncs)


def _sync(name: str, settings: SyncSettings, fields: Iterable[str]) -> Sync:
    order = tuple(settings.prefer or ())
    order += tuple(side for side in settings.sides if side not in order)
    policies = {}
    for field_name in fields:
        own = settings.fields.get(field_name)
        rule: str = (own.policy if own else None) or settings.policy
        if field_name in CONSENT:
            rule = "consent"
        policies[field_name] = Policy(rule, tuple(own.prefer) if own and own.prefer else order)
    objects = {side: settings.objects(side) for side in settings.sides}
    guard = settings.guard
    return Sync(
        name=name,
        kind=Kind[settings.kind.upper()],
        sides=order,
        policies=policies,
        deletes={
            side: next((o.deletes for o in ones if o.deletes), settings.deletes)
            for side, ones in objects.items()
        },
        creates={side: all(one.create for one in ones) for side, ones in objects.items()},
        limits=Limits(
            **{
                risk: Limit(limit.count, limit.share)
                for risk, limit in ((r, getattr(guard, r)) for r in type(guard).model_fields)
            }
        ),
        born_inactive=settings.create_inactive,
    )
