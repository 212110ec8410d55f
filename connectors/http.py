"""The one HTTP client, and the one place where the product touches the network.

Keeps requests on one origin, renews a refused token once, waits for what is certainly
harmless to repeat, bounds the size of answers and turns what concerns the connection
into errors. What a status means for a record is the connector's business.
"""

import socket
import ssl
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.errors import (
    AuthError,
    RateLimitError,
    ResponseError,
    SetupError,
    TransientError,
)
from connectors.hosts import is_public
from connectors.protocol import Clock
from connectors.replies import retry_after
from connectors.unreachable import is_certificate_refused, unreachable

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
MAX_BODY = 64 * 1024 * 1024  #: decoded bytes of one answer
TRIES = 3  #: for what is certainly harmless to repeat
PATIENCE = 5.0  #: seconds one call may spend waiting; longer waits are the engine's
DEADLINE = 120.0  #: seconds for one answer as a whole: each of its bytes alone may be in time


class GuardedTransport(httpx.BaseTransport):
    """The real network. Refuses private addresses unless the host is allowed by name."""

    def __init__(self, ca_file: str | None, allow_host: Sequence[str] = ()) -> None:
        trust = ssl.create_default_context(cafile=ca_file)
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        self._allowed = frozenset(entry.rsplit(":", 1)[0] for entry in allow_host)
        self._network = httpx.HTTPTransport(verify=trust, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host not in self._allowed:
            _refuse_private(host, request.url.port or 443)
        return self._network.handle_request(request)

    def close(self) -> None:
        self._network.close()


def _refuse_private(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{host} cannot be resolved") from error
    for *_, address in found:
        if not is_public(str(address[0])):
            raise SetupError(
                f"{host} resolves to a private address", remedy="name the host in allow_host"
            )


def _sendable(origin: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, where they can be sent; what the network says of others quotes the secret."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise AuthError(
            f"the credentials for {origin} hold a character that no request can carry",
            remedy="give the secret alone: no line break, no letter with an accent",
        )
    return headers


class HttpClient:
    """Requests to one origin.

    ``authorize(fresh)`` gives the authorization headers; with ``fresh`` a new token is asked
    for first. ``paced`` is the least number of seconds between two calls of one ``lane``.
    """

    def __init__(
        self,
        origin: str,
        transport: httpx.BaseTransport,
        clock: Clock,
        authorize: Callable[[bool], Mapping[str, str]] | None = None,
    ) -> None:
        self.origin = origin.rstrip("/")
        self._clock = clock
        self._authorize = authorize
        self._due: dict[str, float] = {}
        self._closed_until = 0.0  #: by ``clock.monotonic``: the server asked not to be called
        self._client = httpx.Client(
            transport=transport, timeout=TIMEOUT, follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | str | None = None,
        lane: str = "",
        paced: float = 0.0,
        faults: bool = False,
    ) -> httpx.Response:
        """The answer, whole, for every status but 401, 3xx, 429 and 5xx.

        ``url`` is a path or a URL on the origin. With ``faults`` a 500 is an answer too: SOAP
        tells its faults so (SOAP 1.1, 6.2). Raises AuthError, TransientError,
        RateLimitError, ResponseError. After a TransientError the work may have been done.
        """
        request = self._client.build_request(
            method, self._pinned(url), params=params, headers=headers, json=json, content=content
        )
        # identity answers cannot be cut short unnoticed; gzip is checked in _read
        request.headers["Accept-Encoding"] = "gzip"
        waited = 0.0
        for attempt in range(1, TRIES + 1):
            self._pace(lane, paced)
            try:
                response = self._send_authorized(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent
                if attempt == TRIES or is_certificate_refused(error):
                    raise unreachable(self.origin, error) from error
                pause = float(attempt)
            else:
                if response.status_code == 500 and faults:
                    return response
                if response.status_code not in (429, 503) or attempt == TRIES:
                    return self._judged(response)
                pause = retry_after(response, self._clock) or float(attempt)
                if response.status_code == 503 and not _harmless(request):
                    return self._judged(response)
            waited += pause
            if waited > PATIENCE:
                raise self._turned_away(pause)
            if not self._clock.wait(pause):
                raise TransientError("stopping")
        raise AssertionError("unreachable: every last attempt returns or raises")

    def _pinned(self, url: str) -> str:
        if url.startswith("/"):
            return self.origin + url
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}".lower() != self.origin.lower():
            raise ResponseError(f"{self.origin} points to another host")
        return url

    def _pace(self, lane: str, paced: float) -> None:
        now = self._clock.monotonic()
        if self._closed_until > now:
            raise _overload(self.origin, self._closed_until - now)
        if not paced:
            return
        due = self._due.get(lane, now)
        if due > now and not self._clock.wait(due - now):
            raise TransientError("stopping")
        self._due[lane] = max(due, now) + paced

    def _send_authorized(self, request: httpx.Request) -> httpx.Response:
        """Send; after a 401 renew the token once and repeat the same request."""
        for fresh in (False, True):
            if self._authorize:
                request.headers.update(_sendable(self.origin, self._authorize(fresh)))
            response = self._send_once(request)
            if response.status_code != 401 or not self._authorize:
                break
        return response

    def _send_once(self, request: httpx.Request) -> httpx.Response:
        end = self._clock.monotonic() + DEADLINE
        try:
            response = self._client.send(request, stream=True)
            try:
                return self._read(request, response, end)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise
        except httpx.HTTPError as error:
            raise TransientError(
                f"{self.origin} did not answer properly ({type(error).__name__})"
            ) from error

    def _read(self, request: httpx.Request, response: httpx.Response, end: float) -> httpx.Response:
        """The whole body, decoded here: httpx takes a cut gzip stream for a whole one."""
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            raise ResponseError(f"{self.origin} answers in encoding {encoding}")
        try:
            body = self._unpacked(response.iter_raw(), encoding == "gzip", end)
        except zlib.error as error:
            raise TransientError(f"an answer of {self.origin} is damaged") from error
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def _unpacked(self, chunks: Iterable[bytes], zipped: bool, end: float) -> bytes:
        unzip = zlib.decompressobj(wbits=31) if zipped else None
        body = bytearray()
        received = 0
        for chunk in chunks:
            if self._clock.monotonic() > end:
                raise TransientError(f"{self.origin} takes over {DEADLINE:.0f} s for one answer")
            received += len(chunk)
            body += unzip.decompress(chunk, MAX_BODY + 1) if unzip else chunk
            if len(body) > MAX_BODY or (unzip and unzip.unconsumed_tail):
                raise ResponseError(f"{self.origin} answers with more than {MAX_BODY} bytes")
        if unzip and received and (not unzip.eof or unzip.unused_data):
            raise TransientError(f"an answer of {self.origin} was cut short")
        return bytes(body)

    def _judged(self, response: httpx.Response) -> httpx.Response:
        status = response.status_code
        if status == 401:
            raise AuthError(
                f"{self.origin} refuses the credentials (401)",
                remedy="check the instance's credentials and that its user is active",
            )
        pause = retry_after(response, self._clock)
        if status == 429:
            raise self._turned_away(pause)
        if 300 <= status < 400 and status not in (300, 304):
            raise ResponseError(f"{self.origin} redirects ({status})")
        if status >= 500:
            self._keep_away(pause)
            raise TransientError(f"{self.origin} fails with {status}", retry_after=pause)
        return response

    def _turned_away(self, pause: float | None) -> RateLimitError:
        self._keep_away(pause)
        return _overload(self.origin, pause)

    def _keep_away(self, pause: float | None) -> None:
        """Nothing is sent before; Dataverse lengthens the wait of whoever keeps calling
        (powerapps-docs, api-limits)."""
        if pause:
            self._closed_until = self._clock.monotonic() + pause


def _overload(origin: str, pause: float | None) -> RateLimitError:
    return RateLimitError(
        f"{origin} asks to be called less often",
        remedy="lower the frequency of the syncs or ask the vendor for a higher limit",
        retry_after=pause,
    )


def _harmless(request: httpx.Request) -> bool:
    return request.method in ("GET", "HEAD", "OPTIONS")
