"""An organization changes under us: a mapped field that cannot be read any more is paused.

It is no news, and nothing is written to it; what was agreed on it is kept, so that nothing is
cleared meanwhile and an edit made meanwhile counts once it can be read again. The object
itself goes on. Going on with other fields asks for a listing (``Source.fingerprint``).
"""

from collections.abc import Collection

from connectors import ObjectType
from sync_engine.engine.world import Source, Told, World
from sync_engine.fitting import Limit
from sync_engine.owners import Directory, Known

PAUSED = "field paused"


def leave_out(source: Source, lost: Collection[str]) -> None:
    """From now on the source is read without these native fields, and written as it is offered."""
    left = source.configured.without(lost) if lost else source.configured
    can_own = (one for one in source.owners if not one.objects or source.object in one.objects)
    known = (Known(one.id, one.name, one.active, one.is_us) for one in can_own)
    source.mapping = left.within(limits_of(source.type), Directory.of(known))


def limits_of(type: ObjectType) -> dict[str, Limit]:
    """Native field -> what the organization lets it hold, where that is not just anything."""
    found = {
        name: Limit(one.type, one.length, one.forbidden, one.choices, one.controller, one.dependent)
        for name, one in type.fields.items()
    }
    return {name: limit for name, limit in found.items() if not limit.is_open}


def tell_paused(world: World, source: Source) -> None:
    """Ask people about fields that are paused; the question ends when they can be read."""
    left = {one.name for one in source.mapping.fields}
    paused = sorted(one.name for one in source.configured.fields if one.name not in left)
    with world.store.transaction() as connection:
        open_ = [
            issue
            for issue in world.store.issues.all(connection, whats=(PAUSED,))
            if issue.source_id == source.id
        ]
        over = [issue.id for issue in open_ if issue.field_name not in paused]
        world.store.issues.close(connection, world.clock.now(), over)
        told = Told(0)
        for name in sorted(set(paused) - {issue.field_name or "" for issue in open_}):
            told.issue(world, PAUSED, source_id=source.id, field_name=name)
        told.store(world, connection)
