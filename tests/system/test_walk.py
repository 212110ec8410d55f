"""From nothing to a running service, as a newcomer goes by README alone."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.connectors.processes import KEY
from tests.system.serving import serving, until
from tests.system.world import PROGRAM, Running, running

README = (Path(__file__).parents[2] / "README.md").read_text()
#: the variables that the written file names
SECRETS = {
    "SF_CLIENT_ID": "demo-client",
    "SF_CLIENT_SECRET": "demo-secret-salesforce",
    "DYNAMICS_TENANT_ID": "tenant",
    "DYNAMICS_CLIENT_ID": "demo-client",
    "DYNAMICS_CLIENT_SECRET": "demo-secret-dynamics",
    "INFOBIP_API_KEY": KEY,
}
ANN = {"FirstName": "Ann", "LastName": "Horvat", "Email": "ann@plavi.example", "Company": "Plavi"}
ANN_THERE = {
    "firstname": "Ann",
    "lastname": "Horvat",
    "emailaddress1": "ann@plavi.example",
    "companyname": "Plavi",
}
EVE_THERE = {
    "firstname": "Eve",
    "lastname": "Novak",
    "emailaddress1": "eve@zub.example",
    "companyname": "Zub",
}
#: a test of the web form, which the written entry filter keeps where it is
TEST = {"FirstName": "Tess", "LastName": "Ting", "Email": "t@example.com", "Company": "Any"}
PETRA = {"FirstName": "Petra", "LastName": "Kovac", "Company": "Plavi", "Phone": "01 555 0301"}
#: perhaps the same, perhaps her sister
PETA_THERE = {
    "firstname": "Peta",
    "lastname": "Kovac",
    "companyname": "Plavi",
    "emailaddress1": "peta@plavi.example",
}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person in a folder of their own, with the three systems and README."""

    folder: Path
    world: Running

    def types(self, *arguments: str, code: int = 0) -> str:
        """What is shown for a command; README names it, and its exit code."""
        assert re.search(rf"`(crm-sync )?{arguments[0]}\b", README)
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "200", **SECRETS},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        told = done.stdout + done.stderr
        assert "Traceback" not in told
        assert done.returncode == code, (arguments, told)
        return told

    def asks_about(self, what: str) -> str:
        """The number of the one issue there is."""
        (group,) = json.loads(self.types("issues", "list", "--json"))
        assert (group["what"], group["count"]) == (what, 1)
        return str(group["issues"][0]["id"])

    def fills_in(self) -> None:
        """The simulators' addresses, and that they are meant, in the file that ``init`` wrote."""
        sales, service, profiles = self.world.sales, self.world.service, self.world.profiles
        allowed = "allow_host: [127.0.0.1]"
        written = self.folder / "crm-sync.yaml"
        text = written.read_text()
        for line, mine in (
            ("domain: acme.my.salesforce.com", f"url: {sales.address}\n    {allowed}"
             f"\n    ca_file: {sales.ca_file}\n    safety_lag: 0"),
            ("url: https://acme.crm4.dynamics.com", f"url: {service.address}\n    {allowed}"
             f"\n    ca_file: {service.ca_file}\n    authority: {service.address}/tenant"),
            ("base_url: https://xyz.api.infobip.com",
             f"base_url: {profiles.address}\n    {allowed}"),
            ("every: 1m", "every: 10s"),
        ):  # fmt: skip
            assert line in text
            text = text.replace(line, mine)
        written.write_text(text)

    def people(self) -> dict[str, list[str]]:
        """System -> its leads, each by surname and job title."""
        sales, service, profiles = self.world.sales, self.world.service, self.world.profiles
        found = {
            "sales": [f"{r['LastName']} {r.get('Title')}" for r in sales.records("Lead")],
            "service": [f"{r['lastname']} {r.get('jobtitle')}" for r in service.records("lead")],
            "profiles": [
                f"{r['lastName']} {r['customAttributes'].get('job_title')}"
                for r in profiles.records("person")
            ],
        }
        return {name: sorted(rows) for name, rows in found.items()}


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    folder = tmp_path / "mine"
    folder.mkdir()
    with running(tmp_path) as world:
        world.sales.act("create", "Lead", values=ANN | {"Title": "Boss"})
        world.sales.act("create", "Lead", values=TEST)
        world.service.act("create", "lead", values=ANN_THERE)
        world.service.act("create", "lead", values=EVE_THERE)
        yield Newcomer(folder, world)


def ends(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in said) == (0, False)


@pytest.mark.timeout(300)
def test_from_nothing_to_a_running_service(newcomer: Newcomer) -> None:
    world = newcomer.world
    newcomer.types("init")
    newcomer.fills_in()
    assert "crm-sync.yaml: fine" in newcomer.types("check", "--offline")
    told = newcomer.types("check")
    assert [line for line in told.splitlines() if line.startswith(("sales:", "service:"))]
    assert "cannot be used" not in told

    told = newcomer.types("plan", "leads")
    assert "create sales/Lead" in told
    assert "job_title" in told
    told = newcomer.types("sync", code=4)
    assert "Nothing has been written yet for companies, leads, customers" in told
    assert world.writes() == {"sales": {}, "service": {}, "profiles": {}}
    for name in ("companies", "leads", "customers"):
        assert f"crm-sync release {name}" in told
        newcomer.types("release", name)

    everybody = ["Horvat Boss", "Novak None"]
    with serving(newcomer.folder, **SECRETS) as (process, address):
        until(lambda: newcomer.people()["profiles"] == everybody)
        assert newcomer.people() == {
            "sales": [*everybody, "Ting None"],
            "service": everybody,
            "profiles": everybody,
        }
        (test,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Ting"]
        told = newcomer.types("explain", f"sales:{test['Id']}")
        assert "the filter of the side it comes from keeps it away" in told
        assert httpx.get(f"{address}/healthz").json()["status"] == "ok"
        ends(process)

    # while nobody runs: one field edited in two systems, and two entered who look alike
    (ann,) = [row for row in world.sales.records("Lead") if row["LastName"] == "Horvat"]
    (there,) = [row for row in world.service.records("lead") if row["lastname"] == "Horvat"]
    world.service.act("update", "lead", id=there["leadid"], values={"jobtitle": "Head"})
    world.sales.act("update", "Lead", id=ann["Id"], values={"Title": "Chief"})
    world.sales.act("create", "Lead", values=PETRA)
    world.service.act("create", "lead", values=PETA_THERE)
    with serving(newcomer.folder, **SECRETS) as (process, _):
        until(lambda: all("Horvat Chief" in rows for rows in newcomer.people().values()))
        told = newcomer.types("explain", f"sales:{ann['Id']}", "job_title")
        assert "lost: Head" in told  # sales stands first in the file
        issue = newcomer.asks_about("possible duplicate")
        told = newcomer.types("issues", "show", issue)
        assert "Petra" in told
        assert "Peta" in told
        assert newcomer.types("status").startswith("1 issue waits for a person")
        newcomer.types("issues", "resolve", issue, "--same")
        until(lambda: "Kovac None" in newcomer.people()["profiles"])
        assert newcomer.types("status").startswith("All is well")
        told = newcomer.types("resync", "leads", "--id", f"sales:{ann['Id']}")
        assert "nothing to do: the systems agree" in told
        ends(process)

    everybody = ["Horvat Chief", "Kovac None", "Novak None"]
    assert newcomer.people() == {
        "sales": [*everybody, "Ting None"],
        "service": everybody,
        "profiles": everybody,
    }
    assert newcomer.types("issues", "list") == "Nothing waits for a person.\n"
