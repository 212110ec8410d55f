"""Leads of people who are customers now: what is heard of them still, and how they end.

Where configuration has it (``converts``) a lead is converted by its system's own means into the
customer that its person is there, or is to be; else it is left as that one's past.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sync_engine.engine.world import LONGEST_CAUSE, TRIES, Source, Told, World
from sync_engine.models import Kind, LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

if TYPE_CHECKING:
    from sync_engine.engine.decide import Batch


def leaving(
    world: World, entity: EntityRow, live: Sequence[LinkRow], own: Mapping[str, LinkRow]
) -> dict[str, LinkRow]:
    """Leads that stay behind now that their person is a customer, by instance.

    What was edited there until the conversion counts: it was entered about the same person.
    """
    if len(own) == len(live):
        return {}
    leads = [k for k in live if k.kind is not entity.kind and k.owes is not Owes.REREAD]
    found = {world.source(k.source_id).instance: k for k in leads if not _turns(world, k, own)}
    return {name: link for name, link in found.items() if name not in own}


def _turns(world: World, link: LinkRow, own: Mapping[str, LinkRow]) -> bool:
    """Whether the lead becomes the customer in place: its own record carries on."""
    source = world.source(link.source_id)
    in_place = source.mapping.kind_by is not None and source.instance not in own
    return in_place and _may_convert(world, source)


def converts(world: World, link: LinkRow) -> bool:
    """Whether the lead is to become another record of its system (practice 3.3)."""
    source = world.source(link.source_id)
    return (
        link.kind is Kind.LEAD
        and source.mapping.kind_by is None
        and world.place(source.instance, Kind.CUSTOMER) is not None
        and _may_convert(world, source)
    )


def _may_convert(world: World, source: Source) -> bool:
    leads = world.syncs.get(Kind.LEAD)
    in_place = source.mapping.kind_by is not None
    return leads.converts.get(source.instance, in_place) if leads else in_place


def becoming(world: World, entity: EntityRow, links: Sequence[LinkRow]) -> dict[int, LinkRow]:
    """Leads that are to become a new customer on their instance, by that one's id."""
    return {
        link.instance_id: link
        for link in links
        if link.state is LinkState.LIVE
        and link.owes is not Owes.REREAD
        and gives_way(world, entity, link)
    }


def gives_way(world: World, entity: EntityRow, link: LinkRow) -> bool:
    """Whether the place that a lead has on its instance goes to a customer who turns up there."""
    return entity.kind is Kind.CUSTOMER and converts(world, link)


def withdraw(batch: "Batch", link: LinkRow) -> None:
    """What is to be created no more: one that may exist is known once its write is settled."""
    link.owes = Owes.NOTHING
    if link.id not in batch.offers:
        link.state = LinkState.REPLACED
    batch.changed[link.id] = link


def retire(world: World, batch: "Batch", link: LinkRow, own: Mapping[str, LinkRow]) -> None:
    """A lead whose person has become a customer follows by its system's means, or stays as past."""
    if link.owes is Owes.REREAD:
        return  # it may have been converted already
    may_try = link.tries < TRIES
    target = own.get(world.source(link.source_id).instance)
    if _turns(world, link, own) or (target is not None and converts(world, link)):
        link.owes = Owes.CONVERT if may_try else Owes.NOTHING
    elif link.state is LinkState.SURPLUS:
        return
    elif converts(world, link):
        link.owes = Owes.NOTHING  # a new customer is a create: it is decided on as one
    else:
        link.into_id = target.id if target else None
        leave_as_past(world, batch.told, link)
    batch.changed[link.id] = link


def leave_as_past(world: World, told: Told, link: LinkRow, why: str = "") -> None:
    """The lead of somebody who is a customer now is neither read nor written any more."""
    link.state, link.owes = LinkState.CONVERTED, Owes.NOTHING
    about = {"link_id": link.id, "entity_id": link.entity_id}
    told.issue(world, "lead left as past", cause=why[:LONGEST_CAUSE], **about)
