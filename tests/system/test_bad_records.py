"""Records that a system refuses: told, held in that field alone, and in nobody else's way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

FORBIDDEN = '&<>"/\\\n\r:(){}=;#'  #: in names of Customer Profiles, as its documentation lists them
PARTS = ("firstName", "middleName", "lastName")
BREAKS = "\n\r"  #: a name is one line: they are blanks before they get there


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Path(tmp_path_factory.mktemp("bad"))) as systems:
        for n, sign in enumerate(FORBIDDEN):
            for part in PARTS:
                values = {"firstname": f"Ann{n}", "lastname": f"Horvat{n}", "companyname": f"F{n}"}
                values |= {"emailaddress1": f"{part}{n}@x.example", "jobtitle": "Buyer"}
                values[part.lower()] = f"{values.get(part.lower(), 'Eva')}{part}{sign}b"
                systems.service.act("create", "lead", values=values)
        good = {"FirstName": "Good", "LastName": "Neighbour", "Email": "g@good.example"}
        systems.sales.act("create", "Lead", values=good | {"Company": "Good"})
        long = {"firstname": "F" * 41, "lastname": "Long", "emailaddress1": "long@x.example"}
        systems.service.act("create", "lead", values=long | {"companyname": "Long"})
        without = {"firstname": "No", "lastname": "Firm", "emailaddress1": "nofirm@x.example"}
        systems.service.act("create", "lead", values=without)
        odd = {"FirstName": "Odd", "LastName": "Choice", "Email": "odd@x.example"}
        odd |= {"Company": "Odd", "LeadSource": "Phone Inquiry"}
        systems.sales.act("create", "Lead", values=odd)
        code, told = systems.run("sync", "--yes")
        assert code == 3, told  # a partly failed run is never green
        systems.settle()
        yield systems


def issues(world: Running, what: str) -> list[dict[str, Any]]:
    code, told = world.run("issues", "list", "--json")
    assert code == 0, told
    return [group for group in json.loads(told) if group["what"] == what]


def by_mail(world: Running) -> dict[str, dict[str, Any]]:
    found = {}
    for row in world.profiles.records("person"):
        for one in row["contactInformation"].get("email", []):
            found[one["address"]] = row
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", PARTS)
def test_a_name_that_customer_profiles_refuses_keeps_nothing_else_away(
    world: Running, part: str
) -> None:
    people = by_mail(world)
    for n, sign in enumerate(FORBIDDEN):
        row = people[f"{part}{n}@x.example".lower()]
        if sign in BREAKS:
            assert row[part].endswith(f"{part} b")
        else:
            assert part not in row, (sign, row)  # not half-written, not another name
        assert row["customAttributes"]["job_title"] == "Buyer"
        assert all(row.get(other) for other in ("firstName", "lastName") if other != part)


@pytest.mark.timeout(300)
def test_each_forbidden_character_is_named_and_nothing_is_lost(world: Running) -> None:
    causes = {group["cause"]: group["count"] for group in issues(world, "rejected")}
    signs = [sign for sign in FORBIDDEN if sign not in BREAKS]
    assert {f"{part}: forbidden characters: {sign!r}": 1 for part in PARTS for sign in signs} == {
        cause: count for cause, count in causes.items() if "forbidden" in cause
    }
    wanted = {f"Ann{n}firstName{s}b" for n, s in enumerate(FORBIDDEN) if s not in BREAKS}
    assert wanted <= {row["FirstName"] for row in world.sales.records("Lead")}
    assert wanted <= {row["firstname"] for row in world.service.records("lead")}


@pytest.mark.timeout(300)
def test_a_value_that_is_too_long_there_is_held_and_the_rest_arrives(world: Running) -> None:
    (row,) = (r for r in world.sales.records("Lead") if r["LastName"] == "Long")
    assert row["FirstName"] is None
    assert row["Email"] == "long@x.example"
    assert any("STRING_TOO_LONG" in group["cause"] for group in issues(world, "rejected"))
    assert by_mail(world)["long@x.example"]["firstName"] == "F" * 41
    (own,) = (r for r in world.service.records("lead") if r["lastname"] == "Long")
    assert own["firstname"] == "F" * 41


@pytest.mark.timeout(300)
def test_a_record_that_lacks_what_is_required_there_is_held_there_alone(world: Running) -> None:
    assert not [r for r in world.sales.records("Lead") if r["LastName"] == "Firm"]
    (group,) = issues(world, "required value missing")
    assert group["cause"] == "company_name"
    assert by_mail(world)["nofirm@x.example"]["lastName"] == "Firm"


@pytest.mark.timeout(300)
def test_a_choice_that_no_value_map_knows_is_told_and_left_alone(world: Running) -> None:
    (row,) = (r for r in world.sales.records("Lead") if r["LastName"] == "Choice")
    assert row["LeadSource"] == "Phone Inquiry"
    (there,) = (r for r in world.service.records("lead") if r["lastname"] == "Choice")
    assert there["leadsourcecode"] is None
    assert [group["cause"] for group in issues(world, "unknown choice")] == ["Phone Inquiry"]


@pytest.mark.timeout(300)
def test_the_good_neighbour_is_everywhere_and_nobody_is_twice(world: Running) -> None:
    assert by_mail(world)["g@good.example"]["firstName"] == "Good"
    people = len(FORBIDDEN) * len(PARTS) + 4
    assert len(world.service.records("lead")) == people
    assert len(world.profiles.records("person")) == people
    assert len(world.sales.records("Lead")) == people - 1  # the one without a company
