"""Where a record of the other kind stands in the way of a create: the person is there already,
as a customer or as a lead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from sync_engine import matching
from sync_engine.engine.verdicts import verdicts
from sync_engine.engine.world import Source, World
from sync_engine.models import Kind, LinkState
from sync_engine.store import PLACED, EntityRow, LinkRow

#: a link in one of these holds its address
_HOLDING = (LinkState.LIVE, LinkState.NEW, LinkState.ASKED)


@dataclass(frozen=True, slots=True)
class Wish:
    """An entity that has no record on a side."""

    entity: EntityRow
    source: Source
    lead: LinkRow | None = None  #: its record there as a lead, which is to become it

    @property
    def place(self) -> tuple[int, int]:
        return self.entity.id, self.source.id


def held_by_other_kind(
    world: World,
    connection: Connection,
    wishes: Sequence[Wish],
    links: Mapping[int, Sequence[LinkRow]],
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], list[int]]]:
    """The links that hold the person's address, and those that the person became, by place.

    Where addresses have one owner, a customer covers the lead (practice 2.5), on whatever
    instance it is: it has a record on this one too, or will get it. A lead holds the address
    only with a record there. The second are places where the person's own lead was
    converted already (practice 1.4).
    """
    wishes = [wish for wish in wishes if wish.entity.kind is not Kind.COMPANY]
    addresses = {wish.place: _addresses(world, wish) for wish in wishes}
    digests = {digest for found in addresses.values() for digest in found}
    sharing = world.store.links.sharing_keys(connection, digests)
    near = world.store.links.by_id(connection, {n for ns in sharing.values() for n in ns})
    near = {n: k for n, k in near.items() if k.state in _HOLDING}
    owners = {link.entity_id for link in near.values() if link.entity_id is not None}
    placed = {
        (link.entity_id, link.instance_id)
        for link in world.store.links.of_entities(connection, owners)
        if link.state in PLACED
    }
    became = world.store.links.converted_into(connection, near)
    own = {link.id: link for wish in wishes for link in links[wish.entity.id]}
    apart = verdicts(world, connection, {n: near[n] for n in became} | own).apart if became else ()
    covering: dict[tuple[int, int], int] = {}
    past: dict[tuple[int, int], list[int]] = {}
    for wish in wishes:
        here = wish.source.instance_id
        numbers = {n for digest in addresses[wish.place] for n in sharing.get(digest, ())}
        found = [near[n] for n in sorted(numbers & set(near))]
        if wish.source.type.unique_addresses:
            for link in found:
                if wish.lead is not None and link.id == wish.lead.id:
                    continue
                is_there = link.instance_id == here or (link.entity_id, here) in placed
                if is_there or _will_cover(world, wish, link):
                    covering.setdefault(wish.place, link.id)
        told = [k.id for k in found if k.instance_id == here and k.id in became and _agree(wish, k)]
        if told and not any(
            frozenset((link.id, n)) in apart for n in told for link in links[wish.entity.id]
        ):
            past[wish.place] = told
    return covering, past


def _will_cover(world: World, wish: Wish, link: LinkRow) -> bool:
    """Whether the customer of another instance is to get a record on this one."""
    customers = world.syncs.get(Kind.CUSTOMER)
    instance = wish.source.instance
    return (
        customers is not None
        and wish.entity.kind is Kind.LEAD
        and link.state is LinkState.LIVE
        and (customers.born_inactive or not link.inactive)
        and instance in customers.sides
        and customers.creates_on(instance)
        and world.place(instance, Kind.CUSTOMER) is not None
    )


def _agree(wish: Wish, link: LinkRow) -> bool:
    return matching.agrees("customer", matching.EMAIL, wish.entity.golden, link.seen or {})


def _addresses(world: World, wish: Wish) -> list[int]:
    """Digests of the person's addresses as a record of the other kind would carry them."""
    other = "customer" if wish.entity.kind is Kind.LEAD else "lead"
    keys = matching.keys(other, wish.entity.golden, world.no_keys)
    return [key.digest for key in keys if key.is_address]
