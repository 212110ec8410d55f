"""Killed between a create's commit in a system and our recording of it: everybody exists once."""

from pathlib import Path

import pytest

from tests.system.world import running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}
EVE = {
    "firstname": "Eve",
    "lastname": "Novak",
    "companyname": "Zub",
    "emailaddress1": "e@zub.example",
}


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("victim", "method", "path"),
    [
        ("sales", "PATCH", "composite/sobjects"),
        ("service", "PATCH", r"leads\("),
        ("profiles", "POST", "/people/2/persons"),
    ],
)
def test_a_kill_after_the_commit_creates_nobody_twice(
    tmp_path: Path, victim: str, method: str, path: str
) -> None:
    with running(tmp_path) as world:
        world.sales.act("create", "Lead", values=ANN)
        world.service.act("create", "lead", values=EVE)
        system = world.systems[victim]
        fault = system.post("faults", method=method, path=path, effect={"hold": "after"})["id"]
        process = world.start("sync", "--yes")
        fired = system.get(f"faults/{fault}", wait=60)["fired"]
        process.kill()
        process.communicate()
        assert fired == 1
        system.http.delete("/_control/faults")
        world.settle()
        for name, object_name in (("sales", "Lead"), ("service", "lead"), ("profiles", "person")):
            rows = world.systems[name].records(object_name)
            emails = sorted(str(row).count("ann@plavi.example") > 0 for row in rows)
            assert emails == [False, True], (name, rows)
