"""Why a value is what it is, and why a record is, or is not, where it is: from the state alone."""

from collections.abc import Mapping, Sequence

from sqlalchemy.engine import Connection

from sync_engine.engine import Sync, World
from sync_engine.engine.create import why_none
from sync_engine.engine.references import reference_fields, resolve
from sync_engine.engine.showing import difference, shown
from sync_engine.ids import time_of
from sync_engine.models import Happened, LinkState, Owes
from sync_engine.operations.records import WrongUseError, find, name_of
from sync_engine.operations.shapes import (
    Event,
    Explanation,
    FieldTold,
    History,
    Place,
    WriteTold,
)
from sync_engine.service import Service
from sync_engine.store import EntityRow, HistoryRow, LinkRow, SentRow
from sync_engine.values import UNSHARED

_STATES = {
    LinkState.NEW: "read, and not matched yet",
    LinkState.ASKED: "waits for a person: see crm-sync issues list",
    LinkState.STUB: "known only because another record refers to it",
    LinkState.CREATING: "to be created, or just being created",
    LinkState.LIVE: "kept equal",
    LinkState.SURPLUS: "a second record of the same person there; left alone",
    LinkState.GONE: "deleted there; its place is kept, so nothing is created again",
    LinkState.MERGED: "merged into another record there",
    LinkState.CONVERTED: "a lead that was converted; left as it is",
    LinkState.REPLACED: "deleted there, and a new record took its place",
    LinkState.IGNORED: "unlinked by a person, or filtered; left alone",
    LinkState.HELD: "a customer that was turned back into a lead there; left alone until it is one",
}


_WAITING = (
    "deleted there; whether the person's other records end too waits for approval: see crm-sync "
    "issues list"
)
_TURNING = (
    "a lead of somebody who is a customer now; it is to be converted, once nothing holds that: "
    "see crm-sync issues list"
)


def _is_turning(entity: EntityRow | None, link: LinkRow) -> bool:
    return entity is not None and link.state is LinkState.LIVE and link.kind is not entity.kind


def _why(entity: EntityRow | None, link: LinkRow) -> str:
    if _is_turning(entity, link):
        return _TURNING
    waits = link.state is LinkState.GONE and link.ends is not Owes.NOTHING
    return _WAITING if waits else _STATES[link.state]


def history(service: Service, record: str) -> History:
    """Everything that happened to the entity of a record, oldest first. Raises WrongUseError."""
    world = service.world
    with service.store.reading() as connection:
        link = find(world, connection, record)
        told = _told(world, connection, link)
        numbers = {row.link_id for row in told if row.link_id is not None}
        numbers |= {row.new["into"] for row in told if row.what is Happened.STATE and row.new}
        links = service.store.links.by_id(connection, numbers - {None})
    return History(
        record=name_of(world, link),
        entity=str(link.entity_id) if link.entity_id else None,
        kind=link.kind.name.lower(),
        events=[_event(world, links, row) for row in told],
    )


_UNREAD = "what stands here is not in the value map, or cannot be read; it is left alone"


def explain(service: Service, record: str, field: str | None = None) -> Explanation:
    """Why each field holds what it holds, and where the person is. Raises WrongUseError."""
    world = service.world
    with service.store.reading() as connection:
        link = find(world, connection, record)
        owners = [link.entity_id] if link.entity_id is not None else []
        entity = service.store.entities.by_id(connection, owners).get(link.entity_id or 0)
        links = service.store.links.of_entities(connection, owners) or [link]
        places = _places(world, connection, entity, links)
        told = [r for n in owners for r in service.store.entities.history(connection, n)]
        sent = service.store.writes.of_links(connection, [one.id for one in links])
        apart = _apart(world, connection, entity, link) if entity else {}
    names = sorted({*(entity.golden if entity else {}), *(link.seen or {}), *_unread(world, link)})
    if field is not None and field not in names:
        raise WrongUseError(
            f"{record} has no field {field}", remedy=f"its fields are: {', '.join(names)}"
        )
    by_id = {one.id: one for one in links}
    return Explanation(
        record=name_of(world, link),
        entity=str(entity.id) if entity else None,
        kind=link.kind.name.lower(),
        places=places,
        fields=[
            _field(world, name, entity, link, told, sent, by_id, apart.get(name))
            for name in names
            if field in (None, name)
        ],
    )


def _unread(world: World, link: LinkRow) -> frozenset[str]:
    """Fields of a record that was read whose value here means nothing in golden terms."""
    if link.seen is None:
        return frozenset()
    readable = world.source(link.source_id).mapping.readable(link.kind.name.lower())
    return readable - link.seen.keys()


def _told(world: World, connection: Connection, link: LinkRow) -> list[HistoryRow]:
    """The history of the link's entity, with that of the entities that have become part of it."""
    if link.entity_id is None:
        return []
    rows: list[HistoryRow] = []
    pending, seen = [link.entity_id], {link.entity_id}
    while pending:
        number = pending.pop()
        rows += world.store.entities.history(connection, number)
        for part in world.store.entities.parts(connection, number):
            if part not in seen:
                seen.add(part)
                pending.append(part)
    return sorted(rows, key=lambda row: row.id)


def _event(world: World, links: Mapping[int, LinkRow], row: HistoryRow) -> Event:
    link = links.get(row.link_id or 0)
    return Event(
        at=time_of(row.id),
        run=str(row.run_id),
        what=row.what.name.lower(),
        record=name_of(world, link) if link else None,
        field=row.field_name,
        old=row.old,
        new=_became(world, links, row) if row.what is Happened.STATE else row.new,
        by=row.by,
        stamp=row.stamp,
        rule=row.rule,
        lost=row.lost,
    )


def _became(world: World, links: Mapping[int, LinkRow], row: HistoryRow) -> str | None:
    """The state into which a record came, and the record that it is part of since."""
    if not row.new:
        return None
    into = links.get(row.new["into"] or 0)
    return f"{row.new['state']} into {name_of(world, into)}" if into else str(row.new["state"])


def _field(
    world: World,
    name: str,
    entity: EntityRow | None,
    link: LinkRow,
    told: Sequence[HistoryRow],
    sent: Sequence[SentRow],
    links: Mapping[int, LinkRow],
    apart: str | None,
) -> FieldTold:
    about = [row for row in told if row.field_name == name]
    last = about[-1] if about else None
    kept = link.held.get(name)
    held = kept.why if kept else _UNREAD if name in _unread(world, link) else None
    return FieldTold(
        field=name,
        golden=entity.golden.get(name) if entity else None,
        here=(link.seen or {}).get(name),
        set_by=last.by if last else None,
        set_at=time_of(last.id) if last else None,
        edited_at=last.stamp if last else None,
        rule=last.rule if last else None,
        lost=last.lost if last else None,
        held=held,
        apart=None if held else apart,
        changes=[_event(world, links, row) for row in about],
        writes=[
            WriteTold(
                at=time_of(row.id),
                record=name_of(world, links[row.link_id]),
                action=row.action,
                value=row.values.get(name),
                result=row.result.name.lower() if row.result else "open",
                reason=row.reason,
            )
            for row in sent
            if name in row.values or (row.action == "create" and row.link_id in links)
        ],
    )


def _apart(
    world: World, connection: Connection, entity: EntityRow, link: LinkRow
) -> dict[str, str]:
    """Field -> why the record shows something else there than golden."""
    seen = link.seen or {}
    golden = entity.golden
    differing = [name for name in {**golden, **seen} if seen.get(name) != golden.get(name)]
    if _is_turning(entity, link):
        return dict.fromkeys(differing, _TURNING)
    if link.state is not LinkState.LIVE:
        return dict.fromkeys(differing, _STATES[link.state])
    references = resolve(world, connection, entity.kind, [entity], [link])
    side = shown(world, references, link, entity.kind, golden)
    owed = difference(world, references, entity, link, side)
    mapping = world.source(link.source_id).mapping
    directions = {each.name: each.direction for each in mapping.fields}
    readable = mapping.readable(entity.kind.name.lower())
    refs = reference_fields(world, entity.kind)
    found = {}
    for name in differing:
        if name in UNSHARED:
            found[name] = "this record's own; it never travels"
        elif name not in directions:
            found[name] = "in no field; left there" if name in seen else "not mapped on this side"
        elif name not in readable:
            found[name] = "only written on this side"
        elif directions[name] == "from":
            found[name] = "only read on this side"
        elif name in side.vacant and golden.get(name) is None:
            found[name] = "stands for no value here; left until somebody has one"
        elif name in owed:
            found[name] = "still to be written"
        elif name in refs and side.seen.get(name) != golden.get(name):
            found[name] = "the record that it refers to is not there"
        else:
            found[name] = "the same, as this side holds it"
    return found


def _places(
    world: World, connection: Connection, entity: EntityRow | None, links: Sequence[LinkRow]
) -> list[Place]:
    """The records there are, and why there is none on the other sides."""
    never = [link for link in links if link.state is LinkState.REPLACED and not link.record_id]
    links = [link for link in links if link not in never]  # was to be created, and never was
    found = [
        Place(
            side=world.source(link.source_id).name,
            record=name_of(world, link) if link.record_id else None,
            state=link.state.name.lower(),
            why=_why(entity, link),
        )
        for link in links
    ]
    if entity is None:
        return found
    sync: Sync | None = world.syncs.get(entity.kind)
    if sync is None:
        return found
    there = {world.source(link.source_id).instance for link in links}
    why = why_none(world, sync, connection, entity, links)
    found += [
        Place(side=side, record=None, state="none", why=reason)
        for side, reason in why.items()
        if side.split("/")[0] not in there
    ]
    return found
