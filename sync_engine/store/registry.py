"""Queries on the small tables: instances, sources, syncs, leases, runs, issues, decisions."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Row

from sync_engine.models import (
    Decision,
    Instance,
    Issue,
    Kind,
    Lease,
    Meta,
    Run,
    Source,
    Sync,
)
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import DecisionRow, InstanceRow, IssueRow, SourceRow, SyncRow
from sync_engine.store.sql import chunks, insert_new

META: Any = Meta.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
INSTANCE: Any = Instance.__table__  # type: ignore[attr-defined]
SOURCE: Any = Source.__table__  # type: ignore[attr-defined]
SYNC: Any = Sync.__table__  # type: ignore[attr-defined]
LEASE: Any = Lease.__table__  # type: ignore[attr-defined]
RUN: Any = Run.__table__  # type: ignore[attr-defined]
ISSUE: Any = Issue.__table__  # type: ignore[attr-defined]
DECISION: Any = Decision.__table__  # type: ignore[attr-defined]


class LeaseLostError(Exception):
    """Another worker holds this lease now; nothing more may be stored under it."""


class LeaseTakenError(Exception):
    """Another worker is at this work."""

    def __init__(self, name: str, holder: str, until: datetime) -> None:
        super().__init__(f"{name} is held by {holder} until {until:%H:%M:%S} UTC")
        self.name, self.holder, self.until = name, holder, until


class Registry:
    """Reads and writes the small tables."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    # installation, instances, sources, syncs

    def installation(self, connection: Connection, fresh: int) -> int:
        """This database's installation number; ``fresh`` is taken on first use."""
        row = connection.execute(select(META.c.installation)).first()
        if row is None:
            connection.execute(insert(META), {"installation": fresh, "epoch": 0, "restoring": 0})
            return fresh
        return int(row.installation)

    def instances(self, connection: Connection) -> dict[str, InstanceRow]:
        rows = connection.execute(select(INSTANCE).order_by(INSTANCE.c.id))
        return {row.name: InstanceRow(row.id, row.name, row.identity, row.state) for row in rows}

    def add_instances(self, connection: Connection, names: Iterable[str]) -> None:
        known = self.instances(connection)
        following = max((row.id for row in known.values()), default=0) + 1
        fresh = [name for name in names if name not in known]
        rows = [
            {"id": following + n, "name": name, "state": "active"} for n, name in enumerate(fresh)
        ]
        if rows:
            connection.execute(insert(INSTANCE), rows)

    def pin(self, connection: Connection, instance_id: int, identity: Mapping[str, Any]) -> None:
        connection.execute(
            update(INSTANCE).where(INSTANCE.c.id == instance_id).values(identity=dict(identity))
        )

    def sources(self, connection: Connection) -> list[SourceRow]:
        rows = connection.execute(select(SOURCE).order_by(SOURCE.c.id))
        return [SourceRow(**dict(row._mapping)) for row in rows]

    def add_sources(self, connection: Connection, wanted: Iterable[tuple[int, str]]) -> None:
        """Make sure that a source row exists per (instance id, object)."""
        known = {(row.instance_id, row.object): row.id for row in self.sources(connection)}
        following = max(known.values(), default=0) + 1
        fresh = [pair for pair in wanted if pair not in known]
        rows = [
            {"id": following + n, "instance_id": i, "object": o, "tick": 0, "state": "active"}
            for n, (i, o) in enumerate(fresh)
        ]
        if rows:
            connection.execute(insert(SOURCE), rows)

    def save_source(self, connection: Connection, source_id: int, **columns: Any) -> None:
        connection.execute(update(SOURCE).where(SOURCE.c.id == source_id).values(**columns))

    def tick(self, connection: Connection, source_id: int) -> int:
        """Advance and return the source's count of stored outcomes."""
        later = update(SOURCE).where(SOURCE.c.id == source_id).values(tick=SOURCE.c.tick + 1)
        return int(connection.execute(later.returning(SOURCE.c.tick)).scalar_one())

    def syncs(self, connection: Connection) -> dict[str, SyncRow]:
        rows = connection.execute(select(SYNC).order_by(SYNC.c.kind))
        return {
            row.name: SyncRow(row.name, Kind(row.kind), row.state, row.released_at) for row in rows
        }

    def add_sync(self, connection: Connection, name: str, kind: Kind) -> None:
        """Make sure that the kind's row exists; a renamed sync keeps its state."""
        changed = connection.execute(update(SYNC).where(SYNC.c.kind == kind).values(name=name))
        if not changed.rowcount:
            connection.execute(insert(SYNC), {"name": name, "kind": kind, "state": "active"})

    def release(self, connection: Connection, name: str, now: datetime) -> None:
        connection.execute(update(SYNC).where(SYNC.c.name == name).values(released_at=now))

    # leases

    def take_lease(
        self,
        connection: Connection,
        name: str,
        holder: str,
        now: datetime,
        seconds: float,
        is_dead: Callable[[str], bool],
    ) -> int:
        """The fence of the lease, now ours. Raises LeaseTakenError while another holds it."""
        connection.execute(insert_new(connection, LEASE), {"name": name, "fence": 0})
        row = connection.execute(select(LEASE).where(LEASE.c.name == name).with_for_update()).one()
        taken = row.holder not in (None, holder) and row.until > now
        if taken and not is_dead(row.holder):
            raise LeaseTakenError(name, row.holder, row.until)
        until = now + timedelta(seconds=seconds)
        connection.execute(
            update(LEASE)
            .where(LEASE.c.name == name)
            .values(fence=row.fence + 1, holder=holder, until=until)
        )
        return int(row.fence) + 1

    def renew_lease(
        self, connection: Connection, name: str, fence: int, now: datetime, seconds: float
    ) -> None:
        """Raises LeaseLostError if the fence is not ours any more."""
        renewed = connection.execute(
            update(LEASE)
            .where(LEASE.c.name == name, LEASE.c.fence == fence, LEASE.c.holder.is_not(None))
            .values(until=now + timedelta(seconds=seconds))
        )
        if not renewed.rowcount:
            raise LeaseLostError(name)

    def drop_lease(self, connection: Connection, name: str, fence: int) -> None:
        connection.execute(
            update(LEASE)
            .where(LEASE.c.name == name, LEASE.c.fence == fence)
            .values(holder=None, until=None)
        )

    def leases(self, connection: Connection) -> list[tuple[str, str, datetime]]:
        rows = connection.execute(select(LEASE).where(LEASE.c.holder.is_not(None)))
        return [(row.name, row.holder, row.until) for row in rows]

    # runs, issues, decisions

    def start_run(
        self, connection: Connection, run_id: int, sync: str, now: datetime, prefer: str | None
    ) -> None:
        connection.execute(
            insert_new(connection, RUN),
            {"id": run_id, "sync": sync, "prefer": prefer, "started_at": now},
        )

    def finish_run(
        self, connection: Connection, run_id: int, now: datetime, counts: Mapping[str, Any]
    ) -> None:
        connection.execute(
            update(RUN).where(RUN.c.id == run_id).values(finished_at=now, counts=dict(counts))
        )

    def runs(self, connection: Connection, limit: int = 20) -> list[Row[Any]]:
        return list(connection.execute(select(RUN).order_by(RUN.c.id.desc()).limit(limit)))

    def open_issues(self, connection: Connection, issues: Collection[IssueRow]) -> None:
        """Open what is not open already."""
        rows = [
            {
                "id": issue.id,
                "what": issue.what,
                "cause": issue.cause,
                "source_id": issue.source_id,
                "entity_id": issue.entity_id,
                "link_id": issue.link_id,
                "field_id": self._layouts.maybe_id(issue.field_name),
                "detail": issue.detail,
                "opened_at": issue.opened_at,
            }
            for issue in issues
        ]
        if rows:
            connection.execute(insert_new(connection, ISSUE), rows)

    def issues(self, connection: Connection, *, whats: Collection[str] = ()) -> list[IssueRow]:
        query = select(ISSUE).where(ISSUE.c.closed_at.is_(None)).order_by(ISSUE.c.id)
        if whats:
            query = query.where(ISSUE.c.what.in_(sorted(whats)))
        return [self._issue(row) for row in connection.execute(query)]

    def issues_of(
        self, connection: Connection, whats: Collection[str], entities: Collection[int]
    ) -> list[IssueRow]:
        """Open issues of these sorts about these entities."""
        found: list[IssueRow] = []
        for chunk in chunks(entities):
            query = select(ISSUE).where(
                ISSUE.c.closed_at.is_(None),
                ISSUE.c.what.in_(sorted(whats)),
                ISSUE.c.entity_id.in_(chunk),
            )
            found += [self._issue(row) for row in connection.execute(query)]
        return found

    def close(self, connection: Connection, now: datetime, ids: Collection[int]) -> None:
        for chunk in chunks(ids):
            connection.execute(update(ISSUE).where(ISSUE.c.id.in_(chunk)).values(closed_at=now))

    def close_issues(
        self,
        connection: Connection,
        now: datetime,
        *,
        whats: Collection[str],
        links: Collection[int] = (),
        entities: Collection[int] = (),
        sources: Collection[int] = (),
    ) -> None:
        """Close the open issues of these sorts about any of these."""
        about = [
            column.in_(sorted(ids))
            for column, ids in (
                (ISSUE.c.link_id, links),
                (ISSUE.c.entity_id, entities),
                (ISSUE.c.source_id, sources),
            )
            if ids
        ]
        if about:
            connection.execute(
                update(ISSUE)
                .where(
                    and_(ISSUE.c.closed_at.is_(None), ISSUE.c.what.in_(sorted(whats)), or_(*about))
                )
                .values(closed_at=now)
            )

    def count_issues(self, connection: Connection) -> dict[str, int]:
        query = (
            select(ISSUE.c.what, func.count().label("n"))
            .where(ISSUE.c.closed_at.is_(None))
            .group_by(ISSUE.c.what)
            .order_by(ISSUE.c.what)
        )
        return {row.what: row.n for row in connection.execute(query)}

    def decisions(
        self, connection: Connection, records: Collection[tuple[int, str]]
    ) -> list[DecisionRow]:
        """What people have said of any of these (source id, record id)."""
        found: dict[int, DecisionRow] = {}
        for chunk in chunks({record for _, record in records}):
            query = select(DECISION).where(
                or_(DECISION.c.left_record.in_(chunk), DECISION.c.right_record.in_(chunk))
            )
            for row in connection.execute(query):
                found[row.id] = DecisionRow(
                    row.verdict,
                    (row.left_source, row.left_record),
                    (row.right_source, row.right_record),
                )
        return [found[number] for number in sorted(found)]

    def _issue(self, row: Row[Any]) -> IssueRow:
        columns = dict(row._mapping)
        columns["field_name"] = self._layouts.maybe_name(columns.pop("field_id"))
        columns["detail"] = columns["detail"] or {}
        return IssueRow(**columns)
