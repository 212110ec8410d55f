"""Records that carry a key of ours (rule 0): creates that have landed, people we know."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Connection

from connectors import Converted, Deleted, Merged, Record
from sync_engine.engine.batch import Batch
from sync_engine.engine.references import natives_of
from sync_engine.engine.world import RestoredError, Source, Told, World
from sync_engine.ids import key_parts
from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes, SentResult
from sync_engine.store import EntityRow, LinkRow, SentRow


def recognise(
    world: World,
    source: Source,
    connection: Connection,
    batch: Batch,
    records: Sequence[Record],
    ends: Sequence[Deleted | Merged | Converted],
) -> None:
    """Records that carry a key of ours: a create has landed, or they are somebody's we know.

    A create may have landed and the record have ended since: then that is the end of a record
    of ours.
    """
    told_by = {one.key: one for one in (*ends, *records) if one.key and _is_new(world, batch, one)}
    if not told_by:
        return
    found = world.store.links.by_key(connection, told_by)
    landed = {key: link for key, link in found.items() if link.state is LinkState.CREATING}
    _fill_creating(world, source, connection, batch, landed, told_by)
    unknown = {key: one for key, one in told_by.items() if isinstance(one, Record)}
    told = {
        record.id: (found[key].entity_id if key in found else _entity_of(world, key)) or 0
        for key, record in unknown.items()
        if key not in landed
    }
    living = world.store.entities.survivors(connection, set(told.values()))
    known = world.store.entities.by_id(connection, set(living.values()))
    known |= _learn(world, source, connection, set(living.values()) - set(known), unknown)
    for record in unknown.values():
        entity = known.get(living.get(told.get(record.id, 0), 0))
        kind = source.mapping.kind_of(record.values)
        if entity and entity.state is EntityState.LIVE and entity.kind.name.lower() == kind:
            batch.owners[record.id] = entity.id


def _is_new(world: World, batch: Batch, told: Record | Deleted | Merged | Converted) -> bool:
    """Whether the record is nobody's yet, and its key of this installation."""
    link = batch.links.get(told.id)
    is_new = link is None or (link.state is LinkState.STUB and link.entity_id is None)
    return is_new and told.key is not None and _entity_of(world, told.key) is not None


def _learn(
    world: World,
    source: Source,
    connection: Connection,
    strangers: Collection[int],
    records: Mapping[UUID, Record],
) -> dict[int, EntityRow]:
    """Entities that only the keys of records tell of: this state has forgotten them.

    Raises RestoredError where that was not known.
    """
    if strangers and not world.restoring:
        raise RestoredError(f"records of {source.name} carry keys that this state does not know")
    born: dict[int, EntityRow] = {}
    told = Told(0)
    for key, record in records.items():
        number, kind = _entity_of(world, key) or 0, source.mapping.kind_of(record.values)
        if number in strangers and number not in born and kind is not None:
            born[number] = EntityRow(number, Kind[kind.upper()], {}, dirty=1)
            told.event(world, entity_id=number, what=Happened.BIRTH, rule="our key")
    world.store.entities.insert(connection, born.values())
    told.store(world, connection)
    return born


def _entity_of(world: World, key: UUID) -> int | None:
    """The entity that a key tells; None for a key that is not of this installation."""
    parts = key_parts(key)
    return parts.entity_id if parts and parts.installation == world.installation else None


def _fill_creating(
    world: World,
    source: Source,
    connection: Connection,
    batch: Batch,
    landed: Mapping[UUID, LinkRow],
    told_by: Mapping[UUID, Record | Deleted | Merged | Converted],
) -> None:
    """Each of these creates has made the record that its key names."""
    offers = world.store.writes.open(connection, {link.id for link in landed.values()})
    # the values sent are what was agreed: what differs was entered by somebody since
    sent = {
        link.id: _given(source, link, offers.get(link.id, ()), told_by[key])
        for key, link in landed.items()
    }
    agreed = natives_of(world, connection, source, sent)
    for key, link in landed.items():
        number = told_by[key].id
        if stub := batch.links.get(number):
            world.store.links.absorb(connection, stub.id, link.id)
        batch.rekey(link)
        link.record_id, link.state, link.owes = number, LinkState.LIVE, Owes.NOTHING
        link.base, link.seen, link.fingerprint = agreed[link.id], dict(agreed[link.id]), None
        link.layout = batch.layout
        batch.links[number] = link
        batch.settled.add(link.id)
        batch.touch(link)
    rows = [row for opened in offers.values() for row in opened]
    for row in rows:
        row.result, row.answered_at = SentResult.DONE, world.clock.now()
    world.store.writes.close(connection, rows)


def _given(
    source: Source,
    link: LinkRow,
    rows: Sequence[SentRow],
    told: Record | Deleted | Merged | Converted,
) -> dict[str, Any]:
    """What a create has put into its record: of several under one key, any may have landed."""
    if not rows:
        return {}
    given = dict(rows[-1].values)
    if len(rows) > 1 and isinstance(told, Record):
        seen = source.mapping.golden_of(link.kind.name.lower(), told.values)
        names = {name for row in rows for name in row.values} & seen.keys()
        given |= {n: seen[n] for n in names if seen[n] in [row.values.get(n) for row in rows]}
    return given
