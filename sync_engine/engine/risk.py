"""Weighs what a push would do and stops improbable numbers for a person (practice 8.1)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from sync_engine import guard
from sync_engine.engine.references import resolve
from sync_engine.engine.showing import difference, shown, wanted
from sync_engine.engine.stops import MISSING, READ, REMAPPED, keep_stops, open_stops
from sync_engine.engine.world import Run, Source, Sync, Told, World
from sync_engine.models import WRITES, LinkState, Owes
from sync_engine.store import LeaseHold, SourceRow
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
_UPDATES = (Owes.UPDATE, Owes.CLEAR)
OWNER = "owner"  #: a golden field, and the class of changes to it
PUSHED = (*dict.fromkeys(_RISKS.values()), "same", OWNER)  #: classes that a push is held to


def allowed_classes(
    world: World, sync: Sync, source: Source, run: Run, lease: LeaseHold
) -> Collection[Owes]:
    """The classes of write that may go now. What is stopped becomes an issue."""
    now = world.clock.now()
    with world.store.reading() as connection:
        row = world.store.registry.syncs(connection)[sync.name]
        if row.released_at is None or row.state == "paused":
            return ()
        first = _within_a_day(row.released_at, now)
        load = _load(world, sync, source, connection, now, first=first)
    stops = guard.stopped(load, sync.limits)
    if stops:
        told = Told(run.id)
        with world.store.transaction(lease) as connection:
            run.store(world, connection)
            keep_stops(world, told, connection, sync, source, stops, load.links, PUSHED)
            told.store(world, connection)
        run.counts["stopped"] += sum(stops.values())
    risks = {guard.class_of(name) for name in stops}
    if world.restoring:
        risks |= {"create", "convert", "delete"}
    return frozenset(owes for owes in WRITES if not risks & _stopped_by(owes))


def review_stops(world: World, syncs: Iterable[Sync], run: Run) -> None:
    """A stop whose reason is over, since people have put things right, ends by itself.

    What a listing lacked is looked at again by another one, a day later.
    """
    by_name = {sync.name: sync for sync in syncs}
    with world.store.reading() as connection:
        stopped = {
            (issue.detail["sync"], issue.source_id or 0, _read_class(issue.detail["risk"]))
            for issue in open_stops(world, connection)
            if issue.detail["sync"] in by_name
        }
    for name, source_id, risk in sorted(stopped):
        sync, source, told = by_name[name], world.source(source_id), Told(run.id)
        with world.store.transaction() as connection:
            row = world.store.registry.source(connection, source_id)
            if risk == MISSING:
                _list_again(world, row, connection)
            elif risk == REMAPPED and row.mapping == source.fingerprint:
                keep_stops(world, told, connection, sync, source, {}, 0, (REMAPPED,))
            elif not risk:
                now = world.clock.now()
                released_at = world.store.registry.syncs(connection)[name].released_at or now
                first = _within_a_day(released_at, now)
                load = _load(world, sync, source, connection, now, first=first)
                stops = guard.stopped(load, sync.limits)
                keep_stops(world, told, connection, sync, source, stops, load.links, PUSHED)
            told.store(world, connection)


def _read_class(risk: str) -> str:
    """The class that reading decides on; nothing for those that a push is held to."""
    return guard.class_of(risk) if guard.class_of(risk) in READ else ""


def _list_again(world: World, row: SourceRow, connection: Connection) -> None:
    listed_at, now = row.listed_at, world.clock.now()
    if row.listing is None and listed_at is not None and not _within_a_day(listed_at, now):
        world.store.registry.save_source(connection, row.id, cursor=None)


def _within_a_day(at: datetime, now: datetime) -> bool:
    """Not so of a moment to come: by a clock that has been set back since."""
    return timedelta() <= now - at < DAY


def _stopped_by(owes: Owes) -> set[str]:
    if owes is Owes.UPDATE:
        return {"same", OWNER}
    return {_RISKS[owes], "same", OWNER} if owes is Owes.CLEAR else {_RISKS[owes]}


def _links(world: World, source: Source, connection: Connection) -> int:
    counts = world.store.links.counts(connection)
    return sum(
        n for (s, _, state), n in counts.items() if s == source.id and state is LinkState.LIVE
    )


def _load(
    world: World,
    sync: Sync,
    source: Source,
    connection: Connection,
    now: datetime,
    *,
    first: bool,
) -> guard.Load:
    """What the source's links owe, with what was written to it in a day."""
    links = _links(world, source, connection)
    since = world.ids.row_at(now - DAY)
    owed = world.store.links.owed(connection, source.id)
    owing = Counter({owes: n for (kind, owes), n in owed.items() if kind is sync.kind})
    counted = Counter(world.store.writes.counted(connection, source.id, since))
    planned, done = _classes(owing), _classes(counted)
    updates = sum(owing[owes] for owes in _UPDATES)
    most = updates + sum(counted[owes] for owes in _UPDATES)
    # only where so many are updated can one field be improbable
    limits = (sync.limits.clear, sync.limits.same, sync.limits.owner)
    if updates and not all(limit.allows(most, links) for limit in limits):
        planned |= _fields_owed(world, sync, source, connection)
        done |= _fields_done(world, source, connection, since)
    let_go = released(world, sync, source, connection, now)
    return guard.Load(links, planned, done, let_go, first)


def _classes(numbers: Mapping[Owes, int]) -> Counter[str]:
    """Class -> links, of all but updates."""
    found: Counter[str] = Counter()
    for owes, number in numbers.items():
        if owes in _RISKS and owes not in _UPDATES:
            found[_RISKS[owes]] += number
    return found


def _fields_owed(world: World, sync: Sync, source: Source, connection: Connection) -> Counter[str]:
    """What would be cleared, or set to one value -> in how many links."""
    found: Counter[str] = Counter()
    links = world.store.links.owing(
        connection, source.id, sync.kind, world.clock.now(), COUNTED, _UPDATES
    )
    entities = world.store.entities.by_id(connection, {k.entity_id for k in links if k.entity_id})
    references = resolve(world, connection, sync.kind, entities.values(), links)
    for link in links:
        entity = entities[link.entity_id or 0]
        side = shown(world, references, link, sync.kind, entity.golden)
        for name in difference(world, references, entity, link, side):
            found.update(_field_classes(name, wanted(entity, link)[name]))
    return found


def _fields_done(world: World, source: Source, connection: Connection, row_id: int) -> Counter[str]:
    """What was cleared, or set to one value, since a row id -> in how many links."""
    pairs = {
        (each, link)
        for link, values in world.store.writes.updates(connection, source.id, row_id)
        for name, value in values.items()
        for each in _field_classes(name, value)
    }
    return Counter(name for name, _ in pairs)


def _field_classes(name: str, value: Any) -> list[str]:
    """An owner is given away whoever gets the record, and to one of them besides."""
    one = f"clear:{name}" if value is None else f"same:{name}:{hash_of(value)}"
    return [one, OWNER] if name == OWNER else [one]


def released(
    world: World, sync: Sync, source: Source, connection: Connection, now: datetime
) -> Mapping[str, int]:
    """What is left of the numbers that a person has let go; they hold once, and for a day."""
    rows = world.store.registry.sources(connection)
    let_go = (next(row for row in rows if row.id == source.id).guard or {}).get(sync.name)
    if not let_go:
        return {}
    at = datetime.fromisoformat(let_go["at"])
    if not _within_a_day(at, now):
        return {}
    row_id = world.ids.row_at(at)
    since = _classes(world.store.writes.counted(connection, source.id, row_id))
    for name, number in _fields_done(world, source, connection, row_id).items():
        shown = guard.as_shown(name)
        since[shown] = max(since[shown], number)
    return {name: number - since[name] for name, number in let_go["released"].items()}
