"""A record was deleted: whether the others of the person end too, and what saves them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sync_engine.engine.showing import difference, shown
from sync_engine.engine.world import DELETE_WAITS, TRIES, Sync, World
from sync_engine.models import LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

if TYPE_CHECKING:
    from sync_engine.engine.decide import Batch

#: delete policy -> how the other records of the person end; ``unlink`` and ``ignore`` leave them
_ENDS = {"propagate": Owes.DELETE, "deactivate": Owes.DEACTIVATE}


def succeed(batch: "Batch", entity: EntityRow) -> None:
    """Where a record is gone and a second one of the person stands beside it, that one carries on.

    Of two that are merged there either may stay, and a system without a feed of merges tells
    only that one is gone: nobody was deleted.
    """
    links = batch.links[entity.id]
    for gone in links:
        follows = gone.owes is Owes.FOLLOW or gone.ends is not Owes.NOTHING
        if gone.state is not LinkState.GONE or not follows:
            continue
        place = (LinkState.SURPLUS, gone.instance_id, gone.kind)
        for heir in links:
            if (heir.state, heir.instance_id, heir.kind) == place and heir.seen is not None:
                gone.state, gone.owes, gone.ends = LinkState.REPLACED, Owes.NOTHING, Owes.NOTHING
                heir.state, heir.base = LinkState.LIVE, {}
                batch.changed |= {gone.id: gone, heir.id: heir}
                break


def follow_deletes(
    world: World,
    sync: Sync,
    batch: "Batch",
    entity: EntityRow,
    others: Sequence[LinkRow],
    *,
    moved: bool,
) -> None:
    """A delete travels only where that is asked for, and only from a side that had accepted all.

    That is decided once, when the delete is proven: what is edited or set later changes nothing.
    Where a person has to approve, the deleted link keeps meanwhile (``ends``) how the others end.
    """
    _review_waiting(world, batch, entity, others, moved=moved)
    for gone in batch.links[entity.id]:
        if gone.state is not LinkState.GONE or gone.owes is not Owes.FOLLOW:
            continue
        approved, gone.owes, gone.ends = gone.ends, Owes.NOTHING, Owes.NOTHING
        batch.changed[gone.id] = gone
        source = world.source(gone.source_id)
        ends = approved or _ENDS.get(sync.deletes.get(source.instance, "unlink"))
        if ends is None or gone.kind is not entity.kind:
            continue
        waits = not approved and source.instance in sync.approvals
        if world.restoring or not (approved or _had_accepted_all(world, batch, entity, gone)):
            _save(world, batch, entity, gone)
        elif not waits:
            for link in others:
                link.ends = ends
        elif moved:
            _save(world, batch, entity, gone)
        elif others:
            gone.ends = ends
            batch.told.issue(
                world,
                DELETE_WAITS,
                cause=f"{source.name}: {sync.deletes[source.instance]}",
                detail={"with": [link.id for link in others]},
                source_id=source.id,
                link_id=gone.id,
                entity_id=entity.id,
            )


def _review_waiting(
    world: World, batch: "Batch", entity: EntityRow, others: Sequence[LinkRow], *, moved: bool
) -> None:
    """What waits for approval is over once an edit has saved the others, or nobody is left."""
    for gone in batch.links[entity.id]:
        if gone.state is not LinkState.GONE or gone.ends is Owes.NOTHING:
            continue
        if gone.owes is Owes.FOLLOW:  # approved
            continue
        if moved or not others:
            gone.ends = Owes.NOTHING
            batch.changed[gone.id] = gone
        if moved and others:
            _save(world, batch, entity, gone)


def _had_accepted_all(world: World, batch: "Batch", entity: EntityRow, gone: LinkRow) -> bool:
    agreed = replace(gone, seen=dict.fromkeys(gone.seen or {}) | gone.base)
    side = shown(world, batch.references, agreed, entity.kind, entity.golden)
    return not difference(world, batch.references, entity, gone, side)


def end_link(
    world: World, batch: "Batch", entity: EntityRow, link: LinkRow, *, moved: bool
) -> None:
    """What is to end owes that, unless an edit has saved it or the deleted record is back."""
    if link.ends is Owes.NOTHING:
        return
    gone = [one for one in batch.links[entity.id] if one.state is LinkState.GONE]
    if moved or not gone:
        link.ends = Owes.NOTHING
        for one in gone:
            _save(world, batch, entity, one)
    elif link.state is LinkState.CREATING or link.tries >= TRIES:
        link.owes = Owes.NOTHING
    elif link.owes is not Owes.REREAD:
        link.owes = link.ends
    batch.changed[link.id] = link


def _save(world: World, batch: "Batch", entity: EntityRow, gone: LinkRow) -> None:
    """An edit elsewhere is worth more than a delete (state-model 12)."""
    batch.told.issue(world, "deleted here, edited there", link_id=gone.id, entity_id=entity.id)
