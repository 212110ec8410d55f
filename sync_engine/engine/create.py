"""Decides whether an entity gets a record where it has none. A create is a decision too.

It is made only where every required value is there, nothing unlinked on that side
resembles the person (practice 2.3) and no record of another kind covers the address
(practice 2.5); otherwise it waits, and people are told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from connectors import Action
from sync_engine import matching
from sync_engine.engine.keys import employers
from sync_engine.engine.verdicts import verdicts
from sync_engine.engine.world import Source, Sync, Told, World
from sync_engine.models import EntityState, Kind, LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

#: a link in one of these keeps the entity's place on its instance
_OCCUPYING = (
    LinkState.CREATING,
    LinkState.LIVE,
    LinkState.GONE,
    LinkState.IGNORED,
    LinkState.HELD,
)

#: a link in one of these holds its address
_HOLDING = (LinkState.LIVE, LinkState.NEW, LinkState.ASKED)


@dataclass(frozen=True, slots=True)
class Wish:
    """An entity that has no record on a side."""

    entity: EntityRow
    source: Source


@dataclass(slots=True)
class Creates:
    """What became of the wishes of a batch."""

    fresh: list[LinkRow] = field(default_factory=list)  #: to be created, each with its key
    #: entities to be decided again once an instance that is out answers
    postponed: set[int] = field(default_factory=set)


def consider_creates(
    world: World,
    sync: Sync,
    connection: Connection,
    entities: Mapping[int, EntityRow],
    links: Mapping[int, Sequence[LinkRow]],
    told: Told,
) -> Creates:
    """Decide where entities get a record that have none."""
    listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
    found = Creates()
    wishes = []
    for entity in entities.values():
        for instance in _vacant(world, sync, entity, links[entity.id], listed):
            source = world.place(instance, entity.kind)
            if source is None or world.is_out(instance) or not source.type.name:
                found.postponed.add(entity.id)
            elif Action.CREATE in source.type.actions:
                wishes.append(Wish(entity, source))
    if not wishes:
        return found
    hits = _resembling(world, connection, wishes, links)
    covering, past = _held_by_customers(world, connection, wishes, links)
    covered = []
    for wish in wishes:
        missing = wish.source.mapping.missing(sync.kind.name.lower(), wish.entity.golden)
        about = {"entity_id": wish.entity.id, "source_id": wish.source.id}
        if missing:
            told.issue(world, "required value missing", cause=",".join(missing), **about)
        elif alike := hits[wish.entity.id]:
            told.issue(world, "possible duplicate", detail={"links": alike}, **about)
        elif (place := (wish.entity.id, wish.source.id)) in past:
            told.issue(world, "converted before", detail={"links": past[place]}, **about)
        elif place in covering:
            covered.append((covering[place], wish.entity.id))
        else:
            found.fresh.append(_creating(world, wish))
    world.store.links.wait(connection, covered)
    return found


def why_none(
    world: World,
    sync: Sync,
    connection: Connection,
    entity: EntityRow,
    links: Sequence[LinkRow],
) -> dict[str, str]:
    """Side -> why the entity has no record there, in words for a person."""
    listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
    reasons = _reasons(world, sync, entity, links, listed)
    wishes = [
        Wish(entity, source)
        for instance, reason in reasons.items()
        if not reason and (source := world.place(instance, entity.kind)) is not None
    ]
    hits = _resembling(world, connection, wishes, {entity.id: links})
    covering, past = _held_by_customers(world, connection, wishes, {entity.id: links})
    for wish in wishes:
        missing = wish.source.mapping.missing(sync.kind.name.lower(), entity.golden)
        if missing:
            reason = f"it lacks what is required there: {', '.join(missing)}"
        elif hits.get(entity.id):
            reason = "somebody there looks like this one; a person is asked"
        elif (entity.id, wish.source.id) in past:
            reason = "the lead was converted there already; the customer carries on"
        elif (entity.id, wish.source.id) in covering:
            reason = "covered by the customer who holds the address there"
        else:
            reason = "it is to be created with the next cycle"
        reasons[wish.source.instance] = reason
    return {instance: reason for instance, reason in reasons.items() if reason}


def _vacant(
    world: World,
    sync: Sync,
    entity: EntityRow,
    links: Sequence[LinkRow],
    listed: Collection[int],
) -> list[str]:
    """The sides on which the entity may get a record."""
    reasons = _reasons(world, sync, entity, links, listed)
    return [instance for instance, reason in reasons.items() if not reason]


def _reasons(
    world: World,
    sync: Sync,
    entity: EntityRow,
    links: Sequence[LinkRow],
    listed: Collection[int],
) -> dict[str, str]:
    """Side -> why nothing is created there; empty where something may be."""
    live = [link for link in links if link.state is LinkState.LIVE and link.kind is entity.kind]
    general = ""
    if entity.state is not EntityState.LIVE or not live:
        general = "there is no live record to make it from"
    elif all(link.inactive for link in live) and not sync.born_inactive:
        general = "it is inactive, and the past is created nowhere (create_inactive)"
    occupied = {link.instance_id for link in links if _keeps_place(world, link, entity.kind)}
    found = {}
    for instance in sync.sides:
        source = world.place(instance, entity.kind)
        if source is not None and source.instance_id in occupied:
            found[instance] = "it has, or had, a record there"
        elif source is None or not sync.creates.get(instance, True):
            found[instance] = "nothing is created there (create: false)"
        elif source.id not in listed:
            found[instance] = "that side has not been listed yet"
        else:
            found[instance] = general
    return found


def _keeps_place(world: World, link: LinkRow, kind: Kind) -> bool:
    """Whether nothing of the kind is created where this record is, or was."""
    if link.state is not LinkState.CONVERTED:
        return link.state in _OCCUPYING
    # a lead that stayed as the past keeps a customer's place only where it keeps their address
    return link.kind is kind or world.source(link.source_id).type.unique_addresses


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
    own = {link.id: link for number in wanted for link in links[number]}
    apart = verdicts(world, connection, near | own).apart
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
            and not any(frozenset((link.id, n)) in apart for link in links[number])
        ]
    return found


def _stands_alone(link: LinkRow, mine: set[int], places: Mapping[int, set[int]]) -> bool:
    if link.state in (LinkState.NEW, LinkState.ASKED):
        return True
    if link.state is not LinkState.LIVE or link.entity_id is None:
        return False
    return not (places.get(link.entity_id, set()) & mine)


def _held_by_customers(
    world: World,
    connection: Connection,
    wishes: Sequence[Wish],
    links: Mapping[int, Sequence[LinkRow]],
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], list[int]]]:
    """Where a record of the other kind stands in the way, by (entity, source).

    First the record that holds the person's address where addresses are unique (practice
    2.5). Then the places where the person's own lead was converted already (practice 1.4).
    """
    wishes = [wish for wish in wishes if wish.entity.kind is not Kind.COMPANY]
    addresses = {(wish.entity.id, wish.source.id): _addresses(wish) for wish in wishes}
    digests = {digest for found in addresses.values() for digest in found}
    sharing = world.store.links.sharing_keys(connection, digests)
    near = world.store.links.by_id(connection, {n for ns in sharing.values() for n in ns})
    near = {n: k for n, k in near.items() if k.state in _HOLDING}
    became = world.store.links.converted_into(connection, near)
    covering: dict[tuple[int, int], int] = {}
    past: dict[tuple[int, int], list[int]] = {}
    own = {link.id: link for wish in wishes for link in links[wish.entity.id]}
    apart = verdicts(world, connection, {n: near[n] for n in became} | own).apart if became else ()
    for wish in wishes:
        place = (wish.entity.id, wish.source.id)
        holding = [
            number
            for digest in addresses[place]
            for number in sharing.get(digest, ())
            if number in near and near[number].instance_id == wish.source.instance_id
        ]
        if holding and wish.source.type.unique_addresses:
            covering[place] = min(holding)
        told = [n for n in sorted(set(holding) & became) if _agree(wish.entity, near[n])]
        if told and not any(
            frozenset((link.id, n)) in apart for n in told for link in links[wish.entity.id]
        ):
            past[place] = told
    return covering, past


def _agree(entity: EntityRow, link: LinkRow) -> bool:
    return matching.agrees("customer", matching.EMAIL, entity.golden, link.seen or {})


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
