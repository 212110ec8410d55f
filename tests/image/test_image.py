"""The image, as an operator runs it: alone, and against three systems on this machine."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from tests.image.container import NUMBER, Image, Mounts
from tests.system.world import Running, running

ANN = {"FirstName": "Ann", "LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}
PYTHON = "/opt/crm-sync/bin/python3"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "systems").mkdir()
    with running(tmp_path / "systems") as systems:
        yield systems


@pytest.fixture
def mounts(world: Running, tmp_path: Path) -> Mounts:
    """The configuration as the container sees it; the state's folder is the image's user's."""
    found = Mounts(tmp_path / "configuration", tmp_path / "state")
    found.configuration.mkdir(mode=0o755)
    found.state.mkdir()
    found.state.chmod(0o777)
    for path in world.folder.glob("*-secret"):
        (found.configuration / path.name).write_bytes(path.read_bytes())
    text = (world.folder / "crm-sync.yaml").read_text()
    for name in ("sales", "service"):
        ca_file = world.systems[name].ca_file
        (found.configuration / f"{name}.pem").write_bytes(Path(ca_file).read_bytes())
        text = text.replace(ca_file, f"{name}.pem")
    text = text.replace("sqlite:///state.db", "sqlite:////data/crm-sync.db")
    (found.configuration / "crm-sync.yaml").write_text(text.replace("every: 1m", "every: 10s"))
    return found


@pytest.fixture
def environment() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return {"CRM_SYNC_LISTEN": f"127.0.0.1:{free.getsockname()[1]}"}


def heard(process: Popen[str], word: str) -> str:
    """The first line with this word; the test's own limit ends a wait in vain."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if word in line:
            return line
    raise AssertionError(f"ended without {word!r}:\n{''.join(said)}")


def test_it_says_how_it_wants_to_be_run(image: Image) -> None:
    settings = image.settings
    assert settings["User"] == f"{NUMBER}:{NUMBER}"
    assert settings["Volumes"] == {"/data": {}}
    assert settings["WorkingDir"] == "/data"
    assert settings["StopSignal"] == "SIGTERM"
    assert (settings["Entrypoint"], settings["Cmd"]) == (["crm-sync"], ["run"])
    assert settings["Healthcheck"]["Test"] == ["CMD", "crm-sync", "health"]
    assert settings["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_it_runs_as_nobody_in_particular(image: Image) -> None:
    code, told = image.run(PYTHON, "-c", "import os; print(os.getuid(), os.getgid())")
    assert (code, told.strip()) == (0, f"{NUMBER} {NUMBER}")


def test_it_carries_no_build_tool(image: Image) -> None:
    tools = "('uv', 'gcc', 'cc', 'make')"
    code, told = image.run(
        PYTHON,
        "-c",
        f"import shutil; print([tool for tool in {tools} if shutil.which(tool)])",
    )
    assert (code, told.strip()) == (0, "[]")


def test_it_speaks_to_postgresql_and_sends_traces(image: Image) -> None:
    code, told = image.run(
        PYTHON,
        "-c",
        "import psycopg, opentelemetry.exporter.otlp.proto.http.trace_exporter",
    )
    assert code == 0, told


def test_it_helps(image: Image) -> None:
    code, told = image.run("--help")
    assert code == 0
    assert "Usage: crm-sync" in told


@pytest.mark.timeout(300)
def test_it_plays_the_demo(image: Image) -> None:
    code, told = image.run("demo")
    assert code == 0, told
    assert "Everybody who is linked is equal in all systems" in told


@pytest.mark.timeout(300)
def test_it_serves_stops_and_goes_on(
    image: Image, world: Running, mounts: Mounts, environment: dict[str, str]
) -> None:
    def run(*command: str) -> tuple[int, str]:
        return image.run(*command, mounts=mounts, environment=environment)

    lead = world.sales.act("create", "Lead", values={**ANN, "Title": "Buyer"})["id"]
    assert run("health")[0] == 1
    assert run("sync", "--yes")[0] == 0
    for title in ("Chief", "Founder"):  # as it starts first, and after it was stopped
        world.sales.act("update", "Lead", id=lead, values={"Title": title})
        with image.started("run", mounts=mounts, environment=environment) as service:
            heard(service, "service/lead update done")
            assert [row["jobtitle"] for row in world.service.records("lead")] == [title]
            code, told = run("health")
            assert (code, json.loads(told)["status"]) == (0, "ok")
            assert run("state", "backup", f"/data/{title}.db")[0] == 0
            image.stop(service)
            service.communicate(timeout=8)
            assert service.returncode == 0
    for name in ("crm-sync.db", "Chief.db", "Founder.db"):
        found = (mounts.state / name).stat()
        assert (found.st_uid, found.st_mode & 0o777) == (NUMBER, 0o600)
    assert image.written() == []
