"""Queries on the small tables: instances, sources, syncs, leases, runs."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection

from sync_engine.models import Instance, Kind, Lease, Meta, Run, Source, Sync
from sync_engine.store.rows import InstanceRow, RunRow, SourceRow, SyncRow
from sync_engine.store.sql import insert_new, new_row, update_many

META: Any = Meta.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
INSTANCE: Any = Instance.__table__  # type: ignore[attr-defined]
SOURCE: Any = Source.__table__  # type: ignore[attr-defined]
SYNC: Any = Sync.__table__  # type: ignore[attr-defined]
LEASE: Any = Lease.__table__  # type: ignore[attr-defined]
RUN: Any = Run.__table__  # type: ignore[attr-defined]

# asked for at every step of every cycle, so they are put together once
_INSTANCES: Any = select(INSTANCE).order_by(INSTANCE.c.id)
_SOURCES: Any = select(SOURCE).order_by(SOURCE.c.id)
_SYNCS: Any = select(SYNC).order_by(SYNC.c.kind)
_SOURCE: Any = select(SOURCE).where(SOURCE.c.id == bindparam("number"))
_LEASE: Any = select(LEASE).where(LEASE.c.name == bindparam("called")).with_for_update()
_RENEW: Any = (
    update(LEASE)
    .where(
        LEASE.c.name == bindparam("called"),
        LEASE.c.fence == bindparam("ours"),
        LEASE.c.holder.is_not(None),
    )
    .values(until=bindparam("until"))
)
_DROP: Any = (
    update(LEASE)
    .where(LEASE.c.name == bindparam("called"), LEASE.c.fence == bindparam("ours"))
    .values(holder=None, until=None)
)


@lru_cache
def _taking(dialect: str) -> Any:
    """Takes a lease that is free, ours or over by ``now``, whether it was ever taken or not."""
    statement = new_row(dialect, LEASE)
    wanted = statement.excluded
    free = or_(
        LEASE.c.holder.is_(None),
        LEASE.c.holder == wanted.holder,
        LEASE.c.until <= bindparam("now", type_=LEASE.c.until.type),
    )
    taken = {"fence": LEASE.c.fence + 1, "holder": wanted.holder, "until": wanted.until}
    return statement.on_conflict_do_update(
        index_elements=[LEASE.c.name], set_=taken, where=free
    ).returning(LEASE.c.fence)


class LeaseLostError(Exception):
    """Another worker holds this lease now; nothing more may be stored under it."""


class LeaseTakenError(Exception):
    """Another worker is at this work."""

    def __init__(self, name: str, holder: str, until: datetime) -> None:
        super().__init__(f"{name} is held by {holder} until {until:%H:%M:%S} UTC")
        self.name, self.holder, self.until = name, holder, until


class Registry:
    """Reads and writes the small tables."""

    # installation, instances, sources, syncs

    def installation(self, connection: Connection, fresh: int) -> int:
        """This database's installation number; ``fresh`` is taken on first use."""
        row = connection.execute(select(META.c.installation)).first()
        if row is None:
            connection.execute(insert(META), {"installation": fresh, "epoch": 0, "restoring": 0})
            return fresh
        return int(row.installation)

    def instances(self, connection: Connection) -> dict[str, InstanceRow]:
        rows = connection.execute(_INSTANCES)
        return {row.name: InstanceRow(**dict(row._mapping)) for row in rows}

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
        self.save_instance(connection, instance_id, identity=dict(identity))

    def save_instance(self, connection: Connection, instance_id: int, **columns: Any) -> None:
        update_many(connection, INSTANCE, [{"id": instance_id, **columns}])

    def source(self, connection: Connection, source_id: int) -> SourceRow:
        row = connection.execute(_SOURCE, {"number": source_id}).one()
        return SourceRow(**dict(row._mapping))

    def sources(self, connection: Connection) -> list[SourceRow]:
        rows = connection.execute(_SOURCES)
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
        update_many(connection, SOURCE, [{"id": source_id, **columns}])

    def tick(self, connection: Connection, source_id: int) -> int:
        """Advance and return the source's count of stored outcomes."""
        later = update(SOURCE).where(SOURCE.c.id == source_id).values(tick=SOURCE.c.tick + 1)
        return int(connection.execute(later.returning(SOURCE.c.tick)).scalar_one())

    def syncs(self, connection: Connection) -> dict[str, SyncRow]:
        rows = connection.execute(_SYNCS)
        return {row.name: SyncRow(**{**row._mapping, "kind": Kind(row.kind)}) for row in rows}

    def add_sync(self, connection: Connection, name: str, kind: Kind) -> None:
        """Make sure that the kind's row exists; a renamed sync keeps its state."""
        changed = connection.execute(update(SYNC).where(SYNC.c.kind == kind).values(name=name))
        if not changed.rowcount:
            connection.execute(insert(SYNC), {"name": name, "kind": kind, "state": "active"})

    def save_sync(self, connection: Connection, name: str, **columns: Any) -> None:
        connection.execute(update(SYNC).where(SYNC.c.name == name).values(**columns))

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
        wanted = {"name": name, "fence": 1, "holder": holder}
        wanted["until"] = now + timedelta(seconds=seconds)
        take = _taking(connection.dialect.name)
        fence = connection.execute(take, {**wanted, "now": now}).scalar()
        if fence is None:
            row = connection.execute(_LEASE, {"called": name}).one()
            if row.holder is not None and not is_dead(row.holder):
                raise LeaseTakenError(name, row.holder, row.until)
            fence = connection.execute(take, {**wanted, "now": row.until}).scalar_one()
        return int(fence)

    def renew_lease(
        self, connection: Connection, name: str, fence: int, now: datetime, seconds: float
    ) -> None:
        """Raises LeaseLostError if the fence is not ours any more."""
        until = now + timedelta(seconds=seconds)
        renewed = connection.execute(_RENEW, {"called": name, "ours": fence, "until": until})
        if not renewed.rowcount:
            raise LeaseLostError(name)

    def drop_lease(self, connection: Connection, name: str, fence: int) -> None:
        connection.execute(_DROP, {"called": name, "ours": fence})

    def free_leases(self, connection: Connection) -> None:
        """In a copy of a state nobody is at work."""
        connection.execute(update(LEASE).values(holder=None, until=None))

    def leases(self, connection: Connection) -> list[tuple[str, str, datetime]]:
        rows = connection.execute(select(LEASE).where(LEASE.c.holder.is_not(None)))
        return [(row.name, row.holder, row.until) for row in rows]

    # runs

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

    def begun(self, connection: Connection, sync: str, number: int) -> int:
        """The id of the oldest of a sync's last runs, of so many; 0 where there were fewer."""
        query = select(RUN.c.id).where(RUN.c.sync == sync).order_by(RUN.c.id.desc())
        ids = [row.id for row in connection.execute(query.limit(number))]
        return ids[-1] if len(ids) == number else 0

    def runs(self, connection: Connection, limit: int) -> list[RunRow]:
        """The newest runs, newest first."""
        rows = connection.execute(select(RUN).order_by(RUN.c.id.desc()).limit(limit))
        return [RunRow(**dict(row._mapping)) for row in rows]
