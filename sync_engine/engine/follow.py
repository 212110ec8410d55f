"""Carries merges and conversions that a system reported through to the entities.

A merged or converted link that owes it has not been followed yet; ``into_id`` names the
link that carries on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from sync_engine.engine.world import Run, Told, World
from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes
from sync_engine.store import PLACED, EntityRow, LinkRow
from sync_engine.values import UNSET


@dataclass(slots=True)
class Following:
    """The rows at hand, and which of them changed."""

    links: dict[int, LinkRow]
    entities: dict[int, EntityRow]
    changed: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    born: list[EntityRow] = field(default_factory=list)  #: entities that are new
    merged: set[int] = field(default_factory=set)  #: entities that have become part of others


def follow(world: World, run: Run, connection: Connection) -> None:
    """Join the entities of merged records; turn the leads of converted ones into customers."""
    pending = world.store.links.to_follow(connection)
    if not pending:
        return
    run.store(world, connection)
    told = Told(run.id)
    rows = _gather(world, connection, pending)
    for link in pending:
        target = rows.links.get(link.into_id) if link.into_id is not None else None
        if target is not None and link.entity_id is not None:
            _follow_one(world, told, rows, link, target)
        link.owes = Owes.NOTHING
        rows.changed.add(link.id)
    keep(world, connection, rows, told)
    awaited = world.store.links.awaited(connection, rows.changed)
    world.store.entities.mark(connection, awaited)
    run.counts["followed"] += len(pending)


def keep(world: World, connection: Connection, rows: Following, told: Told) -> None:
    """Store the rows that changed; what was asked about an entity that is no more ends."""
    store = world.store
    store.entities.insert(connection, rows.born)
    store.entities.save(connection, [rows.entities[n] for n in sorted(rows.touched)])
    store.links.save(connection, [rows.links[n] for n in sorted(rows.changed)])
    store.issues.close_about(connection, world.clock.now(), entities=rows.merged)
    told.store(world, connection)


def _gather(world: World, connection: Connection, pending: Iterable[LinkRow]) -> Following:
    links = {link.id: link for link in pending}
    targets = {link.into_id for link in links.values() if link.into_id is not None}
    links |= world.store.links.by_id(connection, targets - set(links))
    ids = {link.entity_id for link in links.values() if link.entity_id is not None}
    for link in world.store.links.of_entities(connection, ids):
        links.setdefault(link.id, link)
    return Following(links, world.store.entities.by_id(connection, ids))


def _follow_one(world: World, told: Told, rows: Following, link: LinkRow, target: LinkRow) -> None:
    source = rows.entities[_end(rows, link.entity_id or 0)]
    if target.entity_id is None:
        # unlinked or not even read: it takes the place of the link that ended
        target.entity_id = source.id
        if target.state in (LinkState.NEW, LinkState.ASKED):
            target.state = LinkState.LIVE
        rows.changed.add(target.id)
        told.event(world, entity_id=source.id, link_id=target.id, what=Happened.LINKED)
    else:
        other = rows.entities[_end(rows, target.entity_id)]
        if other.id != source.id:
            join(world, told, rows, source, other)
            source = other
    if target.kind is Kind.CUSTOMER and source.kind is Kind.LEAD:
        source.kind = Kind.CUSTOMER
        told.event(
            world, entity_id=source.id, link_id=link.id, what=Happened.CONVERTED, rule="conversion"
        )
    source.dirty = 1
    source.rev += 1
    rows.touched.add(source.id)


def _end(rows: Following, entity_id: int) -> int:
    while (into := rows.entities[entity_id].into_id) is not None:
        entity_id = into
    return entity_id


def join(world: World, told: Told, rows: Following, loser: EntityRow, survivor: EntityRow) -> None:
    """Two entities become one: the survivor's golden stands, its empty fields are filled."""
    for name, value in loser.golden.items():
        mine = survivor.golden.get(name, UNSET)
        if value is None or mine == value:
            continue
        if mine is UNSET or mine is None:
            survivor.golden[name] = value
        else:
            told.event(
                world,
                entity_id=survivor.id,
                what=Happened.CONFLICT,
                field_name=name,
                by="golden",
                rule="merge",
                old=mine,
                new=mine,
                lost={"merged": {"value": value}},
            )
    loser.state, loser.into_id, loser.dirty = EntityState.MERGED, survivor.id, 0
    rows.touched |= {loser.id, survivor.id}
    rows.merged.add(loser.id)
    told.event(world, entity_id=survivor.id, what=Happened.MERGED, new=str(loser.id))
    places = {
        link.instance_id
        for link in rows.links.values()
        if link.entity_id == survivor.id and link.state in PLACED
    }
    for link in sorted(rows.links.values(), key=lambda row: row.id):
        if link.entity_id != loser.id:
            continue
        link.entity_id = survivor.id
        rows.changed.add(link.id)
        if link.state in PLACED and link.instance_id in places:
            link.state, link.owes = LinkState.SURPLUS, Owes.NOTHING
            told.issue(world, "surplus record", link_id=link.id, entity_id=survivor.id)
        elif link.state in PLACED:
            places.add(link.instance_id)
