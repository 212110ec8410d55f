"""What stands before every route: host, token, size of bodies, headers, a last net for errors.

It is outside the routes, so that none can forget it: below ``/api`` nobody without the token
learns even which paths exist.
"""

import hmac
import ipaddress

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import ServiceSettings
from sync_engine.logs import where
from sync_engine.web.errors import problem

log = structlog.get_logger("crm_sync")

LARGEST_BODY = 1024 * 1024  #: bytes

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Lets through what may be answered; answers the rest itself."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        token = settings.admin_token
        self._token = token.get_secret_value().encode() if token else b""
        # a page in somebody's browser can make a name of its own mean this machine; it cannot
        # make the browser send another Host (DNS rebinding)
        self._hosts = _loopback_names(settings) if _is_loopback(settings.host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sealed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sealed)
            return
        try:
            await self._app(scope, _bounded(receive), sealed)
        except Exception as error:
            log.error("request failed", method=scope["method"], where=where(error))
            if not started:
                told = problem(500, "that failed here", "the log tells where; please report it")
                await told(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").rpartition("@")[2].lower()
        if self._hosts is not None and _without_port(host) not in self._hosts:
            return problem(400, "that is not this service's name", "ask for 127.0.0.1")
        if scope["path"] == "/api" or scope["path"].startswith("/api/"):
            return self._unproven(headers)
        return None

    def _unproven(self, headers: Headers) -> Response | None:
        if not self._token:
            return problem(
                403,
                "the admin API has no token, so that it is closed",
                "set CRM_SYNC_ADMIN_TOKEN, or the secret file crm_sync_admin_token, "
                "and start the service again",
            )
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # on bytes: hmac.compare_digest refuses text that is not ASCII
        proven = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if scheme.lower() == "bearer" and proven:
            return None
        told = problem(401, "that takes the token", "send Authorization: Bearer TOKEN")
        told.headers["WWW-Authenticate"] = "Bearer"
        return told


def _bounded(receive: Receive) -> Receive:
    """The request's body, as long as it is small enough, whatever it says of itself."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(413, f"the body has more than {LARGEST_BODY} bytes")
        return message

    return counted


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _loopback_names(settings: ServiceSettings) -> frozenset[str]:
    return frozenset({"localhost", "127.0.0.1", "::1", settings.host})


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
