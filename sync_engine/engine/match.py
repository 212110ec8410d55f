"""Finds out whose records the new links are: settle key groups, follow merges and conversions.

Works under one lease for all kinds. Deciding is ``matching.settle``'s, reading the groups
``groups``'; this module carries decisions out and asks people where nothing may be guessed.
"""

from collections.abc import Collection, Sequence

from sqlalchemy.engine import Connection

from sync_engine.engine.follow import follow
from sync_engine.engine.groups import Pool, ask, gather, settle
from sync_engine.engine.verdicts import turn
from sync_engine.engine.world import KINDS, Run, Told, World
from sync_engine.models import Happened, Kind, LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

BATCH = 5000  #: new links that one transaction settles


def match(world: World, run: Run) -> None:
    """Settle every new link whose kind's sides have all listed once; then follow.

    What a record became is matched before the one it was is followed: it may be somebody's
    who is known already, and where a person is asked about it following waits too.
    """
    with world.store.lease("match") as lease:
        ready = _ready(world)
        while True:
            with world.store.transaction(lease) as connection:
                links = world.store.links.new(connection, BATCH, ready)
                if links:
                    run.store(world, connection)
                    _settle(world, run, connection, links)
                if len(links) < BATCH:
                    follow(world, run, connection)
            world.note("matched", "records", len(links))
            if len(links) < BATCH or not world.clock.wait(0):
                break


def _ready(world: World) -> frozenset[Kind]:
    """Kinds that may be matched: before its first match, a sync waits for all of its sides."""
    with world.store.reading() as connection:
        listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
        ready = {
            kind
            for kind in KINDS
            if kind in world.syncs and all(source.id in listed for source in world.of_kind(kind))
        }
        # counting reads every link, so only where a side has not listed
        if ready != set(world.syncs):
            ready |= {
                kind
                for (_, kind, state) in world.store.links.counts(connection)
                if state is LinkState.LIVE and kind in world.syncs
            }
    return frozenset(ready)


def _settle(world: World, run: Run, connection: Connection, fresh: Sequence[LinkRow]) -> None:
    told = Told(run.id)
    pool = gather(world, connection, fresh)
    settle(pool)
    asked = pool.asked
    alone = [pool.links[n] for n in pool.fresh if n in pool.said.alone]
    for link in alone:  # as a person has said before this state knew it
        link.state = LinkState.IGNORED
    for number in pool.fresh:  # nobody's: an entity of their own
        if number in pool.said.alone or number in pool.closed:
            continue
        if number not in asked and pool.entity(number) is None:
            pool.seat(number, pool.heirs.get(number, -number))
    newborn = _bear(world, told, pool)
    world.store.entities.insert(connection, newborn)
    changed = _seat(world, told, pool, {entity.id for entity in newborn})
    for number in sorted(asked.union(pool.closed)):
        if pool.links[number].state is LinkState.NEW:
            pool.links[number].state = LinkState.ASKED
            changed.append(pool.links[number])
    changed += alone
    told.states(world, changed)
    world.store.links.save(connection, changed, only=("entity_id", "state", "owes"))
    world.store.links.save(connection, [pool.links[n] for n in pool.surplus], only=("base",))
    dirty = {pool.links[n].entity_id or 0 for n in (*pool.joined, *pool.surplus)}
    dirty |= world.store.links.awaited(connection, pool.joined)
    world.store.entities.mark(connection, dirty - {entity.id for entity in newborn})
    ask(world, connection, told, pool)
    told.store(world, connection)
    if pool.said.became:
        turn(world, connection, run, pool.said.became)
    run.counts["linked"] += len(pool.joined)
    run.counts["asked"] += len(asked)


def _bear(world: World, told: Told, pool: Pool) -> list[EntityRow]:
    """The entities to be born, which stand in the pool as negative numbers."""
    born: dict[int, EntityRow] = {}
    for number, entity_id in sorted(pool.joined.items()):
        if entity_id < 0 and entity_id not in born:
            kind = pool.links[number].kind
            born[entity_id] = EntityRow(world.ids.row(), kind, {}, dirty=1)
    for decided in (pool.joined, pool.surplus):
        for number, entity_id in decided.items():
            decided[number] = born[entity_id].id if entity_id < 0 else entity_id
    return list(born.values())


def _seat(world: World, told: Told, pool: Pool, newborn: Collection[int]) -> list[LinkRow]:
    """Gives the links what was decided; the links that changed."""
    changed = []
    for number, entity_id in sorted(pool.joined.items()):
        link = pool.links[number]
        link.entity_id, link.state = entity_id, LinkState.LIVE
        place = (entity_id, link.instance_id)
        left = [*pool.gone.get(place, ()), *filter(None, [pool.unmade.get(place)])]
        for other in left:
            other.state, other.owes = LinkState.REPLACED, Owes.NOTHING
            changed.append(other)
        if (lead := pool.leads.get(place)) is not None and lead.id != number:
            lead.state, lead.owes = LinkState.SURPLUS, Owes.NOTHING
            changed.append(lead)
        rule = pool.rules.get(number)
        if rule is not None or entity_id not in newborn:  # of whom it is alone, its birth tells
            told.event(world, entity_id=entity_id, link_id=number, what=Happened.LINKED, rule=rule)
        changed.append(link)
    for number, entity_id in sorted(pool.surplus.items()):
        link = pool.links[number]
        link.entity_id, link.state, link.base = entity_id, LinkState.SURPLUS, {}
        told.issue(world, "surplus record", link_id=number, entity_id=entity_id)
        changed.append(link)
    return changed
