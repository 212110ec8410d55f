"""What must hold once people and faults have stopped and a few cycles have run.

Each function is one oracle of the specification; it raises a violation of the invariant it
proves. They look at the organizations and the state, never at what the engine meant to do.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from connectors import Action
from connectors.testing.memory import Row
from sync_engine.ids import key_parts
from sync_engine.models import EntityState, LinkState
from sync_engine.reconcile import MANUAL
from sync_engine.store import POSTPONED, LinkRow
from tests.simulation.acting import Acting
from tests.simulation.connecting import Violation
from tests.simulation.deeds import Entry, People
from tests.simulation.ideal import predict
from tests.simulation.showing import holds, maps, place, record, shows
from tests.simulation.state import State
from tests.simulation.systems import OBJECTS, Crm
from tests.simulation.world import Installation

_TOKEN = r"zq\w+q\w*"  #: a value of a text field
#: a record that has one of these has ended there, and its link may not be live
_TAKEN = (LinkState.NEW, LinkState.ASKED, LinkState.LIVE, LinkState.SURPLUS, LinkState.HELD)


def equal(home: Installation, state: State) -> None:
    """Oracle 1 (I-1): linked records show equal values."""
    yields = set(home.setup.yields.items())
    for entity, links in state.live().items():
        records = [(link, *record(home, link)) for link in links]
        for field in _compared(home, state.entities[entity].kind.name.lower()):
            nobodys = (
                state.entities[entity].golden.get(field) is None
            )  # who does not own it, has it
            shown = {
                f"{crm.name}:{row.id}": shows(crm, row, field)
                for link, crm, name, row in records
                if maps(crm, name, field)
                and field not in link.held
                and not (nobodys and (crm.name, field) in yields)
            }
            asked = any(k.held[field].why == MANUAL for k in links if field in k.held)
            if shown and not asked and not _agree(field, list(shown.values())):
                raise Violation("I-1", f"{field} differs: {_told(shown)}")


def _agree(field: str, shown: list[set[Any]]) -> bool:
    """A set of Customer Profiles may hold more than the one value that a CRM has room for."""
    smallest = min(shown, key=len)
    if field in ("email", "mobile"):
        return all(smallest <= one for one in shown)
    return all(one == smallest for one in shown)


def _told(shown: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {sorted(map(str, value))}" for name, value in shown.items())


def _compared(home: Installation, kind: str) -> tuple[str, ...]:
    if kind == "company":
        return ("name",)
    return tuple(dict.fromkeys(("first_name", "email", *home.fields)))


def settled(home: Installation, people: People, acting: Acting, state: State) -> None:
    """Nothing is owed, dirty or unanswered any more; nothing is held without a cause."""
    drifts = bool(home.setup.faults.keys() & {"F7", "F16"})
    excused = drifts or any((home.setup.stored, acting.restored_at, home.setup.frozen))
    for link in state.links.values():
        if link.state not in (LinkState.LIVE, LinkState.CREATING):
            continue
        if link.owes:
            raise Violation("I-27", f"link of {link.record_id} still owes {link.owes.name}")
        odd = {
            name: kept.why
            for name, kept in link.held.items()
            if not (kept.why == "flipping" and _take_turns(people, name))
        }
        if odd and not excused and home.setup.policy != "manual":
            raise Violation("I-28", f"held without a cause: {odd}")
    for entity in state.entities.values():
        waits = entity.dirty == POSTPONED and home.setup.frozen  # for the system that is down
        if entity.dirty and not waits and entity.state is EntityState.LIVE:
            raise Violation("I-27", "an entity is still dirty")
    if state.unanswered:
        raise Violation("I-33", f"{state.unanswered} rows of sent were never answered")


def _take_turns(people: People, field: str) -> bool:
    """People who answer each other's edits from two systems look like a loop."""
    return max(Counter(e.who for e in people.log if e.field == field).values(), default=0) >= 5


def made_once(home: Installation, acting: Acting) -> None:
    """Oracle 3 (I-11): at most one record of ours per entity, system and object.

    That one was there, and was deleted, stands only in the state that a backup replaced.
    """
    counts: Counter[tuple[str, str, str, int]] = Counter()
    for crm in home.systems.values():
        for landed in crm.landed:
            if acting.restored_at and crm.row(landed.object, landed.id).deleted:
                continue
            parts = key_parts(UUID(landed.key)) if landed.action is Action.CREATE else None
            if parts is not None:
                counts[crm.name, landed.object, landed.kind, parts.entity_id] += 1
    for (name, found, kind, _), number in counts.items():
        if number > 1:
            raise Violation("I-11", f"{name}/{found}: {number} records of one {kind}")


def nobody_twice(home: Installation, people: People) -> None:
    """Oracle 3 once more, by what only we know: whom each record is about."""
    if not home.setup.clear:
        return
    ours: Counter[tuple[str, str, int]] = Counter()
    theirs: Counter[tuple[str, str, int]] = Counter()
    for crm in home.systems.values():
        for kind in home.setup.kinds:
            name = OBJECTS[crm.flavour][kind]
            for row in crm.objects[name].rows.values():
                if crm.kind_of(name, row) == kind:
                    whose = people.whose.get((crm.name, row.id), -1)
                    counter = ours if row.key is not None else theirs
                    counter[crm.name, kind, whose] += 1
    for (name, _, whose), number in ours.items():
        if whose >= 0 and number > 1 and "customer" not in home.setup.kinds:
            raise Violation("I-11", f"{name}: person {whose} was created {number} times")


def nothing_lost(home: Installation, people: People, acting: Acting, state: State) -> None:
    """Oracles 4 and 16 (I-5): what was entered is shown, or lost a conflict that is recorded.

    Or somebody saw it and put another value in its place. What lost a conflict before a state
    was put back was recorded in the one that is gone.
    """
    latest: dict[tuple[str, str, str], Entry] = {}
    for entry in people.log:
        latest[entry.system, entry.record, entry.field] = entry
    replaced = {(entry.field, _plain(entry.over)) for entry in people.log}
    for (system, root, field), entry in latest.items():
        crm = home.systems[system]
        row = _row(crm, people.now(system, root))
        if row is None or row.deleted or row.converted_into or not isinstance(entry.value, str):
            continue
        if entry.event <= acting.restored_at:
            continue
        if field == "job_title" and system in home.setup.stored:
            continue  # what the system makes of it may be an edit
        # of a set nobody knows who has seen which member
        told = state.history if field == "mobile" else state.lost
        if holds(crm, row, field, entry.value) or _trace(field, entry.value) in told:
            continue
        if (field, _plain(entry.value)) in replaced:
            continue
        if any(one[0] == row.id and _trace(field, entry.value) in one[2] for one in crm.unseen):
            continue
        raise Violation("I-5", f"{field} {entry.value!r} of {system}:{row.id} was lost")


def nobody_differed_in_vain(people: People, state: State) -> None:
    """The mirror of oracle 4: no conflict where the winner had seen what lost, and replaced it."""
    seen = {(str(e.value), str(e.over)) for e in people.log if e.over and e.value}
    for won, lost in state.conflicts:
        for value in re.findall(_TOKEN, won):
            for other in re.findall(_TOKEN, lost):
                if (value, other) in seen:
                    raise Violation("I-6", f"a conflict was recorded: {value!r} over {other!r}")


def _plain(value: Any) -> str:
    """A value as those see it who are shown another form of it."""
    return "".join(char for char in str(value).casefold() if char.isalnum())


def _trace(field: str, value: str) -> str:
    return value.removeprefix("+") if field == "mobile" else value


def _row(crm: Crm, number: str) -> Row | None:
    return next((one.rows[number] for one in crm.objects.values() if number in one.rows), None)


def nothing_comes_back(home: Installation, people: People, state: State) -> None:
    """Oracle 4, from the other end: what is shown was not superseded where it was entered.

    Under ``manual`` golden stays as it was until a person has answered.
    """
    if home.setup.policy == "manual":
        return
    live = {place(home, link): entity for entity, links in state.live().items() for link in links}
    last: dict[tuple[str, str, str], Entry] = {}
    for entry in people.log:
        last[entry.system, entry.record, entry.field] = entry
    entered: dict[tuple[str, Any], list[Entry]] = defaultdict(list)
    for entry in people.log:
        entered[entry.field, entry.value].append(entry)
    for entity, links in state.live().items():
        for link in links:
            crm, name, row = record(home, link)
            for field in home.fields:
                if field == "email_opt_out" or field in link.held or not maps(crm, name, field):
                    continue
                if (entity, field) in state.overruled:
                    continue
                if field == "mobile" and crm.flavour == "profiles":
                    continue  # a set keeps what is not known to be ours to remove (practice 4.11)
                for value in sorted(filter(None, shows(crm, row, field))):
                    by = entered.get((field, value), [])
                    if by and not any(
                        _stands(people, state, last, live, entity, one) for one in by
                    ):
                        raise Violation(
                            "I-4", f"{field} {value!r}, superseded, is back at {row.id}"
                        )


def _stands(
    people: People,
    state: State,
    last: Mapping[tuple[str, str, str], Entry],
    live: Mapping[tuple[str, str], int],
    entity: int,
    entry: Entry,
) -> bool:
    """Whether nobody has replaced it there, or its record has ended since, maybe unread.

    Or it is somebody else's by now: who became a customer by himself keeps what he was given.
    Or it was replaced in a lead just before its conversion: that carries over no empty value, and
    another one may have lost a recorded conflict, for nobody has agreed on it with the customer.
    """
    now = last[entry.system, entry.record, entry.field]
    if now is entry:
        return True
    converted = people.now(entry.system, entry.record) != entry.record
    if converted and (now.value is None or _trace(entry.field, str(now.value)) in state.lost):
        return True
    return live.get((entry.system, people.now(entry.system, entry.record))) != entity


def as_predicted(home: Installation, people: People, state: State) -> None:
    """Oracle 5 and the ideal merge (I-4): where nobody contradicted, all end with the last value.

    Of people whose records were all there all the time: what was deleted, merged or left behind
    may have had a say.
    """
    owner: dict[tuple[str, str], int] = {}
    for entity, links in state.live().items():
        for system, number in (place(home, link) for link in links):
            owner[system, people.root(system, number)] = entity
    complicated = {e.into_id for e in state.entities.values()}
    complicated |= {k.entity_id for k in state.links.values() if k.state is not LinkState.LIVE}
    became = {k.into_id for k in state.links.values()}
    complicated |= {k.entity_id for k in state.links.values() if k.id in became}
    yields = set(home.setup.yields.items())
    log = [one for one in people.log if (one.system, one.field) not in yields]
    for (entity, field), last in predict(log, people.quiet, owner).items():
        if field == "job_title" and home.setup.stored:
            continue  # what a system makes of it is compared by its held rendition
        usual = entity not in complicated and (entity, field) not in state.overruled
        if usual and field in home.fields:
            _ends_so(home, state, entity, field, last)


def _ends_so(home: Installation, state: State, entity: int, field: str, last: Entry) -> None:
    for link in state.live()[entity]:
        crm, name, row = record(home, link)
        if last.value is None and home.setup.yields.get(crm.name) == field:
            continue  # what nobody owns stays where it is
        if (
            maps(crm, name, field)
            and field not in link.held
            and not holds(crm, row, field, last.value)
        ):
            raise Violation(
                "I-4",
                f"{field} was left as {last.value!r} at {last.system}, "
                f"{crm.name}:{row.id} has {sorted(map(str, shows(crm, row, field)))}",
            )


def opted_out(home: Installation, people: People, state: State) -> None:
    """Practice 4.1: an opt-out stands until the side that set it takes it back.

    Of people whom nobody has opted out in a record that has ended since: that may have been it.
    """
    if "email_opt_out" not in home.fields:
        return
    owner = {place(home, k): n for n, links in state.live().items() for k in links}
    said: dict[int, dict[tuple[str, str], list[bool]]] = defaultdict(lambda: defaultdict(list))
    ended: set[int] = set()
    for entry in people.log:
        where = (entry.system, people.now(entry.system, entry.record))
        if entry.field != "email_opt_out" or entry.value == entry.over:
            continue
        if where in owner:
            said[owner[where]][where].append(bool(entry.value))
        elif entry.value:
            ended.add(entry.who)
    blurred = {place for c in home.systems.values() for place in _unseen(c, "noemail")}
    for entity, records in said.items():
        if blurred & records.keys() or ended & {people.whose.get(place, -1) for place in records}:
            continue  # two edits within the second, of which the engine could see one
        setters = [told for told in records.values() if True in told]
        if len(setters) == 1 and setters[0][-1]:
            for link in state.live()[entity]:
                crm, name, row = record(home, link)
                if not maps(crm, name, "email_opt_out") or "email_opt_out" in link.held:
                    continue
                if True not in shows(crm, row, "email_opt_out"):
                    raise Violation("I-4", f"{crm.name}:{row.id} lacks an opt-out that stands")


def _unseen(crm: Crm, native: str) -> set[tuple[str, str]]:
    return {(crm.name, number) for number, name, _ in crm.unseen if name == native}


def one_kind(home: Installation, state: State) -> None:
    """Oracle 6 (I-13): no lead is one with a customer."""
    for entity, links in state.live().items():
        for link in links:
            crm, name, row = record(home, link)
            if link.kind is not state.entities[entity].kind:
                raise Violation("I-13", f"{crm.name}:{row.id} is linked as {link.kind.name}")
            if crm.kind_of(name, row) != link.kind.name.lower():
                raise Violation("I-13", f"{crm.name}:{row.id} is of another kind than its link")


def linked(home: Installation, state: State) -> None:
    """Oracle 7 (I-15): each record has its link, each live link its record; places are single."""
    links = {(k.source_id, k.record_id): k for k in state.links.values() if k.record_id}
    for source in home.worker.world.sources:
        crm = home.systems[source.instance]
        for row in crm.alive(source.object):
            if crm.kind_of(source.object, row) not in home.setup.kinds:
                continue
            link = links.get((source.id, row.id))
            if link is None:
                raise Violation("I-15", f"{source.name}:{row.id} has no link")
            left = link.state is LinkState.CONVERTED and crm.kind_of(source.object, row) == "lead"
            if link.state not in (*_TAKEN, LinkState.IGNORED) and not left:
                raise Violation(
                    "I-15", f"{source.name}:{row.id} is there, its link {link.state.name}"
                )
    for link in state.links.values():
        if link.state is LinkState.LIVE:
            crm, _, row = record(home, link)
            if row.deleted or row.converted_into:
                raise Violation("I-18", f"{crm.name}:{row.id} has ended, its link is live")


def everywhere(home: Installation, people: People, state: State) -> None:
    """Everybody who can be told apart has a record on each side, or a person is asked why not."""
    asked = {issue.entity_id for issue in state.issues} | {None}
    links_asked = {issue.link_id for issue in state.issues}
    links_asked |= {n for issue in state.issues for n in issue.detail.get("links", ())}
    every = defaultdict(list)
    for link in state.links.values():
        every[link.entity_id].append(link)
    for entity, links in state.live().items():
        kind = state.entities[entity].kind.name.lower()
        if entity in asked or any(link.id in links_asked for link in every[entity]):
            continue
        places = {k.instance_id for k in every[entity]}
        wanted = {s.instance_id: s.instance for s in home.worker.world.sources}
        for instance_id, name in wanted.items():
            if instance_id in places or _covered(home, people, name, kind, links):
                continue
            crm, _, row = record(home, links[0])
            raise Violation("I-27", f"{crm.name}:{row.id} has no record on {name}")


def _covered(
    home: Installation, people: People, name: str, kind: str, links: list[LinkRow]
) -> bool:
    """A lead whose person is a customer stands back where addresses have one owner."""
    return home.systems[name].flavour == "profiles" and len(home.setup.kinds) > 1


def audited(home: Installation, state: State) -> None:
    """Oracle 14 (I-43): no write without its row of ``sent``."""
    if home.sent > state.sent:
        raise Violation("I-43", f"{home.sent} writes, {state.sent} rows of sent")


def silent(lines: Iterable[Mapping[str, Any]]) -> None:
    """Oracle 15 (I-40): no value that a person entered stands in a log line."""
    for line in lines:
        if "zq" in repr(line).lower():
            raise Violation("I-40", f"a log line tells a value: {line.get('event')}")
