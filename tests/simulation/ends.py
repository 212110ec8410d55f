"""What must hold of deletes and creates: each has its cause, and neither costs anybody an entry."""

from collections.abc import Iterator

from connectors import Action
from connectors.testing.memory import Row
from sync_engine.models import EntityState, LinkState
from tests.simulation.connecting import Violation
from tests.simulation.deeds import Entry, People
from tests.simulation.showing import holds, maps, place
from tests.simulation.state import State
from tests.simulation.systems import OBJECTS, Crm
from tests.simulation.world import Installation


def deletes_have_causes(home: Installation, people: People, state: State) -> None:
    """I-21: we delete only whom people have deleted elsewhere, and nothing that nobody has seen."""
    latest = {(one.system, one.record, one.field): one for one in people.log}
    for crm, name, row in _deleted_by_us(home):
        if not row.deleted:
            continue  # people have brought it back
        who = people.who(crm, name, row)
        causes = [one for one in people.deleted if one[2] == who and one[0] is not crm]
        if not causes:
            raise Violation("I-21", f"{crm.name}:{row.id} was deleted, and nobody else of hers")
        for (system, record, field), entry in latest.items():
            if (system, people.now(system, record)) != (crm.name, row.id):
                continue
            if not _was_known(home, people, state, crm, row, field, entry, causes):
                told = f"{field} {entry.value!r} of {crm.name}:{row.id} went with a delete"
                raise Violation("I-5", told)


def _was_known(
    home: Installation,
    people: People,
    state: State,
    crm: Crm,
    row: Row,
    field: str,
    entry: Entry,
    causes: list[tuple[Crm, str, int, str]],
) -> bool:
    """Whether somebody who deleted the person had the value before them, or it had lost."""
    if not isinstance(entry.value, str) or field not in home.fields:
        return True
    if field == "mobile" and crm.flavour == "profiles":
        return True  # a number that found no place was told, and went nowhere
    if home.setup.faults.keys() & {"F16", "F17"}:
        return True  # the field may not have been mapped when they were deleted
    if home.setup.yields.get(crm.name) == field or (field == "job_title" and home.setup.stored):
        return True  # nobody's, or kept in another form
    if entry.value.removeprefix("+") in state.lost or (field, entry.value) in {
        (one.field, one.over) for one in people.log
    }:
        return True
    if field == "mobile" and any(
        (e.who, e.field) == (entry.who, field) and e.event > entry.event for e in people.log
    ):
        return True  # a set does not tell which of its members was replaced
    places = {(there.name, number) for there, _, _, number in causes}
    if any(field in k.held for k in state.links.values() if place(home, k) in places):
        return True  # what a side has refused is told, and counts as accepted (state-model 6)
    if row.id in crm.fresh or any(one[0] == row.id for one in crm.unseen):
        return True  # entered since we last read it: a delete knows no version everywhere
    shown = [
        holds(there, there.row(name, number), field, entry.value)
        for there, name, _, number in causes
        if maps(there, name, field)
    ]
    return not shown or any(shown)


def _deleted_by_us(home: Installation) -> Iterator[tuple[Crm, str, Row]]:
    for crm in home.systems.values():
        for landed in crm.landed:
            if landed.action is Action.DELETE:
                yield crm, landed.object, crm.row(landed.object, landed.id)


def nobody_beside(home: Installation, people: People) -> None:
    """I-11: nobody is created where people had entered that very person before."""
    for crm in home.systems.values():
        for kind in home.setup.kinds:
            if kind == "company":
                continue  # people change what it is told by
            name = OBJECTS[crm.flavour][kind]
            first: dict[int, int] = {}
            for number, row in enumerate(crm.objects[name].rows.values()):
                if row.deleted or row.converted_into or crm.kind_of(name, row) != kind:
                    continue
                who = people.who(crm, name, row)
                if row.key is None and (crm.name, row.id) in people.born:
                    first.setdefault(who, number)
                elif row.key is not None and first.get(who, number) < number:
                    raise Violation("I-11", f"{crm.name}:{row.id} stands beside one that was there")


def owned(state: State) -> None:
    """I-15: who has become part of another, or something else, is one person with them."""
    for link in state.links.values():
        if link.entity_id is None:
            continue
        if link.state in (LinkState.LIVE, LinkState.CREATING):
            if state.entities[link.entity_id].state is not EntityState.LIVE:
                raise Violation("I-15", f"the link of {link.record_id} belongs to nobody any more")
        elif link.state is LinkState.CONVERTED and link.record_id and link.into_id:
            after = state.links[link.into_id]
            if after.state is LinkState.LIVE and after.entity_id != link.entity_id:
                raise Violation("I-16", f"{link.record_id} has become another person's record")
