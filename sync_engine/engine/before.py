"""Reads what must be known before a write: records that owe a reading, writes whose fate is
open, and whether a person who is to be created is there already.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy.engine import Connection

from connectors import Deleted, Record, Upserted
from sync_engine.engine.ingest import ingest
from sync_engine.engine.keys import keys_of
from sync_engine.engine.missing import proven, require_witness
from sync_engine.engine.owners import meet
from sync_engine.engine.world import Run, Source, Sync, Told, World
from sync_engine.models import LinkState, Owes, SentResult
from sync_engine.store import READABLE, LeaseHold, LinkRow, SentRow

HORIZON = timedelta(minutes=15)  #: how long an unanswered write may still land
DOUBT = timedelta(hours=1)  #: before one of improbably many missing records is read again
PAUSE = timedelta(seconds=30)  #: before a record that was missing is read again
_SEARCHED = ("email", "mobile", "phone", "website", "vat")  #: looked up before a create


def overdue_links(world: World, connection: Connection, source: Source) -> list[int]:
    """Links of the source with a write whose fate is open and that can no longer land."""
    return world.store.writes.overdue(connection, source.id, _past_horizon(world))


def _past_horizon(world: World) -> int:
    return world.ids.row_at(world.clock.now() - HORIZON)


def reread(
    world: World,
    sync: Sync,
    source: Source,
    run: Run,
    lease: LeaseHold,
    overdue: Collection[int],
    limit: int,
) -> int:
    """Read what must be read before it may be decided; settle writes whose fate is open.

    Gives how many links owed it, at most ``limit``.
    """
    with world.store.transaction(lease) as connection:
        owing = world.store.links.owing(
            connection, source.id, sync.kind, world.clock.now(), limit, (Owes.REREAD,)
        )
        known = world.store.links.by_id(connection, overdue)
        late = [link for link in known.values() if link.kind is sync.kind]
        tick = tick_of(world, connection, source)
    read = {k.id: k for k in (*owing, *late) if k.record_id and k.state in READABLE}
    keys = [str(k.key) for k in late if k.state is LinkState.CREATING]
    records = _fetched(source, "id", sorted(k.record_id or "" for k in read.values()))
    born = _fetched(source, "key", sorted(keys))
    if not (read or late):
        return len(owing)
    if read and not records:
        require_witness(world, source, run, [k.record_id or "" for k in read.values()])
    with world.store.transaction(lease) as connection:
        found = [Upserted(record) for record in (*records.values(), *born.values())]
        ingest(world, source, run, connection, found, tick)
        missing = [k for k in read.values() if k.record_id not in records]
        unread = {k.id for k in missing}
        _close_overdue(world, connection, [k.id for k in late if k.id not in unread])
        # who matches a record that was to be created, and is not there, may have its place
        unmade = {k.entity_id for k in late if k.state is LinkState.CREATING and k.entity_id}
        world.store.links.ask_anew(connection, keys_of(world, connection, unmade))
        world.store.entities.mark(connection, unmade)
        miss(world, source, run, connection, missing, tick)
    return len(owing)


def _fetched(source: Source, field: str, values: Sequence[str]) -> dict[str, Record]:
    found = source.connector.fetch(source.selection, field, values) if values else ()
    meet(source, (record.values for record in found))
    return {record.id: record for record in found}


def tick_of(world: World, connection: Connection, source: Source) -> int:
    return world.store.registry.source(connection, source.id).tick


def _close_overdue(world: World, connection: Connection, links: Collection[int]) -> None:
    """Nobody knows what became of these writes; what the records hold now is known."""
    horizon = _past_horizon(world)
    over = [
        row
        for rows in world.store.writes.open(connection, links).values()
        for row in rows
        if row.id < horizon
    ]
    for row in over:
        row.result, row.answered_at = SentResult.UNKNOWN, world.clock.now()
    world.store.writes.close(connection, over)


def miss(
    world: World,
    source: Source,
    run: Run,
    connection: Connection,
    missing: Sequence[LinkRow],
    tick: int,
) -> None:
    """A record is gone when it was missing twice, a cycle apart; the first time it is noted."""
    if not missing:
        return
    now, told = world.clock.now(), Told(run.id)
    twice = [k for k in missing if k.missing_at is not None and now - k.missing_at >= PAUSE]
    gone = proven(world, told, connection, source, twice) if twice else []
    for link in missing:
        if link.missing_at is None:
            link.missing_at, link.owes, link.due_at = now, Owes.REREAD, now + PAUSE
    doubted = {k.id for k in twice} - {k.id for k in gone}
    for link in twice:
        if link.id in doubted:
            link.owes, link.due_at = Owes.REREAD, now + DOUBT
    world.store.links.save(connection, [k for k in missing if k.due_at is not None])
    told.store(world, connection)
    ingest(world, source, run, connection, [Deleted(k.record_id or "") for k in gone], tick)


def look_up(
    world: World,
    sync: Sync,
    source: Source,
    run: Run,
    lease: LeaseHold,
    looked: set[int],
    limit: int,
) -> None:
    """Before creating, ask the system whether the person is there already; once in a push.

    A feed may lag behind what the system holds. A hit is stored and matched; the create
    that it makes doubtful is withdrawn and decided anew.
    """
    with world.store.transaction(lease) as connection:
        creating = world.store.links.owing(
            connection, source.id, sync.kind, world.clock.now(), limit, (Owes.CREATE,)
        )
        creating = [link for link in creating if link.id not in looked]
        looked |= {link.id for link in creating}
        entities = world.store.entities.by_id(
            connection, {k.entity_id for k in creating if k.entity_id}
        )
        started = world.store.writes.open(connection, {k.id for k in creating})
        tick = tick_of(world, connection, source)
    keys = [str(k.key) for k in creating if k.id in started]
    found: dict[str, Record] = {}
    if keys:  # a create whose answer was lost is recognised by its key
        found = {r.id: r for r in source.connector.fetch(source.selection, "key", keys)}
    for name in _SEARCHED:
        golden = (entities[k.entity_id or 0].golden.get(name) for k in creating)
        wanted = source.mapping.search(name, [value for value in golden if value])
        if wanted and wanted[1]:
            hits = source.connector.fetch(source.selection, *wanted)
            found |= {r.id: r for r in hits}
    if not found:
        return
    with world.store.transaction(lease) as connection:
        known = world.store.links.by_record(connection, source.id, set(found))
        ingest(world, source, run, connection, [Upserted(r) for r in found.values()], tick)
        strangers = [r for r in found.values() if r.id not in known]
        _withdraw(world, sync, source, connection, creating, started, strangers)


def _withdraw(
    world: World,
    sync: Sync,
    source: Source,
    connection: Connection,
    creating: Sequence[LinkRow],
    started: dict[int, list[SentRow]],
    strangers: Sequence[Record],
) -> None:
    ours = {str(k.key) for k in creating}
    hits = [r for r in strangers if str(r.key) not in ours]
    if not hits:
        return
    kind = sync.kind.name.lower()
    addresses = {
        (name, value)
        for record in hits
        for name, value in source.mapping.golden_of(kind, record.values).items()
        if name in _SEARCHED and value
    }
    current = world.store.entities.by_id(connection, {k.entity_id for k in creating if k.entity_id})
    doubtful = [
        link
        for link in creating
        if link.id not in started
        and any((n, current[link.entity_id or 0].golden.get(n)) in addresses for n in _SEARCHED)
    ]
    for link in doubtful:
        link.state, link.owes = LinkState.REPLACED, Owes.NOTHING
    world.store.links.save(connection, doubtful, only=("state", "owes"))
    world.store.entities.mark(connection, {k.entity_id for k in doubtful if k.entity_id})
