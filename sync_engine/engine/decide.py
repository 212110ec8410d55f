"""Reconciles dirty entities: golden, bases, history and what each link owes, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from sync_engine.engine.answered import close_answered
from sync_engine.engine.create import consider_creates, enters
from sync_engine.engine.deletes import end_link, follow_deletes, succeed
from sync_engine.engine.leads import converts, leaving, retire, withdraw
from sync_engine.engine.outside import leave_out
from sync_engine.engine.references import References, reference_fields, resolve
from sync_engine.engine.showing import (
    Shown,
    assume_opt_outs,
    difference,
    held_for,
    shown,
    wanted,
)
from sync_engine.engine.telling import tell, tell_first
from sync_engine.engine.world import (
    LONGEST_CAUSE,
    TRIES,
    UNKNOWN_CHOICE,
    Run,
    Sync,
    Told,
    World,
)
from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes
from sync_engine.reconcile import MANUAL, Policy, Side, reconcile
from sync_engine.store import (
    POSTPONED,
    READABLE,
    EntityRow,
    LinkRow,
    SentRow,
    keep_out,
    out_before,
)
from sync_engine.values import UNSET, Author, Held

BATCH = 5000  #: entities that one transaction reconciles

#: what a decision may change of a link
_DECIDED = (
    "state", "into_id", "base", "held", "stamps", "owes", "ends", "due_at", "tries",
)  # fmt: skip


@dataclass(slots=True)
class Batch:
    """Dirty entities with all that is known of them."""

    entities: dict[int, EntityRow]
    links: dict[int, list[LinkRow]]
    is_partial: bool  #: whether some side holds less than golden does
    offers: Mapping[int, list[SentRow]]
    references: References
    authors: Mapping[int, Mapping[str, Author]]
    told: Told
    changed: dict[int, LinkRow] = field(default_factory=dict)
    waits: set[tuple[int, int]] = field(default_factory=set)
    stubs: list[LinkRow] = field(default_factory=list)  #: of records known only as references
    #: (source, field, golden choice) for which that side has no word
    unoffered: set[tuple[int, str, str]] = field(default_factory=set)


def decide(world: World, sync: Sync, run: Run) -> None:
    """Reconcile the kind until none of its entities is dirty."""
    with world.store.reading() as connection:
        if not world.store.entities.any_dirty(connection, sync.kind):
            return
    after = 0
    while True:
        with world.store.transaction() as connection:
            ids = world.store.entities.dirty(connection, sync.kind, after, BATCH)
            if ids and not world.is_current(connection):
                return
            if ids:
                run.store(world, connection)
                decide_entities(world, sync, run, connection, ids)
                after = ids[-1]
        world.note("decided", sync.name, len(ids))
        if len(ids) < BATCH or not world.clock.wait(0):
            return


def decide_entities(
    world: World, sync: Sync, run: Run, connection: Connection, ids: Sequence[int]
) -> None:
    """Reconcile these entities of the sync's kind, inside one transaction."""
    batch = _load(world, sync, run, connection, ids)
    for entity in batch.entities.values():
        if entity.state is EntityState.LIVE:
            _decide_entity(world, sync, run, batch, entity)
        entity.dirty = 0
    creates = consider_creates(world, sync, connection, batch.entities, batch.links, batch.told)
    for number in creates.postponed:
        batch.entities[number].dirty = POSTPONED
    if creates.postponed and not (out := world.out()) <= (before := out_before(connection)):
        keep_out(connection, before | out)
    world.store.entities.save(connection, batch.entities.values())
    batch.told.states(world, batch.changed.values())
    world.store.links.save(connection, batch.changed.values(), only=_DECIDED)
    world.store.links.insert(connection, [*creates.fresh, *batch.stubs])
    world.store.links.wait(connection, batch.waits)
    close_answered(world, connection, batch.entities, batch.links, batch.told)
    for source_id, name, choice in sorted(batch.unoffered):
        batch.told.issue(
            world,
            UNKNOWN_CHOICE,
            source_id=source_id,
            field_name=name,
            cause=choice[:LONGEST_CAUSE],
        )
    batch.told.store(world, connection)
    run.counts["reconciled"] += len(ids)
    run.counts["conflicts"] += sum(r.what is Happened.CONFLICT for r in batch.told.history)


def _load(world: World, sync: Sync, run: Run, connection: Connection, ids: Sequence[int]) -> Batch:
    entities = world.store.entities.by_id(connection, ids)
    links: dict[int, list[LinkRow]] = {number: [] for number in ids}
    for link in world.store.links.of_entities(connection, ids):
        links[link.entity_id or 0].append(link)
    flat = [link for group in links.values() for link in group]
    offers = world.store.writes.open(connection, [link.id for link in flat])
    references = resolve(world, connection, sync.kind, entities.values(), flat)
    moved = [
        number
        for number, group in links.items()
        if entities[number].golden
        and (run.prefer or any(k.state is LinkState.LIVE and k.seen != k.base for k in group))
    ]
    authors = world.store.entities.authors(connection, moved)
    partial = any(source.mapping.is_partial for source in world.of_kind(sync.kind))
    return Batch(entities, links, partial, offers, references, authors, Told(run.id))


def _decide_entity(world: World, sync: Sync, run: Run, batch: Batch, entity: EntityRow) -> None:
    succeed(batch, entity)
    live = [link for link in batch.links[entity.id] if link.state is LinkState.LIVE]
    own = {world.source(link.source_id).instance: link for link in live if link.kind is entity.kind}
    known, own = own, leave_out(world, sync, batch, entity, own)
    reference = _reference(world, sync, entity, own) if batch.is_partial else entity.golden
    heard = own | leaving(world, entity, live, known)
    sides = {
        name: _side(world, batch, entity, link, reference, run)
        for name, link in heard.items()
        # what is to be read again may have been read before our own write landed
        if name in sync.sides and link.seen is not None and link.owes is not Owes.REREAD
    }
    authors = batch.authors.get(entity.id, {})
    decision = reconcile(entity.golden, sides, _policies(world, sync), authors)
    tell_first(world, batch.told, entity, heard, decision.changes)
    for change in decision.changes:
        if not change.is_first:
            tell(world, batch.told, entity, heard, change)
    if decision.changes:
        entity.rev += 1
    entity.golden = dict(decision.golden)
    for name, link in heard.items():
        if name not in sides:
            continue
        side = sides[name]
        if name not in own:
            if converts(world, link):  # it may have to wait for that: what was heard is agreed on
                _advance(
                    world, batch, entity, link, side, decision.bases[name], decision.held[name]
                )
            continue
        for field_name in sorted(reference_fields(world, entity.kind)):
            value = entity.golden.get(field_name)
            missing = batch.references.missing(link.instance_id, value)
            batch.waits |= {(number, entity.id) for number in missing}
        _advance(world, batch, entity, link, side, decision.bases[name], decision.held[name])
        assume_opt_outs(world, entity, live, link)
    own = leave_out(world, sync, batch, entity, own)  # golden may keep a record away now
    for name, link in own.items():
        if name in sides:
            _owe(world, batch, entity, link, sides[name], bool(decision.changes))
    for link in batch.links[entity.id]:
        is_there = link.state is LinkState.LIVE or link.state is LinkState.SURPLUS
        if is_there and link.kind is not entity.kind:
            retire(world, batch, link, known)
    creating = [link for link in batch.links[entity.id] if link.state is LinkState.CREATING]
    stays_out = bool(creating and known) and not enters(world, sync, entity, own.values())
    is_past = not any(link.state in READABLE for link in batch.links[entity.id])
    for link in creating:
        if link.kind is not entity.kind or stays_out or is_past:
            withdraw(batch, link)
            continue
        _wake(batch, link, bool(decision.changes))
        assume_opt_outs(world, entity, live, link)
    others = [*own.values(), *(link for link in creating if link.state is LinkState.CREATING)]
    follow_deletes(world, sync, batch, entity, others, moved=bool(decision.changes))
    for link in others:
        end_link(world, batch, entity, link, moved=bool(decision.changes))


def _policies(world: World, sync: Sync) -> Mapping[str, Policy]:
    """While what was agreed may be the past, people settle what differs."""
    if not world.restoring:
        return sync.policies
    return {
        name: one if one.name == "consent" else replace(one, name=MANUAL)
        for name, one in sync.policies.items()
    }


def _reference(
    world: World, sync: Sync, entity: EntityRow, own: Mapping[str, LinkRow]
) -> dict[str, Any]:
    """Golden, and before there is one what the sides that hold everything say.

    A side that holds less (unlabelled numbers, half an address) is read in its light, or its
    first number would become somebody's mobile.
    """
    found = dict(entity.golden)
    for name in sync.sides:
        link = own.get(name)
        if link is None or world.source(link.source_id).mapping.is_partial:
            continue
        for field_name, value in (link.seen or {}).items():
            is_empty = value is None or sync.is_placeholder(field_name, value)
            if not is_empty:
                found.setdefault(field_name, value)
    return found


def _side(
    world: World,
    batch: Batch,
    entity: EntityRow,
    link: LinkRow,
    reference: Mapping[str, Any],
    run: Run,
) -> Side:
    source = world.source(link.source_id)
    refs = reference_fields(world, entity.kind)
    for name in sorted(refs):
        native = (link.seen or {}).get(name)
        if native is None or (link.instance_id, native) in batch.references.entities:
            continue
        waiting = _unread(world, batch, link, name, refs[name])
        if waiting is not None:
            batch.waits.add((waiting, entity.id))
    offered = [row.values for row in batch.offers.get(link.id, [])]
    side = shown(world, batch.references, link, link.kind, reference, offered)
    mapped = source.mapping.of_kind(link.kind.name.lower())
    return Side(
        side.base,
        side.seen,
        offered,
        held_for(world, link, entity),
        mapped.readable,
        link.stamps,
        insists=run.insisted(source.instance, entity.id, mapped.readable),
        yields=mapped.yields,
        made=mapped.made,
        mute=mapped.mute,
        vacant=side.vacant,
    )


def _unread(world: World, batch: Batch, link: LinkRow, name: str, kind: Kind) -> int | None:
    """The link of a record that is nobody's yet; a stub of one that was never read."""
    record = (link.instance_id, (link.seen or {})[name])
    place = world.place(world.source(link.source_id).instance, kind)
    if record not in batch.references.unread and place is not None:
        stub = LinkRow(
            id=world.ids.row(),
            source_id=place.id,
            instance_id=place.instance_id,
            kind=kind,
            state=LinkState.STUB,
            record_id=record[1],
        )
        batch.references.unread[record] = stub.id
        batch.stubs.append(stub)
    return batch.references.unread.get(record)


def _advance(
    world: World,
    batch: Batch,
    entity: EntityRow,
    link: LinkRow,
    side: Side,
    base: Mapping[str, Any],
    held: Mapping[str, Held],
) -> None:
    refs = reference_fields(world, link.kind)
    kind, mapping = link.kind.name.lower(), world.source(link.source_id).mapping
    own = refs.keys() | mapping.of_kind(kind).own
    new = _in_native_terms(link, side, base, refs, own) if own else dict(base)
    if not mapping.shows.issuperset(new):  # read by another mapping, and heard by nobody
        new = {n: v for n, v in new.items() if n in mapping.shows}
        new |= {n: v for n, v in link.base.items() if n not in mapping.shows}
    agreed = (entity.golden, link.base, *side.offered)
    new = mapping.settled(kind, new, link.seen or {}, side.seen, agreed)
    known = mapping.further(kind, link.base)
    for name, members in mapping.further(kind, new).items():
        if set(members) - set(known[name]):
            batch.told.issue(
                world, "value without a place", source_id=link.source_id, field_name=name
            )
    link.base, link.held, link.stamps = new, dict(held), {}
    batch.changed[link.id] = link


def _in_native_terms(
    link: LinkRow,
    side: Side,
    base: Mapping[str, Any],
    refs: Collection[str],
    own: Collection[str],
) -> dict[str, Any]:
    """A base whose references are record ids, and renditions the side's own, as in ``seen``."""
    new = {}
    for name, value in base.items():
        if name not in own:
            new[name] = value
        elif name in (link.seen or {}) and side.seen.get(name, UNSET) == value:
            new[name] = (link.seen or {})[name]
        elif name in link.base:
            new[name] = link.base[name]
    unresolved = {n: v for n, v in link.base.items() if n in refs and n not in new}
    return new | unresolved


def _owe(
    world: World, batch: Batch, entity: EntityRow, link: LinkRow, side: Side, moved: bool
) -> None:
    if link.owes is Owes.REREAD:
        return
    if moved:
        link.tries, link.due_at = 0, None
    now = Shown(side.base, side.seen, link.seen or {}, side.vacant)
    fields = difference(world, batch.references, entity, link, now)
    kind, mapping = entity.kind.name.lower(), world.source(link.source_id).mapping
    strange = mapping.unoffered(kind, entity.golden)
    batch.unoffered.update((link.source_id, name, choice) for name, choice in strange)
    if link.tries >= TRIES or not fields:
        link.owes = Owes.NOTHING
    else:
        cleared = None in mapping.renditions(kind, wanted(entity, link), fields).values()
        link.owes = Owes.CLEAR if cleared else Owes.UPDATE


def _wake(batch: Batch, link: LinkRow, moved: bool) -> None:
    """A create that was refused is tried again with other values, one that waits at once."""
    if moved:
        link.owes, link.tries, link.due_at = Owes.CREATE, 0, None
        link.held = {}  # whole: without an opt-out that was refused it would not be (practice 4.1)
    elif link.owes is Owes.CREATE and not link.tries:
        link.due_at = None
    batch.changed[link.id] = link
