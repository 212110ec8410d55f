"""The service: runs on its schedule, takes a new configuration, ends in time."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.serving import serving, until
from tests.system.world import Running, running


def configure(world: Running, **changes: str) -> None:
    path = world.folder / "crm-sync.yaml"
    text = path.read_text().replace("every: 1m", "every: 10s")
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(text)


def lead(n: int, **more: Any) -> dict[str, Any]:
    person = {"FirstName": f"Ann{n}", "LastName": f"Horvat{n}", "Company": f"Plavi {n}"}
    return person | {"Email": f"ann{n}@plavi.example"} | more


@pytest.mark.timeout(200)
def test_an_edit_travels_while_the_service_runs_and_sigterm_ends_it(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        configure(world)
        world.sales.act("create", "Lead", values=lead(1))
        assert world.run("sync", "--yes")[0] == 0
        with serving(world.folder) as (process, address):
            (there,) = world.service.records("lead")
            world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Boss"})
            until(lambda: world.sales.records("Lead")[0].get("Title") == "Boss")
            assert httpx.get(f"{address}/healthz").json()["status"] == "ok"
            code, told = world.run("sync", "leads")  # beside the service, by its leases
            assert code == 0, told
            world.folder.joinpath("crm-sync.yaml").write_text("nonsense: true\n")
            process.send_signal(signal.SIGHUP)
            world.sales.act("create", "Lead", values=lead(2))
            until(lambda: len(world.service.records("lead")) == 2)
            for _ in range(2):  # as a terminal and a wrapper do, each for itself
                process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in said
        assert "configuration refused, the old one stays" in said
        assert "unknown key nonsense" in said


def entered(world: Running, *numbers: int) -> None:
    for number in numbers:
        world.sales.act("create", "Lead", values=lead(number))


def open_writes(world: Running) -> int:
    """Rows of ``sent`` that may have landed."""
    with closing(sqlite3.connect(world.folder / "state.db")) as state:
        (number,) = state.execute("select count(*) from sent where result is null").fetchone()
    return int(number)


@pytest.mark.timeout(200)
def test_practice_8_4_a_command_beside_the_service_is_refused_queued_or_joins(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as world:
        configure(world, **{"every: 10s": "every: 1h"})  # one run, at its start
        entered(world, 1)
        assert world.run("sync", "--yes")[0] == 0
        (there,) = world.service.records("lead")
        name = f"service:{there['leadid']}"
        held = world.service.post("faults", method="GET", path="leads", effect={"hold": "after"})
        with serving(world.folder) as (process, _):
            assert world.service.get(f"faults/{held['id']}", wait=60)["fired"] == 1
            code, told = world.run("resync", "leads", "--id", name, "--wait", "0")
            assert code == 5
            assert "another run is active: pull:" in told
            assert f":{process.pid} until" in told  # the run that holds it
            world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Boss"})
            queued = world.start("resync", "leads", "--id", name)
            world.service.http.delete("/_control/faults")
            told, _ = queued.communicate(timeout=100)
            assert queued.returncode == 0, told
            code, told = world.run("sync", "leads")  # joins by the same leases
            assert code == 0, told
            assert world.sales.records("Lead")[0]["Title"] == "Boss"
            world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Chief"})
            code, told = world.run("resync", "leads", "--id", name, "--json")
            assert code == 0, told
            changed = {(one["does"], one["side"]) for one in json.loads(told)["lines"]}
            assert changed == {("update", "sales/Lead"), ("update", "profiles/person")}


@pytest.mark.timeout(200)
def test_practice_8_5_a_call_without_an_answer_gets_8_seconds_and_stays_sent(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as world:
        configure(world)
        entered(world, 1)
        assert world.run("sync", "--yes")[0] == 0
        entered(world, 2)
        create = {"method": "PATCH", "path": r"leads\("}
        held = world.service.post("faults", **create, effect={"hold": "after"})
        with serving(world.folder) as (process, _):
            assert world.service.get(f"faults/{held['id']}", wait=60)["fired"] == 1
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 6
        assert "left with calls unanswered" in said
        assert open_writes(world)
        world.service.http.delete("/_control/faults")
        world.settle()
        assert len(world.service.records("lead")) == 2  # nobody is there twice


@pytest.mark.timeout(200)
def test_practice_8_5_asked_to_end_it_begins_no_new_work(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        configure(world)
        entered(world, 1)
        assert world.run("sync", "--yes")[0] == 0
        entered(world, 2, 3)
        create = {"method": "PATCH", "path": r"leads\("}
        held = world.service.post("faults", **create, effect={"hold": "after"})
        with serving(world.folder) as (process, _):
            assert world.service.get(f"faults/{held['id']}", wait=60)["fired"] == 1
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            assert any('"stopping"' in line for line in process.stderr)
            world.service.http.delete("/_control/faults")  # its call ends in time
            _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert len(world.service.records("lead")) == 2
        world.settle()
        assert len(world.service.records("lead")) == 3
