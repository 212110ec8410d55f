"""Leads converted on behalf of another side, from the command line to the vendors' servers."""

import json
from collections.abc import Iterator

import pytest

from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Email": "ann@plavi.example", "Company": "Plavi"}
PLAIN = "sides: {sales: Lead, service: lead, profiles: person}"
CONVERTING = "sides: {sales: Lead, service: {object: lead, converts: convert}, profiles: person}"


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
