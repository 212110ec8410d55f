"""Stores what was read of one source: records, deletions, merges, conversions.

Called by pull with a page and by push with what it read again. Maps a row only when its
raw values changed, writes only what changed, and leaves marks for match and reconcile.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.engine import Connection

from connectors import Change, Merged, Record, Upserted
from sync_engine.engine.batch import Batch
from sync_engine.engine.ended import end, load_targets
from sync_engine.engine.groups import review
from sync_engine.engine.keys import UNKEYED, rekey
from sync_engine.engine.recognise import recognise
from sync_engine.engine.stored import doubt, settle_doubts
from sync_engine.engine.world import (
    LONGEST_CAUSE,
    UNKNOWN_CHOICE,
    UNREADABLE_VALUE,
    Run,
    Source,
    Told,
    World,
)
from sync_engine.models import Happened, Kind, LinkState, Owes
from sync_engine.store import LinkRow
from sync_engine.values import UNSET

#: what a read record brings back to matching, changed or not
_RETURNED = (LinkState.STUB, LinkState.GONE, LinkState.REPLACED, LinkState.MERGED)


def ingest(
    world: World,
    source: Source,
    run: Run,
    connection: Connection,
    changes: Sequence[Change],
    tick: int,
) -> None:
    """Store changes of one source that were requested when it stood at ``tick``."""
    upserts = {c.record.id: c.record for c in changes if isinstance(c, Upserted)}
    gone = {c.id: c for c in changes if not isinstance(c, Upserted)}
    # the feed tells what is, so the last word about a record counts
    last = {(c.record.id if isinstance(c, Upserted) else c.id): c for c in changes}
    records = [r for r in upserts.values() if isinstance(last[r.id], Upserted)]
    ends = [c for c in gone.values() if last[c.id] is c]
    ids = set(last) | {c.into for c in ends if isinstance(c, Merged)}
    layout = world.store.layouts.of(source.configured.forms)
    batch = Batch(layout, world.store.links.by_record(connection, source.id, ids))
    told = Told(run.id)
    recognise(world, source, connection, batch, records, ends)
    marks = fingerprints(source, records)
    _know_customers(world, source, connection, batch, records)
    for record in records:
        _upsert(world, source, batch, told, record, marks[record.id], tick)
    load_targets(world, source, connection, batch, ends)
    for change in ends:
        end(world, source, batch, told, change)
    settle_doubts(world, source, run, connection, batch, told)
    for name, choice in sorted(batch.strange):
        told.issue(
            world,
            UNKNOWN_CHOICE,
            source_id=source.id,
            field_name=name,
            cause=choice[:LONGEST_CAUSE],
        )
    for name in sorted(batch.unreadable):
        told.issue(world, UNREADABLE_VALUE, source_id=source.id, field_name=name)
    _store(world, run, connection, batch, told)


def fingerprints(source: Source, records: Iterable[Record]) -> dict[str, bytes]:
    """By record: over its raw selected values, in the selection's order, and how it is keyed."""
    fields, found = source.selection.fields, {}
    for record in records:
        raw = [record.values.get(name) for name in fields]
        try:
            text = orjson.dumps([raw, record.inactive, source.keyed], option=orjson.OPT_SORT_KEYS)
        except TypeError:  # half a character, or more than 64 bits: JSON has them, orjson has not
            text = json.dumps([raw, record.inactive, source.keyed], sort_keys=True).encode()
        found[record.id] = hashlib.blake2b(text, digest_size=16).digest()
    return found


def _know_customers(
    world: World, source: Source, connection: Connection, batch: Batch, records: Sequence[Record]
) -> None:
    """Which of the records that changed their kind belong to somebody who is a customer."""
    turned = {
        link.entity_id
        for record in records
        if (link := batch.links.get(record.id))
        and link.entity_id is not None
        and source.mapping.kind_of(record.values) not in (None, link.kind.name.lower())
    }
    entities = world.store.entities.by_id(connection, turned) if turned else {}
    batch.customers = {n for n, entity in entities.items() if entity.kind is Kind.CUSTOMER}


def _upsert(
    world: World,
    source: Source,
    batch: Batch,
    told: Told,
    record: Record,
    mark: bytes,
    tick: int,
) -> None:
    link = batch.links.get(record.id)
    kind_name = source.mapping.kind_of(record.values)
    kind = Kind[kind_name.upper()] if kind_name else None
    if link is None:
        if kind in source.kinds:
            _insert(world, source, batch, record, kind, mark)
        return
    if link.acked > tick:  # older than our own write
        if link.owes in (Owes.NOTHING, Owes.UPDATE, Owes.CLEAR):
            link.owes = Owes.REREAD
            batch.changed[link.id] = link
        return
    turned_back = link.state is LinkState.HELD and kind is link.kind
    returned = link.state in _RETURNED or turned_back
    if link.owes is Owes.REREAD:
        # what it owes besides is derived again from what was read
        link.owes, link.due_at = Owes.NOTHING, None
        batch.touch(link)
    remapped = link.layout not in (None, batch.layout)
    if link.fingerprint == mark and not returned and not remapped:
        if (link.version, link.missing_at) != (record.version, None):
            link.version, link.missing_at = record.version, None
            batch.changed[link.id] = link
        return
    if kind is not None and kind is not link.kind:
        _change_kind(world, source, batch, told, link, kind)
    seen = _read(source, batch, link.kind, record)
    if remapped:
        _remap(world, batch, link, seen, unchanged=link.fingerprint == mark)
    _see(source, batch, link, record, seen, mark)
    if returned:
        _return(world, batch, told, link)
    elif link.state is LinkState.ASKED:
        link.state = LinkState.NEW
    batch.touch(link)


def _read(source: Source, batch: Batch, kind: Kind, record: Record) -> dict[str, Any]:
    name = kind.name.lower()
    golden = source.mapping.golden_of(name, record.values)
    batch.strange.update(source.mapping.strange(name, record.values))
    batch.unreadable.update(source.mapping.unreadable(name, record.values, golden))
    return golden


def _return(world: World, batch: Batch, told: Told, link: LinkRow) -> None:
    """A record that was only known of, or that is back: matching gives it its place."""
    batch.rekey(link)
    if link.state is LinkState.MERGED:  # restored beside the one it had become part of
        _leave(world, told, link, "restored")
        link.entity_id, link.into_id, link.base = None, None, {}
    elif link.state is LinkState.STUB and link.entity_id is None:
        link.entity_id = batch.owners.get(link.record_id or "")
    link.state, link.owes, link.ends = LinkState.NEW, Owes.NOTHING, Owes.NOTHING
    batch.settled.add(link.id)


def _remap(
    world: World, batch: Batch, link: LinkRow, seen: Mapping[str, Any], *, unchanged: bool
) -> None:
    """The row was read under another mapping. Configuration is never a claim.

    A field that is read differently shares no base with golden yet (practice 1.1), unless the
    record is ``unchanged``: then what was agreed on is only read in another way.
    """
    for name in world.store.layouts.changed(link.layout or batch.layout, batch.layout):
        agreed, before = link.base.pop(name, None), (link.seen or {}).get(name)
        if unchanged and agreed is not None and agreed == before and seen.get(name) is not None:
            link.base[name] = seen[name]
        link.held.pop(name, None)


def _see(
    source: Source,
    batch: Batch,
    link: LinkRow,
    record: Record,
    seen: Mapping[str, Any],
    mark: bytes,
) -> None:
    before = link.seen or {}
    untouched = record.version is not None and record.version == link.version
    link.version, link.modified_at, link.missing_at = record.version, record.modified_at, None
    link.inactive, link.layout = record.inactive, batch.layout
    first_read_after_write = link.fingerprint is None
    link.fingerprint = mark
    if before == seen and link.seen is not None:
        batch.rekey(link)  # what is a key may be another question now
        return
    changed = {name: value for name, value in seen.items() if before.get(name, UNSET) != value}
    # the name of an employer may have changed too, which the record does not show
    if seen.get("company") or not UNKEYED.issuperset(changed.keys() | before.keys() - seen.keys()):
        batch.rekey(link)
    stamp = record.modified_at.isoformat() if record.modified_at else None
    if stamp:
        link.stamps |= dict.fromkeys(changed, stamp)
    if first_read_after_write:
        doubt(source, batch, link, changed, untouched=untouched)
    link.seen, link.rev, link.tries = dict(seen), link.rev + 1, 0


def _insert(
    world: World, source: Source, batch: Batch, record: Record, kind: Kind, mark: bytes
) -> None:
    link = LinkRow(
        id=world.ids.row(),
        source_id=source.id,
        instance_id=source.instance_id,
        kind=kind,
        state=LinkState.NEW,
        entity_id=batch.owners.get(record.id),
        record_id=record.id,
        layout=batch.layout,
        seen=_read(source, batch, kind, record),
        fingerprint=mark,
        version=record.version,
        modified_at=record.modified_at,
        inactive=record.inactive,
    )
    batch.links[record.id] = link
    batch.add(link)


def _change_kind(
    world: World, source: Source, batch: Batch, told: Told, link: LinkRow, kind: Kind
) -> None:
    """The system moved the record to another kind, in place (Customer Profiles)."""
    batch.rekey(link)
    if link.entity_id is None:
        link.kind = kind
    elif kind is Kind.CUSTOMER:
        link.kind = kind
        if link.entity_id in batch.customers:
            return  # our own conversion, whose answer was lost
        # practice 3.2: it converts nothing elsewhere until a person or a rule allows it;
        # the profile leaves for the customer that it is now and keeps the lead's place
        batch.dirty.add(link.entity_id)
        leads = world.syncs.get(Kind.LEAD)
        allowed = leads is not None and source.instance in leads.conversion_from
        if not allowed:
            told.issue(world, "type changed", link_id=link.id, entity_id=link.entity_id)
        batch.add(
            LinkRow(
                id=world.ids.row(),
                source_id=source.id,
                instance_id=source.instance_id,
                kind=Kind.LEAD,
                state=LinkState.CONVERTED,
                entity_id=link.entity_id,
                into_id=link.id,
                owes=Owes.FOLLOW if allowed else Owes.NOTHING,
            )
        )
        _leave(world, told, link, "type changed")
        link.entity_id, link.state = None, LinkState.NEW
        link.base = link.base if allowed else {}
        batch.settled.add(link.id)
    elif link.state is LinkState.LIVE:  # a conversion has one direction (state-model 15)
        link.state, link.owes = LinkState.HELD, Owes.NOTHING
        batch.settled.add(link.id)
        told.issue(world, "customer became lead", link_id=link.id, entity_id=link.entity_id)


def _leave(world: World, told: Told, link: LinkRow, rule: str) -> None:
    if link.entity_id is not None:
        about = {"entity_id": link.entity_id, "link_id": link.id}
        told.event(world, what=Happened.UNLINKED, rule=rule, **about)


def _store(world: World, run: Run, connection: Connection, batch: Batch, told: Told) -> None:
    links = world.store.links
    if not (batch.fresh or batch.changed or told.issues):
        return
    run.store(world, connection)
    moved = rekey(world, connection, batch.rekeyed.values())
    fresh = rekey(world, connection, batch.fresh)
    links.insert(connection, batch.fresh)
    told.states(world, batch.changed.values())
    links.save(connection, batch.changed.values())
    # who shared a key with one that has left it may be told apart now
    links.ask_anew(connection, {digest for digest, _ in moved.gone})
    links.replace_keys(connection, moved.gone, {*moved.come, *fresh.come})
    shifted = {*moved.gone, *moved.come}
    if shifted:
        review(world, connection, told, shifted)
    # who waits for a record does so for its state, or for whom its keys tell it to be
    if stirred := batch.settled | {number for _, number in shifted}:
        batch.dirty |= links.awaited(connection, stirred)
    world.store.entities.mark(connection, batch.dirty)
    told.store(world, connection)
    run.counts["read"] += len(batch.fresh) + len(batch.changed)
