"""Finds the fields in which two automations answer each other's values, and holds them."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from sync_engine.engine.references import References
from sync_engine.engine.showing import difference, shown
from sync_engine.engine.world import Run, Told, World
from sync_engine.models import Owes
from sync_engine.store import EntityRow, HistoryRow, LinkRow, SentRow
from sync_engine.values import Held, hash_of

#: so many of a sync's last runs have written a field
FLIPS, FLIP_RUNS = 6, 10
#: and so many writes were answered: the last may not have been yet
ANSWERS = FLIPS - 1


def flipping_fields(
    world: World, run: Run, connection: Connection, links: Sequence[LinkRow]
) -> dict[int, set[str]]:
    """Entity -> the fields that run after run writes in vain (state-model 6).

    A write is answered where the record that was written to claims another value after it, or
    has to be given the same again. A person who edits one field again and again answers none:
    the others are written to.
    """
    updated = {k.entity_id for k in links if k.entity_id and k.owes in (Owes.UPDATE, Owes.CLEAR)}
    if not updated:
        return {}
    since = world.store.registry.begun(connection, run.sync, FLIP_RUNS)
    written = world.store.writes.written(connection, updated, since)
    worn = {number: _worn(rows) for number, rows in written.items()}
    worn = {number: names for number, names in worn.items() if names}
    claims: dict[tuple[int, str], list[HistoryRow]] = {}
    for row in world.store.entities.claims(connection, worn, since):
        claims.setdefault((row.entity_id, row.field_name or ""), []).append(row)
    return {
        number: {
            name
            for name in names
            if _answers(name, written[number], claims.get((number, name), ())) >= ANSWERS
        }
        for number, names in worn.items()
    }


def _worn(rows: Sequence[SentRow]) -> set[str]:
    runs: dict[str, set[int]] = {}
    for row in rows:
        for name in row.values:
            runs.setdefault(name, set()).add(row.run_id)
    return {name for name, those in runs.items() if len(those) >= FLIPS}


def _answers(name: str, writes: Sequence[SentRow], claims: Sequence[HistoryRow]) -> int:
    number = 0
    last: dict[int | None, Any] = {}  # link -> the value that it was given and has not answered
    for link, value in _in_order(name, writes, claims):
        number += link in last and (value is None or last[link] == value)
        if value is None:
            last.pop(link, None)
        else:
            last[link] = value
    return number


def _in_order(
    name: str, writes: Sequence[SentRow], claims: Sequence[HistoryRow]
) -> Iterator[tuple[int | None, Any]]:
    """Each write to a link with what was written, each claim of one with None."""
    told = [
        (row.id, row.link_id, hash_of(row.values[name])) for row in writes if name in row.values
    ]
    said = [(row.id, row.link_id, None) for row in claims]
    for _, link, value in sorted([*told, *said], key=lambda one: one[0]):
        yield link, value


def hold_flipping(
    world: World,
    told: Told,
    link: LinkRow,
    entity: EntityRow,
    references: References,
    flipping: Collection[str],
) -> None:
    """Hold these fields as this side shows them, until golden changes or a person retries."""
    side = shown(world, references, link, entity.kind, entity.golden)
    about = {"link_id": link.id, "entity_id": entity.id, "source_id": link.source_id}
    for name in difference(world, references, entity, link, side):
        if name in flipping:
            link.held[name] = Held(hash_of(entity.golden.get(name)), "flipping", side.seen[name])
            told.issue(world, "flipping", field_name=name, **about)
