"""Carries merges and conversions that a system reported through to the entities.

A merged or converted link that owes it has not been followed yet; ``into_id`` names the
link that carries on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from sync_engine.engine.leads import gives_way
from sync_engine.engine.world import Run, Told, World
from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes
from sync_engine.store import PLACED, EntityRow, LinkRow
from sync_engine.values import GOLDEN, UNSET, Author


@dataclass(slots=True)
class Following:
    """The rows at hand, and which of them changed."""

    links: dict[int, LinkRow]
    entities: dict[int, EntityRow]
    changed: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    born: list[EntityRow] = field(default_factory=list)  #: entities that are new
    merged: set[int] = field(default_factory=set)  #: entities that have become part of others
    authors: Mapping[int, Mapping[str, Author]] = field(default_factory=dict)


def follow(world: World, run: Run, connection: Connection) -> None:
    """Join the entities of merged records; turn the leads of converted ones into customers.

    Where a person is asked whose record carries on, following waits for the answer.
    """
    pending = world.store.links.to_follow(connection)
    if not pending:
        return
    rows = _gather(world, connection, pending)
    pending = [
        link
        for link in pending
        if link.into_id is None or rows.links[link.into_id].state is not LinkState.ASKED
    ]
    if not pending:
        return
    run.store(world, connection)
    told = Told(run.id)
    for link in pending:
        if link.into_id is not None and link.entity_id is not None:
            _follow_one(world, told, rows, link, rows.links[link.into_id])
        link.owes = Owes.NOTHING
        rows.changed.add(link.id)
    for link in _that_went_before(rows, pending):
        _follow_one(world, told, rows, link, rows.links[link.into_id or 0])
    keep(world, connection, rows, told)
    run.counts["followed"] += len(pending)


def keep(world: World, connection: Connection, rows: Following, told: Told) -> None:
    """Store the rows that changed, and what follows of it for others.

    Questions about an entity that is no more end.
    """
    store = world.store
    told.states(world, [rows.links[n] for n in sorted(rows.changed)])
    store.entities.insert(connection, rows.born)
    store.entities.save(connection, [rows.entities[n] for n in sorted(rows.touched)])
    store.links.save(connection, [rows.links[n] for n in sorted(rows.changed)])
    store.issues.close_about(connection, world.clock.now(), entities=rows.merged)
    store.entities.mark(connection, store.links.awaited(connection, rows.changed))
    told.store(world, connection)


def load(world: World, connection: Connection, links: dict[int, LinkRow]) -> Following:
    """These links with their entities and all of those' links."""
    ids = {link.entity_id for link in links.values() if link.entity_id is not None}
    every = {link.id: link for link in world.store.links.of_entities(connection, ids)} | links
    entities = world.store.entities.by_id(connection, ids)
    authors = world.store.entities.authors(connection, ids)
    return Following(every, entities, authors=authors)


def _gather(world: World, connection: Connection, pending: Sequence[LinkRow]) -> Following:
    links = {link.id: link for link in pending}
    ids = {link.entity_id for link in pending if link.entity_id is not None}
    for link in world.store.links.of_entities(connection, ids):
        if link.state is LinkState.CONVERTED:
            links.setdefault(link.id, link)
    targets = {link.into_id for link in links.values() if link.into_id is not None}
    links |= world.store.links.by_id(connection, targets - set(links))
    return load(world, connection, links)


def _that_went_before(rows: Following, pending: Sequence[LinkRow]) -> list[LinkRow]:
    """Where a lead has become a customer: its records that had left for that customer already."""
    turned = {link.entity_id for link in pending if link.state is LinkState.CONVERTED}
    return [
        link
        for _, link in sorted(rows.links.items())
        if link.state is LinkState.CONVERTED
        and link not in pending
        and link.entity_id in turned
        and link.into_id is not None
        and rows.links[link.into_id].entity_id is not None
    ]


def _follow_one(world: World, told: Told, rows: Following, link: LinkRow, target: LinkRow) -> None:
    source = rows.entities[_end(rows, link.entity_id or 0)]
    if link.state is LinkState.CONVERTED and not target.base:
        _carry_over(link, target)
        rows.changed.add(target.id)
    if target.entity_id is None:
        # not matched or not even read: it gets its place when it is matched
        target.entity_id = source.id
        rows.changed.add(target.id)
    else:
        other = rows.entities[_end(rows, target.entity_id)]
        if other.id != source.id:
            join(world, told, rows, source, other)
            source = other
    if target.state is LinkState.SURPLUS and not _has_record(rows, source.id, target):
        target.state, target.base = LinkState.LIVE, {}
        rows.changed.add(target.id)
    if target.kind is Kind.CUSTOMER and source.kind is Kind.LEAD:
        source.kind = Kind.CUSTOMER
        told.event(
            world, entity_id=source.id, link_id=link.id, what=Happened.CONVERTED, rule="conversion"
        )
    source.dirty = 1
    source.rev += 1
    rows.touched.add(source.id)


def _carry_over(lead: LinkRow, target: LinkRow) -> None:
    """What was agreed on with the lead, and stands unchanged in what it became, is no news there.

    What the conversion left out is not agreed on: an empty field clears nothing (practice 1.1).
    """
    seen = target.seen or {}
    target.base = {
        name: value
        for name, value in lead.base.items()
        if value is not None and seen.get(name) == value
    }


def _has_record(rows: Following, entity_id: int, beside: LinkRow) -> bool:
    return any(
        link.entity_id == entity_id
        and link.instance_id == beside.instance_id
        and link.state in PLACED
        for link in rows.links.values()
    )


def _end(rows: Following, entity_id: int) -> int:
    while (into := rows.entities[entity_id].into_id) is not None:
        entity_id = into
    return entity_id


def join(world: World, told: Told, rows: Following, loser: EntityRow, survivor: EntityRow) -> None:
    """Two entities become one: the survivor's golden stands, its empty fields are filled.

    Of two words about consent the stricter stands (practice 4.1).
    """
    _merge_golden(world, told, rows, loser, survivor)
    loser.state, loser.into_id, loser.dirty = EntityState.MERGED, survivor.id, 0
    rows.touched |= {loser.id, survivor.id}
    rows.merged.add(loser.id)
    told.event(world, entity_id=survivor.id, what=Happened.MERGED, new=str(loser.id))
    places = {
        link.instance_id: link
        for link in rows.links.values()
        if link.entity_id == survivor.id and link.state in PLACED
    }
    for link in sorted(rows.links.values(), key=lambda row: row.id):
        if link.entity_id != loser.id:
            continue
        link.entity_id = survivor.id
        rows.changed.add(link.id)
        if link.state not in PLACED:
            continue
        holder = places.setdefault(link.instance_id, link)
        if holder is link:
            continue
        late = link
        if link.kind is Kind.CUSTOMER and gives_way(world, survivor, holder):
            late, places[link.instance_id] = holder, link
        late.state, late.owes = LinkState.SURPLUS, Owes.NOTHING
        rows.changed.add(late.id)
        if not gives_way(world, survivor, late):  # else it is converted into that very customer
            told.issue(world, "surplus record", link_id=late.id, entity_id=survivor.id)


def _merge_golden(
    world: World, told: Told, rows: Following, loser: EntityRow, survivor: EntityRow
) -> None:
    for name, value in sorted(loser.golden.items()):
        mine = survivor.golden.get(name, UNSET)
        if value is None or mine == value:
            continue
        opt_out = name in world.consents and value is True
        empty = mine is UNSET or mine is None
        if opt_out or empty:
            survivor.golden[name] = value
        # an opt-out keeps its author: who set it may end it
        author = rows.authors.get(loser.id, {}).get(name) if opt_out else None
        lost = {"survivor": {"value": mine}} if opt_out else {"merged": {"value": value}}
        told.event(
            world,
            entity_id=survivor.id,
            what=Happened.VALUE if empty else Happened.CONFLICT,
            field_name=name,
            by=author.by if author else GOLDEN,
            rule="merge",
            old=None if empty else mine,
            new=survivor.golden[name],
            lost=None if empty else lost,
        )
