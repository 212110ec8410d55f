"""A plan is what the sync then writes: record by record, field by field, counted by the systems."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

#: what a connector adds of itself: keys, and values that a new record needs there
OWN = {"CrmSync_Key__c", "externalId", "subject", "type"}
#: native field names of Customer Profiles -> where the API holds them
PARTS = {"emails": "contactInformation", "phones": "contactInformation"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        for n in range(6):
            systems.sales.act("create", "Lead", values=lead(n, Title="Boss", City="Split"))
        for n in range(3, 9):
            systems.service.act("create", "lead", values=service_lead(n, jobtitle="Buyer"))
        yield systems


def lead(n: int, **more: Any) -> dict[str, Any]:
    person = {"FirstName": f"Ann{n}", "LastName": f"Horvat{chr(97 + n)}", "Company": f"Plavi {n}"}
    return person | {"Email": f"ann{n}@plavi{n}.example"} | more


def service_lead(n: int, **more: Any) -> dict[str, Any]:
    person = {
        "firstname": f"Ann{n}",
        "lastname": f"Horvat{chr(97 + n)}",
        "companyname": f"Plavi {n}",
    }
    return person | {"emailaddress1": f"ann{n}@plavi{n}.example"} | more


def planned(world: Running) -> list[tuple[Any, ...]]:
    """(instance, action, record, fields) of every write, in one order."""
    code, told = world.run("plan", "leads", "--json")
    assert code == 0, told
    found = []
    for line in json.loads(told)["lines"]:
        if line["does"] not in ("create", "update", "clear", "convert", "delete"):
            continue
        instance = line["side"].split("/")[0]
        record = None if line["does"] == "create" else line["record"].split(":", 1)[1]
        action = {"clear": "update", "convert": "update"}.get(line["does"], line["does"])
        names = {PARTS.get(name, name.split(".")[0]) for name in line["values"]}
        found.append((instance, action, record, tuple(sorted(names - OWN))))
    return sorted(found, key=str)


def written(world: Running, since: Mapping[str, int]) -> list[tuple[Any, ...]]:
    """The same, of what the systems counted; one write may take several calls there."""
    found: dict[tuple[Any, ...], set[str]] = {}
    for instance, server in world.systems.items():
        for write in server.get("journal", since=since[instance])["writes"]:
            if write["by"] == "api":
                place = (instance, write["action"], write["object"], write["id"])
                found.setdefault(place, set()).update(write["fields"])
    lines = [
        (instance, action, None if action == "create" else record, tuple(sorted(fields - OWN)))
        for (instance, action, _, record), fields in found.items()
    ]
    return sorted(lines, key=str)


def journals(world: Running) -> dict[str, int]:
    return {name: server.get("journal", since=0)["next"] for name, server in world.systems.items()}


@pytest.mark.timeout(240)
def test_the_plan_is_what_the_sync_then_writes(world: Running) -> None:
    since = journals(world)
    plan = planned(world)
    assert [line[:2] for line in plan].count(("service", "create")) == 3
    assert written(world, since) == []  # a plan writes nothing anywhere
    assert world.run("status", "--json")[1].count('"waits for release"') == 3

    assert world.run("sync", "leads", "--yes")[0] == 0
    assert written(world, since) == plan

    since = journals(world)
    first, second, third = world.sales.records("Lead")[:3]
    moved = {"Title": "Chief", "Phone": "01 555 0101"}
    world.sales.act("update", "Lead", id=first["Id"], values=moved)
    world.sales.act("update", "Lead", id=second["Id"], values={"Title": None})
    world.sales.act("update", "Lead", id=third["Id"], values={"Email": "new@plavi2.example"})
    world.service.act("create", "lead", values=service_lead(9))
    plan = planned(world)
    assert {line[1] for line in plan} == {"create", "update"}
    assert planned(world) == plan  # and changes nothing of what it would do
    assert world.run("sync", "leads")[0] == 0
    assert written(world, since) == plan
    assert planned(world) == []


@pytest.mark.timeout(240)
def test_a_plan_tells_old_new_rule_and_cost(world: Running) -> None:
    code, told = world.run("plan", "leads", "--json", "-o", str(world.folder / "plan.json"))
    assert code == 0
    assert (world.folder / "plan.json").stat().st_mode & 0o777 == 0o600
    plan = json.loads(told)
    assert plan == json.loads((world.folder / "plan.json").read_text())
    conflict = next(
        change
        for line in plan["lines"]
        if line["does"] == "update" and line["side"] == "service/lead"
        for change in line["fields"]
        if change["field"] == "job_title"
    )
    assert conflict == {
        "field": "job_title",
        "old": "Buyer",
        "new": "Boss",
        "rule": "first contact",
        "by": "sales",
    }
    links = [line for line in plan["lines"] if line["does"] == "link"]
    assert {line["rule"] for line in links} == {"email_name"}
    assert plan["calls"].keys() == {"sales", "service", "profiles"}
    code, text = world.run("plan", "leads")
    assert code == 0
    for expected in ("update service/lead:", "first contact (sales)", "Buyer", "API calls: "):
        assert expected in text
