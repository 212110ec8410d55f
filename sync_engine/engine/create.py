"""Decides whether an entity gets a record where it has none. A create is a decision too,
and so is the conversion of a lead into a new customer.

It is made only where every required value is there, nothing unlinked on that side
resembles the person (practice 2.3) and no record of another kind covers the address
(practice 2.5); otherwise it waits, and people are told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from connectors import Action
from sync_engine import matching
from sync_engine.engine.covering import Wish, held_by_other_kind
from sync_engine.engine.groups import closed
from sync_engine.engine.keys import Employers, employers
from sync_engine.engine.leads import becoming, converts, leave_as_past
from sync_engine.engine.outside import inside, passes
from sync_engine.engine.showing import assume_opt_outs
from sync_engine.engine.verdicts import verdicts
from sync_engine.engine.world import TRIES, Sync, Told, World
from sync_engine.models import EntityState, Kind, LinkState, Owes
from sync_engine.resemblance import resembles
from sync_engine.store import PLACED, EntityRow, LinkRow

_NO_RECORD = "there is no live record to make it from"
_NOT_LISTED = "that side has not been listed yet"
_LEFT_ALONE = "its records are left alone, by an opt-out of their own or a filter (exit)"
_PASSING = (_NOT_LISTED, _LEFT_ALONE)
_COMING = (LinkState.STUB, LinkState.NEW, LinkState.ASKED)


@dataclass(slots=True)
class Creates:
    """What became of the wishes of a batch."""

    fresh: list[LinkRow] = field(default_factory=list)  #: to be created, each with its key
    #: entities to be decided again once an instance that is out answers, or takes creates
    postponed: set[int] = field(default_factory=set)


def consider_creates(
    world: World,
    sync: Sync,
    connection: Connection,
    entities: Mapping[int, EntityRow],
    links: Mapping[int, Sequence[LinkRow]],
    told: Told,
) -> Creates:
    """Decide where entities get a record that have none."""
    listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
    turned = _turned_by_themselves(world, connection, links)
    found = Creates()
    wishes = []
    others = {}  #: entity -> its links without the leads that are to become the customer
    for entity in entities.values():
        leads = becoming(world, entity, links[entity.id])
        others[entity.id] = [k for k in links[entity.id] if k not in leads.values()]
        reasons = _reasons(world, sync, entity, others[entity.id], listed, entity.id in turned)
        for instance, reason in reasons.items():
            source = world.place(instance, entity.kind)
            lead = leads.get(source.instance_id) if source else None
            if reason:
                if lead is not None and not _passes(reason, others[entity.id]):
                    leave_as_past(world, told, lead, reason)
            elif source is None or world.is_out(instance) or not source.type.name:
                found.postponed.add(entity.id)
            elif lead is not None:
                wishes.append(Wish(entity, source, lead))
            elif Action.CREATE in source.type.actions:
                wishes.append(Wish(entity, source))
            else:  # the right or the field for our key is missing: until it is there
                found.postponed.add(entity.id)
                told.issue(world, "create not offered", entity_id=entity.id, source_id=source.id)
    if not wishes:
        return found
    hits = _resembling(world, connection, wishes, others)
    covering, past = held_by_other_kind(world, connection, wishes, links)
    waits = []
    for wish in wishes:
        missing = wish.source.mapping.missing(sync.kind.name.lower(), wish.entity.golden)
        about = {"entity_id": wish.entity.id, "source_id": wish.source.id}
        if missing:
            told.issue(world, "required value missing", cause=",".join(missing), **about)
        elif alike := hits[wish.entity.id]:
            waits += [(number, wish.entity.id) for number in alike]
            told.issue(world, "possible duplicate", detail={"links": alike}, **about)
        elif (place := (wish.entity.id, wish.source.id)) in past:
            told.issue(world, "converted before", detail={"links": past[place]}, **about)
        elif place in covering:
            waits.append((covering[place], wish.entity.id))
            if wish.entity.kind is Kind.CUSTOMER:
                told.issue(
                    world, "address held by a lead", detail={"links": [covering[place]]}, **about
                )
        elif wish.lead is not None:
            wish.lead.owes = Owes.CONVERT if wish.lead.tries < TRIES else Owes.NOTHING
        else:
            link = _creating(world, wish)
            assume_opt_outs(world, wish.entity, links[wish.entity.id], link)
            found.fresh.append(link)
    world.store.links.wait(connection, waits)
    return found


def _passes(reason: str, links: Sequence[LinkRow]) -> bool:
    """Whether a lead waits for what keeps it from becoming a customer: that may pass by itself."""
    if reason == _NO_RECORD:  # the customer is told of, and is not read or matched yet
        return any(k.kind is Kind.CUSTOMER and k.state in _COMING for k in links)
    return reason in _PASSING


def why_none(
    world: World,
    sync: Sync,
    connection: Connection,
    entity: EntityRow,
    links: Sequence[LinkRow],
) -> dict[str, str]:
    """Side -> why the entity has no record there, in words for a person."""
    listed = {s.id for s in world.store.registry.sources(connection) if s.listed_at}
    turned = _turned_by_themselves(world, connection, {entity.id: links})
    reasons = _reasons(world, sync, entity, links, listed, entity.id in turned)
    wishes = [
        Wish(entity, source)
        for instance, reason in reasons.items()
        if not reason and (source := world.place(instance, entity.kind)) is not None
    ]
    hits = _resembling(world, connection, wishes, {entity.id: links})
    covering, past = held_by_other_kind(world, connection, wishes, {entity.id: links})
    issues = world.store.issues.about(connection, ("create not offered",), [entity.id])
    refusing = {issue.source_id for issue in issues}
    for wish in wishes:
        missing = wish.source.mapping.missing(sync.kind.name.lower(), entity.golden)
        if wish.source.id in refusing:
            reason = "we can create nothing there; crm-sync check says what is missing"
        elif missing:
            reason = f"it lacks what is required there: {', '.join(missing)}"
        elif hits.get(entity.id):
            reason = "somebody there looks like this one; a person is asked"
        elif (entity.id, wish.source.id) in past:
            reason = "the lead was converted there already; the customer carries on"
        elif (entity.id, wish.source.id) in covering:
            other = "customer" if entity.kind is Kind.LEAD else "lead"
            reason = f"the address, which has one owner there, is that of a {other}"
        else:
            reason = "it is to be created with the next cycle"
        reasons[wish.source.instance] = reason
    return {instance: reason for instance, reason in reasons.items() if reason}


def _turned_by_themselves(
    world: World, connection: Connection, links: Mapping[int, Sequence[LinkRow]]
) -> set[int]:
    """Customers known only by a record that its system made a customer of, in place.

    Nobody has allowed that to convert anything elsewhere (practice 3.2).
    """
    alone = {}
    for number, group in links.items():
        live = [link for link in group if link.state is LinkState.LIVE]
        if len(live) != 1 or not world.source(live[0].source_id).mapping.kind_by:
            continue
        if all(link.into_id != live[0].id for link in group):  # its lead has not followed
            alone[live[0].id] = number
    left = world.store.links.converted_into(connection, alone)
    return {alone[number] for number in left}


def _reasons(
    world: World,
    sync: Sync,
    entity: EntityRow,
    links: Sequence[LinkRow],
    listed: Collection[int],
    turned: bool,
) -> dict[str, str]:
    """Side -> why nothing is created there; empty where something may be."""
    live = [link for link in links if link.state is LinkState.LIVE and link.kind is entity.kind]
    general = ""
    if entity.state is not EntityState.LIVE or not live:
        general = _NO_RECORD
    elif all(link.inactive for link in live) and not sync.born_inactive:
        general = "it is inactive, and the past is created nowhere (create_inactive)"
    elif turned:
        general = "it became a customer by itself; it is one elsewhere when its lead is converted"
    elif not (live := inside(world, sync, entity, live)):
        general = _LEFT_ALONE
    elif not enters(world, sync, entity, live):
        general = "the filter of the side it comes from keeps it away"
    occupied = {link.instance_id for link in links if _keeps_place(world, link, entity.kind)}
    found = {}
    for instance in sync.sides:
        source = world.place(instance, entity.kind)
        if source is not None and source.instance_id in occupied:
            found[instance] = "it has, or had, a record there"
        elif source is None or not sync.creates_on(instance):
            policy = sync.creates.get(instance)
            found[instance] = f"nothing is created there (creates: {policy})"
        elif source.id not in listed:
            found[instance] = _NOT_LISTED
        elif instance in sync.accepts and not sync.accepts[instance](entity.golden):
            found[instance] = "that side does not accept it (accept)"
        else:
            found[instance] = general
    return found


def _keeps_place(world: World, link: LinkRow, kind: Kind) -> bool:
    """Whether nothing of the kind is created where this record is, or was."""
    if link.state is LinkState.REPLACED and link.record_id is None:
        return False  # it was to be created, and never was
    if link.state in PLACED or link.kind is kind:
        return True
    if link.state is LinkState.GONE and world.source(link.source_id).mapping.kind_by:
        return True  # one record is of either kind there: who was deleted does not come back
    # a lead's past keeps a customer's place only where it was left with the one address
    left = link.state is LinkState.CONVERTED and link.into_id is None
    return left and world.source(link.source_id).type.unique_addresses


def enters(world: World, sync: Sync, entity: EntityRow, live: Collection[LinkRow]) -> bool:
    """Whether one of these records may be the cause of others (practice 3.2)."""
    return any(passes(world, sync, entity, link) for link in live)


def _resembling(
    world: World,
    connection: Connection,
    wishes: Sequence[Wish],
    links: Mapping[int, Sequence[LinkRow]],
) -> dict[int, list[int]]:
    """Entity -> links that may be the same person or company.

    They stand on other instances, resemble it and stand alone: their entity has no live record
    on any instance where ours has one. Then ours is created nowhere, or a third system would
    get both. Or they carry a match key of ours and are not told apart by name, wherever and
    whosever they are.
    """
    wanted = {wish.entity.id: wish.entity for wish in wishes}
    live = {
        number: [k for k in links[number] if k.seen and k.state is LinkState.LIVE]
        for number in wanted
    }
    named = employers(world, connection, [link for group in live.values() for link in group])
    blocks = {n: {d for link in live[n] for d in named.blocks(link)} for n in wanted}
    keys = {n: {key.digest for link in live[n] for key in named.keys(link)} for n in wanted}
    digests = {d for found in (*blocks.values(), *keys.values()) for d in found}
    sharing = world.store.links.sharing_keys(connection, digests)
    ids = {number for found in sharing.values() for number in found}
    near = world.store.links.by_id(connection, ids)
    theirs = employers(world, connection, near.values())
    owners = {link.entity_id for link in near.values() if link.entity_id is not None}
    places: dict[int, set[int]] = {}
    customers = any(wish.entity.kind is Kind.CUSTOMER for wish in wishes)
    for link in world.store.links.of_entities(connection, owners):
        if link.state in PLACED and not (customers and converts(world, link)):
            places.setdefault(link.entity_id or 0, set()).add(link.instance_id)
    own = {link.id: link for number in wanted for link in links[number]}
    apart = verdicts(world, connection, near | own).apart
    found: dict[int, list[int]] = {}
    near = {n: link for n, link in near.items() if not closed(world, link)}
    for number, entity in wanted.items():
        mine = {k.instance_id for k in links[number] if k.state is LinkState.LIVE}
        whole = entity.golden | _beside(named, live[number])
        meant = {n for digest in keys[number] for n in sharing.get(digest, []) if n in near}
        alike = {n for digest in blocks[number] for n in sharing.get(digest, []) if n in near}
        found[number] = [
            n
            for n in sorted(alike | meant)
            if near[n].kind is entity.kind
            and near[n].entity_id != number
            and not any(frozenset((link.id, n)) in apart for link in links[number])
            and (n in meant or _stands_alone(near[n], mine, places))
            and (
                (n in meant and _agree(entity, near[n]))
                or resembles(
                    entity.kind.name.lower(), whole, theirs.described(near[n]), world.no_keys
                )
            )
        ]
    return found


def _beside(named: Employers, links: Sequence[LinkRow]) -> dict[str, Any]:
    """What the records of an entity show that golden values do not."""
    shown = [named.described(link) for link in links]
    employer = next((one["company_name"] for one in shown if one.get("company_name")), None)
    further = [member for one in shown for member in one["further"]]
    return {"further": further} | ({"company_name": employer} if employer else {})


def _agree(entity: EntityRow, link: LinkRow) -> bool:
    kind = entity.kind.name.lower()
    return matching.agrees(kind, matching.EMAIL, entity.golden, link.seen or {})


def _stands_alone(link: LinkRow, mine: set[int], places: Mapping[int, set[int]]) -> bool:
    if link.instance_id in mine:
        return False
    if link.state in (LinkState.NEW, LinkState.ASKED):
        return True
    if link.state is not LinkState.LIVE or link.entity_id is None:
        return False
    return not (places.get(link.entity_id, set()) & mine)


def _creating(world: World, wish: Wish) -> LinkRow:
    return LinkRow(
        id=world.ids.row(),
        source_id=wish.source.id,
        instance_id=wish.source.instance_id,
        kind=wish.entity.kind,
        state=LinkState.CREATING,
        entity_id=wish.entity.id,
        key=world.ids.key(world.installation, wish.entity.id),
        owes=Owes.CREATE,
    )
