"""Leads of people who are customers now: what is heard of them still, and how they end."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sync_engine.engine.world import LONGEST_CAUSE, TRIES, Told, World
from sync_engine.models import LinkState, Owes
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
    return source.mapping.kind_by is not None and source.instance not in own


def withdraw(batch: "Batch", link: LinkRow) -> None:
    """What is to be created no more: one that may exist is known once its write is settled."""
    link.owes = Owes.NOTHING
    if link.id not in batch.offers:
        link.state = LinkState.REPLACED
    batch.changed[link.id] = link


def retire(
    world: World,
    batch: "Batch",
    entity: EntityRow,
    link: LinkRow,
    own: Mapping[str, LinkRow],
) -> None:
    """A lead whose person has become a customer follows by its system's means, or stays as past."""
    if link.owes is Owes.REREAD:
        return  # it may have been converted already
    if _turns(world, link, own):
        link.owes = Owes.NOTHING if link.tries >= TRIES else Owes.CONVERT
    else:
        target = own.get(world.source(link.source_id).instance)
        link.into_id = target.id if target else None
        leave_as_past(world, batch.told, link)
    batch.changed[link.id] = link


def leave_as_past(world: World, told: Told, link: LinkRow, why: str = "") -> None:
    """The lead of somebody who is a customer now is neither read nor written any more."""
    link.state, link.owes = LinkState.CONVERTED, Owes.NOTHING
    about = {"link_id": link.id, "entity_id": link.entity_id}
    told.issue(world, "lead left as past", cause=why[:LONGEST_CAUSE], **about)
