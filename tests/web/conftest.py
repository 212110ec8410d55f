"""The application over a real daemon, a real state file and three systems in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from config import Config, ServiceSettings
from config.settings import Settings
from sync_engine.service import Daemon, Service, SystemClock
from sync_engine.store import migrate, open_database
from sync_engine.web.app import create_app
from tests.engine.three import ORDER, Three, VirtualClock

TOKEN = "a-token-for-tests-only"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class DaemonClock:
    """A virtual clock that can be stopped."""

    inner: VirtualClock
    is_stopped: bool = False

    def now(self) -> datetime:
        return self.inner.now()

    def monotonic(self) -> float:
        return self.inner.monotonic()

    def wait(self, seconds: float) -> bool:
        return not self.is_stopped and self.inner.wait(seconds)

    def stop(self) -> None:
        self.is_stopped = True


@dataclass(slots=True)
class Face:
    """What a test holds: the systems, the daemon, the client with the token."""

    three: Three
    daemon: Daemon
    http: TestClient

    def get(self, path: str, **query: Any) -> httpx2.Response:
        return self.http.get(path, params=query, headers=BEARER)

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return self.http.post(path, json=body or None, headers=BEARER)

    def ok(self, path: str, **body: Any) -> Any:
        """What a POST gives, which must be a success."""
        answer = self.post(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sample(self, metric: str) -> float:
        """The value of one line of /metrics, named with its labels."""
        lines = self.http.get("/metrics").text.splitlines()
        found = [line for line in lines if line.startswith(metric + " ")]
        assert len(found) == 1, (metric, found)
        return float(found[0].rpartition(" ")[2])


def settings_of(token: str | None = TOKEN, listen: str = "127.0.0.1:8470") -> ServiceSettings:
    secret = SecretStr(token) if token else None
    return ServiceSettings(admin_token=secret, listen=listen)


def client_of(daemon: Daemon, settings: ServiceSettings) -> TestClient:
    app = create_app(daemon, settings)
    return TestClient(app, base_url=f"http://{settings.listen}", raise_server_exceptions=False)


def configuration() -> Config:
    syncs = {
        name: {
            "kind": kind,
            "every": "1m",
            "sides": {side: {"object": "any"} for side in ORDER},
        }
        for name, kind in (("leads", "lead"), ("customers", "customer"), ("companies", "company"))
    }
    instances = {side: {"connector": "memory"} for side in ORDER}
    settings = Settings.model_validate({"instances": instances, "syncs": syncs})
    return Config(Path("crm-sync.yaml"), settings, {}, ())


def daemon_of(three: Three, rebuild: Any = None) -> Daemon:
    clock = cast(SystemClock, DaemonClock(three.clock))
    service = replace(three.face(), config=configuration(), clock=clock)
    return Daemon(service, rebuild or (lambda _clock: cast(Service, None)))


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate(engine)
    found = Three(engine)
    found.clock.time = datetime(2060, 6, 1, tzinfo=UTC)  # far ahead: nothing falls due by itself
    yield found
    engine.dispose()


@pytest.fixture
def face(three: Three) -> Iterator[Face]:
    """A service that has made its first, empty cycle."""
    daemon = daemon_of(three)
    http = client_of(daemon, settings_of())
    daemon.start()
    daemon.call(lambda _service: None)
    yield Face(three, daemon, http)
    daemon.clock.stop()
    daemon.wait()
