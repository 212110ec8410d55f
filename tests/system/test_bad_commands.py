"""Commands in bad company: twice at once, cut short, read by nobody, beside a second service."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.serving import serving, until
from tests.system.world import Running, running

PEOPLE = 5


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        for n in range(PEOPLE):
            person = {"FirstName": f"Ann{n}", "LastName": f"Horvat{chr(97 + n)}"}
            person |= {"Email": f"ann{n}@plavi.example", "Company": f"Plavi {n}"}
            systems.sales.act("create", "Lead", values=person)
        yield systems


def everybody_once(world: Running) -> bool:
    names = {"sales": "Lead", "service": "lead", "profiles": "person"}
    return all(len(world.systems[one].records(name)) == PEOPLE for one, name in names.items())


@pytest.mark.timeout(240)
def test_28_a_second_service_is_refused(world: Running) -> None:
    with serving(world.folder) as (first, _):
        assert first.stderr is not None
        until(lambda: '"started"' in first.stderr.readline())  # type: ignore[union-attr]
        with serving(world.folder) as (second, _):
            _, said = second.communicate(timeout=60)
        assert second.returncode == 5
        assert "runs with this state" in said
        assert world.run("status")[0] == 0  # commands go beside it
        first.kill()  # the lock goes with the process, however it ends
        first.communicate()
        with serving(world.folder) as (third, _):
            assert third.stderr is not None
            until(lambda: '"started"' in third.stderr.readline())  # type: ignore[union-attr]


@pytest.mark.timeout(240)
def test_104_a_resync_twice_at_once_is_done_once(world: Running) -> None:
    world.settle()
    (lead, *_) = world.service.records("lead")
    world.service.act("update", "lead", id=lead["leadid"], values={"jobtitle": "Head"})
    before = world.writes()
    started = [world.start("resync", "leads", "--full") for _ in range(2)]
    told = [process.communicate(timeout=100) for process in started]
    assert [process.returncode for process in started] == [0, 0], told
    after = world.writes()
    assert after["sales"]["update"] == before["sales"].get("update", 0) + 1
    assert after["profiles"]["update"] == before["profiles"].get("update", 0) + 1
    assert everybody_once(world)


@pytest.mark.timeout(240)
def test_107_names_come_by_standard_input(world: Running) -> None:
    world.settle()
    leads = world.sales.records("Lead")
    world.sales.act("update", "Lead", id=leads[0]["Id"], values={"Title": "Chief"})
    names = [f"sales/Lead:{lead['Id']}" for lead in leads]
    process = world.start("resync", "leads", "--file", "-", stdin=subprocess.PIPE)
    given = "\ufeff# all of them\r\n\r\n" + "\r\n".join([*names, names[0], "sales:nobody"])
    out, err = process.communicate(given, timeout=100)
    assert process.returncode == 3, err
    assert out.count("update ") == 2  # one edit, to two systems
    assert out.endswith("no system has these records:\n  sales:nobody\n")
    assert everybody_once(world)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("command", ["sync", "plan leads --json", "issues list"])
def test_107_a_closed_pipe_ends_in_peace(world: Running, command: str) -> None:
    process = world.start(*command.split())
    assert process.stdout is not None
    process.stdout.close()  # as `| head` does once it has seen enough
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait(100) == 0
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    process.stderr.close()


@pytest.mark.timeout(240)
def test_107_ctrl_c_is_130_and_the_next_run_goes_on(world: Running) -> None:
    held = world.service.post(
        "faults", method="PATCH", path=r"leads\(", skip=1, effect={"hold": "after"}
    )
    process = world.start("sync", "--yes")
    assert world.service.get(f"faults/{held['id']}", wait=60)["fired"] == 1
    process.send_signal(signal.SIGINT)
    world.service.http.delete("/_control/faults")
    out, err = process.communicate(timeout=60)
    assert process.returncode in (130, 6), (out, err)  # 6: that call was not answered in time
    assert "Traceback" not in out + err
    world.settle()
    assert everybody_once(world)
