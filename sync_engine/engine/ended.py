"""Stores how records ended: deleted, merged into another, converted into a customer."""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy.engine import Connection

from connectors import Converted, Deleted, Merged
from sync_engine.engine.batch import Batch
from sync_engine.engine.world import Source, Told, World
from sync_engine.models import Kind, LinkState, Owes
from sync_engine.store import READABLE, LinkRow

#: what a deletion ends
_ENDED = (LinkState.STUB, *READABLE)

Ended: TypeAlias = Deleted | Merged | Converted


def load_targets(
    world: World, source: Source, connection: Connection, batch: Batch, ends: Sequence[Ended]
) -> None:
    """The links of what leads were converted into, as far as they are known."""
    wanted: dict[int, set[str]] = {}
    for change in ends:
        if isinstance(change, Converted) and (place := _customers(world, source, change)):
            wanted.setdefault(place.id, set()).add(change.into[place.object])
    for source_id, records in sorted(wanted.items()):
        here = batch.links if source_id == source.id else {}
        found = world.store.links.by_record(connection, source_id, records - set(here))
        here |= found
        batch.targets |= {(source_id, n): here[n] for n in sorted(records & set(here))}


def _customers(world: World, source: Source, change: Converted) -> Source | None:
    """The source that reads what this lead was converted into."""
    reading = (
        one
        for one in world.sources
        if one.instance_id == source.instance_id
        and Kind.CUSTOMER in one.kinds
        and one.object in change.into
    )
    return next(reading, None)


def end(
    world: World,
    source: Source,
    batch: Batch,
    told: Told,
    change: Ended,
) -> None:
    link = batch.links.get(change.id)
    if isinstance(change, Converted):
        _convert(world, source, batch, told, link, change)
        return
    if link is None or link.state not in _ENDED:
        return
    batch.rekey(link)
    batch.settled.add(link.id)
    if isinstance(change, Merged):
        if change.into not in batch.links:
            batch.links[change.into] = _stub(world, source, batch, change.into, link.kind)
        link.state, link.into_id = LinkState.MERGED, batch.links[change.into].id
        link.owes = Owes.FOLLOW
    elif isinstance(change, Deleted):
        link.owes = Owes.FOLLOW if link.state is LinkState.LIVE else Owes.NOTHING
        link.state, link.ends = LinkState.GONE, Owes.NOTHING
    link.due_at = None
    batch.touch(link)


def _convert(
    world: World,
    source: Source,
    batch: Batch,
    told: Told,
    link: LinkRow | None,
    change: Converted,
) -> None:
    if link is not None and link.state is LinkState.CONVERTED:
        return
    if link is None:  # converted before it was first read: the past of a customer (practice 1.4)
        link = LinkRow(
            id=world.ids.row(),
            source_id=source.id,
            instance_id=source.instance_id,
            kind=Kind.LEAD,
            state=LinkState.CONVERTED,
            record_id=change.id,
        )
        batch.links[change.id] = link
        batch.add(link)
    batch.rekey(link)
    link.state, link.owes, link.due_at = LinkState.CONVERTED, Owes.NOTHING, None
    batch.settled.add(link.id)
    customers = _customers(world, source, change)
    if customers is not None:
        link.into_id = _customer(world, customers, batch, change.into[customers.object]).id
    if link.entity_id is not None:
        link.owes = Owes.FOLLOW
        if customers is None:
            told.issue(world, "conversion without customer side", link_id=link.id)
    batch.touch(link)


def _customer(world: World, source: Source, batch: Batch, record_id: str) -> LinkRow:
    place = (source.id, record_id)
    if place not in batch.targets:
        batch.targets[place] = _stub(world, source, batch, record_id, Kind.CUSTOMER)
    return batch.targets[place]


def _stub(world: World, source: Source, batch: Batch, record_id: str, kind: Kind) -> LinkRow:
    stub = LinkRow(
        id=world.ids.row(),
        source_id=source.id,
        instance_id=source.instance_id,
        kind=kind,
        state=LinkState.STUB,
        record_id=record_id,
    )
    batch.add(stub, first=True)
    return stub
