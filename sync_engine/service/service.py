"""A configured crm-sync: its state, its connectors and the verbs that every face of it calls."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from config import Config
from connectors import (
    Budget,
    Checked,
    Connector,
    ConnectorError,
    Finding,
    Level,
    Selection,
    SetupError,
    TransientError,
)
from sync_engine.engine import Run, Sync, World, cycle, new_run
from sync_engine.engine.drift import leave_out, tell_paused
from sync_engine.engine.owners import learn
from sync_engine.engine.world import LATE
from sync_engine.service.seams import SystemClock
from sync_engine.service.turns import Turns
from sync_engine.store import Store
from sync_engine.telemetry import span

#: told of each cycle: its syncs, its run, and how it ended (``done``, ``partly``, ``stopped``,
#: ``failed``)
Listener = Callable[[Sequence[Sync], Run, str], None]

FRESH = 3600.0  #: seconds before an instance that is well is checked again
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 900.0  #: seconds before one that is not is asked again


_FAILED = (" rejected", " retry", " gone", " unstored")


def failed_writes(run: Run) -> int:
    """Writes of a run that were refused, parked, left open, or accepted and not stored."""
    return sum(number for counted, number in run.counts.items() if counted.endswith(_FAILED))


@dataclass(frozen=True, slots=True)
class Health:
    """What a check of one instance found."""

    instance: str
    checked: Checked | None
    failure: str = ""
    remedy: str = ""
    retry_after: float | None = None  #: seconds before it wants to be asked again

    @property
    def findings(self) -> Sequence[Finding]:
        return self.checked.findings if self.checked else ()

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


def _failed(instance: str, error: ConnectorError) -> Health:
    pause = error.retry_after if isinstance(error, TransientError) else None
    return Health(instance, None, error.what, error.remedy, pause)


def _lost(health: Health, object: str) -> set[str]:
    """The native fields of an object that cannot be read."""
    return {one.field for one in health.findings if one.field and one.object == object}


@dataclass(frozen=True, slots=True)
class _Checkup:
    health: Health
    again_at: float  #: by the monotonic clock
    failures: int = 0  #: in a row


@dataclass(slots=True)
class Service:
    """A configured crm-sync: its state, its connectors and what can be done with them."""

    config: Config
    clock: SystemClock
    store: Store
    world: World
    connectors: Mapping[str, Connector]
    turns: Turns
    budgets: Mapping[str, Budget] = field(default_factory=dict)  #: as the systems told them
    listeners: list[Listener] = field(default_factory=list)
    _checks: dict[str, _Checkup] = field(default_factory=dict)
    _kept: Counter[str] = field(default_factory=Counter)  #: calls that the state knows of

    def check(self) -> list[Health]:
        """Ask every instance whether it can work as configured, and what it offers."""
        found = [self._check(name) for name in self.connectors]
        return [self._described(health) if health.is_well else health for health in found]

    @property
    def is_prepared(self) -> bool:
        """Whether it is known which instances can take part in a run."""
        return all(name in self._checks or name in self.world.paused for name in self.connectors)

    def prepare(self) -> list[Health]:
        """Find out which instances take part in the next run; pin those that are new.

        One that is well is asked again after an hour, one that is not after a pause that
        grows. Raises SetupError where a sandbox would meet a production organization.
        """
        self._read_pauses()
        now = self.clock.monotonic()
        due = [
            name
            for name in self.connectors
            if name not in self.world.paused
            and (name not in self._checks or now >= self._checks[name].again_at)
        ]
        late = self.world.turns([(name, partial(self._check_up, name, now)) for name in due])
        known = [name for name in self.connectors if name in self._checks]
        found = [self._checks[name].health for name in known if name not in self.world.paused]
        self._refuse_mixture(found)
        self.world.down = {one.instance: one.why for one in found if not one.is_well}
        self.world.down |= dict.fromkeys(late, LATE)
        return found

    def _check_up(self, name: str, now: float) -> None:
        health = self._check(name)
        if health.is_well:
            health = self._described(health)
        failures = 0 if health.is_well else self._failures(name) + 1
        pause = min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE) if failures else FRESH
        pause = max(pause, min(health.retry_after or 0.0, FRESH))  # whatever it asks for
        self._checks[name] = _Checkup(health, now + pause, failures)
        if health.is_well and health.checked is not None:
            self._pin(name, health.checked)
            for source in self.world.sources:
                if source.instance == name:
                    tell_paused(self.world, source)
        self._keep_health(health)

    def _failures(self, name: str) -> int:
        return self._checks[name].failures if name in self._checks else 0

    def _check(self, name: str) -> Health:
        selections: list[Selection] = [
            source.wanted for source in self.world.sources if source.instance == name
        ]
        try:
            checked = self.connectors[name].check(selections)
        except ConnectorError as error:
            return _failed(name, error)
        with self.store.reading() as connection:
            pinned = self.store.registry.instances(connection)[name].identity
        if pinned is None or pinned["id"] == checked.identity:
            return Health(name, self._going_on(name, checked))
        return Health(
            name,
            None,
            f"is organization {checked.identity} ({checked.name}), but was linked with "
            f"{pinned['id']} ({pinned['name']})",
            f"point {name} back to the organization it was linked with, or, if it has moved "
            f"for good, run crm-sync rebind {name}",
        )

    def _going_on(self, name: str, checked: Checked) -> Checked:
        """An object that has been listed goes on without a field that is lost since."""
        with self.store.reading() as connection:
            rows = {row.id: row for row in self.store.registry.sources(connection)}
        known = {
            source.object
            for source in self.world.sources
            if source.instance == name and rows[source.id].listed_at is not None
        }
        return replace(
            checked,
            findings=tuple(
                replace(one, level=Level.WARNING, what=f"{one.what}; the field is paused")
                if one.field and one.level is Level.ERROR and one.object in known
                else one
                for one in checked.findings
            ),
        )

    def _described(self, health: Health) -> Health:
        """The same, with what the organization offers told to the engine."""
        name = health.instance
        try:
            types = {one.name: one for one in self.connectors[name].describe()}
        except ConnectorError as error:
            return _failed(name, error)
        for source in self.world.sources:
            if source.instance == name and source.object in types:
                source.type = types[source.object]
                leave_out(source, _lost(health, source.object))
        try:
            for source in self.world.sources:
                if source.instance == name:
                    learn(source)
        except ConnectorError as error:
            return _failed(name, error)
        return health

    def _refuse_mixture(self, found: Sequence[Health]) -> None:
        """Practice 1.5: test data must not meet real people unless somebody says so."""
        kinds: dict[bool | None, list[str]] = {}
        for health in found:
            if health.checked is not None:
                kinds.setdefault(health.checked.sandbox, []).append(health.instance)
        if not (True in kinds and False in kinds):
            return
        if not self.config.settings.allow_sandbox_with_production:
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

    def _keep_health(self, health: Health) -> None:
        told = {
            "at": self.clock.now().isoformat(),
            "failure": health.failure or (health.why if not health.is_well else ""),
            "remedy": health.remedy,
            "warnings": sum(one.level is Level.WARNING for one in health.findings),
        }
        with self.store.transaction() as connection:
            row = self.store.registry.instances(connection)[health.instance]
            self.store.registry.save_instance(connection, row.id, health=told)

    def _read_pauses(self) -> None:
        with self.store.reading() as connection:
            rows = self.store.registry.instances(connection)
        self.world.paused = {
            name for name, row in rows.items() if row.state == "paused" and name in self.connectors
        }

    def sync(self, name: str | None = None) -> Run:
        """One cycle of one sync, or of all. ``prepare`` has been called."""
        run = new_run(self.world, name or "all")
        self.cycle([s for s in self.world.syncs.values() if name in (None, s.name)], run)
        return run

    def cycle(self, syncs: Iterable[Sync], run: Run) -> None:
        """One cycle of these syncs; what it cost is kept for ``status``."""
        meant = list(syncs)
        ended = "failed"
        about = {"crm_sync.run": str(run.id), "crm_sync.sync": run.sync}
        try:
            with span("cycle", about):
                self._carry_out(meant, run)
            ended = self._ending(run)
        finally:
            self._tell(run, ended)
            for listener in self.listeners:
                listener(meant, run, ended)

    def _tell(self, run: Run, ended: str) -> None:
        """The cycle's line in the log; what was no news is a number in it."""
        self.world.journal(
            "cycle",
            run=run.id,
            sync=run.sync,
            ended=ended,
            seconds=round((self.clock.now() - run.started_at).total_seconds(), 3),
            counts={name: number for name, number in sorted(run.counts.items()) if number},
        )

    def _carry_out(self, syncs: Sequence[Sync], run: Run) -> None:
        cycle(self.world, syncs, run)
        for instance in self.world.down:
            if instance in self._checks and self._checks[instance].failures == 0:
                self._checks[instance] = replace(self._checks[instance], again_at=0.0)
        self._keep_calls()

    def _ending(self, run: Run) -> str:
        if run.counts["stopped"]:
            return "stopped"
        return "partly" if failed_writes(run) or self.world.down else "done"

    def _keep_calls(self) -> None:
        """Calls of the day and what the system says of its budget, for other processes."""
        made, self._kept = self.world.calls - self._kept, self.world.calls.copy()
        day = f"{self.clock.now():%Y-%m-%d}"
        with self.store.transaction() as connection:
            rows = self.store.registry.instances(connection)
            for instance, number in made.items():
                before = rows[instance].budget or {}
                spent = before.get("calls", 0) if before.get("day") == day else 0
                kept: dict[str, Any] = {"day": day, "calls": spent + number}
                if instance in self.budgets:
                    budget = self.budgets[instance]
                    kept |= {"used": budget.used, "limit": budget.limit}
                self.store.registry.save_instance(connection, rows[instance].id, budget=kept)

    def release(self, name: str) -> dict[str, int]:
        """Let a sync's first stop and its guard stops go, once, for the numbers shown.

        Gives class of change -> how many; what a first sync has shown is not counted.
        """
        now = self.clock.now()
        let_go: Counter[str] = Counter()
        with self.store.transaction() as connection:
            registry, issues = self.store.registry, self.store.issues
            if registry.syncs(connection)[name].released_at is None:
                registry.save_sync(connection, name, released_at=now)
            guards = {row.id: dict(row.guard or {}) for row in registry.sources(connection)}
            stops = [
                issue
                for issue in issues.all(connection, whats=("guard",))
                if issue.detail["sync"] == name and issue.source_id is not None
            ]
            for stop in stops:
                risk, planned = stop.detail["risk"], stop.detail["planned"]
                guard = guards[stop.source_id or 0]
                mine = guard.get(name, {})
                if mine.get("at") != now.isoformat():
                    mine = {"at": now.isoformat(), "released": {}}
                guard[name] = mine | {"released": mine["released"] | {risk: planned}}
                let_go[risk] += planned
                # what a listing lacked is believed when the next one lacks it too
                again = {"cursor": None} if risk == "missing" else {}
                registry.save_source(connection, stop.source_id or 0, guard=guard, **again)
            issues.close(connection, now, [stop.id for stop in stops])
        return dict(let_go)

    def organization(self, name: str) -> str | None:
        """The id of the organization that an instance is pinned to; None before first contact."""
        with self.store.reading() as connection:
            identity = self.store.registry.instances(connection)[name].identity
        return identity["id"] if identity else None

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

    def pause(self, *, sync: str | None = None, instance: str | None = None) -> None:
        """No writes for a sync's kind, or no traffic with an instance, until it is resumed."""
        self._set_state("paused", sync, instance)

    def resume(self, *, sync: str | None = None, instance: str | None = None) -> None:
        self._set_state("active", sync, instance)

    def _set_state(self, state: str, sync: str | None, instance: str | None) -> None:
        registry = self.store.registry
        with self.store.transaction() as connection:
            if sync is not None:
                registry.save_sync(connection, sync, state=state)
            if instance is not None:
                row = registry.instances(connection)[instance]
                registry.save_instance(connection, row.id, state=state)

    def close(self) -> None:
        self.turns.close()
        for connector in self.connectors.values():
            connector.close()
        self.store.close()
