"""What reaches outside: the system's time, random ids and the counted way to the network."""

import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import httpx

from connectors import TransientError
from sync_engine.telemetry import span


class SystemClock:
    """The system's time. ``stop`` makes every wait end at once."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        return not self._stop.wait(seconds) if seconds > 0 else not self._stop.is_set()

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()


class CountingTransport(httpx.BaseTransport):
    """Counts, and traces, the calls that an instance costs; none begins once we are to stop."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        calls: Counter[str],
        instance: str,
        clock: SystemClock,
    ) -> None:
        self._inner, self._calls, self._instance = inner, calls, instance
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._clock.is_stopped:  # one of the connector's calls may be many requests
            raise TransientError("stopping")
        self._calls[self._instance] += 1
        about = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            "crm_sync.instance": self._instance,
        }
        with span(f"{request.method} {self._instance}", about, is_call=True) as tell:
            response = self._inner.handle_request(request)
            tell("http.response.status_code", response.status_code)
            return response

    def close(self) -> None:
        self._inner.close()


def random_id() -> UUID:
    return uuid.uuid4()
