"""Reads chosen records again and puts right what differs; tells each change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
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
from sync_engine.operations.selecting import names_in, window_of
from sync_engine.operations.shapes import Plan
from sync_engine.service import Service
from sync_engine.store import LinkRow


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


@dataclass(frozen=True, slots=True)
class _Meant:
    """What is wanted, in terms of this configuration."""

    wanted: Wanted
    records: Mapping[int, Mapping[str, str]]  #: source -> record id -> the name it was given by
    window: tuple[datetime, datetime | None] | None


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
    meant = _meant(service, sync, wanted)
    service.prepare()
    if dry_run:
        with rehearsal(service) as rehearsed:
            run = _run(rehearsed.service, sync, meant, prefer)
            found = planned(rehearsed, run, name)
            return found.model_copy(update={"unknown": _unknown(rehearsed.service.world, meant)})
    run = _run(service, sync, meant, prefer)
    with service.store.reading() as connection:
        lines = lines_of(service.world, connection, run.id)
    return Plan(
        sync=name,
        lines=lines,
        calls=run.calls(),
        stopped_by_guard=stops(service, name),
        down=dict(service.world.down),
        unknown=_unknown(service.world, meant),
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


def _meant(service: Service, sync: Sync, wanted: Wanted) -> _Meant:
    """What is wanted, read and checked before any system is asked."""
    world = service.world
    names = wanted.records
    if wanted.file is not None:
        names = names_in(wanted.file, world)
    records: dict[int, dict[str, str]] = {source.id: {} for source in world.of_kind(sync.kind)}
    for name in names:
        sources, number = split(world, name)
        mine = [source for source in sources if source in records]
        if not mine:
            raise WrongUseError(
                f"{name} is no record of {sync.name}", remedy="name the sync that it belongs to"
            )
        for source_id in mine:
            records[source_id][number] = name
    window = None
    if wanted.since:
        window = window_of(wanted.since, wanted.until, service.clock.now())
    return _Meant(wanted, records, window)


def _unknown(world: World, meant: _Meant) -> list[str]:
    """Names that no system knew when it was asked for them; each in the first given form."""
    missing: dict[str, bool] = {}
    with world.store.reading() as connection:
        for source_id, names in meant.records.items():
            known = world.store.links.by_record(connection, source_id, names)
            is_out = world.is_out(world.source(source_id).instance)
            for number, name in names.items():
                found = number in known or is_out
                missing[name] = missing.get(name, True) and not found
    return [name for name, is_missing in missing.items() if is_missing]


def _run(service: Service, sync: Sync, meant: _Meant, prefer: str | None) -> Run:
    run = new_run(service.world, sync.name, prefer)
    run.scope = _choose(service, sync, meant, run)
    service.cycle([sync], run)
    return run


def _choose(service: Service, sync: Sync, meant: _Meant, run: Run) -> set[int] | None:
    """Read what is meant; gives the entities it is about, None for all."""
    world, wanted = service.world, meant.wanted
    if wanted.full:
        _list_anew(world, sync)
        return None
    if meant.window:
        return _window(world, sync, run, meant.window)
    if wanted.failed:
        with world.store.reading() as connection:
            failed = world.store.links.refused(connection, sync.kind)
        try_again(world, [link.id for link in failed])
        return _read(world, sync, run, failed, {})
    if wanted.unlinked:
        with world.store.reading() as connection:
            alone = world.store.links.unmatched(connection, sync.kind)
        rematch(world, [link.id for link in alone])
        return _read(world, sync, run, alone, {})
    if wanted.keys:
        return _read(world, sync, run, _by_keys(world, wanted.keys), {})
    return _read(world, sync, run, (), meant.records)


def _list_anew(world: World, sync: Sync) -> None:
    with world.store.transaction() as connection:
        for source in world.of_kind(sync.kind):
            world.store.registry.save_source(connection, source.id, cursor=None)
        world.store.entities.mark_kind(connection, sync.kind)


def _window(
    world: World, sync: Sync, run: Run, window: tuple[datetime, datetime | None]
) -> set[int]:
    found: set[int] = set()
    for source in _reachable(world, sync):
        found |= relist_window(world, source, run, *window)
    return found


def _read(
    world: World,
    sync: Sync,
    run: Run,
    links: Iterable[LinkRow],
    records: Mapping[int, Iterable[str]],
) -> set[int]:
    """Read these records, and all others of the same people."""
    wanted = {source.id: set(records.get(source.id, ())) for source in world.of_kind(sync.kind)}
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
