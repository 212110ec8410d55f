"""What a system made of a write that it has accepted, as the first reading after it shows.

A form of our value (re-cased, trimmed, cut) is no edit, nor is anything that stands in a record
at the very version of our write: then nobody has touched it since.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.engine import Connection

from connectors import Action
from sync_engine.converters import is_cut, resembles
from sync_engine.engine.batch import Batch
from sync_engine.engine.world import (
    REWRITTEN,
    STORED_DIFFERENTLY,
    TRUNCATED,
    UNCLEARABLE,
    Run,
    Source,
    Told,
    World,
)
from sync_engine.models import SentResult
from sync_engine.store import LinkRow, SentRow
from sync_engine.values import NOT_STORED, Held, hash_of


def doubt(
    source: Source, batch: Batch, link: LinkRow, values: Mapping[str, Any], *, untouched: bool
) -> None:
    """Fields that show another value when they are first read again than was agreed on.

    ``untouched``: the record is at the version that our write has left. What a side does not
    show whole (numbers without labels, a masked value) tells nothing by itself.
    """
    kind, found = link.kind.name.lower(), {}
    for name in values.keys() & link.base.keys():
        ours, value = link.base[name], values[name]
        is_sure = untouched and source.mapping.shows_whole(kind, name)
        alike = ours is not None and value is not None and resembles(ours, value)
        if ours != value and (is_sure or alike):
            found[name] = is_sure
    if found:
        batch.doubted[link.id] = found


def settle_doubts(
    world: World, source: Source, run: Run, connection: Connection, batch: Batch, told: Told
) -> None:
    """Only a field that we wrote last can be stored otherwise; anything else is an edit."""
    suspects = {k.id: k for k in batch.changed.values() if k.id in batch.doubted}
    if not suspects:
        return
    rows = world.store.writes.of_links(connection, suspects)
    for number, link in sorted(suspects.items()):
        unread = _unread(row for row in rows if row.link_id == number)
        for name, is_sure in sorted(batch.doubted[number].items()):
            ours, value = link.base[name], (link.seen or {}).get(name)
            # what a create wrote is not kept with it: it is all that was agreed on at first
            wrote = (
                row
                for row in unread
                if row.action == Action.CREATE
                or (name in row.values and hash_of(row.values[name]) == hash_of(ours))
            )
            row = next(wrote, None)
            if row is None:
                continue
            if name in world.consents and (ours, value) == (False, True):
                continue  # maybe set in the second of our write: an opt-out is always heard
            sort = _sort(row, name, ours, value, untouched=is_sure)
            if sort == REWRITTEN:  # an edit, by whatever runs there
                told.issue(world, sort, source_id=source.id, field_name=name)
            else:
                kept = Held(hash_of(ours), sort, value)
                hold_stored(world, source, run, told, link, name, kept)


def _unread(rows: Iterable[SentRow]) -> list[SentRow]:
    """The last writes to a record that landed, newest first, as far as none was read between."""
    found: list[SentRow] = []
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        if row.result is not SentResult.DONE:
            continue
        if found and row.link_rev + 1 != found[-1].link_rev:
            break
        found.append(row)
    return found


def _sort(row: SentRow, name: str, ours: Any, value: Any, *, untouched: bool) -> str:
    """What a system made of our value, in one word."""
    there_before = untouched and value == row.before.get(name)
    if ours is None:
        return UNCLEARABLE if there_before else REWRITTEN
    if value is not None and resembles(ours, value):
        return TRUNCATED if is_cut(ours, value) else STORED_DIFFERENTLY
    if there_before:
        return NOT_STORED
    return TRUNCATED if value is not None and is_cut(ours, value) else REWRITTEN


def hold_stored(
    world: World, source: Source, run: Run, told: Told, link: LinkRow, name: str, kept: Held
) -> None:
    """What stands there is no edit, and is left so until golden changes; told once.

    Where our value is missing that is told of each record, else of the field as a whole.
    """
    link.held[name] = kept
    if kept.why == NOT_STORED:
        run.counts[f"{world.syncs[link.kind].name} {source.name} unstored"] += 1
    about = {}
    if kept.why in (NOT_STORED, UNCLEARABLE):
        about = {"link_id": link.id, "entity_id": link.entity_id}
        link.base[name] = kept.shown  # no edit either once it is tried again
    told.issue(world, kept.why, source_id=source.id, field_name=name, **about)
