"""Reads chosen records again and puts right what differs; tells each change."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sync_engine.engine import Run, Source, Sync, World, new_run
from sync_engine.engine.rereading import (
    relist_window,
    rematch,
    reread_records,
    try_again,
)
from sync_engine.operations.changes import lines_of
from sync_engine.operations.planning import planned, stops
from sync_engine.operations.records import WrongUseError, split
from sync_engine.operations.rehearsing import rehearsal
from sync_engine.operations.shapes import Plan
from sync_engine.service import Service
from sync_engine.store import LinkRow

LONGEST_FILE = 16 * 1024 * 1024  #: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records a resync means: exactly one of these."""

    full: bool = False
    records: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    file: Path | None = None
    failed: bool = False
    unlinked: bool = False


def resync(
    service: Service,
    name: str,
    wanted: Wanted,
    *,
    prefer: str | None = None,
    dry_run: bool = False,
) -> Plan:
    """Read, decide and write for the records meant. Raises WrongUseError, ConnectorError.

    ``prefer`` names the instance whose values win where they differ from golden.
    """
    sync = next(one for one in service.world.syncs.values() if one.name == name)
    _exactly_one(wanted)
    if prefer is not None and prefer not in sync.sides:
        raise WrongUseError(
            f"{prefer} is no side of {name}", remedy=f"sides are: {', '.join(sync.sides)}"
        )
    if dry_run:
        with rehearsal(service) as rehearsed:
            run = _run(rehearsed.service, sync, wanted, prefer)
            return planned(rehearsed, run, name)
    run = _run(service, sync, wanted, prefer)
    with service.store.reading() as connection:
        lines = lines_of(service.world, connection, run.id)
    return Plan(
        sync=name,
        lines=lines,
        calls=run.calls(),
        stopped_by_guard=stops(service, name),
        down=dict(service.world.down),
    )


def _exactly_one(wanted: Wanted) -> None:
    given = {
        one.name for one in fields(wanted) if getattr(wanted, one.name) and one.name != "until"
    }
    if len(given) != 1:
        raise WrongUseError(
            "say which records: exactly one of --full, --id, --key, --since, --file, --failed, "
            "--unlinked",
            remedy="crm-sync resync NAME --id INSTANCE:ID reads one record again",
        )
    if wanted.until and not wanted.since:
        raise WrongUseError("--until belongs to --since", remedy="give both")


def _run(service: Service, sync: Sync, wanted: Wanted, prefer: str | None) -> Run:
    run = new_run(service.world, sync.name, prefer)
    run.scope = _choose(service, sync, wanted, run)
    service.cycle([sync], run)
    return run


def _choose(service: Service, sync: Sync, wanted: Wanted, run: Run) -> set[int] | None:
    """Read what is meant; gives the entities it is about, None for all."""
    world = service.world
    if wanted.full:
        _list_anew(world, sync)
        return None
    if wanted.since:
        return _window(world, sync, run, wanted.since, wanted.until)
    if wanted.failed:
        with world.store.reading() as connection:
            failed = world.store.links.refused(connection, sync.kind)
        try_again(world, [link.id for link in failed])
        return _read(world, sync, run, failed, ())
    if wanted.unlinked:
        with world.store.reading() as connection:
            alone = world.store.links.unmatched(connection, sync.kind)
        rematch(world, [link.id for link in alone])
        return _read(world, sync, run, alone, ())
    if wanted.keys:
        return _read(world, sync, run, _by_keys(world, wanted.keys), ())
    names = wanted.records or _lines(wanted.file)
    return _read(world, sync, run, (), names)


def _list_anew(world: World, sync: Sync) -> None:
    with world.store.transaction() as connection:
        for source in world.of_kind(sync.kind):
            world.store.registry.save_source(connection, source.id, cursor=None)
        world.store.entities.mark_kind(connection, sync.kind)


def _window(world: World, sync: Sync, run: Run, since: str, until: str | None) -> set[int]:
    start, end = _moment(since), _moment(until) if until else None
    if start > world.clock.now():
        raise WrongUseError(f"{since} is in the future", remedy="give a moment that has been")
    if end is not None and end <= start:
        raise WrongUseError("--until is not after --since", remedy="give a later moment")
    found: set[int] = set()
    for source in _reachable(world, sync):
        found |= relist_window(world, source, run, start, end)
    return found


def _read(
    world: World, sync: Sync, run: Run, links: Iterable[LinkRow], names: Iterable[str]
) -> set[int]:
    """Read these records, and all others of the same people."""
    wanted: dict[int, set[str]] = {source.id: set() for source in world.of_kind(sync.kind)}
    for name in names:
        sources, number = split(world, name)
        mine = [source for source in sources if source in wanted]
        if not mine:
            raise WrongUseError(
                f"{name} is no record of {sync.name}", remedy="name the sync that it belongs to"
            )
        for source_id in mine:
            wanted[source_id].add(number)
    with world.store.reading() as connection:
        owners = {link.entity_id for link in links if link.entity_id is not None}
        for source_id, ids in wanted.items():
            known = world.store.links.by_record(connection, source_id, ids)
            owners |= {k.entity_id for k in known.values() if k.entity_id is not None}
        for link in (*links, *world.store.links.of_entities(connection, owners)):
            if link.record_id and link.source_id in wanted:
                wanted[link.source_id].add(link.record_id)
    found = set(owners)
    for source in _reachable(world, sync):
        if wanted[source.id]:
            found |= reread_records(world, source, run, wanted[source.id])
    return found


def _reachable(world: World, sync: Sync) -> list[Source]:
    return [source for source in world.of_kind(sync.kind) if not world.is_out(source.instance)]


def _by_keys(world: World, texts: Iterable[str]) -> list[LinkRow]:
    try:
        keys = [UUID(text) for text in texts]
    except ValueError as error:
        raise WrongUseError("a key is a UUID", remedy="see it in the key field there") from error
    with world.store.reading() as connection:
        found = world.store.links.by_key(connection, keys)
    if unknown := [str(key) for key in keys if key not in found]:
        raise WrongUseError(
            f"no record carries the key {', '.join(unknown)}", remedy="name the record by --id"
        )
    return list(found.values())


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUseError(
            f"{text!r} is no moment", remedy="write it like 2026-11-24T08:00:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _lines(path: Path | None) -> list[str]:
    """The records that a file names, or standard input where it is called ``-``."""
    try:
        if path is None or str(path) == "-":
            read = sys.stdin.buffer.read(LONGEST_FILE + 1)
        elif not path.is_file():
            raise WrongUseError(f"{path} is no file", remedy="give a file of UTF-8 text, or -")
        else:
            with path.open("rb") as file:
                read = file.read(LONGEST_FILE + 1)
        text = read.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUseError(f"{path} cannot be read", remedy="give a file of UTF-8 text") from error
    if len(read) > LONGEST_FILE:
        raise WrongUseError(f"{path} is larger than {LONGEST_FILE} bytes", remedy="split it")
    lines = (line.strip() for line in text.splitlines())
    names = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not names:
        raise WrongUseError(f"{path} names no record", remedy="write one INSTANCE:ID on each line")
    return names
