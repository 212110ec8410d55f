"""Resolves references: a side's native id <-> the entity it stands for, through links.

``seen`` and ``base`` keep the side's native id, golden the entity's id as text. One
statement per batch and kind; merged entities are followed to their end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from sync_engine.engine.world import Source, World
from sync_engine.models import Kind, LinkState
from sync_engine.store import EntityRow, LinkRow
from sync_engine.values import Values

_POINTING = (LinkState.LIVE, LinkState.MERGED, LinkState.SURPLUS)


@dataclass(slots=True)
class References:
    """The references of one batch, resolved."""

    entities: dict[tuple[int, str], str] = field(default_factory=dict)
    natives: dict[tuple[int, str], str] = field(default_factory=dict)
    unread: dict[tuple[int, str], int] = field(
        default_factory=dict
    )  #: -> link that stands for nobody, not yet or no more
    #: (instance, entity) whose record there is to be created -> the link of that
    coming: dict[tuple[int, str], int] = field(default_factory=dict)
    survivors: dict[str, str] = field(default_factory=dict)
    links: dict[str, list[int]] = field(default_factory=dict)  #: entity -> its links

    def golden(self, instance_id: int, native: Any) -> Any:
        """The entity a native id stands for; None stays; KeyError where nobody knows yet."""
        return None if native is None else self.entities[instance_id, native]

    def native(self, instance_id: int, entity: Any) -> Any:
        """The record that stands for an entity there; KeyError where there is none yet."""
        return (
            None
            if entity is None
            else self.natives[instance_id, self.survivors.get(entity, entity)]
        )

    def creating(self, instance_id: int, entity: Any) -> int | None:
        """The link of a record that is to be created for an entity there."""
        return self.coming.get((instance_id, self.survivors.get(entity, entity)))

    def missing(self, instance_id: int, entity: Any) -> list[int]:
        """The links of an entity that has no record there yet; whoever needs one waits for them."""
        end = self.survivors.get(entity, entity)
        return [] if self.knows(instance_id, entity) else self.links.get(end, [])

    def knows(self, instance_id: int, entity: Any) -> bool:
        """Whether ``native`` has an answer."""
        end = self.survivors.get(entity, entity)
        return entity is None or (instance_id, end) in self.natives


def resolve(
    world: World,
    connection: Connection,
    kind: Kind,
    entities: Iterable[EntityRow],
    links: Iterable[LinkRow],
) -> References:
    """What the reference fields of these entities and links point to."""
    fields = reference_fields(world, kind)
    found = References()
    for target in sorted(set(fields.values())):
        names = [name for name, kind_ in fields.items() if kind_ is target]
        records: dict[int, set[str]] = defaultdict(set)
        for link in links:
            for values in (link.seen or {}, link.base):
                records[link.instance_id] |= {values[n] for n in names if values.get(n)}
        wanted = {int(e.golden[n]) for e in entities for n in names if e.golden.get(n)}
        _look_up(world, connection, found, target, records, wanted)
    return found


def natives_of(
    world: World, connection: Connection, source: Source, golden: Mapping[int, Values]
) -> dict[int, dict[str, Any]]:
    """Golden values, by link, as this source holds them; unknown references are left out."""
    refs = {
        name: kind for kind in source.kinds for name, kind in reference_fields(world, kind).items()
    }
    found = References()
    for target in sorted(set(refs.values())):
        names = [name for name, kind in refs.items() if kind is target]
        wanted = {int(one[n]) for one in golden.values() for n in names if one.get(n)}
        _look_up(world, connection, found, target, {}, wanted)
    here = source.instance_id
    return {
        number: {
            name: found.native(here, value) if name in refs else value
            for name, value in one.items()
            if name not in refs or found.knows(here, value)
        }
        for number, one in golden.items()
    }


def reference_fields(world: World, kind: Kind) -> Mapping[str, Kind]:
    """Golden reference field -> kind it points to."""
    return {
        name: Kind[target.upper()]
        for source in world.of_kind(kind)
        for name, target in source.mapping.references.items()
        if Kind[target.upper()] in world.syncs
    }


def _look_up(
    world: World,
    connection: Connection,
    found: References,
    kind: Kind,
    records: Mapping[int, Collection[str]],
    wanted: Collection[int],
) -> None:
    seen = world.store.links.references(connection, kind, records, ())
    holders = {link.entity_id for link in seen if link.entity_id is not None}
    # what a side points to now may be what every other side has to point to next
    ends = world.store.entities.survivors(connection, holders | set(wanted))
    found.survivors |= {str(a): str(b) for a, b in ends.items()}
    placed = world.store.links.references(connection, kind, {}, set(ends.values()))
    for link in {link.id: link for link in (*seen, *placed)}.values():
        points = link.entity_id is not None and link.state in _POINTING
        if link.record_id is not None and not points:
            found.unread[link.instance_id, link.record_id] = link.id
        if link.entity_id is None:
            continue
        entity = str(ends.get(link.entity_id, link.entity_id))
        found.links.setdefault(entity, []).append(link.id)
        if link.state is LinkState.CREATING:
            found.coming[link.instance_id, entity] = link.id
        if link.record_id is None:
            continue
        if points:
            found.entities[link.instance_id, link.record_id] = entity
        if link.state is LinkState.LIVE:
            found.natives[link.instance_id, entity] = link.record_id
