"""Decides whether an entity gets a record where it has none. A create is a decision too.

It is made only where every required value is there, nothing unlinked on that side
resembles the person (practice 2.3) and no record of another kind covers the address
(practice 2.5); otherwise it waits, and people are told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from connectors import Action
from sync_engine import matching
from sync_engine.engine.keys import employers
from sync_engine.engine.world import Source, Sync, Told, World
from sync_engine.models import EntityState, Kind, LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

#: a link in one of these keeps the entity's place on its instance
_OCCUPYING = (
    LinkState.CREATING,
    LinkState.LIVE,
    LinkState.GONE,
    LinkState.IGNORED,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """An entity that has no record on a side."""

    entity: EntityRow
    source: Source


def consider_creates(
    world: World,
    sync: Sync,
    connection: Connection,
    entities: Mapping[int, EntityRow],
    links: Mapping[int, Sequence[LinkRow]],
    told: Told,
) -> list[LinkRow]:
    """Links that are to be created, each with its key."""
    listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
    wishes = [
        wish
        for entity in entities.values()
        for wish in _wishes(world, sync, entity, links[entity.id], listed)
    ]
    if not wishes:
        return []
    hits = _resembling(world, connection, wishes, links)
    covering = _covering(world, connection, wishes)
    fresh, covered = [], []
    for wish in wishes:
        missing = wish.source.mapping.missing(sync.kind.name.lower(), wish.entity.golden)
        about = {"entity_id": wish.entity.id, "source_id": wish.source.id}
        if missing:
            told.issue(world, "required value missing", cause=",".join(missing), **about)
        elif found := hits[wish.entity.id]:
            told.issue(world, "possible duplicate", detail={"links": found}, **about)
        elif (link_id := covering.get((wish.entity.id, wish.source.id))) is not None:
            covered.append((link_id, wish.entity.id))
        else:
            fresh.append(_creating(world, wish))
    world.store.links.wait(connection, covered)
    return fresh


def _wishes(
    world: World,
    sync: Sync,
    entity: EntityRow,
    links: Sequence[LinkRow],
    listed: Collection[int],
) -> list[Wish]:
    if entity.state is not EntityState.LIVE:
        return []
    live = [link for link in links if link.state is LinkState.LIVE and link.kind is entity.kind]
    if not live or (all(link.inactive for link in live) and not sync.born_inactive):
        return []
    occupied = {link.instance_id for link in links if link.state in _OCCUPYING}
    # a lead that was converted keeps a lead's place, never a customer's
    occupied |= {
        link.instance_id
        for link in links
        if link.state is LinkState.CONVERTED and link.kind is entity.kind
    }
    found = []
    for instance in sync.sides:
        source = world.place(instance, entity.kind)
        if source is None or source.instance_id in occupied or not sync.creates.get(instance, True):
            continue
        if instance in world.down or Action.CREATE not in source.type.actions:
            continue
        if source.id in listed:
            found.append(Wish(entity, source))
    return found


def _resembling(
    world: World,
    connection: Connection,
    wishes: Sequence[Wish],
    links: Mapping[int, Sequence[LinkRow]],
) -> dict[int, list[int]]:
    """Entity -> links on other instances that resemble it and stand alone.

    A record stands alone while its entity has no live record on any instance where ours has
    one: it might be the same person. Then ours is created nowhere, or a third system would
    get both.
    """
    wanted = {wish.entity.id: wish.entity for wish in wishes}
    named = employers(world, connection, [link for number in wanted for link in links[number]])
    blocks = {
        number: {
            digest
            for link in links[number]
            if link.seen and link.state is LinkState.LIVE
            for digest in named.resemblance(link)
        }
        for number in wanted
    }
    sharing = world.store.links.sharing_keys(
        connection, {digest for found in blocks.values() for digest in found}
    )
    ids = {number for found in sharing.values() for number in found}
    near = world.store.links.by_id(connection, ids)
    owners = {link.entity_id for link in near.values() if link.entity_id is not None}
    places: dict[int, set[int]] = {}
    for link in world.store.links.of_entities(connection, owners):
        if link.state in (LinkState.LIVE, LinkState.CREATING):
            places.setdefault(link.entity_id or 0, set()).add(link.instance_id)
    found: dict[int, list[int]] = {}
    for number, entity in wanted.items():
        mine = {k.instance_id for k in links[number] if k.state is LinkState.LIVE}
        alike = {n for digest in blocks[number] for n in sharing.get(digest, [])}
        found[number] = [
            n
            for n in sorted(alike)
            if near[n].kind is entity.kind
            and near[n].entity_id != number
            and near[n].instance_id not in mine
            and _stands_alone(near[n], mine, places)
        ]
    return found


def _stands_alone(link: LinkRow, mine: set[int], places: Mapping[int, set[int]]) -> bool:
    if link.state in (LinkState.NEW, LinkState.ASKED):
        return True
    if link.state is not LinkState.LIVE or link.entity_id is None:
        return False
    return not (places.get(link.entity_id, set()) & mine)


def _covering(
    world: World, connection: Connection, wishes: Sequence[Wish]
) -> dict[tuple[int, int], int]:
    """(entity, source) -> the record of the other kind that holds the person's address there."""
    addresses = {
        (wish.entity.id, wish.source.id): _addresses(wish)
        for wish in wishes
        if wish.source.type.unique_addresses and wish.entity.kind is not Kind.COMPANY
    }
    digests = {digest for found in addresses.values() for digest in found}
    sharing = world.store.links.sharing_keys(connection, digests)
    near = world.store.links.by_id(connection, {n for ns in sharing.values() for n in ns})
    found: dict[tuple[int, int], int] = {}
    for wish in wishes:
        place = (wish.entity.id, wish.source.id)
        holding = [
            number
            for digest in addresses.get(place, ())
            for number in sharing.get(digest, ())
            if near[number].instance_id == wish.source.instance_id
            and near[number].state in (LinkState.LIVE, LinkState.NEW, LinkState.ASKED)
        ]
        if holding:
            found[place] = min(holding)
    return found


def _addresses(wish: Wish) -> list[int]:
    """Digests of the person's addresses as a record of the other kind would carry them."""
    other = "customer" if wish.entity.kind is Kind.LEAD else "lead"
    keys = matching.keys(other, wish.entity.golden)
    return [key.digest for key in keys if key.is_address]


def _creating(world: World, wish: Wish) -> LinkRow:
    return LinkRow(
        id=world.ids.row(),
        source_id=wish.source.id,
        instance_id=wish.source.instance_id,
        kind=wish.entity.kind,
        state=LinkState.CREATING,
        entity_id=wish.entity.id,
        key=world.ids.key(world.installation, wish.entity.id),
        owes=Owes.CREATE,
    )
