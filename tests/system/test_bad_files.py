"""A file, or a mapping, that an organization does not fit: told, and nothing lost meanwhile."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

OBJECTS = {"sales": "Lead", "service": "lead", "profiles": "person"}
#: the field for our key as `check` wants it
KEY_FIELD = {
    "type": "string",
    "length": 36,
    "externalId": True,
    "unique": True,
    "caseSensitive": True,
    "createable": True,
    "updateable": True,
}
TITLES: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "sales": lambda row: row.get("Title"),
    "service": lambda row: row.get("jobtitle"),
    "profiles": lambda row: row["customAttributes"].get("job_title"),
}


def lead(n: int, **more: Any) -> dict[str, Any]:
    person = {"FirstName": f"Ann{n}", "LastName": f"Horvat{n}", "Company": f"Plavi {n}"}
    return person | {"Email": f"ann{n}@plavi.example"} | more


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    """One lead everywhere, and her new title in sales, which has not travelled yet."""
    with running(tmp_path) as systems:
        systems.sales.act("create", "Lead", values=lead(1, Title="Boss"))
        systems.settle()
        retitle(systems, "Chief")
        yield systems


def retitle(world: Running, title: str) -> None:
    (row, *_) = world.sales.records("Lead")
    world.sales.act("update", "Lead", id=row["Id"], values={"Title": title})


def titles(world: Running) -> dict[str, set[str | None]]:
    return {
        name: {told(row) for row in world.systems[name].records(OBJECTS[name])}
        for name, told in TITLES.items()
    }


BAD_FILES = [
    ("wrong key", "kind: lead,", "knid: lead,", "unknown key knid; did you mean kind?"),
    ("wrong type", "region: HR", "region: [HR]", "must be text"),
    ("missing variable", "region: HR", "region: ${NOWHERE}", "variable NOWHERE is not set"),
    ("unknown connector", "connector: dynamics", "connector: dynamic", "did you mean dynamics?"),
    ("lead names a contact", "service: lead,", "service: contact,", "leads match leads"),
    ("lead names a Contact", "sales: Lead,", "sales: Contact,", "leads match leads"),
    ("customer names a lead", "service: contact,", "service: lead,", "leads match leads"),
    ("customer names a Lead", "sales: Contact,", "sales: Lead,", "leads match leads"),
    (
        "unmapped required field",
        "sales: Lead,",
        "sales: {object: Lead, fields: {last_name: null}, required: [last_name]},",
        "a required field must be mapped here",
    ),
]


@pytest.mark.timeout(400)
def test_practice_2_7_and_a_file_that_cannot_be_meant_change_nothing(world: Running) -> None:
    written = world.folder / "crm-sync.yaml"
    right, before = written.read_text(), world.writes()
    for what, old, new, expected in BAD_FILES:
        assert old in right, what
        written.write_text(right.replace(old, new))
        line = right[: right.index(old)].count("\n") + 1
        code, told = world.run("sync")
        assert (code, expected in told) == (2, True), (what, told)
        assert f"crm-sync.yaml:{line}:" in told, (what, told)
    assert world.writes() == before
    written.write_text(right)
    world.settle()
    assert titles(world) == {name: {"Chief"} for name in OBJECTS}


@pytest.mark.timeout(300)
def test_a_field_that_the_organization_requires_and_nobody_maps(world: Running) -> None:
    world.settle()
    written = world.folder / "crm-sync.yaml"
    right = written.read_text()
    unmapped = "{object: Lead, fields: {company_name: null}, required: [last_name]}"
    written.write_text(right.replace("sales: Lead,", f"sales: {unmapped},"))
    code, told = world.run("check")
    assert (code, "Lead.Company is required there, and creates may lack it" in told) == (0, True)
    world.service.act(
        "create",
        "lead",
        values={"firstname": "Eve", "lastname": "Zec", "companyname": "Zub", "jobtitle": "Chief"}
        | {"emailaddress1": "eve@zub.example"},
    )
    retitle(world, "Head")
    code, told = world.run("sync")
    assert (code, "1 issue: rejected" in told) == (3, True)
    code, told = world.run("issues", "list")
    assert "rejected (REQUIRED_FIELD_MISSING, Company)" in told
    assert "for sales/Lead\n    service/lead:" in told  # whose it is, by the record that there is
    assert titles(world) == {
        "sales": {"Head"},
        "service": {"Head", "Chief"},
        "profiles": {"Head", "Chief"},
    }
    written.write_text(right)
    (issue,) = re.findall(r"^  (\d+)  since", told, re.MULTILINE)
    assert world.run("issues", "retry", issue)[0] == 0
    world.settle()
    assert [row["Company"] for row in world.sales.records("Lead")] == ["Plavi 1", "Zub"]
    assert "rejected" not in world.run("issues", "list")[1]


@pytest.mark.timeout(300)
def test_an_organization_without_the_key_field_creates_nothing_and_says_so(world: Running) -> None:
    world.settle()
    world.sales.acts({"action": "alter", "object": "Lead", "field": "CrmSync_Key__c", "to": None})
    world.service.act(
        "create",
        "lead",
        values={"firstname": "Eve", "lastname": "Zec", "companyname": "Zub", "jobtitle": "Chief"}
        | {"emailaddress1": "eve@zub.example"},
    )
    retitle(world, "Head")
    code, told = world.run("check")
    assert code == 0
    assert "Lead.CrmSync_Key__c cannot hold our key" in told
    assert "nothing is created there" in told
    assert world.run("sync")[0] == 0
    assert titles(world) == {
        "sales": {"Head"},
        "service": {"Head", "Chief"},
        "profiles": {"Head", "Chief"},
    }
    (eve,) = [row for row in world.service.records("lead") if row["lastname"] == "Zec"]
    told = world.run("explain", f"service:{eve['leadid']}")[1]
    assert "we can create nothing there; crm-sync check says what is missing" in told
    assert "1 issue waits for a person" in world.run("status")[1]
    assert "create not offered" in world.run("issues", "list")[1]
    (ann,) = [row for row in world.service.records("lead") if row["lastname"] == "Horvat1"]
    world.service.act("update", "lead", id=ann["leadid"], values={"jobtitle": "Founder"})
    assert world.run("sync")[0] == 0
    assert titles(world)["sales"] == {"Founder"}  # who is there is kept equal

    world.sales.acts(
        {"action": "alter", "object": "Lead", "field": "CrmSync_Key__c", "to": KEY_FIELD}
    )
    world.settle()
    assert sorted(row["LastName"] for row in world.sales.records("Lead")) == ["Horvat1", "Zec"]
    assert world.run("issues", "list") == (0, "Nothing waits for a person.\n")
