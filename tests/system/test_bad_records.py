"""Records that a system refuses: the message names the field, the rest goes on, nothing is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

#: what Customer Profiles forbids in names, as its documentation lists it
FORBIDDEN = '&<>"/\\:(){}=;#'
LONG = "x" * 79  #: Salesforce takes 80 in a surname, Dynamics 50


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        yield systems


def lead(n: int, **more: Any) -> dict[str, Any]:
    person = {"FirstName": f"Ann{n}", "LastName": f"Horvat{n}", "Company": f"Plavi {n}"}
    return person | {"Email": f"ann{n}@plavi.example"} | more


def lead_there(n: int, **more: Any) -> dict[str, Any]:
    person = {"firstname": f"Ida{n}", "lastname": f"Zec{n}", "companyname": f"Zub {n}"}
    return person | {"emailaddress1": f"ida{n}@zub.example"} | more


def issues(world: Running, what: str) -> list[dict[str, Any]]:
    """The open issues of a sort, each as ``issues show`` tells it."""
    groups = json.loads(world.run("issues", "list", "--json")[1])
    numbers = [one["id"] for g in groups if g["what"] == what for one in g["issues"]]
    return [json.loads(world.run("issues", "show", number, "--json")[1]) for number in numbers]


def by_mail(rows: list[dict[str, Any]], field: str) -> dict[str, dict[str, Any]]:
    return {str(row[field]): row for row in rows}


def persons(world: Running) -> dict[str, dict[str, Any]]:
    return {
        row["contactInformation"]["email"][0]["address"]: row
        for row in world.profiles.records("person")
    }


@pytest.mark.timeout(300)
def test_practice_4_10_characters_that_customer_profiles_forbids_in_names(world: Running) -> None:
    for n, sign in enumerate(FORBIDDEN):
        name = f"Ann{sign}Mia"
        world.sales.act("create", "Lead", values=lead(n, FirstName=name, LastName=f"Ho{sign}rvat"))
        world.service.act("create", "lead", values=lead_there(n, middlename=f"Eva{sign}Lea"))
    world.sales.act("create", "Lead", values=lead(90, FirstName="##", LastName="Kos"))
    world.sales.act("create", "Lead", values=lead(91))
    assert world.run("sync", "--yes")[0] == 3
    world.settle()

    found, kept = persons(world), by_mail(world.service.records("lead"), "emailaddress1")
    assert len(found) == len(kept) == 2 * len(FORBIDDEN) + 2  # everybody is everywhere
    for n, sign in enumerate(FORBIDDEN):
        person = found[f"ann{n}@plavi.example"]
        assert (person["firstName"], person["lastName"]) == ("Ann Mia", "Ho rvat"), sign
        assert found[f"ida{n}@zub.example"]["middleName"] == "Eva Lea", sign
        there = kept[f"ann{n}@plavi.example"]
        assert (there["firstname"], there["lastname"]) == (f"Ann{sign}Mia", f"Ho{sign}rvat")
    assert found["ann91@plavi.example"]["lastName"] == "Horvat91"
    # nothing is left of this one: its field alone is refused, and told
    assert (
        found["ann90@plavi.example"].get("firstName"),
        found["ann90@plavi.example"]["lastName"],
    ) == (None, "Kos")
    (refused,) = issues(world, "does not fit")
    assert refused["issue"]["field"] == "first_name"
    assert refused["issue"]["cause"] == "holds what is forbidden there: #"
    # the others are told once, by field
    told = {one["issue"]["field"] for one in issues(world, "repaired")}
    assert told == {"first_name", "middle_name", "last_name"}
    before = {row["Email"]: row["FirstName"] for row in world.sales.records("Lead")}
    assert before["ann0@plavi.example"] == "Ann&Mia"  # it never flows back

    # but what a person writes there does
    number = found["ann0@plavi.example"]["id"]
    world.profiles.act("update", "person", id=number, values={"firstName": "Amalia"})
    world.settle()
    assert (
        by_mail(world.sales.records("Lead"), "Email")["ann0@plavi.example"]["FirstName"] == "Amalia"
    )


@pytest.mark.timeout(300)
def test_a_value_longer_than_a_system_takes(world: Running) -> None:
    world.sales.act("create", "Lead", values=lead(1, LastName=LONG))
    world.sales.act("create", "Lead", values=lead(2))
    world.service.act("create", "lead", values=lead_there(3, salutation="Dr. " * 20))
    code, _ = world.run("sync", "--yes")
    assert code == 3
    world.settle()
    # nobody is created without a surname; the others, and the other systems, have gone on
    assert sorted(row["lastname"] for row in world.service.records("lead")) == ["Horvat2", "Zec3"]
    assert {row["lastName"] for row in persons(world).values()} == {LONG, "Horvat2", "Zec3"}
    (ida,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Zec3"]
    assert (ida["Email"], ida.get("Salutation")) == ("ida3@zub.example", None)

    told = {one["issue"]["field"]: one for one in issues(world, "does not fit")}
    causes = {name: one["issue"]["cause"] for name, one in told.items()}
    assert causes == {
        "last_name": "is longer than 50 characters",
        "salutation": "is longer than 40 characters",
    }
    whole = told["last_name"]
    (ann,) = [row for row in world.sales.records("Lead") if row["LastName"] == LONG]
    assert whole["sides"][0]["record"] in (
        f"sales/Lead:{ann['Id']}",
        f"profiles/person:{persons(world)['ann1@plavi.example']['id']}",
    )
    before = world.writes()
    assert world.run("sync")[0] == 0  # what was refused is not tried for ever
    assert world.writes() == before

    # once it fits it goes by itself, once
    world.sales.act("update", "Lead", id=ann["Id"], values={"LastName": "Short"})
    (there,) = [row for row in world.service.records("lead") if row["lastname"] == "Zec3"]
    world.service.act("update", "lead", id=there["leadid"], values={"salutation": "Dr."})
    world.settle()
    assert sorted(row["lastname"] for row in world.service.records("lead")) == [
        "Horvat2",
        "Short",
        "Zec3",
    ]
    (ida,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Zec3"]
    assert ida["Salutation"] == "Dr."
    assert issues(world, "does not fit") == []


@pytest.mark.timeout(300)
def test_a_record_that_lacks_what_is_required_there_is_held_there_alone(world: Running) -> None:
    without = lead_there(1)
    del without["companyname"]
    world.service.act("create", "lead", values=without)
    world.service.act("create", "lead", values=lead_there(2))
    world.settle()
    assert [row["LastName"] for row in world.sales.records("Lead")] == ["Zec2"]
    assert {row["lastName"] for row in persons(world).values()} == {"Zec1", "Zec2"}
    (told,) = issues(world, "required value missing")
    assert told["issue"]["cause"] == "company_name"
    assert told["sides"][0]["values"]["last_name"] == "Zec1"
    (there,) = [row for row in world.service.records("lead") if row["lastname"] == "Zec1"]
    world.service.act("update", "lead", id=there["leadid"], values={"companyname": "Zub"})
    world.settle()
    assert sorted(row["LastName"] for row in world.sales.records("Lead")) == ["Zec1", "Zec2"]


@pytest.mark.timeout(300)
def test_an_update_that_is_too_long_leaves_the_rest_whole(world: Running) -> None:
    world.sales.act("create", "Lead", values=lead(1, Title="Boss"))
    world.settle()
    (row,) = world.sales.records("Lead")
    world.sales.act("update", "Lead", id=row["Id"], values={"LastName": LONG, "Title": "Chief"})
    assert world.run("sync")[0] == 3
    world.settle()
    (there,) = world.service.records("lead")
    assert (there["lastname"], there["jobtitle"]) == ("Horvat1", "Chief")
    (person,) = world.profiles.records("person")
    assert (person["lastName"], person["customAttributes"]["job_title"]) == (LONG, "Chief")
    (told,) = issues(world, "does not fit")
    assert told["issue"]["field"] == "last_name"
    code, text = world.run("explain", f"sales:{row['Id']}", "last_name")
    assert (code, LONG in text) == (0, True)


@pytest.mark.timeout(300)
def test_a_choice_that_nobody_has_mapped_stays_where_it_is(world: Running) -> None:
    world.sales.act("create", "Lead", values=lead(1, LeadSource="Martian", Title="Boss"))
    world.sales.act("create", "Lead", values=lead(2, LeadSource="Web"))
    world.settle()
    found = by_mail(world.service.records("lead"), "emailaddress1")
    assert found["ann1@plavi.example"].get("leadsourcecode") is None
    assert found["ann1@plavi.example"]["jobtitle"] == "Boss"
    assert found["ann2@plavi.example"]["leadsourcecode"] is not None
    row = by_mail(world.sales.records("Lead"), "Email")["ann1@plavi.example"]
    assert row["LeadSource"] == "Martian"  # left alone, never overwritten
    code, text = world.run("explain", f"sales:{row['Id']}", "lead_source")
    assert (code, "is not in the value map" in text) == (0, True)
    (told,) = issues(world, "unknown choice")
    assert (told["issue"]["cause"], told["issue"]["field"]) == ("Martian", "lead_source")
    world.sales.act("update", "Lead", id=row["Id"], values={"LeadSource": "Web"})
    world.settle()  # one that is mapped travels again
    found = by_mail(world.service.records("lead"), "emailaddress1")
    codes = {row["leadsourcecode"] for row in found.values()}
    assert (len(codes), None in codes) == (1, False)


@pytest.mark.timeout(300)
def test_a_choice_that_the_organization_does_not_offer(world: Running) -> None:
    written = world.folder / "crm-sync.yaml"
    before = written.read_text()
    values = "{web: 4711, partner: 4}"
    mapped = (
        f"{{object: lead, fields: {{lead_source: {{field: leadsourcecode, values: {values}}}}}}}"
    )
    written.write_text(before.replace("service: lead,", f"service: {mapped},"))
    code, told = world.run("check")
    assert (code, "lead.leadsourcecode does not offer 4711" in told) == (0, True)
    world.sales.act("create", "Lead", values=lead(1, LeadSource="Web", Title="Boss"))
    world.sales.act("create", "Lead", values=lead(2, LeadSource="Partner Referral"))
    assert world.run("sync", "--yes")[0] == 3
    world.settle()
    found = by_mail(world.service.records("lead"), "emailaddress1")
    ann = found["ann1@plavi.example"]
    assert (ann.get("leadsourcecode"), ann["jobtitle"], ann["lastname"]) == (
        None,
        "Boss",
        "Horvat1",
    )
    assert found["ann2@plavi.example"]["leadsourcecode"] == 4
    assert len(persons(world)) == 2
    (told_of,) = issues(world, "does not fit")
    assert told_of["issue"]["cause"] == "is not among the choices there"
    assert told_of["issue"]["field"] == "lead_source"
    assert (
        by_mail(world.sales.records("Lead"), "Email")["ann1@plavi.example"]["LeadSource"] == "Web"
    )

    written.write_text(before)  # the value map is put right
    assert world.run("issues", "retry", told_of["issue"]["id"])[0] == 0
    world.settle()
    found = by_mail(world.service.records("lead"), "emailaddress1")
    assert found["ann1@plavi.example"]["leadsourcecode"] is not None
    assert issues(world, "does not fit") == []
