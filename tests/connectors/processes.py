"""Servers of the tests, each in a process of its own, and the runtime that connectors get."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import trustme

from connectors import Budget, Runtime
from connectors.http import GuardedTransport
from sync_engine.service import SystemClock


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with its control face."""

    address: str
    ca_file: str
    http: httpx.Client

    def act(self, action: str, name: str, **more: Any) -> dict[str, Any]:
        """Do something as a person of that system."""
        result = self.acts({"action": action, "object": name, **more})[0]
        assert "error" not in result, result
        return result

    def acts(self, *acts: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.post("act", acts=list(acts))["results"]
        return found

    def post(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/_control/{what}", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def get(self, what: str, **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/_control/{what}", params=query).json()
        return found

    def writes(self) -> dict[str, int]:
        """Action -> writes that came by the API."""
        found: dict[str, int] = self.get("counts")["writes"]
        return found

    def records(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("records", object=name)["records"]
        return found

    def fault(self, method: str, path: str, **effect: Any) -> None:
        self.post("faults", method=method, path=path, effect=effect)


@contextmanager
def simulator(name: str, folder: Path) -> Iterator[Server]:
    """``python -m connectors.simulators NAME`` over https."""
    authority = trustme.CA()
    certificate, ca_file = folder / f"{name}.pem", folder / f"{name}-ca.pem"
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(ca_file)
    process = subprocess.Popen(
        [sys.executable, "-m", "connectors.simulators", name, "--certificate", str(certificate)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    transport = GuardedTransport(str(ca_file), ["127.0.0.1"])
    try:
        address = process.stdout.readline().strip()
        with httpx.Client(base_url=address, transport=transport, timeout=30) as client:
            yield Server(address, str(ca_file), client)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def runtime(budget: Callable[[Budget], None] = lambda _: None) -> Runtime:
    """The real clock and the real network, as far as 127.0.0.1."""

    def transport(ca_file: str | None) -> httpx.BaseTransport:
        return GuardedTransport(ca_file, ["127.0.0.1"])

    return Runtime(SystemClock(), uuid.uuid4, transport, budget)


KEY = "a-key-for-tests"


class _Meanwhile(httpx.BaseTransport):
    """Something happens just before the first request to a path is sent."""

    def __init__(self, inner: httpx.BaseTransport, path: str, act: Callable[[], Any]) -> None:
        self._inner, self._path, self._act = inner, path, [act]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._path in request.url.path and self._act:
            self._act.pop()()
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def meanwhile(path: str, act: Callable[[], Any]) -> Runtime:
    """A runtime under which somebody acts between our last look and the call to a path."""
    plain = runtime()
    return replace(plain, transport=lambda ca: _Meanwhile(plain.transport(ca), path, act))


@contextmanager
def profiles(folder: Path) -> Iterator[Server]:
    """``python -m profiles`` with its control face."""
    key = folder / "profiles-key"
    key.write_text(KEY + "\n")
    files = ["--database", str(folder / "profiles.db"), "--key-file", str(key)]
    process = subprocess.Popen(
        [sys.executable, "-m", "profiles", "--control", *files],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            yield Server(address, "", client)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
