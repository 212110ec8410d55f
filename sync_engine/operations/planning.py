"""What a sync would do now: the real stages, rehearsed on a copy."""

from collections import Counter

from connectors import Action, Write
from sync_engine.engine import Run
from sync_engine.models import Kind
from sync_engine.operations.changes import lines_of
from sync_engine.operations.rehearsing import Rehearsed, rehearsal
from sync_engine.operations.report import cost_of, unreleased
from sync_engine.operations.shapes import Line, Plan
from sync_engine.service import Service


def plan(service: Service, name: str) -> Plan:
    """Every write a sync would make, with the rule behind it; nothing is written anywhere.

    A sync that was never released is planned as if it were.
    """
    kind = next(sync.kind for sync in service.world.syncs.values() if sync.name == name)
    with rehearsal(service) as rehearsed:
        for waiting in unreleased(rehearsed.service, name):
            rehearsed.service.release(waiting)
        run = rehearsed.service.sync(name)
        return planned(rehearsed, run, name, standing=kind)


def planned(rehearsed: Rehearsed, run: Run, name: str, standing: Kind | None = None) -> Plan:
    """What a rehearsed run noted and left; with ``standing`` what is held since earlier too."""
    world = rehearsed.service.world
    with world.store.reading() as connection:
        lines = lines_of(world, connection, run.id, standing)
    return Plan(
        sync=name,
        lines=_in_native_words(rehearsed, lines),
        calls=_calls(rehearsed),
        stopped_by_guard=stops(rehearsed.service, name),
        down=dict(world.down),
    )


def stops(service: Service, name: str) -> dict[str, int]:
    """Class of change -> how many the guard holds back for a sync."""
    found: Counter[str] = Counter()
    with service.store.reading() as connection:
        for issue in service.store.issues.all(connection, whats=("guard",)):
            if issue.detail["sync"] == name:
                found[issue.detail["risk"]] += int(issue.detail["planned"])
    return dict(found)


def _in_native_words(rehearsed: Rehearsed, lines: list[Line]) -> list[Line]:
    """Each write with what the system would be sent; rows of ``sent`` stand in that order."""
    noted = {
        source.name: [
            write
            for name, write in rehearsed.connectors[source.instance].writes
            if name == source.object
        ]
        for source in rehearsed.service.world.sources
    }
    found = []
    for line in lines:
        write = _next(noted, line)
        values = None if write is None else {**write.values, **write.into}
        found.append(line.model_copy(update={"values": values}))
    return found


def _next(noted: dict[str, list[Write]], line: Line) -> Write | None:
    writes = noted.get(line.side or "", [])
    return writes.pop(0) if line.is_write and writes else None


def _calls(rehearsed: Rehearsed) -> dict[str, int]:
    spent: Counter[str] = Counter()
    for source in rehearsed.service.world.sources:
        writes = Counter[Action](
            write.action
            for name, write in rehearsed.connectors[source.instance].writes
            if name == source.object
        )
        spent[source.instance] += cost_of(source, writes)
    return {instance: number for instance, number in sorted(spent.items()) if number}
