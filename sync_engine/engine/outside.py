"""Records that are left alone for now: by their own opt-out, or by a filter whose exit says so.

Such a record makes no claims and is not written, deleted or the cause of others; what was agreed
on stays, so that what was edited meanwhile is told apart once it is back.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sync_engine.engine.world import Sync, World
from sync_engine.models import Happened, Owes
from sync_engine.store import EntityRow, LinkRow
from sync_engine.values import OPT_OUT, Held

if TYPE_CHECKING:
    from sync_engine.engine.decide import Batch

LEFT_ALONE = "left alone"  #: why a link is marked, under the name of its opt-out
_DROPPED = (Owes.UPDATE, Owes.CLEAR, Owes.DELETE, Owes.DEACTIVATE)


def why_outside(world: World, sync: Sync, entity: EntityRow, link: LinkRow) -> str:
    """Why a record is left alone, in words for a person; empty if it is not."""
    seen, side = link.seen or {}, world.source(link.source_id).instance
    if seen.get(OPT_OUT) is True:
        return "its own opt-out"
    if side not in sync.pauses:
        return ""
    accepts = sync.accepts.get(side)
    if not passes(world, sync, entity, link):
        return "the filter of its side"
    if accepts is not None and not accepts(entity.golden):
        return "what its side accepts"
    return ""


def passes(world: World, sync: Sync, entity: EntityRow, link: LinkRow) -> bool:
    """Whether a record passes the filter of its side, by its own values: a placeholder is one."""
    enters = sync.enters.get(world.source(link.source_id).instance)
    shown = {name: value for name, value in (link.seen or {}).items() if value is not None}
    return enters is None or enters(entity.golden | shown)


def inside(world: World, sync: Sync, entity: EntityRow, links: Sequence[LinkRow]) -> list[LinkRow]:
    """The records that take part."""
    return [link for link in links if not why_outside(world, sync, entity, link)]


def leave_out(
    world: World, sync: Sync, batch: "Batch", entity: EntityRow, own: Mapping[str, LinkRow]
) -> dict[str, LinkRow]:
    """The records that take part, by instance; who enters or leaves is told."""
    found = {}
    for name, link in own.items():
        why, was_out = why_outside(world, sync, entity, link), OPT_OUT in link.held
        if not why:
            found[name] = link
            if was_out:
                del link.held[OPT_OUT]
                _tell(world, batch, entity, link, Happened.ENTERED, "")
            continue
        if not was_out:
            link.held[OPT_OUT] = Held("", LEFT_ALONE, None)
            _tell(world, batch, entity, link, Happened.LEFT, why)
        if link.owes in _DROPPED:
            link.owes = Owes.NOTHING
            batch.changed[link.id] = link
    return found


def _tell(
    world: World, batch: "Batch", entity: EntityRow, link: LinkRow, what: Happened, why: str
) -> None:
    batch.changed[link.id] = link
    by = world.source(link.source_id).instance
    batch.told.event(
        world, entity_id=entity.id, link_id=link.id, what=what, by=by, rule=why or None
    )
