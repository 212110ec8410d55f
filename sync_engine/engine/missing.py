"""What a system does not show any more: how much of it may be believed (practice 8.1).

A permission that was lost, an index that is being built and an outage that answers politely
all look like records that were deleted.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy.engine import Connection

from connectors import TransientError
from sync_engine import guard
from sync_engine.engine.risk import released
from sync_engine.engine.stops import MISSING, keep_stops, open_stops
from sync_engine.engine.world import Run, Source, Sync, Told, World
from sync_engine.models import Kind
from sync_engine.store import READABLE, LinkRow

WITNESSES = 5  #: other records that are asked for where a system shows none


def listed_without(
    world: World, told: Told, connection: Connection, source: Source, missing: Sequence[LinkRow]
) -> list[LinkRow]:
    """Of the links that a full listing lacks, those that may be gone: they are read again."""
    found: list[LinkRow] = []
    for sync, mine, links, let_go in _weighed(world, connection, source, missing):
        may_be = len(mine) <= let_go or guard.may_lack(sync.limits, len(mine), links)
        stops = {} if may_be else {MISSING: len(mine)}
        keep_stops(world, told, connection, sync, source, stops, links, (MISSING,))
        found += mine if may_be else ()
    return found


def proven(
    world: World, told: Told, connection: Connection, source: Source, missing: Sequence[LinkRow]
) -> list[LinkRow]:
    """Of the links whose records were missing twice, those that are taken for gone.

    None, while a listing that lacked improbably many waits for a person.
    """
    doubted = {
        issue.detail["sync"]
        for issue in open_stops(world, connection)
        if issue.source_id == source.id and issue.detail["risk"] == MISSING
    }
    found: list[LinkRow] = []
    for sync, mine, links, let_go in _weighed(world, connection, source, missing):
        if sync.name in doubted:
            continue
        if len(mine) <= let_go or sync.limits.missing.allows(len(mine), links):
            found += mine
        else:
            stops = {MISSING: len(mine)}
            keep_stops(world, told, connection, sync, source, stops, links, (MISSING,))
    return found


def _weighed(
    world: World, connection: Connection, source: Source, missing: Sequence[LinkRow]
) -> Iterator[tuple[Sync, list[LinkRow], int, int]]:
    """Per sync: its missing links, how many the source has, how many a person has let go."""
    known = Counter[Kind]()
    for (source_id, kind, state), number in world.store.links.counts(connection).items():
        known[kind] += number if source_id == source.id and state in READABLE else 0
    for kind in sorted(source.kinds):
        sync = world.syncs[kind]
        mine = [link for link in missing if link.kind is kind]
        let_go = released(world, sync, source, connection, world.clock.now()).get(MISSING, 0)
        yield sync, mine, known[kind], let_go


def require_witness(world: World, source: Source, run: Run, asked: Collection[str]) -> None:
    """None of the records asked for is shown: is any other that the system has?

    Raises TransientError where it shows nobody: then nobody is missing, until a person says that
    it has been emptied.
    """
    with world.store.reading() as connection:
        others = world.store.links.some_live(connection, source.id, asked, WITNESSES)
    if not others or source.connector.fetch(source.selection, "id", others):
        return
    told, is_let_go = Told(run.id), True
    with world.store.transaction() as connection:
        for sync, _, links, let_go in _weighed(world, connection, source, ()):
            if links > let_go:
                is_let_go = False
                stops = {MISSING: links}
                keep_stops(world, told, connection, sync, source, stops, links, (MISSING,))
        if told.issues:
            run.store(world, connection)
        told.store(world, connection)
    if not is_let_go:
        raise TransientError(
            f"{source.name} shows none of the records that it has",
            remedy="check what the integration's user may see there; if all were deleted, release",
        )
