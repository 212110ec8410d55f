"""The service: runs on its schedule, takes a new configuration, ends in time, outlives kill -9."""

import signal
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


@pytest.mark.timeout(200)
def test_a_system_that_hangs_keeps_nobody_here(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        configure(world)
        world.sales.act("create", "Lead", values=lead(1))
        held = world.sales.post("faults", method="GET", path="query", effect={"hold": "after"})
        with serving(world.folder) as (process, _):
            assert world.sales.get(f"faults/{held['id']}", wait=60)["fired"] == 1
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 6
        assert "left with calls unanswered" in said


#: where the service is killed: system, method, path, requests of that sort that pass before
PULLING = [
    ("sales", "GET", "queryAll", 4),
    ("service", "GET", "v9.2/leads$", 0),
    ("profiles", "GET", "/people/2/persons$", 1),
]
#: each PATCH and the batch between creates' commits and our recording of them
PUSHING = [
    ("sales", "GET", "queryAll", 5),
    ("sales", "PATCH", "composite/sobjects", 0),
    ("service", "GET", "v9.2/leads$", 1),
    ("service", "PATCH", r"leads\(", 0),
    ("service", "PATCH", r"leads\(", 2),
    ("profiles", "POST", "persons/match", 0),
    ("profiles", "POST", "persons/batch", 0),
]
OBJECTS = {"sales": "Lead", "service": "lead", "profiles": "person"}


def kill_at(world: Running, system: str, method: str, path: str, skip: int) -> None:
    """Kill the service while a request of the system is answered, its work done."""
    server = world.systems[system]
    plan = {"method": method, "path": path, "skip": skip, "effect": {"hold": "after"}}
    number = server.post("faults", **plan)["id"]
    with serving(world.folder) as (process, _):
        fired = server.get(f"faults/{number}", wait=25)["fired"]
        process.kill()
        process.communicate()
    assert fired == 1, (system, method, path)
    server.http.delete("/_control/faults")


def kill_while_matching(world: Running) -> None:
    """Kill the service when the last system has just been read."""
    answered = world.profiles.get("counts")["calls"] + 7
    with serving(world.folder) as (process, _):
        until(lambda: bool(world.profiles.get("counts")["calls"] >= answered))
        process.kill()
        process.communicate()


@pytest.mark.timeout(400)
def test_a_first_load_killed_at_ten_moments_doubles_nobody(tmp_path: Path) -> None:
    """One load, killed again and again: each start goes on where the last one was cut off."""
    with running(tmp_path) as world:
        configure(world)
        for n in range(8):
            world.sales.act("create", "Lead", values=lead(n))
        for n in range(6, 14):
            values = {"firstname": f"Ann{n}", "lastname": f"Horvat{n}", "companyname": f"Plavi {n}"}
            world.service.act(
                "create", "lead", values=values | {"emailaddress1": f"ann{n}@plavi.example"}
            )
        for moment in PULLING:
            kill_at(world, *moment)
        kill_while_matching(world)
        world.run("sync", "leads")  # reads, and stops before its first write
        assert world.run("release", "leads")[0] == 0
        for moment in PUSHING:
            kill_at(world, *moment)
        world.settle()
        for system, name in OBJECTS.items():
            rows = [str(row) for row in world.systems[system].records(name)]
            for n in range(14):
                found = sum(f"ann{n}@plavi.example" in row for row in rows)
                assert found == 1, (system, n, found)
