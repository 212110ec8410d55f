"""What people have said of records, carried out: same, different, later, unlinked, converted.

A decision names records, not links, so that it outlives a resync and a rebuilt state.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy.engine import Connection

from sync_engine.engine.follow import Following, join, keep, load
from sync_engine.engine.leads import gives_way
from sync_engine.engine.world import Run, Told, World
from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes
from sync_engine.store import PLACED, DecisionRow, EntityRow, LinkRow

#: questions that a verdict on their records answers
_ANSWERED = ("identity", "possible duplicate", "converted before", "surplus record")
_JOINABLE = (
    LinkState.NEW,
    LinkState.ASKED,
    LinkState.LIVE,
    LinkState.SURPLUS,
    LinkState.IGNORED,
)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Pairs of links that people have judged."""

    same: frozenset[frozenset[int]]
    apart: frozenset[frozenset[int]]
    alone: frozenset[int] = frozenset()  #: links to be left alone
    became: tuple[DecisionRow, ...] = ()  #: of leads, which customer they are now


def verdicts(
    world: World, connection: Connection, links: dict[int, LinkRow], *, gather: bool = False
) -> Verdicts:
    """What was said of any two of these links.

    With ``gather`` those that were called the same as one of them are added to ``links``.
    """
    records = {(k.source_id, k.record_id or ""): k.id for k in links.values() if k.record_id}
    said = world.store.issues.decisions(connection, records)
    if gather:
        partners = _partners(world, connection, said, records)
        links |= partners
        records |= {(k.source_id, k.record_id or ""): k.id for k in partners.values()}
    pairs: dict[str, set[frozenset[int]]] = {}
    for one in said:
        if one.left in records and one.right in records:
            pair = frozenset((records[one.left], records[one.right]))
            pairs.setdefault(one.verdict, set()).add(pair)
    return Verdicts(
        frozenset(pairs.get("same", ())),
        frozenset(pairs.get("different", ())),
        frozenset(number for pair in pairs.get("unlink", ()) for number in pair),
        tuple(one for one in said if one.verdict == "convert"),
    )


def _partners(
    world: World,
    connection: Connection,
    said: Iterable[DecisionRow],
    records: Collection[tuple[int, str]],
) -> dict[int, LinkRow]:
    wanted: dict[int, set[str]] = {}
    for one in said:
        for near, far in ((one.left, one.right), (one.right, one.left)):
            if one.verdict == "same" and near in records and far not in records:
                wanted.setdefault(far[0], set()).add(far[1])
    return {
        link.id: link
        for source_id, ids in sorted(wanted.items())
        for link in world.store.links.by_record(connection, source_id, ids).values()
    }


def same(world: World, connection: Connection, run: Run, links: Sequence[LinkRow], by: str) -> int:
    """These records are one person or company; gives the entity. The first record is kept live.

    Where an instance has several of them the others become surplus. All are of one kind.
    """
    told = Told(run.id)
    run.store(world, connection)
    rows = load(world, connection, {link.id: link for link in links})
    own = {link.entity_id for link in links if link.entity_id is not None}
    survivor = _survivor(world, told, rows, links, own)
    for number in sorted(own - {survivor.id}):
        join(world, told, rows, rows.entities[number], survivor)
    first = links[0]
    placed = [k for k in rows.links.values() if k.entity_id == survivor.id and k.state in PLACED]
    for link in placed:
        if link.instance_id == first.instance_id and link.id != first.id and link.record_id:
            link.state, link.owes = LinkState.SURPLUS, Owes.NOTHING
            rows.changed.add(link.id)
    taken = {link.instance_id: link for link in placed if link.state in PLACED}
    for link in (rows.links[one.id] for one in links):
        if link.entity_id == survivor.id and link.state in (*PLACED, LinkState.SURPLUS):
            continue
        link.entity_id, link.base, link.owes = survivor.id, {}, Owes.NOTHING
        holder = taken.get(link.instance_id)
        if holder is not None and gives_way(world, survivor, holder):
            holder.state, holder.owes, holder = LinkState.SURPLUS, Owes.NOTHING, None
            rows.changed.add(taken[link.instance_id].id)
        link.state = LinkState.SURPLUS if holder else LinkState.LIVE
        taken[link.instance_id] = holder or link
        rows.changed.add(link.id)
        told.event(
            world, entity_id=survivor.id, link_id=link.id, what=Happened.LINKED, rule="decided"
        )
    survivor.dirty, survivor.rev = 1, survivor.rev + 1
    if survivor.id in rows.entities:  # it was not born just now
        rows.touched.add(survivor.id)
    keep(world, connection, rows, told)
    _remember(world, connection, "same", list(combinations(links, 2)), by)
    return survivor.id


def different(
    world: World,
    connection: Connection,
    run: Run,
    left: Sequence[LinkRow],
    right: Sequence[LinkRow],
    by: str,
) -> None:
    """None of the left is one of the right; where they were, the right ones leave."""
    told = Told(run.id)
    run.store(world, connection)
    kept = {link.entity_id for link in left if link.entity_id is not None}
    changed = [link for link in (*left, *right) if link.state is LinkState.ASKED]
    for link in changed:
        link.state = LinkState.NEW
    for link in right:
        if link.entity_id is not None and link.entity_id in kept:
            told.event(
                world,
                entity_id=link.entity_id,
                link_id=link.id,
                what=Happened.UNLINKED,
                rule="decided",
            )
            link.entity_id, link.base, link.held = None, {}, {}
            link.state, link.owes = LinkState.NEW, Owes.NOTHING
            changed.append(link)
    world.store.links.save(connection, changed)
    owners = {link.entity_id for link in right if link.entity_id is not None}
    world.store.entities.mark(connection, kept | owners)
    told.store(world, connection)
    _remember(world, connection, "different", [(a, b) for a in left for b in right], by)


def later(
    world: World, connection: Connection, left: Sequence[LinkRow], right: Sequence[LinkRow], by: str
) -> None:
    """Whether any of the left is one of the right is not asked any more; nothing else changes."""
    _store(world, connection, "later", [(a, b) for a in left for b in right], by)


def unlink(world: World, connection: Connection, run: Run, link: LinkRow, by: str) -> None:
    """The record is left alone from now on; its place is kept, so that none is created there."""
    told = Told(run.id)
    run.store(world, connection)
    if link.entity_id is not None:
        told.event(
            world,
            entity_id=link.entity_id,
            link_id=link.id,
            what=Happened.UNLINKED,
            rule="decided",
        )
        world.store.entities.mark(connection, [link.entity_id])
    waiting = world.store.links.awaited(connection, [link.id])
    world.store.entities.mark(connection, waiting)
    link.state, link.owes, link.held = LinkState.IGNORED, Owes.NOTHING, {}
    world.store.links.save(connection, [link])
    _remember(world, connection, "unlink", [(link, link)], by)
    told.store(world, connection)


def convert(
    world: World, connection: Connection, run: Run, link: LinkRow, lead: int, by: str
) -> None:
    """A record's turn to a customer is followed: the entity that it left becomes one too."""
    told = Told(run.id)
    run.store(world, connection)
    every = world.store.links.of_entities(connection, [lead])
    left = [one for one in every if one.state is LinkState.CONVERTED and one.into_id == link.id]
    for one in left:
        one.owes = Owes.FOLLOW
    world.store.links.save(connection, left, only=("owes",))
    about = {"entity_id": lead, "link_id": link.id, "by": by}
    told.event(world, what=Happened.CONVERTED, rule="decided", **about)
    told.store(world, connection)
    _store(world, connection, "convert", [(k, link) for k in every if _is_lead(k)], by)


def turn(world: World, connection: Connection, run: Run, said: Iterable[DecisionRow]) -> None:
    """What was decided in another state, or before these records were read, is followed too."""
    born: dict[tuple[int, int], LinkRow] = {}
    for one in said:
        found = [
            world.store.links.by_record(connection, source, [record]).get(record)
            for source, record in (one.left, one.right)
        ]
        lead = next((k for k in found if k is not None and _is_lead(k)), None)
        customer = next((k for k in found if k is not None and k.kind is Kind.CUSTOMER), None)
        if lead is None or customer is None or not joinable(customer):
            continue
        if lead.entity_id is None or lead.entity_id == customer.entity_id:
            continue
        born[lead.entity_id, customer.id] = LinkRow(
            id=world.ids.row(),
            source_id=customer.source_id,
            instance_id=customer.instance_id,
            kind=Kind.LEAD,
            state=LinkState.CONVERTED,
            entity_id=lead.entity_id,
            into_id=customer.id,
            owes=Owes.FOLLOW,
        )
    if born:
        run.store(world, connection)
        world.store.links.insert(connection, list(born.values()))


def _is_lead(link: LinkRow) -> bool:
    return link.kind is Kind.LEAD and link.state is LinkState.LIVE


def follow_delete(
    world: World, connection: Connection, run: Run, gone: LinkRow, by: str, *, approved: bool
) -> None:
    """What a delete asks of the person's other records is done by the next cycle, or never."""
    told = Told(run.id)
    run.store(world, connection)
    if approved:
        gone.owes = Owes.FOLLOW
    else:
        gone.ends = Owes.NOTHING
    world.store.links.save(connection, [gone], only=("owes", "ends"))
    world.store.entities.mark(connection, [gone.entity_id or 0])
    told.event(
        world,
        entity_id=gone.entity_id,
        link_id=gone.id,
        what=Happened.STATE,
        new={"state": "gone", "into": None},
        rule="delete approved" if approved else "delete refused",
        by=by,
    )
    told.store(world, connection)


def joinable(link: LinkRow) -> bool:
    """Whether a person may say of it whose record it is."""
    return link.state in _JOINABLE


def _survivor(
    world: World, told: Told, rows: Following, links: Sequence[LinkRow], own: Collection[int]
) -> EntityRow:
    """The entity with most live records, the older one in doubt; a new one where there is none."""
    alive = [n for n in own if rows.entities[n].state is EntityState.LIVE]
    if alive:
        live = dict.fromkeys(alive, 0)
        for link in rows.links.values():
            if link.entity_id in live and link.state is LinkState.LIVE:
                live[link.entity_id] += 1
        return rows.entities[min(alive, key=lambda n: (-live[n], n))]
    born = EntityRow(world.ids.row(), links[0].kind, {}, dirty=1)
    rows.born.append(born)
    told.event(world, entity_id=born.id, what=Happened.BIRTH)
    return born


def _remember(
    world: World,
    connection: Connection,
    verdict: str,
    pairs: Sequence[tuple[LinkRow, LinkRow]],
    by: str,
) -> None:
    """Store what was said; the questions about these records are answered."""
    _store(world, connection, verdict, pairs, by)
    links = {link.id for pair in pairs for link in pair}
    now = world.clock.now()
    world.store.issues.close_about(connection, now, whats=_ANSWERED, links=links)


def _store(
    world: World,
    connection: Connection,
    verdict: str,
    pairs: Sequence[tuple[LinkRow, LinkRow]],
    by: str,
) -> None:
    said = []
    for one, other in pairs:
        if one.record_id and other.record_id:
            left, right = sorted(
                ((one.source_id, one.record_id), (other.source_id, other.record_id))
            )
            said.append(DecisionRow(verdict, left, right))
    if verdict in ("same", "different"):
        records = {record for one in said for record in (one.left, one.right)}
        world.store.issues.forget_unlinked(connection, records)
    world.store.issues.decide(connection, said, by, world.clock.now())
