"""``python -m benchmarks.matching.ours FOLDER``: crm-sync's own stages over the two lists.

Reads both lists as two systems, matches and decides; writes to neither, so that what it would
create is what it takes for nobody known. Prints what it found as JSON.
"""

import csv
import json
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.matching.data import LISTS
from config.catalogue import CATALOGUE
from connectors import FieldType
from connectors.testing.memory import MemoryConnector, MemoryObject, MemorySystem
from sync_engine.engine import Run, Source, Sync, World, new_run
from sync_engine.engine.decide import decide
from sync_engine.engine.match import match
from sync_engine.engine.pull import pull
from sync_engine.guard import Limits
from sync_engine.ids import Ids
from sync_engine.models import Kind, LinkState
from sync_engine.parsing import parse
from sync_engine.reconcile import Policy
from sync_engine.service import SystemClock
from sync_engine.store import Store, migrate, open_database

_FIELDS = ("first", "last", "email", "mobile", "city", "postcode", "company")
_LEAD: dict[str, Any] = {
    "kind": "lead",
    "fields": {
        "first_name": "first", "last_name": "last", "email": "email", "mobile": "mobile",
        "company_name": "company", "address": {"parts": {"city": "city", "postcode": "postcode"}},
    },
}  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    systems = {name: _system(folder / f"{name}.csv") for name in LISTS}
    world = _world(folder, systems)
    run = new_run(world, "leads")
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    for stage in (_read, match, _decide):
        begun = time.process_time()
        stage(world, run)
        seconds[stage.__name__.strip("_")] = time.process_time() - begun
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "wall": wall,
        "stages": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "rss": used.ru_maxrss / 1024,
        **_judged(world, systems),
    }
    sys.stdout.write(json.dumps(told))


def _read(world: World, run: Run) -> None:
    for source in world.sources:
        pull(world, source, run)


def _decide(world: World, run: Run) -> None:
    decide(world, world.syncs[Kind.LEAD], run)


def _judged(world: World, systems: dict[str, MemorySystem]) -> dict[str, int]:
    """Pairs linked, right and wrong; people asked about; people who would get a second record."""
    persons: dict[int, list[str]] = {}
    state: dict[str, Counter[str]] = {}
    with world.store.reading() as connection:
        asked = {
            number
            for issue in world.store.issues.all(connection)
            for number in (issue.link_id, *issue.detail.get("with", ()), issue.entity_id)
        }
        for source in world.sources:
            rows = systems[source.instance].objects["Lead"].rows
            links = world.store.links.by_record(connection, source.id, rows)
            for number, link in links.items():
                person = rows[number].values["person"]
                known = state.setdefault(person, Counter())
                known["asked"] += link.id in asked or link.entity_id in asked
                if link.entity_id is not None and link.state is LinkState.LIVE:
                    persons.setdefault(link.entity_id, []).append(person)
    pairs = [found for found in persons.values() if len(found) == 2]
    right = {found[0] for found in pairs if len(set(found)) == 1}
    left = {person: known for person, known in state.items() if person not in right}
    return {
        "right": len(right),
        "wrong": len(pairs) - len(right),
        "asked": sum(known["asked"] > 0 for known in left.values()),
        "twice": sum(known["asked"] == 0 for known in left.values()),
    }


def _system(file: Path) -> MemorySystem:
    fields = {name: FieldType("string") for name in (*_FIELDS, "person")}
    system = MemorySystem({"Lead": MemoryObject(fields)}, file.stem)
    system.page_size = 2000
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            del row["id"]
            system.create("Lead", **{name: value or None for name, value in row.items()})
    return system


def _world(folder: Path, systems: dict[str, MemorySystem]) -> World:
    clock = SystemClock()
    engine = open_database(f"sqlite:///{folder / 'state.db'}")
    migrate(engine)
    store = Store(engine, clock.now, "benchmark")
    ids = Ids(clock.now, random.Random(7))
    mapping = parse("Lead", _LEAD, CATALOGUE, "HR")
    store.open([mapping.forms])
    with store.transaction() as connection:
        registry = store.registry
        installation = registry.installation(connection, ids.installation())
        registry.add_instances(connection, LISTS)
        instances = registry.instances(connection)
        registry.add_sources(connection, [(instances[name].id, "Lead") for name in LISTS])
        rows = {row.instance_id: row.id for row in registry.sources(connection)}
        registry.add_sync(connection, "leads", Kind.LEAD)
    sources = []
    for name in LISTS:
        connector, number = MemoryConnector(systems[name]), instances[name].id
        (described,) = connector.describe()
        kinds = frozenset({Kind.LEAD})
        sources.append(
            Source(rows[number], name, number, "Lead", connector, mapping, kinds, described)
        )
    policies = {field.name: Policy("prefer", LISTS) for field in mapping.fields}
    policy = dict.fromkeys(LISTS, "create")
    deletes = dict.fromkeys(LISTS, "unlink")
    sync = Sync("leads", Kind.LEAD, LISTS, policies, deletes, policy, Limits())
    return World(store, clock, ids, installation, sources, {Kind.LEAD: sync})


main()
