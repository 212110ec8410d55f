"""Reads chosen records again, whatever the feed says, and marks their people to be decided anew."""

from collections.abc import Collection
from datetime import datetime

from connectors import Upserted
from sync_engine.engine.before import miss, tick_of
from sync_engine.engine.ingest import ingest
from sync_engine.engine.missing import require_witness
from sync_engine.engine.refused import owe_again
from sync_engine.engine.world import Run, Source, World, in_batches
from sync_engine.models import LinkState

FETCHED = 500  #: records of one fetch


def reread_records(world: World, source: Source, run: Run, ids: Collection[str]) -> set[int]:
    """Read these records directly; gives their entities. Raises ConnectorError."""
    touched: set[int] = set()
    with world.store.lease(f"pull:{source.id}") as lease:
        for part in in_batches(sorted(ids), FETCHED):
            with world.store.reading() as connection:
                tick = tick_of(world, connection, source)
            fetched = source.connector.fetch(source.selection, "id", list(part))
            records = {record.id for record in fetched}
            if not records:
                require_witness(world, source, run, part)
            with world.store.transaction(lease) as connection:
                ingest(world, source, run, connection, [Upserted(r) for r in fetched], tick)
                known = world.store.links.by_record(connection, source.id, part)
                absent = [
                    link
                    for number, link in known.items()
                    if number not in records and link.state is LinkState.LIVE
                ]
                miss(world, source, run, connection, absent, tick)
                owners = {k.entity_id for k in known.values() if k.entity_id is not None}
                world.store.entities.mark(connection, owners)
            touched |= owners
            world.note("read", source.name, len(part))
    return touched


def relist_window(
    world: World, source: Source, run: Run, since: datetime, until: datetime | None
) -> set[int]:
    """List the source and take in what was modified in a window; the cursor stays where it is."""
    touched: set[int] = set()
    with world.store.lease(f"pull:{source.id}") as lease:
        pages = source.connector.changes(source.selection, None)
        while True:
            with world.store.reading() as connection:
                tick = tick_of(world, connection, source)
            page = next(pages, None)
            if page is None:
                return touched
            meant = [
                change
                for change in page.changes
                if isinstance(change, Upserted)
                and change.record.modified_at is not None
                and since <= change.record.modified_at
                and (until is None or change.record.modified_at <= until)
            ]
            with world.store.transaction(lease) as connection:
                ingest(world, source, run, connection, meant, tick)
                ids = [change.record.id for change in meant]
                known = world.store.links.by_record(connection, source.id, ids)
                owners = {k.entity_id for k in known.values() if k.entity_id is not None}
                world.store.entities.mark(connection, owners)
            touched |= owners
            world.note("read", source.name, len(page.changes))


def try_again(world: World, links: Collection[int]) -> set[int]:
    """What was refused or parked is owed once more; gives the entities."""
    with world.store.transaction() as connection:
        rows = world.store.links.by_id(connection, links)
        return owe_again(world, connection, rows.values())


def rematch(world: World, links: Collection[int]) -> None:
    """Records that wait for a person, or for a partner, are matched once more."""
    with world.store.transaction() as connection:
        rows = world.store.links.by_id(connection, links)
        asked = [link for link in rows.values() if link.state is LinkState.ASKED]
        for link in asked:
            link.state = LinkState.NEW
        world.store.links.save(connection, asked)
