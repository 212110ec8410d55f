"""How things stand, from the state alone: no system is asked."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from sync_engine.engine import Sync
from sync_engine.ids import time_of
from sync_engine.models import WRITES, Happened, Owes
from sync_engine.operations.issues import counted
from sync_engine.operations.report import side_rows
from sync_engine.operations.shapes import (
    InstanceStatus,
    RunLine,
    SourceStatus,
    Status,
    SyncStatus,
)
from sync_engine.service import Service
from sync_engine.store import InstanceRow, SourceRow

#: issues that only tell something; nothing waits on them
_NEWS = frozenset(
    {
        "cannot be cleared",
        "stored differently",
        "truncated",
        "rewritten",
        "lead left as past",
        "type changed",
        "unknown choice",
        "unreadable value",
    }
)


def status(service: Service) -> Status:
    """How things stand."""
    registry = service.store.registry
    with service.store.reading() as connection:
        sources = {row.id: row for row in registry.sources(connection)}
        rows = registry.instances(connection)
        instances = [_instance(service, rows[name]) for name in service.connectors]
        syncs = [_sync(service, connection, sync, sources) for sync in service.world.syncs.values()]
    issues = counted(service)
    summary = _summary(instances, syncs, issues)
    return Status(
        well=not summary,
        summary=summary or "All is well: nothing waits for a person.",
        instances=instances,
        syncs=syncs,
        sources=[
            SourceStatus(
                source=source.name,
                listed_at=sources[source.id].listed_at,
                read_at=sources[source.id].checked_at,
            )
            for source in service.world.sources
        ],
        sides=side_rows(service, Counter()),
        issues=issues,
    )


def runs(service: Service, limit: int) -> list[RunLine]:
    """The newest runs that changed something, newest first."""
    with service.store.reading() as connection:
        rows = service.store.registry.runs(connection, limit)
    return [
        RunLine(
            run=str(row.id),
            sync=row.sync,
            started_at=row.started_at,
            finished_at=row.finished_at,
            prefer=row.prefer,
            counts={name: number for name, number in (row.counts or {}).items() if number},
        )
        for row in rows
    ]


def _instance(service: Service, row: InstanceRow) -> InstanceStatus:
    health, budget = row.health or {}, row.budget or {}
    today = f"{service.clock.now():%Y-%m-%d}"
    identity = row.identity
    return InstanceStatus(
        name=row.name,
        state=row.state,
        organization=f"{identity['name']} ({identity['id']})" if identity else None,
        checked_at=datetime.fromisoformat(health["at"]) if health else None,
        failure=health.get("failure") or None,
        remedy=health.get("remedy") or None,
        warnings=health.get("warnings", 0),
        calls_today=budget["calls"] if budget.get("day") == today else 0,
        budget_used=budget.get("used"),
        budget_limit=budget.get("limit"),
    )


def _sync(
    service: Service, connection: Connection, sync: Sync, sources: dict[int, SourceRow]
) -> SyncStatus:
    store, now = service.store, service.clock.now()
    row = store.registry.syncs(connection)[sync.name]
    own = [source.id for source in service.world.of_kind(sync.kind)]
    owed = Counter[Owes]()
    for source_id in own:
        for (kind, owes), number in store.links.owed(connection, source_id).items():
            owed[owes] += number if kind is sync.kind and owes in WRITES else 0
    oldest = store.links.oldest_owing(connection, sync.kind)
    read = [sources[n].checked_at for n in own if sources[n].checked_at is not None]
    settings = service.config.settings.syncs[sync.name]
    whats = Counter(
        issue.what
        for issue in store.issues.all(
            connection,
            whats=(
                "possible duplicate",
                "required value missing",
                "rejected",
                "does not fit",
                "parked",
            ),
        )
        if issue.source_id in own
    )
    since = service.world.ids.row_at(now - timedelta(days=1))
    return SyncStatus(
        name=sync.name,
        kind=sync.kind.name.lower(),
        state="waits for release" if row.released_at is None else row.state,
        schedule=settings.cron or f"every {settings.every} s",
        last_run=max((at for at in read if at), default=None),
        next_run=row.due_at,
        backlog=owed.total(),
        oldest_unsent=time_of(oldest) if oldest else None,
        held=whats.total() - whats["parked"],
        parked=whats["parked"],
        conflicts_today=store.entities.count_told(connection, sync.kind, Happened.CONFLICT, since),
    )


def _summary(
    instances: list[InstanceStatus], syncs: list[SyncStatus], issues: dict[str, int]
) -> str:
    """What is not well, in one line; empty if all is."""
    wrong = [f"{one.name} cannot be used" for one in instances if one.failure]
    states = {one.name: one.state for one in instances} | {one.name: one.state for one in syncs}
    wrong += [f"{name} is paused" for name, state in states.items() if state == "paused"]
    wrong += [f"{one.name} waits for its release" for one in syncs if "waits" in one.state]
    waiting = sum(number for what, number in issues.items() if what not in _NEWS)
    if waiting:
        wrong.append(f"{waiting} {'issue waits' if waiting == 1 else 'issues wait'} for a person")
    return "; ".join(wrong)
