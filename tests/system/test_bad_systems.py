"""Systems that cannot work as configured: told with the remedy, in nobody else's way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

ANN = {"firstname": "Ann", "lastname": "Horvat", "emailaddress1": "ann@plavi.example"}
BOB = {"FirstName": "Bob", "LastName": "Novak", "Email": "bob@crveni.example", "Company": "Crveni"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        yield systems


def ann(world: Running) -> None:
    world.service.act("create", "lead", values=ANN | {"companyname": "Plavi", "jobtitle": "Buyer"})


def alter(world: Running, field: str, to: dict[str, Any] | None) -> None:
    """Salesforce's administrator changes a field of the lead; None takes it from our sight."""
    world.sales.act("alter", "Lead", field=field, to=to)


def everywhere(world: Running) -> bool:
    found = (
        {row["LastName"] for row in world.sales.records("Lead")},
        {row["lastname"] for row in world.service.records("lead")},
        {row["lastName"] for row in world.profiles.records("person")},
    )
    return found == ({"Horvat"},) * 3 and all(len(names) == 1 for names in found)


def go_on_without(world: Running, name: str) -> str:
    """Ann is new in a system that works; gives what ``sync`` says of the one that does not."""
    if name == "service":
        world.sales.act("create", "Lead", values=BOB | {"LastName": "Horvat"})
    else:
        ann(world)
    before = world.writes()
    code, told = world.run("sync")
    assert code == 3, told
    wrote = {system for system, writes in world.writes().items() if writes != before[system]}
    (other,) = {"sales", "service", "profiles"} - {
        name,
        "sales" if name == "service" else "service",
    }
    assert wrote == {other}
    return told


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", ["sales", "service", "profiles"])
def test_wrong_credentials_stop_that_instance_and_are_told(world: Running, name: str) -> None:
    world.settle()
    secret = world.folder / f"{name}-secret"
    right = secret.read_text()
    secret.write_text("wrong-secret-canary")
    code, told = world.run("check")
    assert code == 1, told
    assert f"{name}: " in told
    assert "remedy: " in told
    told += go_on_without(world, name)
    assert "canary" not in told
    assert f"{name} cannot be used" in world.run("status")[1]
    secret.write_text(right)
    world.settle()
    assert everywhere(world)


@pytest.mark.timeout(200)
def test_an_unreachable_host_is_told_and_the_others_go_on(world: Running) -> None:
    world.settle()
    file = world.folder / "crm-sync.yaml"
    right = file.read_text()
    file.write_text(right.replace(world.sales.address, "https://127.0.0.1:9"))
    told = go_on_without(world, "sales")
    assert "127.0.0.1:9" in told
    file.write_text(right)
    world.settle()
    assert everywhere(world)


@pytest.mark.timeout(200)
def test_without_a_field_for_our_key_nothing_is_created_there_and_the_rest_goes_on(
    world: Running,
) -> None:
    alter(world, "CrmSync_Key__c", None)
    ann(world)
    bob = world.sales.act("create", "Lead", values=BOB)["id"]
    code, told = world.run("check")
    assert code == 0, told
    assert "Lead.CrmSync_Key__c cannot hold our key" in told
    assert "nothing is created there" in told
    world.run("sync", "--yes")
    world.settle()
    assert {row["LastName"] for row in world.sales.records("Lead")} == {"Novak"}
    assert {row["lastname"] for row in world.service.records("lead")} == {"Horvat", "Novak"}
    (there,) = (row for row in world.service.records("lead") if row["lastname"] == "Novak")
    world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Chief"})
    world.settle()
    (row,) = world.sales.records("Lead")
    assert (row["Id"], row["Title"]) == (bob, "Chief")  # what is there is kept equal


@pytest.mark.timeout(200)
def test_i_37_a_field_that_salesforce_hides_from_us_is_paused(world: Running) -> None:
    ann(world)
    world.settle()
    (lead,) = world.sales.records("Lead")
    alter(world, "Title", None)
    (there,) = world.service.records("lead")
    new = {"jobtitle": "Owner", "firstname": "Anna"}
    world.service.act("update", "lead", id=there["leadid"], values=new)
    code, told = world.run("sync")
    assert code == 0, told
    code, told = world.run("check")
    assert code == 0, told
    assert "Lead.Title cannot be read; the field is paused" in told
    code, told = world.run("issues", "list")
    assert "field paused" in told
    assert "job_title" in told
    (lead,) = world.sales.records("Lead")
    assert (lead["FirstName"], lead["Title"]) == ("Anna", "Buyer")
    (there,) = world.service.records("lead")
    assert there["jobtitle"] == "Owner"  # nothing is cleared


@pytest.mark.timeout(200)
def test_i_37_a_column_that_dynamics_secures_is_not_taken_for_empty(world: Running) -> None:
    ann(world)
    world.settle()
    world.service.post("switches", secured=["lead.jobtitle"])
    (there,) = world.service.records("lead")
    world.service.act("update", "lead", id=there["leadid"], values={"firstname": "Anna"})
    code, told = world.run("sync")
    assert code == 0, told
    (lead,) = world.sales.records("Lead")
    assert (lead["FirstName"], lead["Title"]) == ("Anna", "Buyer")
    world.service.post("switches", secured=[])
    world.settle()
    assert world.run("issues", "list") == (0, "Nothing waits for a person.\n")
