"""Decisions over the command line: kept through a full resync, carried to a new state."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.world import Running, running

ANN = {"LastName": "Horvat", "FirstName": "Ann", "Company": "Plavi", "Email": "ann@plavi.example"}
ANA = {"lastname": "Horvat", "firstname": "Ana", "companyname": "Plavi d.o.o.", "subject": "x",
       "mobilephone": "+385 91 555 0177"}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as found:
        yield found


def asked(world: Running, *options: str) -> list[dict[str, object]]:
    code, told = world.run("issues", "list", "--json", *options)
    assert code == 0, told
    groups = [g for g in json.loads(told) if g["what"] in ("identity", "possible duplicate")]
    return [issue for group in groups for issue in group["issues"]]


def test_later_and_different_survive_a_full_resync_and_a_new_state(world: Running) -> None:
    world.sales.act("create", "Lead", values=ANN)
    world.service.act("create", "lead", values=ANA)
    world.settle()
    (question,) = asked(world)
    number = str(question["id"])
    assert question["agree"] == ["name", "company"]  # and never their values
    assert world.run("issues", "resolve", number, "--later")[0] == 0
    assert asked(world) == []
    code, told = world.run("resync", "leads", "--full")
    assert code == 0, told
    assert asked(world) == []
    assert [one["id"] for one in asked(world, "--later")] == [number]

    assert world.run("issues", "resolve", number, "--different")[0] == 0
    world.settle()
    code, told = world.run("decisions", "export", str(world.folder / "said.csv"))
    assert (code, "decisions written to" in told) == (0, True), told
    before = world.writes()
    for file in world.folder.glob("state.db*"):
        file.unlink()
    assert world.run("decisions", "import", str(world.folder / "said.csv"))[1].count("--yes") == 1
    assert world.run("decisions", "import", str(world.folder / "said.csv"), "--yes")[0] == 0
    world.settle()
    assert asked(world) == asked(world, "--later") == []
    assert world.writes() == before
