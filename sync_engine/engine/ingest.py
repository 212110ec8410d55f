"""Stores what was read of one source: records, deletions, merges, conversions.

Called by pull with a page and by push with what it read again. Maps a row only when its
raw values changed, writes only what changed, and leaves marks for match and reconcile.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.engine import Connection

from connectors import Change, Converted, Deleted, Merged, Record, Upserted
from sync_engine.converters import resembles
from sync_engine.engine.keys import employers
from sync_engine.engine.world import Run, Source, Told, World
from sync_engine.ids import key_parts
from sync_engine.models import Kind, LinkState, Owes, SentResult
from sync_engine.store import LinkRow
from sync_engine.values import UNSET, Held, hash_of

#: what a read record brings back to matching
_REMATCHED = (LinkState.STUB, LinkState.ASKED)
#: what a deletion ends
_ENDED = (
    LinkState.NEW,
    LinkState.ASKED,
    LinkState.STUB,
    LinkState.LIVE,
    LinkState.SURPLUS,
    LinkState.HELD,
)


@dataclass(slots=True)
class Batch:
    """The links a batch of changes touches, before and after."""

    links: dict[str, LinkRow]
    fresh: list[LinkRow] = field(default_factory=list)
    changed: dict[int, LinkRow] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)  #: links whose state changed
    was: dict[int, LinkRow] = field(default_factory=dict)  #: before its keys may have changed
    _fresh: set[int] = field(default_factory=set)

    def add(self, link: LinkRow, *, first: bool = False) -> None:
        """A link that is to be inserted; ``first`` before those that point to it."""
        self.fresh.insert(0 if first else len(self.fresh), link)
        self._fresh.add(link.id)

    def rekey(self, link: LinkRow) -> None:
        """Its keys may change from now on."""
        if link.id not in self._fresh:
            self.was.setdefault(link.id, replace(link))

    def touch(self, link: LinkRow) -> None:
        if link.id not in self._fresh:
            self.changed[link.id] = link
        if link.entity_id is not None:
            self.dirty.add(link.entity_id)


def ingest(
    world: World,
    source: Source,
    run: Run,
    connection: Connection,
    changes: Sequence[Change],
    tick: int,
    *,
    remap: bool = False,
) -> None:
    """Store changes of one source that were requested when it stood at ``tick``.

    With ``remap`` the mapping has changed since the rows were read.
    """
    upserts = {c.record.id: c.record for c in changes if isinstance(c, Upserted)}
    gone = {c.id: c for c in changes if not isinstance(c, Upserted)}
    # the feed tells what is, so the last word about a record counts
    last = {(c.record.id if isinstance(c, Upserted) else c.id): c for c in changes}
    records = [r for r in upserts.values() if isinstance(last[r.id], Upserted)]
    ends = [c for c in gone.values() if last[c.id] is c]
    ids = set(last) | {c.into for c in ends if isinstance(c, Merged)}
    batch = Batch(world.store.links.by_record(connection, source.id, ids))
    told = Told(run.id)
    _fill_creating(world, source, connection, batch, records)
    for record in records:
        if remap:
            _remap(source, batch, record)
        _upsert(world, source, batch, told, record, tick)
    for change in ends:
        _end(world, source, connection, batch, told, change)
    _settle_renditions(world, source, connection, batch, told)
    _store(world, run, connection, batch, told)


def fingerprint(record: Record, fields: Iterable[str]) -> bytes:
    """Over the raw selected values, in the selection's order."""
    raw = [record.values.get(name) for name in fields]
    text = orjson.dumps([raw, record.inactive], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).digest()


def _fill_creating(
    world: World,
    source: Source,
    connection: Connection,
    batch: Batch,
    records: Sequence[Record],
) -> None:
    """A record that carries the key of a link which may not exist yet: our create has landed."""
    unknown: dict[UUID, Record] = {
        record.key: record
        for record in records
        if record.id not in batch.links and record.key and _is_ours(world, record.key)
    }
    if not unknown:
        return
    found = world.store.links.by_key(connection, unknown)
    landed = {key: link for key, link in found.items() if link.state is LinkState.CREATING}
    offers = world.store.writes.open(connection, {link.id for link in landed.values()})
    for key, link in landed.items():
        record = unknown[key]
        link.record_id, link.state, link.owes = record.id, LinkState.LIVE, Owes.NOTHING
        # the values sent are what was agreed: what differs was entered by somebody since
        link.base = dict(offers[link.id][-1].values) if link.id in offers else {}
        link.seen, link.fingerprint = dict(link.base), None
        batch.links[record.id] = link
        batch.settled.add(link.id)
        batch.touch(link)
        for row in offers.get(link.id, []):
            row.result, row.answered_at = SentResult.DONE, world.clock.now()
        world.store.writes.close(connection, offers.get(link.id, []))


def _is_ours(world: World, key: UUID) -> bool:
    parts = key_parts(key)
    return parts is not None and parts.installation == world.installation


def _upsert(
    world: World, source: Source, batch: Batch, told: Told, record: Record, tick: int
) -> None:
    link = batch.links.get(record.id)
    kind_name = source.mapping.kind_of(record.values)
    kind = Kind[kind_name.upper()] if kind_name else None
    if link is None:
        if kind in source.kinds:
            _insert(world, source, batch, record, kind)
        return
    if link.acked > tick:  # older than our own write
        if link.owes in (Owes.NOTHING, Owes.UPDATE, Owes.CLEAR):
            link.owes = Owes.REREAD
            batch.changed[link.id] = link
        return
    mark = fingerprint(record, source.selection.fields)
    turned_back = link.state is LinkState.HELD and kind is link.kind
    returned = link.state is LinkState.GONE or turned_back
    if link.owes is Owes.REREAD:
        # what it owes besides is derived again from what was read
        link.owes, link.due_at = Owes.NOTHING, None
        batch.touch(link)
    if link.fingerprint == mark and not returned:
        if (link.version, link.missing_at) != (record.version, None):
            link.version, link.missing_at = record.version, None
            batch.changed[link.id] = link
        return
    if kind is not None and kind is not link.kind:
        _change_kind(world, source, batch, told, link, kind)
    seen = source.mapping.golden_of(link.kind.name.lower(), record.values)
    _see(batch, link, record, seen, mark)
    if returned:
        batch.rekey(link)
        link.state = LinkState.LIVE if link.entity_id is not None else LinkState.NEW
        link.owes = Owes.NOTHING
        batch.settled.add(link.id)
    elif link.state in _REMATCHED:
        link.state = LinkState.NEW
    batch.touch(link)


def _remap(source: Source, batch: Batch, record: Record) -> None:
    """Configuration is never a claim: what only the new mapping reads otherwise is the base."""
    link = batch.links.get(record.id)
    if link is None or link.fingerprint != fingerprint(record, source.selection.fields):
        return
    seen = source.mapping.golden_of(link.kind.name.lower(), record.values)
    for name, value in seen.items():
        if name in link.base and (link.seen or {}).get(name, UNSET) != value:
            link.base[name] = value
    if seen != link.seen:
        batch.rekey(link)
        link.seen, link.rev = seen, link.rev + 1
        batch.touch(link)


def _see(batch: Batch, link: LinkRow, record: Record, seen: Mapping[str, Any], mark: bytes) -> None:
    before = link.seen or {}
    link.version, link.modified_at, link.missing_at = record.version, record.modified_at, None
    link.inactive = record.inactive
    first_read_after_write = link.fingerprint is None and link.acked > 0
    link.fingerprint = mark
    if before == seen and link.seen is not None:
        return
    batch.rekey(link)
    stamp = record.modified_at.isoformat() if record.modified_at else None
    for name, value in seen.items():
        if before.get(name, UNSET) == value:
            continue
        if stamp:
            link.stamps[name] = stamp
        ours = link.base.get(name)
        if first_read_after_write and ours is not None and resembles(ours, value):
            link.held[name] = Held(hash_of(ours), "stored differently", value)
    link.seen, link.rev, link.tries = dict(seen), link.rev + 1, 0


def _insert(world: World, source: Source, batch: Batch, record: Record, kind: Kind) -> None:
    link = LinkRow(
        id=world.ids.row(),
        source_id=source.id,
        instance_id=source.instance_id,
        kind=kind,
        state=LinkState.NEW,
        record_id=record.id,
        seen=source.mapping.golden_of(kind.name.lower(), record.values),
        fingerprint=fingerprint(record, source.selection.fields),
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
        # practice 3.2: it converts nothing elsewhere until a person or a rule allows it;
        # the profile leaves for the customer that it is now
        batch.dirty.add(link.entity_id)
        told.issue(world, "type changed", link_id=link.id, entity_id=link.entity_id)
        link.entity_id, link.state, link.base = None, LinkState.NEW, {}
        batch.settled.add(link.id)
    elif link.state is LinkState.LIVE:  # a conversion has one direction (state-model 15)
        link.state, link.owes = LinkState.HELD, Owes.NOTHING
        batch.settled.add(link.id)
        told.issue(world, "customer became lead", link_id=link.id, entity_id=link.entity_id)


def _end(
    world: World,
    source: Source,
    connection: Connection,
    batch: Batch,
    told: Told,
    change: Change,
) -> None:
    link = batch.links.get(change.id if not isinstance(change, Upserted) else change.record.id)
    if isinstance(change, Converted):
        _convert(world, source, connection, batch, told, link, change)
        return
    if link is None or link.state not in _ENDED:
        return
    batch.rekey(link)
    batch.settled.add(link.id)
    if isinstance(change, Merged):
        into = batch.links.get(change.into) or _stub(world, source, batch, change.into, link.kind)
        link.state, link.into_id = LinkState.MERGED, into.id
        link.owes = Owes.FOLLOW  # the entities are to be joined
    elif isinstance(change, Deleted):
        link.owes = Owes.FOLLOW if link.state is LinkState.LIVE else Owes.NOTHING
        link.state = LinkState.GONE
    link.due_at = None
    batch.touch(link)


def _convert(
    world: World,
    source: Source,
    connection: Connection,
    batch: Batch,
    told: Told,
    link: LinkRow | None,
    change: Converted,
) -> None:
    if link is not None and link.state is LinkState.CONVERTED:
        return
    if link is None:  # converted before it was first read: the past of a customer (practice 1.4)
        link = LinkRow(
            id=world.ids.row(),
            source_id=source.id,
            instance_id=source.instance_id,
            kind=Kind.LEAD,
            state=LinkState.CONVERTED,
            record_id=change.id,
        )
        batch.links[change.id] = link
        batch.add(link)
    batch.rekey(link)
    link.state, link.owes, link.due_at = LinkState.CONVERTED, Owes.NOTHING, None
    batch.settled.add(link.id)
    customers = [
        s
        for s in world.sources
        if s.instance_id == source.instance_id
        and Kind.CUSTOMER in s.kinds
        and s.object in change.into
    ]
    if customers:
        target = _customer(world, customers[0], connection, batch, change.into[customers[0].object])
        link.into_id = target.id
    if link.entity_id is not None:
        link.owes = Owes.FOLLOW
        if not customers:
            told.issue(world, "conversion without customer side", link_id=link.id)
    batch.touch(link)


def _customer(
    world: World, source: Source, connection: Connection, batch: Batch, record_id: str
) -> LinkRow:
    known = world.store.links.by_record(connection, source.id, [record_id])
    if record_id in known:
        return known[record_id]
    fresh = (row for row in batch.fresh if (row.source_id, row.record_id) == (source.id, record_id))
    return next(fresh, None) or _stub(world, source, batch, record_id, Kind.CUSTOMER)


def _stub(world: World, source: Source, batch: Batch, record_id: str, kind: Kind) -> LinkRow:
    stub = LinkRow(
        id=world.ids.row(),
        source_id=source.id,
        instance_id=source.instance_id,
        kind=kind,
        state=LinkState.STUB,
        record_id=record_id,
    )
    if kind is not Kind.CUSTOMER or source.mapping.kind_by:
        batch.links[record_id] = stub
    batch.add(stub, first=True)
    return stub


def _settle_renditions(
    world: World, source: Source, connection: Connection, batch: Batch, told: Told
) -> None:
    """Only a field that we wrote last can be stored differently; anything else is an edit."""
    suspects = {
        link.id: link
        for link in batch.changed.values()
        if any(kept.why == "stored differently" for kept in link.held.values())
    }
    if not suspects:
        return
    last = world.store.writes.last_done(connection, suspects)
    for link in suspects.values():
        written = last[link.id].values if link.id in last else {}
        for name, kept in list(link.held.items()):
            if kept.why != "stored differently":
                continue
            if name not in written or hash_of(written[name]) != kept.of:
                del link.held[name]
            else:
                told.issue(world, "stored differently", source_id=source.id, field_name=name)


def _store(world: World, run: Run, connection: Connection, batch: Batch, told: Told) -> None:
    links = world.store.links
    if not (batch.fresh or batch.changed or told.issues):
        return
    run.store(world, connection)
    links.insert(connection, batch.fresh)
    links.save(connection, batch.changed.values())
    rekeyed = [link for link in (*batch.links.values(), *batch.fresh) if link.id in batch.was]
    named = employers(world, connection, [*batch.was.values(), *rekeyed, *batch.fresh])
    before = named.stored(batch.was.values())
    after = named.stored([*rekeyed, *batch.fresh])
    # who shared a key with one that has left it may be told apart now
    links.ask_anew(connection, {digest for digest, _ in before - after})
    links.replace_keys(connection, before, after)
    if batch.settled:
        batch.dirty |= links.awaited(connection, batch.settled)
    world.store.entities.mark(connection, batch.dirty)
    told.store(world, connection)
    run.counts["read"] += len(batch.fresh) + len(batch.changed)
