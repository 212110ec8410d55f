"""Reads one source, page by page; changes and cursor in one transaction."""

from datetime import timedelta

from sqlalchemy.engine import Connection

from connectors import CursorExpiredError, Page, Upserted
from sync_engine.engine.ingest import ingest
from sync_engine.engine.missing import listed_without
from sync_engine.engine.owners import meet
from sync_engine.engine.refused import owe_under_new_mapping
from sync_engine.engine.remapped import try_mapping
from sync_engine.engine.world import Run, Source, Told, World, in_batches, log
from sync_engine.models import Owes
from sync_engine.store import LeaseHold, SourceRow

BATCH = 5000  #: changes that one transaction stores
SWEEP = timedelta(days=1)  #: between two listings of a source that reports no deletions


def pull(world: World, source: Source, run: Run) -> None:
    """Everything that is new in a source. Raises ConnectorError."""
    with world.store.lease(f"pull:{source.id}") as lease:
        row = _row(world, source)
        remapped = row.mapping != source.fingerprint
        if remapped and row.listed_at is not None:
            try_mapping(world, source, run)
        anew = remapped or _is_to_be_swept(world, source, row)
        try:
            _read(world, source, run, lease, None if anew else row.cursor)
        except CursorExpiredError:
            log.info("cursor expired, listing", source=source.name)
            _read(world, source, run, lease, None)


def _is_to_be_swept(world: World, source: Source, row: SourceRow) -> bool:
    """Whether only a new listing can show what was deleted in the last day."""
    asked = bool(source.type.name)  # until then it is not known what the source tells
    if not asked or source.type.reports_deletions or row.listed_at is None:
        return False
    since = world.clock.now() - row.listed_at
    # listed in the future: by a clock that has been set back since
    return row.listing is None and not timedelta() <= since < SWEEP


def _row(world: World, source: Source) -> SourceRow:
    with world.store.reading() as connection:
        return world.store.registry.source(connection, source.id)


def _read(
    world: World,
    source: Source,
    run: Run,
    lease: LeaseHold,
    cursor: dict[str, object] | None,
) -> None:
    if cursor is None:
        _start_listing(world, source, lease)
    pages = source.connector.changes(source.selection, cursor)
    while True:
        row = _row(world, source)
        page = next(pages, None)  # requested now, so nothing in it is older than row.tick
        if page is None:
            return
        meet(source, (c.record.values for c in page.changes if isinstance(c, Upserted)))
        _keep(world, source, run, lease, row, page)
        world.note("read", source.name, len(page.changes))
        if not world.clock.wait(0):
            return


def _start_listing(world: World, source: Source, lease: LeaseHold) -> None:
    with world.store.transaction(lease) as connection:
        row = world.store.registry.source(connection, source.id)
        world.store.listings.forget(connection, source.id)
        world.store.registry.save_source(
            connection,
            source.id,
            listing={"id": world.ids.row()},
            mapping=source.fingerprint,
            cursor=None,
        )
        if row.mapping not in (None, source.fingerprint):
            owe_under_new_mapping(world, connection, source)


def _keep(
    world: World, source: Source, run: Run, lease: LeaseHold, row: SourceRow, page: Page
) -> None:
    batches = list(in_batches(page.changes, BATCH)) or [()]
    for changes in batches:
        with world.store.transaction(lease) as connection:
            ingest(world, source, run, connection, changes, row.tick)
            if row.listing:
                shown = [c.record.id for c in changes if isinstance(c, Upserted)]
                world.store.listings.show(connection, source.id, row.listing["id"], shown)
            if changes is batches[-1]:
                _advance(world, source, run, connection, row, page)


def _advance(
    world: World, source: Source, run: Run, connection: Connection, row: SourceRow, page: Page
) -> None:
    now = world.clock.now()
    columns: dict[str, object] = {"checked_at": now}
    if page.cursor != row.cursor:
        columns["cursor"] = dict(page.cursor)
    if page.listed_all and row.listing:
        _suspect(world, source, run, connection, row.listing["id"])
        columns |= {"listing": None, "listed_at": now}
        if row.listed_at is None:  # from now on records may be created on this side
            for kind in sorted(source.kinds):
                world.store.entities.mark_kind(connection, kind)
    world.store.registry.save_source(connection, source.id, **columns)


def _suspect(world: World, source: Source, run: Run, connection: Connection, listing: int) -> None:
    """What a full listing does not show is suspected, not deleted: it is read again."""
    links = world.store.links
    missing = world.store.listings.unlisted(connection, source.id, listing)
    world.store.listings.forget(connection, source.id)
    told = Told(run.id)
    suspects = listed_without(world, told, connection, source, missing)
    for link in suspects:
        link.owes, link.due_at = Owes.REREAD, None
    links.save(connection, suspects)
    if suspects or told.issues:
        run.store(world, connection)
    told.store(world, connection)
