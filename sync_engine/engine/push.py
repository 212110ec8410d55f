"""Carries out what the links of one source owe: reread, look up, ``sent``, call, outcome.

What to write is derived from state now, never queued. A row of ``sent`` is committed
before each call and answered after it; no call is made inside a transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from connectors import Action, ConnectorError, Outcome, Result, Write
from sync_engine.engine import converting
from sync_engine.engine.before import PAUSE, look_up, overdue_links, reread
from sync_engine.engine.flipping import flipping_fields, hold_flipping
from sync_engine.engine.leads import leave_as_past
from sync_engine.engine.outcomes import hold_back, keep_outcomes, log_write, postpone, refuse
from sync_engine.engine.references import References, reference_fields, resolve
from sync_engine.engine.risk import allowed_classes
from sync_engine.engine.showing import UNREADABLE, difference, shown, wanted
from sync_engine.engine.world import (
    LONGEST_CAUSE,
    MENDED,
    TRIES,
    Run,
    Source,
    Sync,
    Told,
    World,
)
from sync_engine.models import Kind, Owes
from sync_engine.store import DIRTY, EntityRow, LeaseHold, LinkRow, SentRow, advance
from sync_engine.values import MISFIT

SELECTED = 2000  #: owing links of one round

_ACTIONS = {
    Owes.UPDATE: Action.UPDATE,
    Owes.CLEAR: Action.UPDATE,
    Owes.CREATE: Action.CREATE,
    Owes.CONVERT: Action.CONVERT,
    Owes.DEACTIVATE: Action.DEACTIVATE,
    Owes.DELETE: Action.DELETE,
}


@dataclass(slots=True)
class Planned:
    """One write on its way."""

    link: LinkRow
    entity: EntityRow
    write: Write
    row: SentRow


@dataclass(slots=True)
class Plan:
    """What a round of links comes to."""

    told: Told
    writes: list[Planned] = field(default_factory=list)
    changed: list[LinkRow] = field(default_factory=list)
    awaited: set[tuple[int, int]] = field(default_factory=set)  #: (link of a parent, entity)


def push(world: World, sync: Sync, source: Source, run: Run) -> None:
    """Read and write what the source's links of the sync's kind owe. Raises ConnectorError."""
    with world.store.reading() as connection:
        owed = world.store.links.owed(connection, source.id)
        overdue = overdue_links(world, connection, source)
    if not overdue and not any(kind is sync.kind for kind, _ in owed):
        return
    with world.store.lease(f"push:{source.id}") as lease:
        while reread(world, sync, source, run, lease, overdue, SELECTED) == SELECTED:
            if not world.clock.wait(0):
                return
        classes = allowed_classes(world, sync, source, run, lease)
        tried: set[int] = set()
        looked: set[int] = set()
        while classes:
            if Owes.CREATE in classes:
                look_up(world, sync, source, run, lease, looked, SELECTED)
            planned = _plan(world, sync, source, run, lease, classes, tried)
            _witness(world, run, lease)
            if not planned or not _carry_out(world, sync, source, run, lease, planned):
                return


def _plan(
    world: World,
    sync: Sync,
    source: Source,
    run: Run,
    lease: LeaseHold,
    classes: Collection[Owes],
    tried: set[int],
) -> list[Planned]:
    """Derive the writes of the next links and store them as sent, in one transaction."""
    with world.store.transaction(lease) as connection:
        if not world.is_current(connection):
            return []
        links = world.store.links.owing(
            connection, source.id, sync.kind, world.clock.now(), SELECTED, classes
        )
        links = [link for link in links if link.id not in tried]
        tried |= {link.id for link in links}
        entities = world.store.entities.by_id(
            connection, {k.entity_id for k in links if k.entity_id}
        )
        # what was read of a person and is not decided yet must not be written over: a lead's
        # records wait for the decision of the customer that it has become
        links = [link for link in links if entities[link.entity_id or 0].dirty != DIRTY]
        references = resolve(world, connection, sync.kind, entities.values(), links)
        flipping = flipping_fields(world, run, connection, links)
        plan = Plan(Told(run.id))
        leads = converting.destinations(world, connection, links, entities)
        for link in links:
            entity = entities[link.entity_id or 0]
            _consider(
                world,
                source,
                run,
                plan,
                link,
                entity,
                references,
                flipping.get(entity.id, ()),
                leads.get(link.id),
            )
        if plan.writes or plan.told.issues:
            run.store(world, connection)
        plan.told.states(world, plan.changed)
        world.store.links.save(connection, plan.changed)
        asking = {issue.entity_id for issue in plan.told.issues if issue.entity_id}
        world.store.entities.mark(connection, asking)
        plan.told.store(world, connection)
        world.store.links.wait(connection, plan.awaited)
        world.store.writes.insert(connection, [one.row for one in plan.writes])
        _wait_for_references(world, connection, sync.kind, plan.writes, references)
    return plan.writes


def _witness(world: World, run: Run, lease: LeaseHold) -> None:
    """Before a run's first write its witness learns that the state moves on (state-model 12)."""
    if world.witness is None or run.witnessed:
        return
    with world.store.transaction(lease) as connection:
        reached = advance(connection)
    world.witness(reached)  # the database first: a state that is ahead was never restored
    run.witnessed = True


def _consider(
    world: World,
    source: Source,
    run: Run,
    plan: Plan,
    link: LinkRow,
    entity: EntityRow,
    references: References,
    flipping: Collection[str],
    lead: converting.Destination | None,
) -> None:
    """Plan the link's write, or say why there is none."""
    if flipping:
        hold_flipping(world, plan.told, link, entity, references, flipping)
        plan.changed.append(link)
    if (action := _ACTIONS[link.owes]) not in source.type.actions:
        unable = Outcome(Result.REJECTED, reason=f"{action} is not offered there")
        refuse(world, plan.told, link, action, unable)
    elif lead is not None and lead.lacking:
        leave_as_past(world, plan.told, link, lead.lacking)
    elif parents := _coming_parents(world, link, entity, references, lead):
        link.due_at = world.clock.now() + PAUSE
        plan.awaited |= {(parent, entity.id) for parent in parents}
    elif link.version is None and source.has_versions and action is not Action.CREATE:
        link.owes = Owes.REREAD
    elif write := _fitting(world, source, run, plan, link, entity, references):
        if lead is not None:
            write.write = replace(write.write, into=lead.into)
        plan.writes.append(write)
        return
    else:
        link.owes = Owes.NOTHING
    plan.changed.append(link)


def _coming_parents(
    world: World,
    link: LinkRow,
    entity: EntityRow,
    references: References,
    lead: converting.Destination | None,
) -> list[int]:
    """Links that a create waits for, an hour at most: what it refers to is on its way there."""
    if lead is not None:
        return [] if lead.coming is None else [lead.coming]
    since = world.ids.row_at(world.clock.now() - converting.PATIENCE)
    if link.owes is not Owes.CREATE or link.id < since:
        return []
    values = (entity.golden.get(name) for name in reference_fields(world, entity.kind))
    parents = [references.survivors.get(value, value) for value in values if value is not None]
    return [
        number
        for parent in parents
        if (link.instance_id, parent) in references.coming
        for number in references.links[parent]
    ]


def _fitting(
    world: World,
    source: Source,
    run: Run,
    plan: Plan,
    link: LinkRow,
    entity: EntityRow,
    references: References,
) -> Planned | None:
    """The write that a link owes, without what does not fit into the organization's own schema."""
    planned = _derive(world, source, run, link, entity, references)
    if planned is None or not planned.row.values:
        return planned
    kind, values = entity.kind.name.lower(), planned.row.values
    misfits = source.mapping.misfits(kind, values, planned.write.values, link.seen or {})
    if misfits:
        hold_back(world, source, planned, link, misfits, MISFIT)
        about = {"link_id": link.id, "entity_id": entity.id, "source_id": source.id}
        for name, why in sorted(misfits.items()):
            plan.told.issue(world, MISFIT, field_name=name, cause=why[:LONGEST_CAUSE], **about)
        run.counts[f"{run.sync} {source.name} {planned.write.action} rejected"] += 1
        plan.changed.append(link)
        if link.tries >= TRIES:
            return None
        planned = _derive(world, source, run, link, entity, references)
    if planned is not None:
        for name in source.mapping.mended(kind, entity.golden, planned.row.values):
            plan.told.issue(world, MENDED, field_name=name, source_id=source.id)
    return planned


def _derive(
    world: World,
    source: Source,
    run: Run,
    link: LinkRow,
    entity: EntityRow,
    references: References,
) -> Planned | None:
    """The write that a link owes; None where nothing is left to write."""
    kind, action = entity.kind.name.lower(), _ACTIONS[link.owes]
    values: dict[str, Any] = {}
    if action is Action.CREATE:
        values, native = _whole(world, source, link, entity, references)
    elif action is Action.UPDATE:
        values, native = _lacking(world, source, link, entity, references)
        if not native:
            return None
    else:
        native = source.mapping.convert_values(kind) if action is Action.CONVERT else {}
    key = link.key or world.ids.key(world.installation, entity.id)
    write = Write(action, key, link.record_id, native, link.version)
    return Planned(link, entity, write, _row(world, run, link, entity, write, values))


def _whole(
    world: World, source: Source, link: LinkRow, entity: EntityRow, references: References
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that a new record is given, as it will show it and as the side writes it."""
    kind, refs = entity.kind.name.lower(), reference_fields(world, entity.kind)
    mapping, golden = source.mapping, wanted(entity, link)
    target = _native_refs(golden, refs, link, references)
    held = {name for name, kept in link.held.items() if kept.why != UNREADABLE}
    names = [name for name in mapping.given(kind, target) if name not in held]
    return mapping.renditions(kind, golden, names), mapping.create_values(kind, target, names)


def _lacking(
    world: World, source: Source, link: LinkRow, entity: EntityRow, references: References
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a record lacks of golden, as it will show it and as the side writes it."""
    kind, refs = entity.kind.name.lower(), reference_fields(world, entity.kind)
    mapping, golden = source.mapping, wanted(entity, link)
    side = shown(world, references, link, entity.kind, entity.golden)
    names = difference(world, references, entity, link, side)
    lacking = {name: golden[name] for name in names if name in golden}
    target = golden | _native_refs(lacking, refs, link, references)
    values = mapping.renditions(kind, golden, names)
    return values, mapping.native_changes(kind, target, side.seen, side.base, names)


def _native_refs(
    golden: dict[str, Any], refs: Any, link: LinkRow, references: References
) -> dict[str, Any]:
    """Entities as this side's native ids; one that has no record there is left out."""
    found = {}
    for name, value in golden.items():
        if name not in refs:
            found[name] = value
        else:
            try:
                found[name] = references.native(link.instance_id, value)
            except KeyError:
                continue
    return found


def _row(
    world: World, run: Run, link: LinkRow, entity: EntityRow, write: Write, values: Any
) -> SentRow:
    before = {n: (link.seen or {})[n] for n in values if n in (link.seen or {})}
    return SentRow(
        id=world.ids.row(),
        source_id=link.source_id,
        link_id=link.id,
        run_id=run.id,
        action=write.action.value,
        risk=link.owes,
        golden_rev=entity.rev,
        link_rev=link.rev,
        version=link.version,
        values=dict(values),
        before=before,
    )


def _wait_for_references(
    world: World, connection: Connection, kind: Kind, planned: Sequence[Planned], references: Any
) -> None:
    """A reference that has no record on this side yet is written once it has."""
    refs = reference_fields(world, kind)
    pairs = [
        (number, plan.entity.id)
        for plan in planned
        for name in sorted(refs)
        for number in references.missing(plan.link.instance_id, plan.entity.golden.get(name))
    ]
    world.store.links.wait(connection, pairs)


def _carry_out(
    world: World,
    sync: Sync,
    source: Source,
    run: Run,
    lease: LeaseHold,
    planned: Sequence[Planned],
) -> bool:
    """Call after call; False where the service is asked to stop meanwhile."""
    most = source.type.max_batch
    waiting = list(planned)
    try:
        while waiting:
            calls, waiting = waiting[:most], waiting[most:]
            _call(world, sync, source, run, lease, calls)
            world.note("written", source.name, len(calls))
            if not world.clock.wait(0):
                return False
        return True
    finally:
        if waiting:  # a row of a call that is never made would be a write that may have landed
            with world.store.transaction(lease) as connection:
                world.store.writes.take_back(connection, [plan.row for plan in waiting])


def _call(
    world: World,
    sync: Sync,
    source: Source,
    run: Run,
    lease: LeaseHold,
    planned: Sequence[Planned],
) -> None:
    writes = [plan.write for plan in planned]
    try:
        outcomes: Sequence[Outcome] = source.connector.write(source.object, writes)
        place = world.place(source.instance, Kind.CUSTOMER)
        became = converting.read_customers(source, place, writes, outcomes)
    except ConnectorError:
        # nothing is known of any of them: the rows stay open, the links are read again
        with world.store.transaction(lease) as connection:
            postpone(world, connection, planned)
        for plan in planned:
            log_write(world, source, run, plan, "unanswered")
        raise
    with world.store.transaction(lease) as connection:
        keep_outcomes(world, source, run, connection, planned, outcomes)
        converting.keep_customers(world, source, run, connection, became)
    for plan, outcome in zip(planned, outcomes, strict=True):
        action, result = plan.write.action.value, outcome.result.value
        run.counts[f"{sync.name} {source.name} {action} {result}"] += 1
        log_write(world, source, run, plan, result, outcome.id)
