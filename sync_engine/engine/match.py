"""Finds out whose records the new links are: follow merges and conversions, settle key groups.

Works under one lease for all kinds. Deciding is ``matching.settle``'s; this module loads
the groups, carries decisions out and asks people where nothing may be guessed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from sync_engine import matching
from sync_engine.engine.follow import follow
from sync_engine.engine.keys import employers
from sync_engine.engine.verdicts import Verdicts, verdicts
from sync_engine.engine.world import KINDS, Run, Told, World
from sync_engine.models import Happened, Kind, LinkState
from sync_engine.store import EntityRow, LinkRow

BATCH = 5000  #: new links that one transaction settles
_JOINABLE = (LinkState.NEW, LinkState.ASKED, LinkState.LIVE, LinkState.CREATING)


@dataclass(slots=True)
class Pool:
    """The links of a batch and of the groups they are in."""

    links: dict[int, LinkRow]
    groups: dict[tuple[int, int], list[int]]  #: (rule, digest) -> link ids
    said: Verdicts  #: what people have decided of pairs of them
    joined: dict[int, int] = field(default_factory=dict)  #: link -> entity, decided here
    asked: dict[int, str] = field(default_factory=dict)  #: link -> why
    rules: dict[int, str] = field(default_factory=dict)  #: link -> the rule that linked it

    def entity(self, link: LinkRow) -> int | None:
        return self.joined.get(link.id, link.entity_id)


def match(world: World, run: Run) -> None:
    """Settle every new link whose kind's sides have all listed once."""
    with world.store.lease("match") as lease:
        ready = _ready(world)
        while True:
            with world.store.transaction(lease) as connection:
                links = [
                    link
                    for link in world.store.links.new(connection, BATCH, ready)
                    if link.seen is not None
                ]
                if links:
                    run.store(world, connection)
                    _settle(world, run, connection, links)
            world.note("matched", "records", len(links))
            if len(links) < BATCH or not world.clock.wait(0):
                break
        with world.store.transaction(lease) as connection:
            follow(world, run, connection)


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
    pool = _pool(world, connection, fresh)
    # who was asked about is still asked, or new again because it has changed
    waiting = {n for n, link in pool.links.items() if link.state is LinkState.ASKED or link.rev}
    _settle_decided(pool)
    for rule, digest in sorted(pool.groups):
        _settle_group(pool, pool.groups[rule, digest], rule)
    heirs = {
        link.into_id: link.entity_id
        for link in world.store.links.to_follow(connection)
        if link.into_id is not None and link.entity_id is not None
    }
    newborn = _adopt(world, told, pool, fresh, heirs)
    world.store.entities.insert(connection, newborn)
    changed = [pool.links[number] for number in sorted(pool.joined)]
    asked = {n: why for n, why in pool.asked.items() if n not in pool.joined}
    for number in sorted(asked):
        link = pool.links[number]
        if link.state is LinkState.NEW:
            link.state = LinkState.ASKED
            changed.append(link)
    world.store.links.save(connection, changed)
    world.store.entities.mark(connection, set(pool.joined.values()))
    _ask(world, connection, told, waiting, _questions(pool, asked))
    told.store(world, connection)
    run.counts["linked"] += len(pool.joined)
    run.counts["asked"] += len(pool.asked)


def _questions(pool: Pool, asked: Mapping[int, str]) -> dict[int, tuple[str, list[int]]]:
    """One question per cluster (practice 2.4): its first link -> why, and the others."""
    found: dict[int, tuple[str, list[int]]] = {}
    told: set[frozenset[int]] = set()
    for number, why in sorted(asked.items()):
        others = _neighbours(pool, number)
        if (cluster := frozenset((number, *others))) not in told:
            told.add(cluster)
            found[number] = (why, sorted(others))
    return found


def _ask(
    world: World,
    connection: Connection,
    told: Told,
    waiting: Collection[int],
    questions: dict[int, tuple[str, list[int]]],
) -> None:
    """Open the questions that are not open already; close those that are no more."""
    over = []
    for issue in world.store.issues.of_links(connection, ("identity",), waiting):
        if questions.get(issue.link_id or 0) == (issue.cause, issue.detail.get("with")):
            del questions[issue.link_id or 0]
        else:
            over.append(issue.id)
    world.store.issues.close(connection, world.clock.now(), over)
    for number, (why, others) in questions.items():
        told.issue(world, "identity", cause=why, link_id=number, detail={"with": others})


def _pool(world: World, connection: Connection, fresh: Sequence[LinkRow]) -> Pool:
    named = employers(world, connection, fresh)
    keys: dict[int, list[matching.Key]] = {link.id: named.keys(link) for link in fresh}
    digests = {key.digest for found in keys.values() for key in found}
    sharing = world.store.links.sharing_keys(connection, digests)
    ids = {number for found in sharing.values() for number in found}
    links = {link.id: link for link in fresh}
    links |= world.store.links.by_id(connection, ids - set(links))
    groups: dict[tuple[int, int], list[int]] = {}
    for found in keys.values():
        for key in found:
            members = [
                number for number in sharing.get(key.digest, []) if links[number].state in _JOINABLE
            ]
            groups[key.rule, key.digest] = members
    return Pool(links, groups, verdicts(world, connection, links, gather=True))


def _settle_decided(pool: Pool) -> None:
    """What people called the same is linked before any rule is asked."""
    for pair in sorted(pool.said.same, key=sorted):
        rows = [pool.links[number] for number in sorted(pair)]
        apart = len({row.instance_id for row in rows}) == len(rows)
        if apart and all(row.state in _JOINABLE for row in rows):
            _join(pool, sorted(pair), "decided")


def _settle_group(pool: Pool, members: Sequence[int], rule: int) -> None:
    if len(members) < 2:
        return
    rows = [pool.links[number] for number in members]
    group = matching.Group(
        kind=rows[0].kind.name.lower(),
        rule=rule,
        members=tuple(
            matching.Member(row.id, row.instance_id, pool.entity(row), row.seen or {})
            for row in rows
        ),
        apart=pool.said.apart,
    )
    settlement = matching.settle(group)
    for cluster in settlement.linked:
        _join(pool, cluster, matching.RULES[group.kind][rule])
    for number, why in settlement.asked:
        if pool.entity(pool.links[number]) is None:
            pool.asked[number] = why


def _join(pool: Pool, cluster: Sequence[int], rule: str) -> None:
    owners = (pool.entity(pool.links[number]) for number in cluster)
    entity = next((owner for owner in owners if owner), None)
    for number in cluster:
        if pool.entity(pool.links[number]) is None:
            pool.joined[number] = entity if entity is not None else -min(cluster)
        pool.rules.setdefault(number, rule)


def _adopt(
    world: World,
    told: Told,
    pool: Pool,
    fresh: Sequence[LinkRow],
    heirs: Mapping[int, int],
) -> list[EntityRow]:
    """Entities for those whom nobody has yet; a negative number stands for one to be born.

    What a lead was converted into takes on the lead's entity (``heirs``: link -> entity).
    """
    for link in fresh:
        if link.id not in pool.joined and link.id not in pool.asked:
            pool.joined[link.id] = link.entity_id or heirs.get(link.id, -link.id)
    born: dict[int, EntityRow] = {}
    for number, entity_id in sorted(pool.joined.items()):
        link = pool.links[number]
        if entity_id < 0:
            if entity_id not in born:
                born[entity_id] = EntityRow(world.ids.row(), link.kind, {}, dirty=1)
                told.event(world, entity_id=born[entity_id].id, what=Happened.BIRTH)
            entity_id = born[entity_id].id
        pool.joined[number] = entity_id
        link.entity_id, link.state = entity_id, LinkState.LIVE
        told.event(
            world,
            entity_id=entity_id,
            link_id=number,
            what=Happened.LINKED,
            rule=pool.rules.get(number),
        )
    return list(born.values())


def _neighbours(pool: Pool, number: int) -> set[int]:
    return {
        other
        for members in pool.groups.values()
        if number in members
        for other in members
        if other != number
    }
