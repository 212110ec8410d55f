"""No value of a person and no secret leaves by a log, an error, a health page or a metric.

People with unmistakable values stand in all three systems; everything fails that can. What
``plan``, ``explain``, ``history`` and ``issues show`` print is for the operator and may show
values; nothing else may.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.processes import KEY
from tests.system.world import PROGRAM, Running, running

TOKEN = "zq-token-of-the-admin-api"
WRONG = "zq-wrong-secret-of-service"
SECRETS = (TOKEN, WRONG, KEY, "demo-secret-salesforce", "demo-secret-dynamics")
VALUES = ("Zanzibarina", "Quokkington", "zq-canary", "5550177", "Wombatstreet", "zq-refused")
CANARIES = (*VALUES, *SECRETS)

LEAD = {
    "FirstName": "Zanzibarina",
    "LastName": "Quokkington",
    "Company": "Quokkington Wombats",
    "Email": "zq-canary@quokka.example",
    "MobilePhone": "+385915550177",
    "Street": "Wombatstreet 7",
}
CONTACT = {
    "firstname": "Zanzibarina",
    "lastname": "Quokkington",
    "emailaddress1": "zq-canary-2@quokka.example",
    "mobilephone": "+385925550177",
    "address1_line1": "Wombatstreet 8",
}
#: what a system says when it refuses: values that it was sent, addresses, and more in quotes
QUOTING = (
    "Zanzibarina Quokkington <zq-canary@quokka.example> has +385915550177, "
    "'Wombatstreet 7', \"zq-refused 0\""
)


def clean(told: str, source: object) -> None:
    found = [canary for canary in CANARIES if canary.casefold() in told.casefold()]
    assert not found, (source, found, told[-3000:])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as systems:
        systems.sales.act("create", "Lead", values=LEAD)
        systems.service.act("create", "contact", values=CONTACT)
        yield systems


def fail_with(world: Running, status: int) -> None:
    """The next writes of each system are refused, in words that quote what was sent."""
    said: dict[str, Any] = {
        "sales": [{"message": QUOTING, "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}],
        "service": {"error": {"code": "0x80040203", "message": QUOTING}},
        "profiles": {"errorCode": 40001, "errorMessage": QUOTING},
    }
    for name, system in world.systems.items():
        for method in ("POST", "PATCH"):
            path = "/people|composite|leads|contacts|batch"
            plan = {"method": method, "path": path, "times": 3}
            system.post("faults", **plan, effect={"status": status, "body": said[name]})


def commands(world: Running, *wanted: tuple[str, ...]) -> None:
    for arguments in wanted:
        _code, told = world.run(*arguments)
        assert "Traceback" not in told
        clean(told, arguments)


@pytest.mark.timeout(300)
def test_commands_tell_no_value_and_no_secret(world: Running) -> None:
    commands(world, ("check",), ("sync",), ("sync", "--json"))
    for status in (400, 403, 500):
        fail_with(world, status)
        commands(world, ("sync", "--yes", "--json"), ("status",), ("issues", "list", "--json"))
        for system in world.systems.values():
            system.http.delete("/_control/faults")
    for name in ("plan", "resync"):
        process = world.start(name, "leads", *(("--full",) if name == "resync" else ()))
        clean(process.communicate(timeout=100)[1], name)
    secret = world.folder / "service-secret"
    right = secret.read_text()
    secret.write_text(WRONG)
    commands(world, ("check",), ("sync",), ("status", "--json"))
    secret.write_text(right)
    commands(world, ("sync", "--json"), ("unlink", "sales:1"), ("runs", "--json"))
    assert any(world.writes().values())  # values did travel


@contextmanager
def served(world: Running) -> Iterator[tuple[httpx.Client, list[str]]]:
    """``crm-sync run`` at its most talkative; its output once it has ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [PROGRAM, "run", "--config", str(world.folder / "crm-sync.yaml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(world.folder),
            "CRM_SYNC_LISTEN": listen,
            "CRM_SYNC_LOG_LEVEL": "debug",
            "CRM_SYNC_ADMIN_TOKEN": TOKEN,
        },
    )
    said: list[str] = []
    transport = httpx.HTTPTransport(retries=8)  # while it starts; each wait is twice the one before
    with httpx.Client(base_url=f"http://{listen}", transport=transport, timeout=100) as client:
        try:
            yield client, said
        finally:
            process.send_signal(signal.SIGTERM)
            said.append(process.communicate(timeout=60)[0])


@pytest.mark.timeout(300)
def test_the_service_tells_no_value_and_no_secret(world: Running) -> None:
    world.settle()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    with served(world) as (client, said):

        def ask(path: str, body: Any = None, **headers: str) -> httpx.Response:
            answer = client.post(path, json=body, headers={**bearer, **headers})
            if answer.is_error:
                clean(answer.text, path)
            return answer

        # a first look makes it wait for the first run
        assert ask("/api/syncs/leads/run", {"yes": True}).status_code == 200
        lead = world.sales.records("Lead")[0]["Id"]
        for number, status in enumerate((400, 403, 500)):
            changed = {"Title": f"zq-refused {number}"}
            world.sales.act("update", "Lead", id=lead, values=changed)
            fail_with(world, status)
            clean(ask("/api/syncs/leads/run").text, f"run that fails with {status}")
            for path in ("/healthz", "/readyz", "/metrics"):
                clean(client.get(path).text, path)
            for system in world.systems.values():
                system.http.delete("/_control/faults")
        for path, body, expected in (
            ("/api/unlink", {"record": ["Quokkington"]}, 422),
            ("/api/link", {"left": "sales:1", "right": "x", "Quokkington": 1}, 422),
            ("/api/syncs/leads/resync", {"full": "Zanzibarina"}, 422),
            ("/api/issues/1/resolve", {"says": "zq-canary"}, 422),
        ):
            assert ask(path, body).status_code == expected
        assert ask("/api/status", Authorization=f"Bearer {WRONG}").status_code == 401
        plan = ask("/api/syncs/leads/resync", {"full": True, "dry_run": True})
        assert plan.status_code == 200
        told = client.get(f"/api/records/sales/{lead}/history", headers=bearer).text
        assert "Quokkington" in told  # what an operator asks for is shown
        (world.folder / "service-secret").write_text(WRONG)
        clean(ask("/api/reload").text, "reload")
        clean(ask("/api/check").text, "check")
        clean(ask("/api/syncs/leads/run").text, "run with a wrong secret")
        clean(client.get("/metrics").text, "/metrics")
    (output,) = said
    assert '"event": "cycle"' in output
    clean(output, "run")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["CRM_SYNC_ADMIN_TOKEN", "CRM_SYNC_LISTEN"])
def test_a_setting_that_cannot_be_meant_is_not_repeated(tmp_path: Path, name: str) -> None:
    ended = subprocess.run(
        [PROGRAM, "run"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=50,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), name: "zq-refused"},
        check=False,
    )
    assert ended.returncode == 2
    assert name in ended.stderr
    clean(ended.stdout + ended.stderr, name)
