"""From nothing to a running service, step by step as README.md says, with real systems."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.system.test_operator import ANN, told
from tests.system.test_run import serving, until
from tests.system.world import PROGRAM, Running, running

BOB = {"FirstName": "Bob", "LastName": "Novak", "Email": "bob@crveni.example", "Company": "Crveni"}
#: resembles Bob, and has nothing that links
ROB = {"firstname": "Bob", "lastname": "Nowak", "companyname": "Crveni"}


def fill_in(world: Running) -> None:
    """What a new user does to the file that ``init`` has written."""
    path = world.folder / "crm-sync.yaml"
    text = path.read_text()
    here, service = "    allow_host: [127.0.0.1]\n", world.service
    for old, new in {
        "region: DE": "region: HR",
        "every: 15m": "every: 10s",
        "every: 1m": "every: 10s",
        "domain: acme.my.salesforce.com": f"url: {world.sales.address}\n    ca_file: sales-ca",
        "${SF_CLIENT_ID}": "demo-client",
        "client_secret: ${SF_CLIENT_SECRET}": "client_secret_file: sales-secret",
        "    external_id_field:": f"{here}    external_id_field:",
        "https://acme.crm4.dynamics.com": f"{service.address}\n    ca_file: service-ca",
        "${DYNAMICS_TENANT_ID}": f"tenant\n    authority: {service.address}/tenant",
        "${DYNAMICS_CLIENT_ID}": "demo-client",
        "    client_secret: ${DYNAMICS": f"{here}    client_secret_file: service-secret # ",
        "https://xyz.api.infobip.com": f"{world.profiles.address}\n{here}",
        "api_key: ${INFOBIP_API_KEY}": "api_key_file: profiles-secret",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    text = text.replace("sales-ca", world.sales.ca_file).replace("service-ca", service.ca_file)
    path.write_text(text)


def people(world: Running) -> dict[str, list[str]]:
    """System -> the surnames of its leads."""
    return {
        "sales": sorted(row["LastName"] for row in world.sales.records("Lead")),
        "service": sorted(row["lastname"] for row in world.service.records("lead")),
        "profiles": sorted(row["lastName"] for row in world.profiles.records("person")),
    }


def title(row: dict[str, Any]) -> str | None:
    return row.get("jobtitle")


@pytest.mark.timeout(400)
def test_from_nothing_to_a_running_service(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.folder.joinpath("crm-sync.yaml").unlink()
        ann = world.sales.act("create", "Lead", values=ANN | {"Title": "Buyer"})["id"]
        bob = world.sales.act("create", "Lead", values=BOB)["id"]
        world.service.act("create", "lead", values=ROB)

        # 1. a file of one's own
        file = str(world.folder / "crm-sync.yaml")
        subprocess.run([PROGRAM, "init", file], check=True, capture_output=True)
        fill_in(world)
        # 2. can each system work as configured?
        code, said = world.run("check")
        assert code == 0, said
        assert all(f"{name}: " in said for name in world.systems)
        # 3. the first sync stops before its first write; a plan tells each write
        code, said = world.run("sync")
        assert code == 4, said
        assert "crm-sync release leads" in said
        plan = told(world, "plan", "leads")
        assert {(line["does"], line["side"]) for line in plan["lines"]} >= {
            ("create", "service/lead"),
            ("create", "profiles/person"),
            ("ask", "service/lead"),
        }
        assert world.writes() == {"sales": {}, "service": {}, "profiles": {}}
        # 4. it is let go
        for name in ("companies", "leads", "customers"):
            code, said = world.run("release", name)
            assert code == 0, said
        # 5. the service
        with serving(world) as (process, _):
            until(lambda: len(world.service.records("lead")) == 2)  # Ann, and the look-alike
            (there,) = (r for r in world.service.records("lead") if r["firstname"] == "Ann")
            until(lambda: len(world.profiles.records("person")) == 1)
            # an edit in two systems, each of another field
            world.sales.act("update", "Lead", id=ann, values={"Title": "Owner"})
            world.service.act(
                "update", "lead", id=there["leadid"], values={"telephone1": "01 555 0101"}
            )
            until(
                lambda: (
                    {title(row) for row in world.service.records("lead")} == {"Owner", None}
                    and any(row.get("Phone") for row in world.sales.records("Lead"))
                )
            )
            # why is the value there, and why is Bob not?
            (field,) = told(world, "explain", f"sales:{ann}", "job_title")["fields"]
            assert (field["golden"], field["set_by"], field["rule"]) == (
                "Owner",
                "sales",
                "one claim",
            )
            why = {p["side"]: p["why"] for p in told(world, "explain", f"sales:{bob}")["places"]}
            assert why["service"] == "somebody there looks like this one; a person is asked"
            # a person answers
            issues = told(world, "issues", "list")
            (asked,) = (one for one in issues if one["what"] == "possible duplicate")
            number = asked["issues"][0]["id"]
            code, said = world.run("issues", "resolve", number, "--different")
            assert code == 0, said
            until(lambda: len(world.service.records("lead")) == 3)
            until(lambda: len(world.profiles.records("person")) == 3)
            # read one record again, beside the service
            code, said = world.run("resync", "leads", "--id", f"sales:{ann}")
            assert code == 0, said
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
            assert process.returncode == 0
        names, made = people(world), world.writes()["service"]["create"]
        assert names == {key: ["Horvat", "Novak", "Nowak"] for key in world.systems}
        # started again it goes on, and makes nobody twice
        world.sales.act("update", "Lead", id=bob, values={"Title": "Chief"})
        with serving(world) as (process, _):
            until(lambda: "Chief" in {title(row) for row in world.service.records("lead")})
            code, said = world.run("status")
            assert code == 0, said
        assert (people(world), world.writes()["service"]["create"]) == (names, made)
