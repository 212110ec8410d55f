"""Converts leads on behalf of another side: into what, and what became of them (practice 3.3).

A conversion is given the records that the person and the company have there, so that it makes
no second one; it waits for a company that is on its way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.engine import Connection

from connectors import Converted, Outcome, Record, Result, Upserted, Write
from sync_engine.engine.before import tick_of
from sync_engine.engine.ingest import ingest
from sync_engine.engine.leads import converts
from sync_engine.engine.references import References, reference_fields, resolve
from sync_engine.engine.world import Run, Source, World
from sync_engine.models import Kind, LinkState, Owes
from sync_engine.store import EntityRow, LinkRow

PATIENCE = timedelta(hours=1)  #: how long a write waits for a record that is being created


@dataclass(frozen=True, slots=True)
class Destination:
    """What a lead is to become and to belong to."""

    into: Mapping[str, str | None]  #: as ``Write.into``
    coming: int | None = None  #: the link of a company that is being created there
    lacking: str = ""  #: why it is not converted


@dataclass(frozen=True, slots=True)
class Became:
    """What leads were converted into, read right after."""

    ends: list[Converted] = field(default_factory=list)
    customers: Sequence[Record] = ()


def destinations(
    world: World,
    connection: Connection,
    links: Sequence[LinkRow],
    entities: Mapping[int, EntityRow],
) -> dict[int, Destination]:
    """Where the leads among these links that owe a conversion go, by link."""
    leads = [link for link in links if link.owes is Owes.CONVERT and converts(world, link)]
    if not leads:
        return {}
    owners = {link.entity_id or 0: entities[link.entity_id or 0] for link in leads}
    references = resolve(world, connection, Kind.CUSTOMER, owners.values(), ())
    there = {
        (link.entity_id, link.instance_id): link.record_id
        for link in world.store.links.of_entities(connection, owners)
        if link.state is LinkState.LIVE and link.kind is Kind.CUSTOMER
    }
    since = world.ids.row_at(world.clock.now() - PATIENCE)
    found = {}
    for lead in leads:
        customer = there.get((lead.entity_id, lead.instance_id))
        found[lead.id] = _destination(
            world, lead, owners[lead.entity_id or 0], references, customer, since
        )
    return found


def _destination(
    world: World,
    lead: LinkRow,
    entity: EntityRow,
    references: References,
    customer: str | None,
    since: int,
) -> Destination:
    instance = world.source(lead.source_id).instance
    into: dict[str, str | None] = {}
    if (place := world.place(instance, Kind.CUSTOMER)) is not None:
        into[place.object] = customer
    for name, kind in sorted(reference_fields(world, Kind.CUSTOMER).items()):
        value, target = entity.golden.get(name), world.place(instance, kind)
        if value is None or target is None:
            continue
        if references.knows(lead.instance_id, value):
            into[target.object] = references.native(lead.instance_id, value)
        elif customer is None:  # the conversion would make a second one
            creating = references.creating(lead.instance_id, value)
            if creating is not None and creating >= since:
                return Destination(into, coming=creating)
            return Destination(into, lacking=f"its {name} has no record there")
    return Destination(into)


def read_customers(
    source: Source, place: Source | None, writes: Sequence[Write], outcomes: Sequence[Outcome]
) -> Became:
    """What leads of the source have become, by these outcomes. Raises ConnectorError."""
    ends = [
        Converted(write.id or "", outcome.into)
        for write, outcome in zip(writes, outcomes, strict=True)
        if outcome.result is Result.DONE and outcome.into
    ]
    if place is None or not ends:
        return Became(ends)
    ids = sorted({one.into[place.object] for one in ends if place.object in one.into})
    return Became(ends, place.connector.fetch(place.selection, "id", ids))


def keep_customers(
    world: World, source: Source, run: Run, connection: Connection, became: Became
) -> None:
    """Store it as a feed would tell it: the lead's end, and the customer as it is now."""
    place = world.place(source.instance, Kind.CUSTOMER)
    if place is None or not became.ends:
        return
    ingest(world, source, run, connection, became.ends, tick_of(world, connection, source))
    found = [Upserted(record) for record in became.customers]
    ingest(world, place, run, connection, found, tick_of(world, connection, place))
