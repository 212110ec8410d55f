"""A server in front of a simulator, which gives single answers itself, byte by byte."""

import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import trustme

from connectors import Runtime
from sync_engine.service import SystemClock
from tests.connectors.processes import Server, runtime

_HOP = {"connection", "content-encoding", "content-length", "transfer-encoding"}


def wire(status: int, body: bytes = b"", **headers: Any) -> bytes:
    """An answer as it goes over the line; its length is told unless ``headers`` do."""
    told = {"Content-Type": "application/json", "Content-Length": len(body), "Connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True, slots=True)
class Asked:
    """What came in."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Plan:
    method: str
    path: re.Pattern[str]
    planned: bytes | Callable[[Any], Any]  #: the answer itself, or what becomes of its JSON
    times: int
    skip: int


@dataclass(slots=True)
class Front:
    """The plans, and what was asked."""

    behind: Server
    plans: list[Plan] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str | None] = field(default_factory=dict)  #: put in, or left out, everywhere

    def answer(
        self, call: tuple[str, str], planned: bytes, *, times: int = 1, skip: int = 0
    ) -> None:
        """The next such call is not passed on; these bytes are its answer."""
        self.plans.append(Plan(call[0], re.compile(call[1]), planned, times, skip))

    def alter(
        self, call: tuple[str, str], change: Callable[[Any], Any], *, times: int = 1, skip: int = 0
    ) -> None:
        """The next such call is carried out, and the JSON of its answer altered."""
        self.plans.append(Plan(call[0], re.compile(call[1]), change, times, skip))

    def count(self, call: tuple[str, str]) -> int:
        return sum(a.method == call[0] and bool(re.search(call[1], a.target)) for a in self.asked)

    def reply(self, asked: Asked, body: bytes) -> bytes:
        self.asked.append(asked)
        plan = self._met(asked)
        if plan is not None and isinstance(plan.planned, bytes):
            return plan.planned
        found = self.behind.http.request(
            asked.method, asked.target, content=body, headers=asked.headers
        )
        content = found.content
        if plan is not None and callable(plan.planned):
            other = plan.planned(json.loads(content))
            content = other if isinstance(other, bytes) else json.dumps(other).encode()
        kept = {n.lower(): v for n, v in found.headers.items() if n.lower() not in _HOP}
        told = {n: v for n, v in (kept | self.headers).items() if v is not None}
        return wire(found.status_code, content, **told)

    def _met(self, asked: Asked) -> Plan | None:
        for plan in self.plans:
            if plan.method != asked.method or not plan.path.search(asked.target):
                continue
            if plan.skip:
                plan.skip -= 1
            elif plan.times:
                plan.times -= 1
                return plan
        return None


@contextmanager
def front(behind: Server, folder: Path) -> Iterator[tuple[Front, Server]]:
    """The front, and the server as its connector is to see it; https where that one speaks it."""
    found = Front(behind)

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = {n.lower(): v for n, v in self.headers.items() if n.lower() != "connection"}
            self.wfile.write(found.reply(Asked(self.command, self.path, told), body))

        do_GET = do_POST = do_PATCH = do_DELETE = _pass_on

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme, ca_file = "http", ""
    if behind.ca_file:
        scheme, ca_file = "https", str(folder / "front-ca.pem")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(ca_file)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(trust)
        server.socket = trust.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield (
            found,
            replace(behind, address=f"{scheme}://127.0.0.1:{server.server_port}", ca_file=ca_file),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Unhurried(SystemClock):
    """Nobody waits; what was asked for is noted."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return True


def unhurried() -> tuple[Unhurried, Runtime]:
    clock = Unhurried()
    return clock, replace(runtime(), clock=clock)
