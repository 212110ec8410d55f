"""The commands as an operator uses them, against three running systems."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.processes import profiles
from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Email": "ann@plavi.example", "Title": "Boss"}
ANN_THERE = {
    "firstname": "Ann",
    "lastname": "Horvat",
    "emailaddress1": "ann@plavi.example",
    "jobtitle": "Buyer",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        account = systems.sales.act("create", "Account", values={"Name": "Plavi"})["id"]
        systems.sales.act("create", "Contact", values={**ANN, "AccountId": account})
        systems.service.act("create", "contact", values=ANN_THERE)
        yield systems


def side(told: dict[str, Any], instance: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row for row in told["sides"] if (row["instance"], row["object"]) == (instance, name)
    )
    return found


@pytest.mark.timeout(200)
def test_practice_1_3_the_first_sync_stops_with_its_report(world: Running) -> None:
    code, told = world.run("sync")
    assert code == 4
    for expected in (
        "Nothing has been written yet for companies, leads, customers",
        "crm-sync release customers",
        "Conflicts settled by precedence, losers kept: job_title 1",
        "API calls: profiles",
        "API calls, at most",
    ):
        assert expected in told
    assert world.writes() == {"sales": {}, "service": {}, "profiles": {}}
    summary = json.loads(world.run("sync", "--json")[1])
    assert side(summary, "profiles", "person")["linked"] == 0
    update = next(one for one in summary["samples"] if one["does"] == "update")
    assert (update["side"], update["fields"]) == ("service/contact", ["job_title"])
    assert "Boss" not in json.dumps(summary)

    assert world.run("release", "customers") == (0, "customers may write from its next sync on\n")
    code, told = world.run("sync")
    assert code == 4  # companies and leads still wait
    assert world.writes()["service"] == {"update": 1}
    # she waits for her company, which may not be created yet
    assert world.writes()["profiles"] == {}
    for name in ("leads", "companies"):
        world.run("release", name)
    assert world.run("sync")[0] == 0
    assert world.writes()["profiles"]["create"] == 2
    (person,) = world.profiles.records("person")
    (company,) = world.profiles.records("company")
    assert person["customAttributes"]["crmsync_company_id"] == str(company["id"])
    code, told = world.run("status")
    assert code == 0
    assert "All is well" in told
    assert world.run("issues", "list") == (0, "Nothing waits for a person.\n")


@pytest.mark.timeout(200)
def test_practice_1_5_another_organization_stops_its_instance(
    world: Running, tmp_path: Path
) -> None:
    world.settle()
    configuration = world.folder / "crm-sync.yaml"
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    with profiles(other_folder) as other:
        text = configuration.read_text().replace(world.profiles.address, other.address)
        configuration.write_text(text)
        world.sales.act(
            "create", "Lead", values={**ANN, "Company": "Plavi", "Email": "a@b.example"}
        )
        code, told = world.run("sync", "--yes")
        assert code == 3
        assert "but was linked with" in told
        assert "crm-sync rebind profiles" in told
        assert other.records("person") == []
        assert len(world.service.records("lead")) == 1  # the others go on
        code, told = world.run("check")
        assert code == 1
        assert "crm-sync rebind profiles" in told
        code, told = world.run("rebind", "profiles")
        assert (code, "listed anew" in told) == (0, True)
        assert world.run("check")[0] == 0


@pytest.mark.timeout(200)
def test_wrong_use_is_told_with_its_remedy(world: Running) -> None:
    for arguments, code, expected in (
        (("sync", "contacts"), 2, "configured are: companies, leads, customers"),
        (("release", "contacts"), 2, "there is no sync contacts"),
        (("rebind", "crm"), 2, "configured are: sales, service, profiles"),
        (("check", "--offline"), 0, "fine (the systems were not asked)"),
        (("check",), 0, "sales: "),
        (("nonsense",), 2, "No such command"),
    ):
        found, told = world.run(*arguments)
        assert (found, expected in told) == (code, True), (arguments, told)
