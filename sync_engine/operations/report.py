"""What a run did and left, per side: the report that a person reads before saying yes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil

from connectors import Action
from sync_engine.engine import Run, Source, Sync
from sync_engine.engine.references import resolve
from sync_engine.engine.showing import Shown, difference, shown
from sync_engine.models import LinkState, Owes
from sync_engine.operations.issues import counted, meaning_of
from sync_engine.operations.records import alike, names_of
from sync_engine.operations.shapes import Handshake, RunReport, Sample, SideRow
from sync_engine.service import Service, failed_writes

SAMPLES = 3  #: of each side and class
_RESEMBLING = ("possible duplicate", "converted before")
_HELD = ("required value missing", "rejected", "does not fit")
_UPDATES = (Owes.UPDATE, Owes.CLEAR)
_ACTIONS = {
    Owes.UPDATE: Action.UPDATE,
    Owes.CLEAR: Action.UPDATE,
    Owes.CREATE: Action.CREATE,
    Owes.CONVERT: Action.CONVERT,
    Owes.DEACTIVATE: Action.DEACTIVATE,
    Owes.DELETE: Action.DELETE,
}


def unreleased(service: Service, name: str | None) -> list[str]:
    """Syncs, of those meant, that have never been let go, in the order of the file."""
    with service.store.reading() as connection:
        rows = service.store.registry.syncs(connection)
    meant = [one.name for one in service.world.syncs.values() if name in (None, one.name)]
    return [one for one in meant if rows[one].released_at is None]


def of_run(service: Service, run: Run, name: str | None) -> RunReport:
    """What a run did and left."""
    store = service.store
    with store.reading() as connection:
        conflicts = store.entities.conflicts(connection, [run.id])
        stops = [
            issue
            for issue in store.issues.all(connection, whats=("guard",))
            if name in (None, issue.detail["sync"])
        ]
    stopped = Counter[str]()
    for issue in stops:
        stopped[issue.detail["risk"]] += int(issue.detail["planned"])
    told = [meaning_of(service, issue) for issue in stops]
    waiting = unreleased(service, name)
    return RunReport(
        run=str(run.id) if run.stored else None,
        sync=name or "all",
        waiting_for_release=waiting,
        stopped_by_guard=dict(stopped),
        guard=[f"{one.says}. Remedy: {one.remedy}" for one in told],
        sides=side_rows(service, run.counts),
        conflicts=dict(Counter(sorted(row.field_name or "" for row in conflicts))),
        failed=failed_writes(run),
        unread=_unread(service, name),
        issues=counted(service),
        calls=run.calls(),
        cost=_cost(service, name) if waiting or stopped else {},
        down=dict(service.world.down),
        samples=[one for sync in waiting for one in _samples(service, sync)],
        first=_handshake(service, waiting) if waiting else None,
    )


def _handshake(service: Service, waiting: Sequence[str]) -> Handshake:
    kinds = {kind for kind, sync in service.world.syncs.items() if sync.name in waiting}
    with service.store.reading() as connection:
        shared, alone = service.store.links.shared(connection, kinds)
        rules = service.store.entities.linked_by(connection, kinds)
    return Handshake(shared=shared, alone=alone, rules=rules)


def wrote(run: Run) -> bool:
    """Whether a run wrote to any system."""
    return any(name.endswith(" done") for name, number in run.counts.items() if number)


def side_rows(service: Service, counts: Counter[str]) -> list[SideRow]:
    """Per side: what it holds now, and what was counted to have happened to it."""
    store = service.store
    with store.reading() as connection:
        states = store.links.counts(connection)
        owed = {s.id: store.links.owed(connection, s.id) for s in service.world.sources}
        held = store.issues.by_side(connection, (*_RESEMBLING, *_HELD))
    rows = []
    for kind, sync in sorted(service.world.syncs.items()):
        for source in service.world.of_kind(kind):
            mine = Counter({s: n for (i, k, s), n in states.items() if (i, k) == (source.id, kind)})
            owing = Counter({o: n for (k, o), n in owed[source.id].items() if k is kind})
            did = {action: counts[f"{sync.name} {source.name} {action} done"] for action in Action}
            rows.append(
                SideRow(
                    sync=sync.name,
                    kind=kind.name.lower(),
                    instance=source.instance,
                    object=source.object,
                    linked=mine[LinkState.LIVE],
                    past=sum(
                        mine[s] for s in (LinkState.CONVERTED, LinkState.MERGED, LinkState.GONE)
                    ),
                    # on a closed side nobody is asked about who was left alone
                    asked=mine[LinkState.SURPLUS]
                    + (0 if sync.is_closed(source.instance) else mine[LinkState.ASKED]),
                    to_create=owing[Owes.CREATE],
                    to_update=sum(owing[owes] for owes in _UPDATES),
                    created=did[Action.CREATE],
                    updated=did[Action.UPDATE] + did[Action.CONVERT],
                    deleted=did[Action.DELETE] + did[Action.DEACTIVATE],
                    possible_duplicates=sum(held[source.id, kind, what] for what in _RESEMBLING),
                    held=sum(held[source.id, kind, what] for what in _HELD),
                )
            )
    return rows


def _unread(service: Service, name: str | None) -> list[str]:
    with service.store.reading() as connection:
        listed = {s.id for s in service.store.registry.sources(connection) if s.listed_at}
    kinds = [sync.kind for sync in _meant(service, name)]
    sources = [source for kind in kinds for source in service.world.of_kind(kind)]
    return sorted({source.name for source in sources if source.id not in listed})


def cost_of(source: Source, writes: Counter[Action]) -> int:
    """API calls that so many writes cost at most, look-ups before creates aside."""
    return sum(ceil(n * source.type.calls.get(action, 1)) for action, n in writes.items() if n)


def _cost(service: Service, name: str | None) -> dict[str, int]:
    found: Counter[str] = Counter()
    with service.store.reading() as connection:
        for sync in _meant(service, name):
            for source in service.world.of_kind(sync.kind):
                owed = service.store.links.owed(connection, source.id)
                writes = Counter[Action]()
                for (kind, owes), number in owed.items():
                    if kind is sync.kind and owes in _ACTIONS:
                        writes[_ACTIONS[owes]] += number
                found[source.instance] += cost_of(source, writes)
    return {instance: number for instance, number in sorted(found.items()) if number}


def _meant(service: Service, name: str | None) -> list[Sync]:
    return [sync for sync in service.world.syncs.values() if name in (None, sync.name)]


def _samples(service: Service, name: str) -> Iterator[Sample]:
    """A few of the writes that a sync owes: records and fields, no values."""
    (sync,) = _meant(service, name)
    for source in service.world.of_kind(sync.kind):
        for classes in ((Owes.CREATE,), _UPDATES):
            yield from _sampled(service, sync, source, classes)


def _sampled(
    service: Service, sync: Sync, source: Source, classes: tuple[Owes, ...]
) -> Iterator[Sample]:
    world, store = service.world, service.store
    with store.reading() as connection:
        links = store.links.owing(
            connection, source.id, sync.kind, world.clock.now(), SAMPLES, classes
        )
        ids = {link.entity_id for link in links if link.entity_id is not None}
        entities = store.entities.by_id(connection, ids)
        references = resolve(world, connection, sync.kind, entities.values(), links)
        known = alike(world, connection, ids)
    for link in links:
        entity = entities[link.entity_id or 0]
        if link.seen is None:
            nothing = dict.fromkeys(entity.golden)
            side = Shown({}, nothing, nothing)
        else:
            side = shown(world, references, link, sync.kind, entity.golden)
        others = [one for one in known[entity.id] if one.id != link.id]
        yield Sample(
            side=source.name,
            does="create" if link.owes is Owes.CREATE else "update",
            record=link.record_id,
            like=names_of(world, others),
            fields=sorted(difference(world, references, entity, link, side)),
        )
