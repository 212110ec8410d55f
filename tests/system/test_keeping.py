"""Backup beside the running service, and what follows a restore, as an operator sees them."""

from pathlib import Path

import pytest

from tests.system.world import running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}


@pytest.mark.timeout(200)
def test_a_restored_state_writes_nothing_until_it_is_released(tmp_path: Path) -> None:
    backup = str(tmp_path / "backup.db")
    with running(tmp_path) as world:
        lead = world.sales.act("create", "Lead", values={**ANN, "Title": "Buyer"})["id"]
        world.settle()
        service = world.start("run")
        assert service.stderr is not None
        world.sales.act("update", "Lead", id=lead, values={"Title": "Chief"})
        try:
            while "service/lead update done" not in service.stderr.readline():
                assert service.poll() is None
            assert world.run("state", "backup", backup)[0] == 0
            code, told = world.run("state", "restore", backup, "--force")
            assert code == 5
            assert "stop crm-sync" in told
        finally:
            service.terminate()
            service.communicate(timeout=8)
        world.sales.act("update", "Lead", id=lead, values={"Title": "Founder"})
        code, told = world.run("state", "restore", backup)
        assert code == 1
        assert "--force" in told

        code, told = world.run("state", "restore", backup, "--force")
        assert code == 0
        assert "crm-sync release NAME" in told
        before = world.writes()
        assert world.run("sync")[0] == 4
        assert "Founder" in world.run("plan", "leads", "--json")[1]
        assert world.writes() == before
        for name in ("companies", "leads", "customers"):
            assert world.run("release", name)[0] == 0
        world.settle()
        assert [row["jobtitle"] for row in world.service.records("lead")] == ["Founder"]
        assert len(world.sales.records("Lead")) == len(world.profiles.records("person")) == 1


def test_a_backup_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        code, told = world.run("state", "restore", str(tmp_path / "none.db"))
        assert code == 2
        assert "does not exist" in told
