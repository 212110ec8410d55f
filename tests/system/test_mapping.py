"""What a mapping says, over real HTTP: edits put back, an own field, who leaves and comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        yield systems


def configure(world: Running, side: str) -> None:
    written = world.folder / "crm-sync.yaml"
    text = written.read_text()
    assert "service: lead," in text
    written.write_text(text.replace("service: lead,", f"service: {side},"))


def lead(world: Running) -> Any:
    (row,) = world.service.records("lead")
    return row


@pytest.mark.timeout(300)
def test_peers_6_an_edit_that_is_put_back_is_told(world: Running) -> None:
    owned = "{field: jobtitle, direction: to}"
    configure(world, f"{{object: lead, fields: {{job_title: {owned}}}}}")
    world.sales.act("create", "Lead", values=ANN | {"Title": "Buyer"})
    world.settle()
    world.service.act("update", "lead", id=lead(world)["leadid"], values={"jobtitle": "Seller"})
    world.settle()
    assert lead(world)["jobtitle"] == "Buyer"
    (row,) = world.sales.records("Lead")
    assert row["Title"] == "Buyer"
    groups = json.loads(world.run("issues", "list", "--json")[1])
    assert [group["what"] for group in groups] == ["put back"]
    code, text = world.run("history", f"sales:{row['Id']}")
    assert (code, "put back" in text, "Seller" in text) == (0, True, True)


@pytest.mark.timeout(300)
def test_peers_40_who_leaves_a_side_is_left_alone_until_it_passes_again(world: Running) -> None:
    gate = "accept: 'job_title == \"Buyer\"', exit: pause"
    configure(world, f"{{object: lead, {gate}}}")
    world.sales.act("create", "Lead", values=ANN | {"Title": "Buyer"})
    world.settle()
    (row,) = world.sales.records("Lead")
    world.sales.act("update", "Lead", id=row["Id"], values={"Title": "Seller"})
    plan = json.loads(world.run("plan", "leads", "--json")[1])
    assert ("leave", "service/lead") in [(one["does"], one["side"]) for one in plan["lines"]]
    world.settle()
    assert lead(world)["jobtitle"] == "Buyer"
    world.sales.act("update", "Lead", id=row["Id"], values={"Title": "Buyer", "City": "Split"})
    world.settle()
    assert (lead(world)["jobtitle"], lead(world)["address1_city"]) == ("Buyer", "Split")
