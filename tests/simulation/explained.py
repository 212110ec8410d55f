"""That the engine tells the whole truth of itself.

``explain``, replayed, gives every value of every record; ``history --at``, of now, gives whose
every record is.
"""

from datetime import timedelta
from typing import Any

from sync_engine import operations
from sync_engine.models import LinkState
from sync_engine.operations.records import name_of
from sync_engine.operations.shapes import FieldTold
from sync_engine.store import LinkRow
from tests.simulation.connecting import Violation
from tests.simulation.deeds import NATIVE
from tests.simulation.showing import record
from tests.simulation.state import State
from tests.simulation.world import Installation

#: fields that a record holds as golden does, letter by letter
_PLAIN = ("first_name", "job_title", "description", "name")


def explained(home: Installation, state: State) -> None:
    """No field of a live record is left without its reason.

    A field that nobody maps for a while leaves golden, which is no event of the field.
    """
    remapped = bool(home.setup.faults.keys() & {"F16", "F17"})
    for links in state.live().values():
        for link in links:
            told = operations.explain(home.worker.service, name_of(home.worker.world, link))
            for field in told.fields:
                _replay(told.record, field, remapped=remapped)
                _read(home, link, field)


def _replay(name: str, field: FieldTold, *, remapped: bool) -> None:
    value: Any = None
    for change in field.changes:
        if change.old != value and not (remapped and change.old is None):
            raise Violation("explain", f"{name} {field.field}: a change follows on nothing")
        value = change.new
    if value != field.golden:
        raise Violation("explain", f"{name} {field.field}: its changes end with another value")
    if field.golden is not None and not (field.set_by and field.set_at and field.rule):
        raise Violation("explain", f"{name} {field.field}: nobody has set it")
    if field.here != field.golden and not (field.held or field.apart):
        raise Violation("explain", f"{name} {field.field}: nothing says why it differs")


def _read(home: Installation, link: LinkRow, field: FieldTold) -> None:
    """What is said to stand in the record stands there."""
    if field.field in _PLAIN:
        crm, name, row = record(home, link)
        if NATIVE[field.field] in crm.objects[name].fields:
            shown = row.values.get(NATIVE[field.field])
            if field.here != shown and not (field.held or field.apart):
                raise Violation("explain", f"{name} {field.field}: shows something else")


#: states as ``history --at`` names them; of the others nobody can say yet whose they are
_STATES = {
    LinkState.LIVE: "live",
    LinkState.SURPLUS: "surplus",
    LinkState.GONE: "gone",
    LinkState.MERGED: "merged",
    LinkState.CONVERTED: "converted",
    LinkState.REPLACED: "replaced",
    LinkState.HELD: "held",
    LinkState.IGNORED: "unlinked",
}


def chained(home: Installation, state: State) -> None:
    """What history says of whose the records are by now is what the links say."""
    world, later = home.worker.world, home.clock.time + timedelta(days=1)
    every: dict[int, list[LinkRow]] = {}
    for link in state.links.values():
        if link.entity_id is not None and link.record_id is not None:
            every.setdefault(link.entity_id, []).append(link)
    for entity, links in state.live().items():
        told = operations.identity(home.worker.service, name_of(world, links[0]), later.isoformat())
        waiting = {
            name_of(world, k)
            for k in state.links.values()
            if k.record_id and (k.entity_id is None or k.state not in _STATES)
        }
        said = {one.record: one.state for one in told.records if one.record not in waiting}
        found = {name_of(world, k): _STATES[k.state] for k in every[entity] if k.state in _STATES}
        if (told.entity, said) != (str(entity), found):
            raise Violation("identity", f"history says {said}, the links say {found}")
