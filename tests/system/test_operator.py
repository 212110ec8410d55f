"""An operator's day at the command line: look, decide, put right, explain."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Email": "ann@plavi.example", "Company": "Plavi"}
ANN_THERE = {
    "firstname": "Ann",
    "lastname": "Horvat",
    "emailaddress1": "ann@plavi.example",
    "companyname": "Plavi",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        systems.sales.act("create", "Lead", values=ANN | {"Title": "Boss"})
        systems.service.act("create", "lead", values=ANN_THERE)
        systems.settle()
        yield systems


def told(world: Running, *arguments: str) -> Any:
    code, text = world.run(*arguments, "--json")
    assert code == 0, text
    return json.loads(text)


def lead(world: Running) -> str:
    (found,) = world.sales.records("Lead")
    return str(found["Id"])


@pytest.mark.timeout(240)
def test_explain_and_history_tell_why(world: Running) -> None:
    number = lead(world)
    world.sales.act("update", "Lead", id=number, values={"Title": "Chief"})
    (there,) = world.service.records("lead")
    world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Head"})
    assert world.run("sync", "leads")[0] == 0
    found = told(world, "explain", f"sales:{number}", "job_title")
    (title,) = found["fields"]
    assert (title["golden"], title["set_by"], title["rule"]) == ("Chief", "sales", "prefer")
    assert title["lost"]["service"]["value"] == "Head"
    assert title["writes"][-1]["result"] == "done"
    assert {place["state"] for place in found["places"]} == {"live"}
    events = told(world, "history", f"service/lead:{there['leadid']}")["events"]
    assert [e["new"] for e in events if e["field"] == "job_title"] == ["Boss", "Chief"]
    was = told(world, "history", f"service/lead:{there['leadid']}", "--at", "2100-01-01")
    assert {one["how"] for one in was["records"]} == {"email_name", "created"}
    code, text = world.run("history", f"sales:{number}", "--at", "2100-01-01")
    assert (code, text.count(" live ")) == (0, 3)
    code, text = world.run("explain", f"sales:{number}")
    assert code == 0
    assert "kept equal" in text
    assert "lost: Head" in text
    assert told(world, "runs", "--limit", "1")[0]["sync"] == "leads"


@pytest.mark.timeout(240)
def test_why_a_record_is_not_there(world: Running) -> None:
    alone = world.profiles.act(
        "create",
        "person",
        values={
            "firstName": "Bob",
            "lastName": "Zub",
            "type": "LEAD",
            "contactInformation": {"email": [{"address": "bob@zub.example"}]},
        },
    )["id"]
    world.run("sync")
    found = told(world, "explain", f"profiles:{alone}")
    why = {place["side"]: place["why"] for place in found["places"]}
    assert why["sales"] == "it lacks what is required there: company_name"
    assert world.run("explain", "profiles:4711")[0] == 2


@pytest.mark.timeout(240)
def test_resync_puts_right_what_a_feed_missed(world: Running) -> None:
    number = lead(world)
    code, text = world.run("resync", "leads", "--id", f"sales:{number}")
    assert (code, "nothing to do" in text) == (0, True)

    (there,) = world.service.records("lead")
    world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Head"})
    dry = told(world, "resync", "leads", "--id", f"sales:{number}", "--dry-run")
    assert {line["side"] for line in dry["lines"]} == {"sales/Lead", "profiles/person"}
    assert world.sales.records("Lead")[0]["Title"] == "Boss"
    done = told(world, "resync", "leads", "--id", f"sales:{number}", "--prefer", "sales")
    assert world.service.records("lead")[0]["jobtitle"] == "Boss"
    (change,) = [c for line in done["lines"] for c in line["fields"]]
    assert (change["field"], change["old"], change["new"]) == ("job_title", "Head", "Boss")

    for arguments in (("--full",), ("--since", "2020-01-01"), ("--failed",), ("--unlinked",)):
        assert told(world, "resync", "leads", *arguments)["lines"] == [], arguments
    names = world.folder / "names.txt"
    names.write_text(f"# one a line\nsales/Lead:{number}\n")
    assert told(world, "resync", "leads", "--file", str(names))["lines"] == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "say which records"),
        (("--full", "--failed"), "say which records"),
        (("--until", "2026-01-01"), "say which records"),
        (("--since", "yesterday"), "'yesterday' is no moment"),
        (("--id", "nonsense"), "names no record"),
        (("--key", "nonsense"), "a key is a UUID"),
        (("--full", "--prefer", "crm"), "there is no instance crm"),
        (("--file", "none.txt"), "is not there"),
    ],
)
def test_a_resync_that_cannot_be_meant(
    tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    with running(tmp_path) as world:
        code, text = world.run("resync", "leads", *arguments)
        assert (code, expected in text) == (2, True), text


@pytest.mark.timeout(240)
def test_pause_stops_writing_and_resume_catches_up(world: Running) -> None:
    number = lead(world)
    assert world.run("pause", "leads") == (0, "leads is paused\n")
    world.sales.act("update", "Lead", id=number, values={"Title": "Chief"})
    assert world.run("sync", "leads")[0] == 0
    assert world.service.records("lead")[0]["jobtitle"] == "Boss"
    status = told(world, "status")
    assert not status["well"]
    assert "leads is paused" in status["summary"]
    assert world.run("resume", "leads") == (0, "leads is active\n")
    assert world.run("pause", "--instance", "service")[0] == 0
    before = world.service.get("counts")["calls"]
    assert world.run("sync", "leads")[0] == 0
    assert world.service.get("counts")["calls"] == before  # no traffic at all
    assert world.profiles.records("person")[0]["customAttributes"]["job_title"] == "Chief"
    assert world.run("resume", "--instance", "service")[0] == 0
    assert world.run("sync", "leads")[0] == 0
    assert world.service.records("lead")[0]["jobtitle"] == "Chief"


@pytest.mark.timeout(240)
def test_a_release_is_for_what_was_shown(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.sales.act("create", "Lead", values=ANN)
        code, text = world.run("release", "leads")
        assert (code, "there is no report of leads yet" in text) == (2, True)
        assert world.run("sync")[0] == 4
        assert world.run("release", "leads")[0] == 0
        assert world.run("release", "leads") == (0, "nothing of leads waits for a release\n")


@pytest.mark.timeout(240)
def test_a_refused_write_is_retried_when_a_person_says_so(world: Running) -> None:
    number = lead(world)
    world.service.fault("PATCH", r"leads\(", status=400, body='{"error": {"code": "0x80040203"}}')
    world.sales.act("update", "Lead", id=number, values={"Title": "Chief"})
    code, _ = world.run("sync", "leads")
    assert code == 3
    world.service.http.delete("/_control/faults")
    (group,) = [g for g in told(world, "issues", "list") if g["what"] == "rejected"]
    issue = group["issues"][0]["id"]
    detail = told(world, "issues", "show", issue)
    assert detail["sides"][0]["values"]["job_title"] == "Boss"
    assert world.run("issues", "resolve", issue, "--same")[0] == 2
    assert world.run("issues", "retry", issue)[0] == 0
    assert world.run("sync", "leads")[0] == 0
    assert world.service.records("lead")[0]["jobtitle"] == "Chief"
    assert told(world, "issues", "list") == []


@pytest.mark.timeout(240)
def test_issues_are_exported_for_a_spreadsheet(world: Running) -> None:
    world.sales.act("create", "Lead", values=ANN)  # she is there twice now
    world.run("sync", "leads")
    file = world.folder / "issues.csv"
    assert world.run("issues", "export", str(file))[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("issue,what,cause,opened,record,state,values")
    code, text = world.run("issues", "resolve", "--what", "identity", "--same", "--keep", "newest")
    assert (code, "nothing was changed" in text) == (0, True)
    code, text = world.run(
        "issues", "resolve", "--what", "identity", "--same", "--keep", "newest", "--yes"
    )
    assert (code, "stays" in text) == (0, True)
