"""Which records were one person or company at some time: history folded up to then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from sync_engine.engine import World
from sync_engine.ids import key_parts, time_of
from sync_engine.models import Happened, Kind, LinkState, SentResult
from sync_engine.operations.records import WrongUseError, find, name_of
from sync_engine.operations.selecting import moment
from sync_engine.operations.shapes import Belonging, Identity
from sync_engine.service import Service
from sync_engine.store import EntityRow, HistoryRow, LinkRow, SentRow, Store

UNLINKED = "unlinked"
#: what may be nobody's yet
_UNSETTLED = (LinkState.NEW, LinkState.ASKED, LinkState.STUB, LinkState.CREATING)


@dataclass(slots=True)
class Standing:
    """Of one record: whose it was, and how."""

    entity_id: int
    state: str
    since: datetime
    how: str
    into: int | None = None


@dataclass(slots=True)
class Chain:
    """Whose records were whose, at one moment."""

    links: dict[int, Standing] = field(default_factory=dict)
    survivors: dict[int, int] = field(default_factory=dict)  #: entity -> what it is part of
    became_customers: set[int] = field(default_factory=set)  #: entities

    def put(self, link_id: int, entity_id: int, state: str, since: datetime, how: str) -> None:
        self.links[link_id] = Standing(entity_id, state, since, how)

    def hear(self, row: HistoryRow) -> None:
        """One more event; those of values say nothing of whose a record is."""
        at, link, entity = time_of(row.id), row.link_id, row.entity_id
        if row.what is Happened.BIRTH and link is not None:
            self.put(link, entity, "live", at, "first record")
        elif row.what is Happened.LINKED and link is not None:
            self.put(link, entity, "live", at, row.rule or "back")
        elif row.what is Happened.UNLINKED and link is not None:
            self.put(link, entity, UNLINKED, at, row.rule or UNLINKED)
        elif row.what is Happened.STATE and link is not None and row.new:
            state = row.new["state"]
            self.put(link, entity, state, at, "back" if state == "live" else state)
            self.links[link].into = row.new["into"]
        elif row.what is Happened.MERGED and row.new:
            self.survivors[int(row.new)] = entity
            for one in self.links.values():
                if one.entity_id == int(row.new):
                    one.entity_id = entity
        elif row.what is Happened.CONVERTED:
            self.became_customers.add(entity)

    def create(self, row: SentRow, entity_id: int) -> None:
        """A record that we made; a listing may have been faster to tell of it."""
        while entity_id in self.survivors:
            entity_id = self.survivors[entity_id]
        if row.link_id not in self.links and row.answered_at is not None:
            self.put(row.link_id, entity_id, "live", row.answered_at, "created")


def chain(
    told: Sequence[HistoryRow],
    creates: Sequence[SentRow],
    links: Mapping[int, LinkRow],
    at: datetime,
) -> Chain:
    """What history says of these links up to a moment; ``creates`` are writes that landed."""
    found = Chain()
    heard = [*told, *_births(told, creates, links)]
    events: list[tuple[datetime, HistoryRow | SentRow]] = [(time_of(row.id), row) for row in heard]
    events += [(row.answered_at, row) for row in creates if row.answered_at is not None]
    for when, row in sorted(events, key=lambda one: (one[0], one[1].id)):
        if when > at:
            break
        if isinstance(row, HistoryRow):
            found.hear(row)
        elif (key := links[row.link_id].key) and (parts := key_parts(key)):
            found.create(row, parts.entity_id)
    return found


def _births(
    told: Sequence[HistoryRow], creates: Sequence[SentRow], links: Mapping[int, LinkRow]
) -> list[HistoryRow]:
    """What history leaves out: of which records people were born.

    These are the ones of whose linking nothing tells, also after they had left somebody.
    """
    lives: dict[int, list[HistoryRow | None]] = {number: [None] for number in links}
    left: dict[int, int] = {}
    for row in sorted(told, key=lambda one: one.id):
        if row.link_id is None:
            continue
        of_link = lives[row.link_id]
        if of_link[-1] is None:
            of_link[-1] = row
        if row.what is Happened.UNLINKED:
            left[row.link_id] = row.entity_id
            of_link.append(None)
    made = {row.link_id for row in creates}
    born = []
    for number, of_link in lives.items():
        link = links[number]
        for nth, first in enumerate(of_link):
            entity_id = first.entity_id if first else _settled_for(link, left.get(number))
            linked = first is not None and (first.what is Happened.LINKED or _is_surplus(first))
            if entity_id and link.record_id and not linked and not (nth == 0 and number in made):
                born.append(HistoryRow(entity_id, 0, entity_id, Happened.BIRTH, number))
    return born


def _settled_for(link: LinkRow, left: int | None) -> int | None:
    """Whose a record is of which nothing is told since it was read, or since it left somebody."""
    return None if link.state in _UNSETTLED or link.entity_id == left else link.entity_id


def _is_surplus(row: HistoryRow) -> bool:
    return row.what is Happened.STATE and bool(row.new) and row.new["state"] == "surplus"


def identity(service: Service, record: str, at: str) -> Identity:
    """Which records were one with a record at a moment, or at the end of a day, in UTC.

    Raises WrongUseError where the record was not known then.
    """
    world, until = service.world, _end_of(at)
    with service.store.reading() as connection:
        link = find(world, connection, record)
        entities, told, links = _gather(service.store, connection, link)
        creates = [
            row
            for row in service.store.writes.of_links(connection, sorted(links))
            if row.action == "create" and row.result is SentResult.DONE
        ]
        intos = {one.into_id for one in links.values() if one.into_id is not None}
        names = links | service.store.links.by_id(connection, intos - set(links))
    known = chain(told, creates, links, until)
    if link.id not in known.links:
        raise WrongUseError(
            f"{record} was nobody's at that time",
            remedy=f"crm-sync history {record} tells since when it is known",
        )
    return _shape(world, link, until, known, names, entities, told)


def _gather(
    store: Store, connection: Connection, link: LinkRow
) -> tuple[dict[int, EntityRow], list[HistoryRow], dict[int, LinkRow]]:
    """Everybody whose records have been together with this one, with history and links."""
    owners = {link.entity_id} | set(store.entities.left(connection, link.id))
    entities: dict[int, EntityRow] = {}
    told: list[HistoryRow] = []
    links = {link.id: link}
    while fresh := {n for n in owners if n is not None} - set(entities):
        near = store.entities.whole(connection, fresh)
        told += [
            row
            for number in sorted(set(near) - set(entities))
            for row in store.entities.history(connection, number)
        ]
        entities |= near
        links |= {one.id: one for one in store.links.of_entities(connection, near)}
        links |= store.links.by_id(connection, {row.link_id for row in told if row.link_id})
        owners = {one.entity_id for one in links.values()}
    return entities, told, links


def _shape(
    world: World,
    link: LinkRow,
    at: datetime,
    known: Chain,
    links: Mapping[int, LinkRow],
    entities: Mapping[int, EntityRow],
    told: Sequence[HistoryRow],
) -> Identity:
    entity_id = known.links[link.id].entity_id
    ever = {row.entity_id for row in told if row.what is Happened.CONVERTED}
    was_lead = entity_id in ever - known.became_customers
    kind = Kind.LEAD if was_lead else entities[entity_id].kind
    records = [
        Belonging(
            record=name_of(world, links[number]),
            state=one.state,
            since=one.since,
            how=one.how,
            into=name_of(world, links[one.into]) if one.into else None,
        )
        for number, one in known.links.items()
        if one.entity_id == entity_id
    ]
    return Identity(
        record=name_of(world, link),
        at=at,
        entity=str(entity_id),
        kind=kind.name.lower(),
        records=sorted(records, key=lambda one: (one.since, one.record)),
    )


def _end_of(text: str) -> datetime:
    """The moment that is meant; of a day its end."""
    found = moment(text)
    is_day = len(text) <= len("2026-11-24")
    return found + timedelta(days=1, microseconds=-1) if is_day else found.astimezone(UTC)
