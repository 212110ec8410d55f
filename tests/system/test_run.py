"""The service: runs on its schedule, takes a new configuration, ends in time."""

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
