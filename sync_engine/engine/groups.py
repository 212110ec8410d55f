"""Key groups: the links that share a key with those at hand, and what follows of it.

Loads the groups, lets ``matching.settle`` decide and notes who joins whom and whom a
person must be asked about. Carrying that out is ``match``'s work.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from sync_engine import matching
from sync_engine.engine.keys import employers
from sync_engine.engine.leads import gives_way
from sync_engine.engine.verdicts import Verdicts, verdicts
from sync_engine.engine.world import Told, World
from sync_engine.models import Kind, LinkState
from sync_engine.store import PLACED, LinkRow

_JOINABLE = (LinkState.NEW, LinkState.ASKED, LinkState.LIVE)


@dataclass(slots=True)
class Pool:
    """The links at hand and those in their groups, with what is decided of them."""

    fresh: Sequence[int]  #: the links whose groups are complete
    links: dict[int, LinkRow]
    keys: dict[int, tuple[matching.Key, ...]]
    said: Verdicts  #: what people have decided of pairs of them
    closed: frozenset[int]  #: links that take no part, by the create policy of their side
    heirs: dict[int, int]  #: what a record became by merge or conversion -> that one's entity
    orders: Mapping[Kind, tuple[int, ...]]  #: kind -> the rules that link, strongest first
    #: what a lead of somebody who is a customer became -> that one's entity: nobody else's
    certain: dict[int, int] = field(default_factory=dict)
    kinds: dict[int, Kind] = field(default_factory=dict)  #: entity -> its kind
    #: entity -> instance -> the link that has, or will have, its place there
    places: dict[int, dict[int, int]] = field(default_factory=dict)
    #: (entity, instance) -> a record that is to be created there and cannot exist yet: no place
    unmade: dict[tuple[int, int], LinkRow] = field(default_factory=dict)
    #: (entity, instance) -> a lead there that gives way to the customer who its person is
    leads: dict[tuple[int, int], LinkRow] = field(default_factory=dict)
    #: (entity, instance) -> links of it that are gone
    gone: dict[tuple[int, int], list[LinkRow]] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)  #: link -> entity, decided here
    surplus: dict[int, int] = field(default_factory=dict)  #: likewise, its place being taken
    rules: dict[int, str] = field(default_factory=dict)  #: link -> the rule that linked it
    doubts: list[matching.Doubt] = field(default_factory=list)

    def entity(self, number: int) -> int | None:
        decided = self.joined.get(number, self.surplus.get(number))
        return decided if decided is not None else self.links[number].entity_id

    def seat(self, number: int, entity: int) -> None:
        """The link is of that entity: it takes the place on its instance, or is surplus."""
        places = self.places.setdefault(entity, {})
        holder = places.setdefault(self.links[number].instance_id, number)
        (self.joined if holder == number else self.surplus)[number] = entity

    def join(self, cluster: Sequence[int], rule: str) -> None:
        """Those of the cluster that have no entity take the others', or one to be born.

        A negative number stands for that one.
        """
        owners = [self.entity(number) for number in cluster]
        entity = next((owner for owner in owners if owner is not None), None)
        for number, owner in zip(cluster, owners, strict=True):
            if owner is None:
                self.seat(number, -min(cluster) if entity is None else entity)
            self.rules.setdefault(number, rule)

    @property
    def asked(self) -> set[int]:
        """Links that belong to nobody until a person has answered."""
        doubtful = (number for doubt in self.doubts for number in doubt.links)
        return {number for number in doubtful if self.entity(number) is None}


def gather(world: World, connection: Connection, links: Iterable[LinkRow]) -> Pool:
    """These links with their groups; whoever in these is asked about comes in with his own."""
    fresh = {link.id: link for link in links}
    near, shared = _sharing(world, connection, fresh)
    asked = {n: link for n, link in near.items() if link.state is LinkState.ASKED}
    if asked:
        further, more = _sharing(world, connection, asked)
        near, shared, fresh = near | further, shared | more, fresh | asked
    links_ = near | fresh
    said = verdicts(world, connection, links_, gather=True)
    # the keys of those alone are asked for by nobody
    meeting = [link for n, link in sorted(links_.items()) if n in near or n in shared]
    named = employers(world, connection, meeting)
    keys = {link.id: named.keys(link) for link in meeting}
    decided = {number for pair in said.same for number in pair}
    shut = frozenset(n for n, k in links_.items() if n not in decided and closed(world, k))
    orders = {kind: world.rules(kind) for kind in Kind}
    personal = _personal(world, connection, keys)
    pool = Pool(sorted(fresh), links_, personal, said, shut, {}, orders)
    _know_entities(world, connection, pool)
    return pool


def closed(world: World, link: LinkRow) -> bool:
    """Whether a link is nobody's, on a side where nothing is linked any more."""
    sync = world.syncs.get(link.kind)
    if sync is None or link.entity_id is not None:
        return False
    return sync.is_closed(world.source(link.source_id).instance)


def _sharing(
    world: World, connection: Connection, links: Mapping[int, LinkRow]
) -> tuple[dict[int, LinkRow], set[int]]:
    """The other links that carry a key of these, and those of these that share one."""
    carried: dict[int, list[int]] = {}
    for number, digests in _digests(world, connection, links).items():
        for digest in digests:
            carried.setdefault(digest, []).append(number)
    others: set[int] = set()
    meeting = {number for found in carried.values() if len(found) > 1 for number in found}
    for digest, found in world.store.links.sharing_keys(connection, carried).items():
        strangers = [number for number in found if number not in links]
        others.update(strangers)
        meeting.update(carried[digest] if strangers else ())
    return world.store.links.by_id(connection, others), meeting


def _digests(
    world: World, connection: Connection, links: Mapping[int, LinkRow]
) -> dict[int, Sequence[int]]:
    """Under which exact keys these links are found, by what is known of their employers now."""
    found: dict[int, Sequence[int]] = {n: link.match_keys for n, link in links.items()}
    employed = [link for link in links.values() if (link.seen or {}).get("company")]
    named = employers(world, connection, employed)
    return found | {k.id: [key.digest for key in named.keys(k)] for k in employed}


def _personal(
    world: World, connection: Connection, keys: dict[int, list[matching.Key]]
) -> dict[int, tuple[matching.Key, ...]]:
    """The keys without the numbers that are a company's own (practice 2.2)."""
    numbers = {
        matching.number_of_company(key.text): key.text
        for found in keys.values()
        for key in found
        if key.is_number
    }
    shared = {numbers[n] for n in world.store.links.sharing_keys(connection, numbers)}
    return {
        link: tuple(key for key in found if not (key.is_number and key.text in shared))
        for link, found in keys.items()
    }


def _know_entities(world: World, connection: Connection, pool: Pool) -> None:
    pending = world.store.links.to_follow(connection)
    pool.heirs = {k.into_id: k.entity_id for k in pending if k.into_id and k.entity_id}
    owners = {link.entity_id for link in pool.links.values() if link.entity_id is not None}
    owners |= {pool.heirs[number] for number in pool.heirs if number in pool.links}
    if not owners:
        return
    entities = world.store.entities.by_id(connection, owners)
    kinds = {n: e.kind for n, e in entities.items()}
    pool.certain = {
        k.into_id: k.entity_id
        for k in pending
        if k.into_id in pool.heirs
        and k.entity_id
        and k.state is LinkState.CONVERTED
        and kinds.get(k.entity_id) is Kind.CUSTOMER
    }
    # who is on the way to be a customer is no lead any more
    turned = {k.entity_id: Kind.CUSTOMER for k in pending if k.state is LinkState.CONVERTED}
    pool.kinds = {n: turned.get(n, kind) for n, kind in kinds.items()}
    theirs = world.store.links.of_entities(connection, owners)
    creating = [link.id for link in theirs if link.state is LinkState.CREATING]
    sent = world.store.writes.open(connection, creating)
    for link in theirs:
        if link.state is LinkState.CREATING and link.id not in sent:
            pool.unmade[link.entity_id or 0, link.instance_id] = link
        elif link.state is LinkState.LIVE and gives_way(world, entities[link.entity_id or 0], link):
            pool.leads[link.entity_id or 0, link.instance_id] = link
        elif link.state in PLACED:
            pool.places.setdefault(link.entity_id or 0, {})[link.instance_id] = link.id
        elif link.state is LinkState.GONE:
            pool.gone.setdefault((link.entity_id or 0, link.instance_id), []).append(link)
    for number, entity in sorted(pool.heirs.items()):
        if number in pool.links and pool.links[number].entity_id is None:
            pool.places.setdefault(entity, {}).setdefault(pool.links[number].instance_id, number)


def settle(pool: Pool) -> None:
    """Who of the pool is one, and who is to be asked about."""
    for number in pool.fresh:  # read again, or known before it was read
        link = pool.links[number]
        entity = link.entity_id or pool.certain.get(number)
        if link.state is LinkState.NEW and entity and number not in pool.said.alone:
            pool.seat(number, entity)
    for pair in sorted(pool.said.same, key=sorted):
        rows = [pool.links[number] for number in sorted(pair)]
        if all(_joinable(pool, row) for row in rows):
            pool.join(sorted(pair), "decided")
    groups: dict[tuple[int, int], list[int]] = {}
    for number, link in sorted(pool.links.items()):
        order = pool.orders[link.kind]
        for key in pool.keys.get(number, ()) if _joinable(pool, link) else ():
            if key.rule in order:
                groups.setdefault((order.index(key.rule), key.digest), []).append(number)
    for (rank, _), members in sorted(groups.items()):
        if len(members) > 1:
            _settle_group(pool, members, rank)


def _joinable(pool: Pool, link: LinkRow) -> bool:
    """A lead whose person has become a customer is no way to that customer.

    Nor does anybody join what is to be left alone.
    """
    if link.id in pool.said.alone or link.id in pool.closed:
        return False
    kind = link.kind if link.entity_id is None else pool.kinds[link.entity_id]
    return link.state in _JOINABLE and kind is link.kind


def _settle_group(pool: Pool, numbers: Sequence[int], rank: int) -> None:
    rows = [pool.links[number] for number in numbers]
    order = pool.orders[rows[0].kind]
    rule = order[rank]
    group = matching.Group(
        kind=rows[0].kind.name.lower(),
        rule=rule,
        members=tuple(
            matching.Member(
                row.id, row.instance_id, pool.entity(row.id), row.seen or {}, pool.keys[row.id]
            )
            for row in rows
        ),
        apart=pool.said.apart,
        places=pool.places,
        order=order,
    )
    settlement = matching.settle(group)
    for cluster in settlement.linked:
        pool.join(cluster, matching.RULES[group.kind][rule])
    pool.doubts += settlement.doubts


def ask(world: World, connection: Connection, told: Told, pool: Pool) -> None:
    """Open the questions that are not open already; close those that are no more."""
    questions = _questions(pool)
    over = []
    about = {*pool.fresh, *questions}
    for issue in world.store.issues.of_links(connection, ("identity",), about):
        number = issue.link_id or 0
        if questions.get(number) == (issue.cause, issue.detail.get("with")):
            del questions[number]
        else:
            over.append(issue.id)
    world.store.issues.close(connection, world.clock.now(), over)
    for number, (why, others) in questions.items():
        told.issue(world, "identity", cause=why, link_id=number, detail={"with": others})


def _questions(pool: Pool) -> dict[int, tuple[str, list[int]]]:
    """One question per cluster (practice 2.4): its first link -> why, and the others."""
    asked = pool.asked
    causes: dict[int, str] = {}
    beside: dict[int, set[int]] = {}
    for doubt in pool.doubts:
        open_ = [number for number in doubt.links if number in asked]
        two = len({pool.entity(number) for number in doubt.links} - {None}) > 1
        for number in open_ or (doubt.links[:1] if two else ()):
            causes.setdefault(number, doubt.why)
            beside.setdefault(number, set()).update(doubt.links)
    found: dict[int, tuple[str, list[int]]] = {}
    told: set[frozenset[int]] = set()
    for number, why in sorted(causes.items()):
        if (cluster := frozenset(beside[number])) not in told:
            told.add(cluster)
            found[number] = (why, sorted(cluster - {number}))
    return found


def review(
    world: World,
    connection: Connection,
    told: Told,
    moved: Collection[tuple[int, int]],
) -> None:
    """Ask about linked records whose keys have changed, where they now meet somebody else.

    ``moved`` are their keys that came and went: (digest, link id). Where they meet nobody
    any more the question ends.
    """
    sharing = world.store.links.sharing_keys(connection, {digest for digest, _ in moved})
    near = {number for found in sharing.values() for number in found}
    changed = {number for _, number in moved}
    open_ = world.store.issues.of_links(connection, ("identity",), near | changed)
    if not (near - changed or open_):
        return
    about = {issue.id: issue.link_id or 0 for issue in open_}
    links = world.store.links.by_id(connection, changed | set(about.values()))
    over = [issue for issue, number in about.items() if links[number].state not in _JOINABLE]
    world.store.issues.close(connection, world.clock.now(), over)
    pool = gather(world, connection, [k for k in links.values() if k.state is LinkState.LIVE])
    settle(pool)
    ask(world, connection, told, pool)
