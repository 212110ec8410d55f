"""Stores what became of writes: closes ``sent`` rows, advances bases, holds what was refused."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from connectors import Action, Outcome, Result
from sync_engine.engine.keys import keys_of, rekey
from sync_engine.engine.leads import leave_as_past
from sync_engine.engine.references import reference_fields
from sync_engine.engine.showing import wanted
from sync_engine.engine.stored import hold_stored
from sync_engine.engine.world import LONGEST_CAUSE, TRIES, UNCLEARABLE, Run, Source, Told, World
from sync_engine.identifiers import is_address
from sync_engine.models import LinkState, Owes, SentResult
from sync_engine.store import LinkRow
from sync_engine.values import NOT_STORED, Held, hash_of

if TYPE_CHECKING:
    from sync_engine.engine.push import Planned

FIRST_PAUSE = timedelta(seconds=15)  #: before the first retry; doubles


def keep_outcomes(
    world: World,
    source: Source,
    run: Run,
    connection: Connection,
    planned: "Sequence[Planned]",
    outcomes: Sequence[Outcome],
) -> None:
    """Close the rows of one call. Outcomes stand in the order of the writes."""
    tick = world.store.registry.tick(connection, source.id)
    found = world.store.links.with_revisions(connection, {plan.link.id for plan in planned})
    told = Told(run.id)
    dirty = set()
    states = {number: link.state for number, (link, _) in found.items()}
    refused: set[int] = set()
    for plan, outcome in zip(planned, outcomes, strict=True):
        if plan.link.id not in found:
            continue  # a person has parted it from everybody meanwhile: a later reading tells
        link, revision = found[plan.link.id]
        moved = (link.rev, revision) != (plan.row.link_rev, plan.row.golden_rev)
        plan.row.result = SentResult[outcome.result.name]
        plan.row.reason, plan.row.answered_at = outcome.reason or None, world.clock.now()
        if outcome.result is Result.DONE:
            as_sent = _done(world, source, run, told, plan, link, outcome, tick)
            if as_sent and not moved:
                continue
        elif outcome.result is Result.REJECTED:
            _rejected(world, source, told, plan, link, outcome)
            refused.add(link.entity_id or 0)
        elif outcome.result is Result.RETRY:
            # it may have landed all the same: the row stays open until a read tells
            plan.row.result = plan.row.answered_at = None
            _retry(world, told, plan, link, outcome)
        elif link.state is LinkState.LIVE:
            link.owes, link.due_at = Owes.REREAD, None
        # what is owed now is derived again, from what both have become since
        dirty.add(plan.entity.id)
    links = [link for link, _ in found.values()]
    keys = rekey(world, connection, links)
    world.store.writes.close(connection, [plan.row for plan in planned])
    told.states(world, links)
    world.store.links.save(connection, links)
    world.store.links.replace_keys(connection, keys.gone, keys.come)
    settled = [link.id for link in links if link.state is not states[link.id]]
    if settled:
        dirty |= world.store.links.awaited(connection, settled)
    # who was asked about, since a record was to be created there, may have its place
    world.store.links.ask_anew(connection, keys_of(world, connection, refused))
    world.store.entities.mark(connection, dirty)
    told.store(world, connection)


def postpone(world: World, connection: Connection, planned: "Sequence[Planned]") -> None:
    """Whether these writes have landed is known once their records are read."""
    ids = [plan.link.id for plan in planned if plan.link.state is not LinkState.CREATING]
    links = world.store.links.by_id(connection, ids)
    for link in links.values():
        link.owes, link.due_at = Owes.REREAD, None
    world.store.links.save(connection, links.values())


def log_write(
    world: World, source: Source, run: Run, plan: "Planned", result: str, born: str | None = None
) -> None:
    world.journal(
        "write",
        run=run.id,
        source=source.name,
        record=plan.write.id or born,
        entity=plan.entity.id,
        action=plan.write.action.value,
        fields=sorted(source.mapping.names_of(plan.write.values)),
        result=result,
    )


def _done(
    world: World,
    source: Source,
    run: Run,
    told: Told,
    plan: "Planned",
    link: LinkRow,
    outcome: Outcome,
    tick: int,
) -> bool:
    """Whether the side now holds just what was meant, so that nothing is left to decide."""
    values = _landed(world, source, plan, outcome)
    if outcome.values:
        _hold_what_stays(world, source, run, told, plan, link, values)
    unchanged = link.rev == plan.row.link_rev
    link.base = link.base | values
    link.acked, link.version, link.fingerprint = tick, outcome.version, None
    link.tries, link.due_at, link.owes = 0, None, Owes.NOTHING
    if plan.row.risk is link.ends:
        link.ends = Owes.NOTHING
    if plan.write.action is Action.CREATE:
        plan.row.values = {}
        if link.state is not LinkState.CREATING:
            return False  # a feed was faster and has filled the link
        link.record_id, link.state = outcome.id, LinkState.LIVE
        link.layout = world.store.layouts.of(source.configured.forms)
        empty = source.mapping.readable(plan.entity.kind.name.lower())
        link.seen = dict.fromkeys(sorted(empty)) | values  # it can be read, and is not yet
    elif plan.write.action is Action.CONVERT and not outcome.into:
        link.kind = plan.entity.kind
        link.owes = Owes.REREAD
    elif plan.write.action is Action.DELETE:
        link.state, link.ends = LinkState.GONE, Owes.NOTHING
    elif outcome.into:
        return True  # what it became is stored beside this
    elif not unchanged:
        link.owes = Owes.REREAD
    else:
        link.seen = (link.seen or {}) | values
        link.rev += 1
    return link.owes is Owes.NOTHING and not outcome.values


def _hold_what_stays(
    world: World,
    source: Source,
    run: Run,
    told: Told,
    plan: "Planned",
    link: LinkRow,
    values: Mapping[str, object],
) -> None:
    """A value that the system tells it has kept is not written again until golden changes.

    That is a clear that it ignores (practice 4.12), or a field that it does not let us write.
    """
    refs = reference_fields(world, plan.entity.kind)
    for name in sorted(plan.row.values.keys() & values.keys() - refs.keys()):
        sent, value = plan.row.values[name], values[name]
        if value is None or value == sent:
            continue
        if sent is None or value == plan.row.before.get(name):
            sort = UNCLEARABLE if sent is None else NOT_STORED
            hold_stored(world, source, run, told, link, name, Held(hash_of(sent), sort, value))


def _landed(
    world: World,
    source: Source,
    plan: "Planned",
    outcome: Outcome,
) -> dict[str, object]:
    """What the side holds now of the fields written, with references as its native ids."""
    refs = reference_fields(world, plan.entity.kind)
    kind = plan.entity.kind.name.lower()
    values = {n: v for n, v in plan.row.values.items() if n not in refs}
    native = {**plan.write.values, **outcome.values}
    told = source.mapping.golden_of(kind, native)
    values |= {name: told[name] for name in refs if name in plan.row.values and name in told}
    if outcome.values:
        shown = source.mapping.golden_of(kind, outcome.values)
        landed = source.mapping.names_of(outcome.values) & values.keys()
        values |= {name: shown[name] for name in landed if name in shown}
    return values


def _rejected(
    world: World,
    source: Source,
    told: Told,
    plan: "Planned",
    link: LinkRow,
    outcome: Outcome,
) -> None:
    """The fields at fault are held for the value that was refused; the rest is still owed."""
    action = plan.write.action
    if action not in (Action.CREATE, Action.UPDATE):
        refuse(world, told, link, action, outcome)
        return
    at_fault = source.mapping.names_of(outcome.faults) & set(plan.row.values)
    hold_back(world, source, plan, link, at_fault, "rejected")
    _tell(world, told, link, action, outcome, sorted(at_fault))


def hold_back(
    world: World,
    source: Source,
    plan: "Planned",
    link: LinkRow,
    at_fault: Collection[str],
    why: str,
) -> None:
    """Hold the fields at fault, or a whole create that may not go without them."""
    # nobody is created without what is required, nor without an opt-out (practice 4.1)
    vital = set(source.mapping.required) | set(world.consents)
    if source.type.unique_addresses:
        # somebody else's there: without it the same person would be there twice (practice 5.2);
        # what is no address at all is nobody's
        fields = [one.name for one in source.mapping.fields if one.form in ("email", "phone")]
        vital |= {name for name in fields if is_address(plan.row.values.get(name))}
    if plan.write.action is Action.CREATE and (not at_fault or vital.intersection(at_fault)):
        # it may not go without them, so it is tried again as a whole when something changes
        link.tries, link.owes = TRIES, Owes.NOTHING
        return
    golden = wanted(plan.entity, link)
    for name in sorted(at_fault or plan.row.values):
        of = hash_of(golden.get(name))
        link.held[name] = Held(of, why, (link.seen or {}).get(name))


def refuse(world: World, told: Told, link: LinkRow, action: Action, outcome: Outcome) -> None:
    """What is not done to a record as a whole: a lead stays as it is, a delete waits for people."""
    if action is Action.CONVERT:
        leave_as_past(world, told, link, outcome.reason)
    else:
        link.tries, link.owes = TRIES, Owes.NOTHING
        _tell(world, told, link, action, outcome, [])


def _tell(
    world: World, told: Told, link: LinkRow, action: Action, outcome: Outcome, fields: list[str]
) -> None:
    detail = {"reason": outcome.reason, "fields": fields, "action": action.value}
    detail["sort"] = outcome.refusal.value
    if outcome.found:
        detail["found"] = list(outcome.found)
    told.issue(
        world,
        "rejected",
        cause=outcome.reason[:LONGEST_CAUSE],
        detail=detail,
        link_id=link.id,
        entity_id=link.entity_id,
        source_id=link.source_id,
    )


def _retry(world: World, told: Told, plan: "Planned", link: LinkRow, outcome: Outcome) -> None:
    if not world.clock.wait(0):
        return  # it is us who are stopping: the next run goes on at once
    link.tries += 1
    link.due_at = world.clock.now() + FIRST_PAUSE * 2 ** min(link.tries, 8)
    if link.tries >= TRIES:
        link.owes = Owes.NOTHING
        about = {"link_id": link.id, "entity_id": plan.entity.id, "source_id": link.source_id}
        told.issue(world, "parked", cause=outcome.reason[:LONGEST_CAUSE], **about)
