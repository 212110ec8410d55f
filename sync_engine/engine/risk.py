"""Weighs what a push would do and stops improbable numbers for a person (practice 8.1)."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from sync_engine import guard
from sync_engine.engine.references import resolve
from sync_engine.engine.showing import difference, shown
from sync_engine.engine.world import Run, Source, Sync, Told, World
from sync_engine.models import LinkState, Owes
from sync_engine.store import LeaseHold
from sync_engine.values import hash_of

COUNTED = 100_000  #: links whose fields are looked at
DAY = timedelta(hours=24)
_RISKS = {
    Owes.CREATE: "create",
    Owes.CONVERT: "convert",
    Owes.DEACTIVATE: "delete",
    Owes.DELETE: "delete",
    Owes.CLEAR: "clear",
}
WRITES = frozenset({Owes.UPDATE, *_RISKS})


def allowed_classes(
    world: World, sync: Sync, source: Source, run: Run, lease: LeaseHold
) -> Collection[Owes]:
    """The classes of write that may go now. What is stopped becomes an issue."""
    now = world.clock.now()
    with world.store.transaction(lease) as connection:
        row = world.store.registry.syncs(connection)[sync.name]
        if row.released_at is None or row.state == "paused":
            return ()
        done = _done(world, source, connection, now - DAY)
        load = guard.Load(
            links=_links(world, source, connection),
            planned=_planned(world, sync, source, connection, done),
            done=done,
            released=released(world, sync, source, connection, now),
            first=now - row.released_at < DAY,
        )
        stops = guard.stopped(load, sync.limits)
        told = Told(run.id)
        for risk, number in stops.items():
            stop(told, world, source, sync, risk, number, load.links)
        if stops:
            run.store(world, connection)
            run.counts["stopped"] += sum(stops.values())
        told.store(world, connection)
    risks = {name.split(":", 1)[0] for name in stops}
    return frozenset(owes for owes in WRITES if not risks & _stopped_by(owes))


def stop(
    told: Told, world: World, source: Source, sync: Sync, risk: str, planned: int, links: int
) -> None:
    """Ask a person about an improbable number."""
    told.issue(
        world,
        "guard",
        cause=f"{sync.name}: {risk}",
        source_id=source.id,
        detail={"sync": sync.name, "risk": risk, "planned": planned, "of": links},
    )


def _stopped_by(owes: Owes) -> set[str]:
    if owes is Owes.UPDATE:
        return {"same"}
    return {_RISKS[owes], "same"} if owes is Owes.CLEAR else {_RISKS[owes]}


def _links(world: World, source: Source, connection: Connection) -> int:
    counts = world.store.links.counts(connection)
    return sum(
        n for (s, _, state), n in counts.items() if s == source.id and state is LinkState.LIVE
    )


def _planned(
    world: World, sync: Sync, source: Source, connection: Connection, done: Counter[str]
) -> Counter[str]:
    """Class -> links that owe it; what is cleared or made the same is counted per field."""
    planned: Counter[str] = Counter()
    owed = world.store.links.owed(connection, source.id)
    for (kind, owes), number in owed.items():
        if kind is sync.kind and owes in _RISKS and owes is not Owes.CLEAR:
            planned[_RISKS[owes]] += number
    updates = sum(owed.get((sync.kind, owes), 0) for owes in (Owes.UPDATE, Owes.CLEAR))
    cleared = max((n for name, n in done.items() if name.startswith("clear:")), default=0)
    if updates and updates + cleared > min(sync.limits.clear.count, sync.limits.same.count):
        planned |= _fields(world, sync, source, connection)
    return planned


def _fields(world: World, sync: Sync, source: Source, connection: Connection) -> Counter[str]:
    cleared: Counter[str] = Counter()
    same: Counter[tuple[str, str]] = Counter()
    links = world.store.links.owing(
        connection, source.id, sync.kind, world.clock.now(), COUNTED, (Owes.UPDATE, Owes.CLEAR)
    )
    entities = world.store.entities.by_id(connection, {k.entity_id for k in links if k.entity_id})
    references = resolve(world, connection, sync.kind, entities.values(), links)
    for link in links:
        entity = entities[link.entity_id or 0]
        side = shown(world, references, link, sync.kind, entity.golden)
        for name in difference(world, references, entity, link, side):
            if entity.golden[name] is None:
                cleared[name] += 1
            elif side.seen[name] is not None:
                same[name, hash_of(entity.golden[name])] += 1
    found = Counter({f"clear:{name}": number for name, number in cleared.items()})
    for (name, _), number in same.items():
        found[f"same:{name}"] = max(found[f"same:{name}"], number)
    return found


def _done(world: World, source: Source, connection: Connection, since: datetime) -> Counter[str]:
    """Class -> risky writes of the source since then."""
    row_id = world.ids.row_at(since)
    done: Counter[str] = Counter()
    for owes, number in world.store.writes.risky_since(connection, source.id, row_id).items():
        if owes in _RISKS and owes is not Owes.CLEAR:
            done[_RISKS[owes]] += number
    cleared = world.store.writes.cleared_since(connection, source.id, row_id)
    return done + Counter({f"clear:{name}": number for name, number in cleared.items()})


def released(
    world: World, sync: Sync, source: Source, connection: Connection, now: datetime
) -> Mapping[str, int]:
    """What is left of the numbers that a person has let go; they hold once, and for a day."""
    rows = world.store.registry.sources(connection)
    guard = (next(row for row in rows if row.id == source.id).guard or {}).get(sync.name)
    if not guard:
        return {}
    at = datetime.fromisoformat(guard["at"])
    if now - at > DAY:
        return {}
    since = _done(world, source, connection, at)
    return {name: number - since[name] for name, number in guard["released"].items()}
