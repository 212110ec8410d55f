"""What is logged: a line per cycle, write, conflict and issue, by names and ids (practice 8.6)."""

from collections import Counter
from dataclasses import replace

from structlog.testing import capture_logs
from structlog.typing import EventDict

from connectors import Action, TransientError
from sync_engine import operations
from sync_engine.engine import new_run
from sync_engine.logs import KEYS
from sync_engine.models import Kind
from sync_engine.service import Service
from tests.engine.faults import Failing, only, replaced
from tests.engine.three import ORDER, Three
from tests.web.conftest import configuration

ANN = {"first": "Zanzibara", "last": "Quokka", "mail": "zq@plavi.example", "firm": "Wombat"}


def cycle(three: Three) -> list[EventDict]:
    """The lines of one cycle, as the service makes it."""
    service = replace(three.face(), config=configuration())
    with capture_logs() as lines:
        service.cycle(list(three.world.syncs.values()), new_run(three.world, "all"))
    return lines


def of(lines: list[EventDict], event: str) -> list[EventDict]:
    return [line for line in lines if line["event"] == event]


def test_practice_8_6_one_line_per_cycle_write_conflict_and_issue(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    lines = cycle(three)
    writes = of(lines, "write")
    assert [(one["source"], one["action"], one["result"]) for one in writes] == [
        ("service/lead", "create", "done"),
        ("profiles/person", "create", "done"),
    ]
    there = only(three.service.alive("lead"))
    assert writes[0]["record"] == there.id
    assert "email" in writes[0]["fields"]
    assert Counter(line["event"] for line in lines) == {"write": 2, "cycle": 1}

    three.policy(Kind.LEAD, "job_title", "manual")
    three.sales.update("Lead", number, title="Wombat in chief")
    three.service.update("lead", there.id, title="Quokka of all")
    lines = cycle(three)
    (conflict,), (issue,) = of(lines, "conflict"), of(lines, "issue")
    assert (conflict["field"], conflict["rule"], conflict["lost"]) == (
        "job_title",
        "manual",
        ["sales", "service"],
    )
    assert (issue["what"], issue["field"]) == ("conflict", "job_title")
    assert issue["issue"] == only(three.issues()).id
    assert conflict["entity"] == issue["entity"]
    (told,) = of(lines, "cycle")
    assert told["ended"] == "done"
    assert {line["run"] for line in lines} == {told["run"]}
    for line in lines:
        assert set(line) - {"log_level"} <= KEYS, line  # else it would be withheld
        assert not {"zanzibara", "quokka", "zq@plavi", "wombat"} & set(repr(line).lower().split())


def test_practice_8_6_no_news_is_counted_only(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title=None)  # touched, and as it was
    (line,) = cycle(three)
    assert (line["event"], line["ended"]) == ("cycle", "done")


def test_practice_8_6_an_issue_that_is_open_already_is_no_further_line(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects["title"] = "Chief"
    three.sales.update("Lead", number, title="Chief")
    lines = cycle(three)
    assert [line["what"] for line in of(lines, "issue")] == ["rejected"]
    found = {line["source"]: line["result"] for line in of(lines, "write")}
    assert found == {"service/lead": "rejected", "profiles/person": "done"}
    three.sales.update("Lead", number, city="Zagreb")
    assert of(cycle(three), "issue") == []
    with replaced(three, "service/lead", Failing, TransientError("no answer")):
        three.sales.update("Lead", number, city="Split")
        lines = cycle(three)
    assert "unanswered" in [line["result"] for line in of(lines, "write")]


def test_practice_8_6_a_plan_logs_no_write(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    service: Service = replace(three.face(), config=configuration())
    with capture_logs() as lines:
        plan = operations.plan(service, "leads")
    assert [line.does for line in plan.lines].count("create") == len(ORDER) - 1
    assert lines == []
    assert three.service.writes[Action.CREATE] == 0
