"""A new mapping is tried on one page before it is believed (practice 8.1).

Two fields that were swapped, or one that was pointed at another, read every record anew:
configuration is never a claim, so golden would be written over what is there. Where more
records than are probable show another value than before, the instance stays out, under its
old cursor and with nothing stored, until the mapping is put back or a person lets it go.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from connectors import SetupError, Upserted
from sync_engine.converters import resembles
from sync_engine.engine.risk import released
from sync_engine.engine.stops import REMAPPED, keep_stops
from sync_engine.engine.world import Run, Source, Told, World
from sync_engine.models import Kind
from sync_engine.store import READABLE, LinkRow
from sync_engine.values import UNSET


def try_mapping(world: World, source: Source, run: Run) -> None:
    """Raises SetupError where too many known records would be read as something else."""
    page = next(iter(source.connector.changes(source.selection, None)))
    shown = {c.record.id: c.record.values for c in page.changes if isinstance(c, Upserted)}
    stopped: list[str] = []
    told = Told(run.id)
    with world.store.transaction() as connection:
        known = world.store.links.by_record(connection, source.id, shown)
        for kind in sorted(source.kinds):
            sync = world.syncs[kind]
            mine = [k for k in known.values() if k.kind is kind and k.state in READABLE and k.seen]
            let_go = released(world, sync, source, connection, world.clock.now())
            stops = {
                f"{REMAPPED}:{name}": number
                for name, number in sorted(_moved(world, source, kind, mine, shown).items())
                if not sync.limits.remapped.allows(number, len(mine))
                and number > let_go.get(f"{REMAPPED}:{name}", 0)
            }
            keep_stops(world, told, connection, sync, source, stops, len(mine), (REMAPPED,))
            stopped += [f"{n} of {len(mine)} {sync.name}: {risk}" for risk, n in stops.items()]
        if stopped:
            run.store(world, connection)
        told.store(world, connection)
    if stopped:
        raise SetupError(
            f"the new mapping of {source.name} reads another value than before "
            f"({'; '.join(stopped)})",
            remedy="put the mapping back; if it is meant, crm-sync release NAME",
        )


def _moved(
    world: World,
    source: Source,
    kind: Kind,
    links: Sequence[LinkRow],
    shown: Mapping[str, Mapping[str, object]],
) -> Counter[str]:
    """Golden field -> links that had a value in it and are read otherwise now."""
    layouts = world.store.layouts
    layout = layouts.of(source.configured.forms)
    moved: Counter[str] = Counter()
    for link in links:
        before = link.seen or {}
        changed = layouts.changed(link.layout or layout, layout)
        if not any(before.get(name) is not None for name in changed):
            continue
        now = source.mapping.golden_of(kind.name.lower(), shown[link.record_id or ""])
        for name in changed:
            old, new = before.get(name), now.get(name, UNSET)
            if old is not None and new is not UNSET and new != old and not resembles(old, new):
                moved[name] += 1
    return moved
