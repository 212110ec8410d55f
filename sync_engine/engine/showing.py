"""What a record shows in golden terms, and in what it differs from golden.

The one place where references become entities and a side that holds less than golden is read
in golden's light; reconcile, push and the guard all look through it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync_engine.engine.references import References, reference_fields
from sync_engine.engine.world import World
from sync_engine.models import Kind, LinkState
from sync_engine.store import EntityRow, LinkRow
from sync_engine.values import Held, hash_of

UNREADABLE = "opt-out unreadable elsewhere"  #: why a flag is held as set where messages go out


@dataclass(frozen=True, slots=True)
class Shown:
    """A record in golden terms; what it refers to and nobody knows yet is left out."""

    base: Mapping[str, Any]
    seen: Mapping[str, Any]
    own: Mapping[str, Any]  #: in the side's own words: a rendition of golden is not golden yet
    vacant: Collection[str] = ()  #: fields that share no base and show a placeholder


def shown(
    world: World,
    references: References,
    link: LinkRow,
    kind: Kind,
    golden: Mapping[str, Any],
    offered: Sequence[Mapping[str, Any]] = (),
) -> Shown:
    """What the link shows, read in the light of ``golden`` and of its open writes."""
    mapping = world.source(link.source_id).mapping
    refs = reference_fields(world, kind)
    base = mapping.likened(
        kind.name.lower(), _as_entities(references, link, link.base, refs), golden
    )
    seen = _as_entities(references, link, link.seen or {}, refs)
    whole = mapping.complete(kind.name.lower(), seen, base, golden, offered)
    return Shown(base, whole, link.seen or {}, _vacant(world, kind, base, whole))


def _vacant(
    world: World, kind: Kind, base: Mapping[str, Any], seen: Mapping[str, Any]
) -> frozenset[str]:
    sync = world.syncs.get(kind)
    if sync is None:
        return frozenset()
    return frozenset(
        name
        for name, value in seen.items()
        if value is not None and name not in base and sync.is_placeholder(name, value)
    )


def _as_entities(
    references: References, link: LinkRow, values: Mapping[str, Any], refs: Mapping[str, Kind]
) -> dict[str, Any]:
    if not refs:
        return dict(values)
    found = {}
    for name, value in values.items():
        if name not in refs:
            found[name] = value
        elif value is None or (link.instance_id, value) in references.entities:
            found[name] = references.golden(link.instance_id, value)
    return found


def held_for(world: World, link: LinkRow, entity: EntityRow) -> dict[str, Held]:
    """What is held here, each for golden's value of which this side was written a rendition."""
    if not link.held:
        return link.held
    kind, mapping = entity.kind.name.lower(), world.source(link.source_id).mapping
    own = mapping.of_kind(kind).own & link.held.keys()
    written = mapping.renditions(kind, entity.golden, own)
    return {
        name: replace(kept, of=hash_of(entity.golden.get(name)))
        if name in written and kept.of == hash_of(written[name])
        else kept
        for name, kept in link.held.items()
    }


def assume_opt_outs(
    world: World, entity: EntityRow, links: Sequence[LinkRow], link: LinkRow
) -> None:
    """Where messages go out, an opt-out that another side shows unreadably counts (practice 4.1).

    Golden does not take it: it is held for this side alone, which shall show it as set until
    the other can be read.
    """
    assumed = {name for name, kept in link.held.items() if kept.why == UNREADABLE}
    link.held = {name: kept for name, kept in link.held.items() if name not in assumed}
    source, kind = world.source(link.source_id), entity.kind.name.lower()
    if not source.type.sends:
        return
    for flag in sorted(set(world.consents) & source.mapping.readable(kind)):
        golden = entity.golden.get(flag)
        if golden is not True and any(_hides(world, kind, other, flag) for other in links):
            link.held[flag] = Held(hash_of(golden), UNREADABLE, True)
    for flag in assumed - set(link.held):
        entity.golden.setdefault(flag, None)  # nobody has set it, so it goes back to nothing


def _hides(world: World, kind: str, link: LinkRow, flag: str) -> bool:
    if link.state is not LinkState.LIVE or not link.seen or flag in link.seen:
        return False
    return flag in world.source(link.source_id).configured.readable(kind)


def wanted(entity: EntityRow, link: LinkRow) -> dict[str, Any]:
    """Golden as this side shall show it."""
    assumed = {name: True for name, kept in link.held.items() if kept.why == UNREADABLE}
    return entity.golden | assumed if assumed else entity.golden


def difference(
    world: World, references: References, entity: EntityRow, link: LinkRow, side: Shown
) -> list[str]:
    """The fields in which a side lacks golden, as far as it may be written."""
    target = wanted(entity, link)
    kind, refs = entity.kind.name.lower(), reference_fields(world, entity.kind)
    mapping = world.source(link.source_id).mapping
    if side.seen == target and not mapping.of_kind(kind).own:
        return []
    found = []
    waiting = _waiting(world, entity, link) if link.held else ()
    for each in mapping.fields:
        name = each.name
        if each.direction == "from" or name not in side.seen or name in waiting:
            continue
        if name not in target and each.write is None:
            continue
        golden: Any = target.get(name)
        if golden is None and name in side.vacant:
            continue
        if each.leaves(side.seen[name], golden):
            continue
        kept = link.held.get(name)
        if kept is not None and kept.why != UNREADABLE and kept.of == hash_of(golden):
            continue
        if name in refs:
            try:
                references.native(link.instance_id, golden)
            except KeyError:
                continue
            if side.seen[name] == references.survivors.get(golden, golden):
                continue
        elif mapping.same(kind, name, side.own if each.is_rendered else side.seen, target):
            continue
        found.append(name)
    return found


def _waiting(world: World, entity: EntityRow, link: LinkRow) -> set[str]:
    """What may not be written here while the opt-out that concerns it is not (practice 4.1)."""
    return {
        name
        for flag, concerned in world.consents.items()
        if entity.golden.get(flag) is True and flag in link.held
        for name in concerned
    }
