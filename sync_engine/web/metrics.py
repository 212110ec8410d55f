"""Metrics for Prometheus, on a registry of their own; README.md beside this file is their table.

Counters come from the cycles of this process, gauges from the state on each scrape, so that
they are right after a restart too. Labels name instances, objects and syncs, nobody else.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from sync_engine import operations
from sync_engine.engine import Run, Sync
from sync_engine.operations.shapes import InstanceStatus, SideRow, Status, SyncStatus
from sync_engine.service import Daemon, Service

ENDINGS = ("done", "partly", "stopped", "failed")
_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)


def metrics_of(daemon: Daemon) -> CollectorRegistry:
    """The registry; from now on it hears of every cycle of the service."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter
    registry = CollectorRegistry()
    cycles = Cycles(registry, daemon)
    daemon.service.listeners.append(cycles.heard)
    registry.register(Standing(daemon))
    return registry


class Cycles:
    """What the cycles of this process did."""

    def __init__(self, registry: CollectorRegistry, daemon: Daemon) -> None:
        self._clock = daemon.clock
        self._cycles = Counter(
            "crm_sync_cycles",
            "Cycles a sync took part in, by how they ended: done, partly, stopped or failed.",
            ["sync", "result"],
            registry=registry,
        )
        for sync in daemon.service.world.syncs.values():
            for ending in ENDINGS:  # a rate needs the zero before the first
                self._cycles.labels(sync.name, ending)
        self._took = Histogram(
            "crm_sync_cycle_duration_seconds",
            "How long cycles took.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._read = Counter(
            "crm_sync_records_read",
            "Records that were new or had changed when they were read.",
            registry=registry,
        )
        self._linked = Counter(
            "crm_sync_records_linked", "Records that were matched to an entity.", registry=registry
        )
        self._conflicts = Counter(
            "crm_sync_conflicts", "Values that lost against another edit.", registry=registry
        )
        self._writes = Counter(
            "crm_sync_writes",
            "Writes, by what became of them: done, stale, gone, rejected or retry.",
            ["instance", "object", "action", "result"],
            registry=registry,
        )
        self._success = Gauge(
            "crm_sync_last_success_timestamp_seconds",
            "When a cycle of the sync last ended other than failed, in this process.",
            ["sync"],
            registry=registry,
        )

    def heard(self, syncs: Sequence[Sync], run: Run, ended: str) -> None:
        """Take a cycle's counts in."""
        now = self._clock.now()
        for sync in syncs:
            self._cycles.labels(sync.name, ended).inc()
            if ended != "failed":
                self._success.labels(sync.name).set(now.timestamp())
        self._took.observe((now - run.started_at).total_seconds())
        self._read.inc(run.counts["read"])
        self._linked.inc(run.counts["linked"])
        self._conflicts.inc(run.counts["conflicts"])
        for counted, number in run.counts.items():
            match counted.split(" "):
                case [_sync, source, action, result]:
                    instance, _, name = source.partition("/")
                    self._writes.labels(instance, name, action, result).inc(number)


class Standing(Collector):
    """How things stand when Prometheus asks."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: a registry would ask the state for it."""
        return ()

    def collect(self) -> Iterator[Metric]:
        service = self._daemon.service
        yield _one(
            "crm_sync_build_info", "The version at work.", ["version"], [version("crm-sync")]
        )
        failing = bool(self._daemon.failure)
        yield _plain("crm_sync_run_failing", "Whether the last run could not be made.", failing)
        refused = self._daemon.is_refused
        yield _plain(
            "crm_sync_configuration_refused",
            "Whether the file was refused when read anew.",
            refused,
        )
        yield _calls(service)
        try:
            status, leases = operations.status(service), _leases(service)
        except SQLAlchemyError:
            yield _plain("crm_sync_state_up", "Whether the state database answers.", False)
            return
        yield _plain("crm_sync_state_up", "Whether the state database answers.", True)
        now = service.clock.now()
        yield leases
        yield _issues(status)
        yield from _sides(status.sides)
        yield from _syncs(status.syncs, now)
        yield from _instances(service, status.instances)
        yield from _sources(status, now)


def _one(name: str, says: str, labels: Sequence[str], values: Sequence[str]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=labels)
    family.add_metric(values, 1)
    return family


def _plain(name: str, says: str, value: bool) -> Metric:
    return GaugeMetricFamily(name, says, value=value)


def _calls(service: Service) -> Metric:
    says = "API calls of this process, checks and plans included."
    family = CounterMetricFamily("crm_sync_api_calls", says, labels=["instance"])
    for instance in service.connectors:
        family.add_metric([instance], service.world.calls[instance])
    return family


def _leases(service: Service) -> Metric:
    says = "How long a lease that is held lasts unless renewed; below 0 its holder has died."
    family = GaugeMetricFamily("crm_sync_lease_remaining_seconds", says, labels=["lease"])
    with service.store.reading() as connection:
        for name, _holder, until in service.store.registry.leases(connection):
            family.add_metric([name], (until - service.clock.now()).total_seconds())
    return family


def _issues(status: Status) -> Metric:
    says = "What waits for a person, or is to be known."
    family = GaugeMetricFamily("crm_sync_issues", says, labels=["what"])
    for what, number in status.issues.items():
        family.add_metric([what], number)
    return family


def _sides(rows: Sequence[SideRow]) -> Iterator[Metric]:
    labels = ["sync", "instance", "object"]
    for name, says, values in (
        ("crm_sync_linked_records", "Records that are kept equal.", [r.linked for r in rows]),
        ("crm_sync_past_records", "Converted, merged or deleted ones.", [r.past for r in rows]),
        ("crm_sync_asked_records", "Records that wait for a person.", [r.asked for r in rows]),
    ):
        family = GaugeMetricFamily(name, says, labels=labels)
        for row, value in zip(rows, values, strict=True):
            family.add_metric([row.sync, row.instance, row.object], value)
        yield family


def _syncs(rows: Sequence[SyncStatus], now: datetime) -> Iterator[Metric]:
    for name, says, values in (
        ("crm_sync_backlog_writes", "Links that owe a write.", [r.backlog for r in rows]),
        (
            "crm_sync_oldest_unsent_age_seconds",
            "How long the oldest of them has waited; 0 without any.",
            [_age(r.oldest_unsent, now) or 0.0 for r in rows],
        ),
        ("crm_sync_held_writes", "What a person must put right first.", [r.held for r in rows]),
        ("crm_sync_parked_writes", "Given up until values change.", [r.parked for r in rows]),
        (
            "crm_sync_sync_paused",
            "Whether a person has paused the sync.",
            [r.state == "paused" for r in rows],
        ),
        (
            "crm_sync_sync_waits_for_release",
            "Whether the sync has never been let go.",
            [r.state == "waits for release" for r in rows],
        ),
        (
            "crm_sync_last_run_age_seconds",
            "Since a source of the sync was last read.",
            [_age(r.last_run, now) for r in rows],
        ),
    ):
        yield _family(
            name, says, ["sync"], [([r.name], v) for r, v in zip(rows, values, strict=True)]
        )


def _instances(service: Service, rows: Sequence[InstanceStatus]) -> Iterator[Metric]:
    down = service.world.down
    for name, says, values in (
        (
            "crm_sync_instance_up",
            "Whether the instance could be used when last asked.",
            [not r.failure and r.name not in down for r in rows],
        ),
        (
            "crm_sync_check_warnings",
            "What the last check of the instance warned of.",
            [r.warnings for r in rows],
        ),
        (
            "crm_sync_instance_paused",
            "Whether a person has paused the instance.",
            [r.state == "paused" for r in rows],
        ),
        (
            "crm_sync_api_budget_used_calls",
            "Calls used of the budget, as the system counts.",
            [r.budget_used for r in rows],
        ),
        (
            "crm_sync_api_budget_limit_calls",
            "The budget, as the system tells it.",
            [r.budget_limit for r in rows],
        ),
    ):
        told = [([r.name], v) for r, v in zip(rows, values, strict=True)]
        yield _family(name, says, ["instance"], told)


def _sources(status: Status, now: datetime) -> Iterator[Metric]:
    rows = [(one.source.split("/", 1), one) for one in status.sources]
    for name, says, told in (
        (
            "crm_sync_cursor_age_seconds",
            "Since the source was read up to its end.",
            [(place, _age(one.read_at, now)) for place, one in rows],
        ),
        (
            "crm_sync_listing_age_seconds",
            "Since the source was last listed whole.",
            [(place, _age(one.listed_at, now)) for place, one in rows],
        ),
    ):
        yield _family(name, says, ["instance", "object"], told)


def _family(
    name: str,
    says: str,
    labels: Sequence[str],
    told: Iterable[tuple[Sequence[str], float | None]],
) -> Metric:
    """What is not known has no sample: a zero would be a lie."""
    family = GaugeMetricFamily(name, says, labels=labels)
    for values, value in told:
        if value is not None:
            family.add_metric(values, value)
    return family


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else (now - moment).total_seconds()
