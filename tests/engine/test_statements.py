"""How many statements each stage costs (state-model 5): they may not grow with the records.

And how often the interpreter looks for cycles meanwhile.
"""

import gc
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from sync_engine.engine import Run
from sync_engine.engine.decide import decide
from sync_engine.engine.match import match
from sync_engine.engine.pull import pull
from sync_engine.engine.push import push
from sync_engine.models import Kind
from sync_engine.service.processes import look_for_cycles_seldom
from tests.engine.three import Three

RECORDS = 5_000


class Counter:
    """Counts what one stage says to the database, per 1,000 records."""

    def __init__(self, three: Three) -> None:
        self.said = 0
        event.listen(three.engine, "before_cursor_execute", self._heard)

    def per_thousand(self, stage: Callable[[], None]) -> float:
        self.said = 0
        stage()
        return self.said * 1000 / RECORDS

    def _heard(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        self.said += not statement.startswith(("BEGIN", "PRAGMA"))


def test_a_thousand_records_cost_few_statements() -> None:
    three = Three()
    for system in three.systems.values():
        system.page_size, system.max_batch = 2000, 200
    three.describe()
    world, sources = three.world, {source.name: source for source in three.world.sources}
    leads = world.syncs[Kind.LEAD]
    run = Run(world.ids.row(), "leads", world.clock.now())
    ids = [
        three.sales.create(
            "Lead", first=f"A{n}", last=f"B{n}", mail=f"a{n}@x.example", firm=f"F{n}"
        )
        for n in range(RECORDS)
    ]
    for source in world.sources:
        if source.name != "sales/Lead":
            pull(world, source, run)
    sales, service = sources["sales/Lead"], sources["service/lead"]
    count = Counter(three)
    first = {
        "pulled": count.per_thousand(lambda: pull(world, sales, run)),
        "matched": count.per_thousand(lambda: match(world, run)),
        "reconciled": count.per_thousand(lambda: decide(world, leads, run)),
        "pushed": count.per_thousand(lambda: push(world, leads, service, run)),
    }
    three.clock.wait(60)
    pull(world, service, run)  # what was created is known once it is read
    for number in ids:
        three.sales.update("Lead", number, title=f"Title {number}")
    then = {
        "pulled": count.per_thousand(lambda: pull(world, sales, run)),
        "reconciled": count.per_thousand(lambda: decide(world, leads, run)),
        "pushed": count.per_thousand(lambda: push(world, leads, service, run)),
    }
    assert three.service.writes == {"create": RECORDS, "update": RECORDS}
    allowed = {"pulled": 8, "matched": 4, "reconciled": 6, "pushed": 45}
    for stages in (first, then):
        assert {name: n for name, n in stages.items() if n > allowed[name]} == {}, stages
    three.close()


def test_a_quiet_cycle_reads_no_table_of_people_from_end_to_end() -> None:
    """Its cost may not grow with the links: SQLite's plan finds what it asks for by an index."""
    three = Three()
    for n in range(3):
        three.sales.create(
            "Lead", first=f"A{n}", last=f"B{n}", mail=f"a{n}@x.example", firm=f"F{n}"
        )
    three.settle()
    said: list[tuple[str, Any]] = []

    def heard(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        said.append((statement, given))

    event.listen(three.engine, "before_cursor_execute", heard)
    three.cycle()
    event.remove(three.engine, "before_cursor_execute", heard)
    with three.engine.connect() as connection:
        plans = [
            (str(row[3]), statement)
            for statement, given in said
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    three.close()
    assert len(plans) > 10
    whole = re.compile(r"SCAN (link|entity|history|sent|match_key)(?!.* USING)")
    assert [statement for plan, statement in plans if whole.match(plan)] == []


def test_a_service_does_not_look_for_cycles_all_the_time() -> None:
    before, looked = gc.get_threshold(), 0

    def heard(phase: str, _told: dict[str, int]) -> None:
        nonlocal looked
        looked += phase == "start"

    look_for_cycles_seldom()
    gc.callbacks.append(heard)
    try:
        batch = [{"number": number} for number in range(10 * RECORDS)]
    finally:
        gc.callbacks.remove(heard)
        gc.set_threshold(*before)
    assert (len(batch), looked <= 1) == (10 * RECORDS, True)
