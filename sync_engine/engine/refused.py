"""What was refused or given up is owed once more: for a person, or under another mapping."""

from collections.abc import Collection

from sqlalchemy.engine import Connection

from sync_engine.engine.world import Source, World
from sync_engine.models import LinkState, Owes
from sync_engine.store import LinkRow
from sync_engine.values import MISFIT, NOT_STORED

_WHY = ("rejected", MISFIT, NOT_STORED, "flipping")


def owe_again(world: World, connection: Connection, links: Collection[LinkRow]) -> set[int]:
    """These links are written once more; gives their entities."""
    for link in links:
        link.tries, link.due_at = 0, None
        link.held = {name: kept for name, kept in link.held.items() if kept.why not in _WHY}
        if link.state is LinkState.CREATING:
            link.owes = Owes.CREATE
    world.store.links.save(connection, links)
    owners = {link.entity_id for link in links if link.entity_id is not None}
    world.store.entities.mark(connection, owners)
    return owners


def owe_under_new_mapping(world: World, connection: Connection, source: Source) -> None:
    """What a mapping made unacceptable may be acceptable under another one."""
    for kind in sorted(source.kinds):
        refused = world.store.links.refused(connection, kind)
        owe_again(world, connection, [link for link in refused if link.source_id == source.id])
