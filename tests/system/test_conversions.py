"""Leads converted on behalf of another side, from the command line to the vendors' servers."""

import json
from collections.abc import Iterator

import pytest

from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Email": "ann@plavi.example", "Company": "Plavi"}
PLAIN = "sides: {sales: Lead, service: lead, profiles: person}"
CONVERTING = (
    "sides: {sales: {object: Lead, converts: convert}, service: {object: lead, converts: convert}, "
    "profiles: person}"
)
EVE = {
    "firstname": "Eve",
    "lastname": "Novak",
    "emailaddress1": "eve@zub.example",
    "companyname": "Zub",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("conversions")) as found:
        path = found.folder / "crm-sync.yaml"
        text = path.read_text()
        assert PLAIN in text
        path.write_text(text.replace(PLAIN, CONVERTING))
        yield found


def test_practice_3_3_a_conversion_in_salesforce_qualifies_the_lead_in_dynamics(
    world: Running,
) -> None:
    account = world.sales.act("create", "Account", values={"Name": "Plavi"})["id"]
    lead = world.sales.act("create", "Lead", values=ANN)["id"]
    world.settle()
    world.sales.act("convert", "Lead", id=lead, into={"Account": account})
    for name in ("companies", "customers"):
        code, told = world.run("sync", name, "--yes")
        assert code == 0, told
    (company,) = world.service.records("account")
    code, told = world.run("plan", "leads", "--json")
    (line,) = [one for one in json.loads(told)["lines"] if one["side"] == "service/lead"]
    assert line["does"] == "convert"
    assert line["values"] == {"contact": None, "account": company["accountid"]}
    world.settle()
    (there,) = world.service.records("contact")
    (left,) = world.service.records("lead")
    assert left["statecode"] == 1
    assert there["_originatingleadid_value"] == left["leadid"]
    assert there["_parentcustomerid_value"] == company["accountid"]
    assert world.service.writes()["convert"] == 1
    assert json.loads(world.run("issues", "list", "--json")[1]) == []


def test_practice_3_3_a_qualified_lead_is_converted_in_salesforce(world: Running) -> None:
    number = world.service.act("create", "lead", values=EVE)["id"]
    world.settle()
    (lead,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Novak"]
    world.sales.act("update", "Lead", id=lead["Id"], values={"Title": "Buyer"})
    world.service.act("convert", "lead", id=number)
    world.settle()
    (left,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Novak"]
    (contact,) = [row for row in world.sales.records("Contact") if row["LastName"] == "Novak"]
    assert (left["IsConverted"], left["ConvertedContactId"]) == (True, contact["Id"])
    assert [row["Name"] for row in world.sales.records("Account")] == ["Plavi", "Zub"]
    (there,) = [row for row in world.service.records("contact") if row["lastname"] == "Novak"]
    assert there["jobtitle"] == contact["Title"] == "Buyer"
    assert len(world.service.records("account")) == 2
    assert world.sales.writes()["convert"] == 1
    assert json.loads(world.run("issues", "list", "--json")[1]) == []


def test_practice_3_4_check_says_that_a_side_which_is_to_convert_cannot(world: Running) -> None:
    world.sales.post("switches", may_convert=False)
    told, _ = json.JSONDecoder().raw_decode(world.run("check", "--json")[1])
    world.sales.post("switches", may_convert=True)
    (sales,) = [one for one in told if one["instance"] == "sales"]
    found = {one["level"]: one["what"] for one in sales["findings"] if "converts" in one["what"]}
    assert "lacks the permission Convert Leads" in found["ok"]
    assert found["warning"].startswith("Lead: leads are to be converted there")
