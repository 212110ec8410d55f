"""What a decision changed, told to history and, where it concerns them, to people."""

from collections.abc import Mapping, Sequence

from sync_engine.engine.world import Told, World
from sync_engine.models import Happened
from sync_engine.reconcile import MANUAL, PUT_BACK, Change
from sync_engine.store import EntityRow, LinkRow
from sync_engine.values import UNSET, hash_of


def tell_first(
    world: World,
    told: Told,
    entity: EntityRow,
    own: Mapping[str, LinkRow],
    changes: Sequence[Change],
) -> None:
    """First values in one row for each side that gave some."""
    together: dict[tuple[str, str | None, str], list[str]] = {}
    for change in changes:
        if change.is_first:
            key = (change.by, change.stamp, change.situation)
            together.setdefault(key, []).append(change.name)
    for (by, stamp, rule), names in together.items():
        told.event(
            world,
            entity_id=entity.id,
            link_id=own[by].id,
            what=Happened.VALUE,
            fields=tuple(names),
            by=by,
            stamp=stamp,
            rule=rule,
        )


def tell(
    world: World, told: Told, entity: EntityRow, own: Mapping[str, LinkRow], change: Change
) -> None:
    conflict = change.is_conflict
    new = None if change.new is UNSET else change.new
    link = own.get(change.by)
    told.event(
        world,
        entity_id=entity.id,
        link_id=link.id if link else None,
        what=Happened.CONFLICT if conflict else Happened.VALUE,
        field_name=change.name,
        by=change.by,
        stamp=change.stamp,
        hash=bytes.fromhex(hash_of(new)),
        old=None if change.old is UNSET else change.old,
        new=new,
        rule=change.situation,
        lost={s: {"value": c.value, "stamp": c.stamp} for s, c in change.lost.items()} or None,
    )
    if change.situation == MANUAL:
        told.issue(
            world, "conflict", entity_id=entity.id, field_name=change.name, cause=change.situation
        )
    if change.situation == PUT_BACK:
        for side in sorted(change.lost):
            source_id = own[side].source_id
            told.issue(world, PUT_BACK, source_id=source_id, field_name=change.name)
