"""A state that turns out to be older than the systems (state-model 12).

It was restored, whoever did that. Until every source has listed: no creates, no deletes,
no conversions; keys relink; what conflicts is asked. Nothing at all is written until a
person has seen the report and released the sync.
"""

from sync_engine.engine.decide import decide
from sync_engine.engine.world import Run, Told, World, log
from sync_engine.store import begin_restoring, end_restoring, is_restoring


def look(world: World) -> None:
    """Know whether this state is being restored, and what others have written in it since."""
    with world.store.reading() as connection:
        world.store.layouts.load(connection)
        world.restoring = is_restoring(connection)


def begin(world: World, why: str, reached: int = 0) -> None:
    """From now on nothing is written that rests on what may be the past.

    ``reached`` is the epoch that the witness has seen.
    """
    told = Told(0)
    told.issue(world, "state restored", cause=why)
    with world.store.transaction() as connection:
        begin_restoring(connection, reached)
        told.store(world, connection)
    world.restoring = True
    log.warning("the state is older than the systems", why=why)


def finish(world: World, run: Run) -> None:
    """Once all has been listed, decide what differs, with people asked, and go on as usual."""
    if not world.restoring or not _all_listed(world):
        return
    for kind in sorted(world.syncs):
        decide(world, world.syncs[kind], run)
    with world.store.transaction() as connection:
        end_restoring(connection)
        for kind in sorted(world.syncs):
            world.store.entities.wake(connection, kind)
    world.restoring = False


def _all_listed(world: World) -> bool:
    with world.store.reading() as connection:
        listed = {row.id for row in world.store.registry.sources(connection) if row.listed_at}
    return all(source.id in listed for source in world.sources)
