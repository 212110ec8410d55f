"""What must hold at the end of every history (reliability 4.5)."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from connectors.testing.memory import Row
from sync_engine.models import LinkState
from tests.simulation.people import Entry

if TYPE_CHECKING:
    from tests.simulation.ideal import Ideal
    from tests.simulation.world import Simulated

#: field of a record -> how it is compared; phones stand as sets in Customer Profiles
COMPARED = ("title", "first", "last", "city", "noemail")


def judge(sim: "Simulated", truth: "Ideal", unquiet: str) -> str:
    """The first thing that is wrong; empty if nothing is."""
    for found in (
        [unquiet] if unquiet else [],
        sim.writes_seen,
        _left_over(sim),
        _created_twice(sim),
        _kinds(sim),
        _unequal(sim),
        _lost(sim),
        truth.violations(),
        _chain(sim),
        _audit(sim),
        _strays(sim),
    ):
        if found:
            return found[0]
    return ""


def rows(sim: "Simulated", query: str) -> list[Any]:
    with sim.store.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _left_over(sim: "Simulated") -> list[str]:
    """Work that is never done."""
    questions = {
        "a live link owes for ever": "select count(*) from link where owes > 0 and state in (4, 5)"
        " and entity_id not in (select coalesce(entity_id, 0) from issue where closed_at is null)"
        " and id not in (select coalesce(link_id, 0) from issue where closed_at is null)",
        "an entity stays dirty": "select count(*) from entity where dirty > 0 and state = 1",
        "a write is never answered (I-30)": "select count(*) from sent where result is null",
    }
    return [what for what, query in questions.items() if rows(sim, query)[0][0]]


def _created_twice(sim: "Simulated") -> list[str]:
    """At most one record made by us for each person, system and object (I-11)."""
    made: Counter[tuple[str, str, int]] = Counter()
    for system, one in sim.systems.items():
        for name, held in one.objects.items():
            for row in held.rows.values():
                # a state that was put back cannot know of what was created and deleted since
                if row.key is not None and not (row.deleted and sim.restored_at is not None):
                    made[system, name, row.key.int >> 27 & (1 << 63) - 1] += 1
    return [f"created twice (I-11): {place}" for place, number in made.items() if number > 1]


def _kinds(sim: "Simulated") -> list[str]:
    """A lead is never linked with a customer (I-13)."""
    wrong = rows(
        sim,
        "select l.id from link l join entity e on e.id = l.entity_id "
        "where l.state = 5 and l.kind <> e.kind and l.owes = 0 and l.id not in "
        "(select coalesce(link_id, 0) from issue where closed_at is null)",
    )
    return [f"a live link of another kind than its person (I-13): {wrong}"] if wrong else []


def _people(sim: "Simulated") -> dict[int, list[tuple[str, Row, set[str]]]]:
    """Entity -> its live records, with the fields that are held there."""
    sources = {one.id: one for one in sim.world.sources}
    names = dict(rows(sim, "select id, name from field order by id"))
    found: dict[int, list[tuple[str, Row, set[str]]]] = {}
    query = "select entity_id, source_id, record_id, held from link where state = 5 order by id"
    for entity, source_id, record, held in rows(sim, query):
        source = sources[source_id]
        row = sim.systems[source.instance].row(source.object, record)
        fields = {names[int(number)] for number in json.loads(held or "{}")}
        found.setdefault(entity, []).append((source.name, row, fields))
    return found


_GOLDEN = {
    "title": "job_title",
    "first": "first_name",
    "last": "last_name",
    "city": "address",
    "noemail": "email_opt_out",
}


def _unequal(sim: "Simulated") -> list[str]:
    """All records of a person show the same (I-1)."""
    wrong = []
    for entity, records in _people(sim).items():
        held = {name for _, _, fields in records for name in fields}
        for name in COMPARED:
            if _GOLDEN[name] in held:
                continue
            shown = {str(row.values.get(name) or "") for _, row, _ in records}
            if len(shown - {"False"} | ({""} if "False" in shown else set())) > 1:
                told = [(source, row.id, row.values.get(name)) for source, row, _ in records]
                wrong.append(f"unequal (I-1): {name} of {entity}: {told}")
        if any(row.deleted or row.converted_into for _, row, _ in records):
            wrong.append(f"a live link of a record that has ended (I-16): {entity}")
    return wrong


def _lost(sim: "Simulated") -> list[str]:
    """Every value that a person entered is there, superseded, or in history (I-5)."""
    told = "\n".join(
        str(row)
        for query in (
            "select old, new, lost from history",
            "select golden from entity",
            "select held from link",
        )
        for row in rows(sim, query)
    )
    last: dict[tuple[str, str, str, str], Entry] = {}
    for entry in sim.people.entries:
        last[entry.system, entry.object, entry.record, entry.field] = entry
    return [
        f"entry lost (I-5): {e.field} of {e.system}/{e.object}:{e.record}, entered as {e.value!r}"
        for e in last.values()
        if e.value is not None and not _is_accounted_for(sim, e, told)
    ]


def _is_accounted_for(sim: "Simulated", entry: Entry, told: str) -> bool:
    row = sim.systems[entry.system].row(entry.object, entry.record)
    if row.deleted or row.converted_into or entry.in_window:
        return True
    if sim.restored_at is not None and entry.step <= sim.restored_at:
        return True  # what history told of it went with the state
    shown = row.values.get(entry.field, None)
    if entry.field == "mobile" and entry.system == "profiles":
        return entry.value.removeprefix("+") in (row.values["phones"] or ()) or entry.value in told
    return bool(shown == entry.value) or str(entry.value) in told


def _chain(sim: "Simulated") -> list[str]:
    """History, replayed field by field, yields golden (I-6, I-43)."""
    if sim.restored_at is not None:
        return []
    wrong = []
    with sim.store.reading() as connection:
        alive = [n for (n,) in connection.exec_driver_sql("select id from entity where state = 1")]
        entities = sim.store.entities.by_id(connection, alive)
        for number, entity in entities.items():
            now: dict[str, Any] = {}
            for row in sim.store.entities.history(connection, number):
                if row.field_name is not None:
                    now[row.field_name] = row.new
            for name, value in entity.golden.items():
                if name in now and now[name] != value:
                    wrong.append(f"history tells {name} = {now[name]!r}, golden is {value!r}")
    return wrong


def _audit(sim: "Simulated") -> list[str]:
    """Each write that landed has its row (I-43)."""
    if sim.restored_at is not None:
        return []
    landed = sum(sum(writes.values()) for writes in sim.written().values())
    (stored,) = rows(sim, "select count(*) from sent")[0]
    return [f"{landed} writes landed, {stored} are told of (I-43)"] if landed > stored else []


def _strays(sim: "Simulated") -> list[str]:
    """No record without a link (I-15)."""
    wrong = []
    for source in sim.world.sources:
        system = sim.systems[source.instance]
        alive = {row.id for row in system.alive(source.object)}
        with sim.store.reading() as connection:
            links = sim.store.links.by_record(connection, source.id, alive)
        wrong += [f"{source.name}:{one} has no link (I-15)" for one in sorted(alive - set(links))]
        wrong += [
            f"{source.name}:{one} waits to be matched for ever"
            for one, link in sorted(links.items())
            if link.state is LinkState.NEW
        ]
    return wrong
