"""The Dataverse Web API as Python calls; no idea of synchronisation.

Sources: powerapps-docs, developer/data-platform/webapi. A PATCH without a condition is an
upsert and can bring a deleted row back: none is sent.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msal

from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import (
    AuthError,
    ConnectorError,
    CursorExpiredError,
    ResponseError,
    SetupError,
    TransientError,
)
from connectors.http import HttpClient
from connectors.protocol import Runtime
from connectors.replies import Trail, believed, json_of, object_of, served_at

ROOT = "/api/data/v9.2"
SETS = {"lead": "leads", "contact": "contacts", "account": "accounts"}
KEYS = {"lead": "leadid", "contact": "contactid", "account": "accountid"}
EXPIRED, UNTRACKED = "0x80044352", "0x80072491"
LATER = frozenset({"0x80044151", "0x80044150"})  #: SQL timeout, deadlock
STRANGERS = frozenset({"0x80072560", "0x80040225"})  #: no user of the organization, disabled
#: values of one In(...), and their characters: a URL may have 32,768 (webapi/query/overview), but
#: proxies on the way often end a request's head at 16,384 bytes
IN_MOST, IN_LONGEST = 200, 10_000
_HEADERS = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "If-None-Match": "null",  # else $expand answers may come from a cache (compose-http-requests)
}


class LoginTransport:
    """What msal may send with: our own client, on the authority's host."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self._send("GET", url, options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self._send("POST", url, options)

    def close(self) -> None: ...

    def _send(self, method: str, url: str, options: Mapping[str, Any]) -> httpx.Response:
        form = options.get("data")
        headers = dict(options.get("headers") or {})
        content = None
        if form is not None:
            content = httpx.QueryParams(form).__str__()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._client.send(
            method, url, params=options.get("params"), headers=headers, content=content
        )


class DynamicsClient:
    """One environment's Web API."""

    def __init__(self, settings: DynamicsSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._clock = runtime.clock
        transport = runtime.transport(settings.ca_file)
        parts = urlsplit(settings.login)
        self._login = HttpClient(f"{parts.scheme}://{parts.netloc}", transport, runtime.clock)
        self._http = HttpClient(settings.origin, transport, runtime.clock, self._authorize)
        self._application: Any = None
        self._secret = ""

    def close(self) -> None:
        self._http.close()
        self._login.close()

    def get(self, url: str, prefer: Sequence[str] = ()) -> dict[str, Any]:
        """A GET below the root, or a link that an earlier answer gave. Raises ConnectorError."""
        headers = {**_HEADERS, **({"Prefer": ",".join(prefer)} if prefer else {})}
        path = url if url.startswith("https://") else f"{ROOT}/{url}"
        return self._body(self._http.send("GET", path, headers=headers))

    def pages(self, url: str, prefer: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """An answer and those its nextLink leads to; each is asked for when it is wanted."""
        trail = Trail("Dataverse")
        while True:
            page = self.get(trail.follow(url), prefer)
            yield page
            url = page.get("@odata.nextLink", "")
            if not url:
                return

    def time(self) -> datetime:
        """By the server's clock. Raises ResponseError where it does not tell."""
        response = self._http.send("GET", f"{ROOT}/WhoAmI()", headers=_HEADERS)
        if response.status_code != 200:
            raise problem(response)
        told = served_at(response)
        if told is None:
            raise ResponseError("Dataverse answers without a date")
        return believed(told, self._clock)

    def among(self, table: str, select: str, column: str, values: Sequence[str]) -> Iterator[Any]:
        """Rows whose column, by its logical name, holds one of the values (query/filter-rows)."""
        for told in _chunks(values):
            url = (
                f"{SETS[table]}?$select={select}&$filter=Microsoft.Dynamics.CRM.In("
                f"PropertyName=@p1,PropertyValues=@p2)&@p1='{column}'&@p2=[{told}]"
            )
            for page in self.pages(url):
                yield from rows_of(page)

    def exists(self, table: str, number: str) -> bool:
        return any(self.among(table, KEYS[table], KEYS[table], [number]))

    def create(self, table: str, number: str, values: Mapping[str, Any]) -> httpx.Response:
        """Create under an id of our own; 412 where it exists."""
        return self._write(table, number, values, {"If-None-Match": "*"})

    def update(
        self, table: str, number: str, values: Mapping[str, Any], version: str | None
    ) -> httpx.Response:
        return self._write(table, number, values, {"If-Match": version or "*"})

    def qualify(self, number: str, wish: Mapping[str, Any]) -> httpx.Response:
        """The bound action QualifyLead (Web API reference)."""
        headers = {k: v for k, v in _HEADERS.items() if k != "If-None-Match"}
        path = f"{ROOT}/leads({number})/Microsoft.Dynamics.CRM.QualifyLead"
        return self._http.send("POST", path, json=dict(wish), headers=headers)

    def delete(self, table: str, number: str, version: str | None) -> httpx.Response:
        headers = {**_HEADERS, "If-Match": version or "*"}
        del headers["If-None-Match"]
        return self._http.send("DELETE", f"{ROOT}/{SETS[table]}({number})", headers=headers)

    def _write(
        self, table: str, number: str, values: Mapping[str, Any], condition: Mapping[str, str]
    ) -> httpx.Response:
        headers = {k: v for k, v in _HEADERS.items() if k != "If-None-Match"}
        headers |= {**condition, "Prefer": "return=representation"}
        path = f"{ROOT}/{SETS[table]}({number})?$select={KEYS[table]},versionnumber"
        return self._http.send("PATCH", path, json=dict(values), headers=headers)

    def _body(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code != 200:
            raise problem(response)
        return object_of(response)

    def _authorize(self, fresh: bool) -> Mapping[str, str]:
        secret = self._settings.secret()
        scope = f"{self._settings.origin}/.default"
        try:
            if fresh or secret != self._secret:  # a new application has no token of the old one
                self._application, self._secret = self._open(secret), secret
            found = self._application.acquire_token_for_client([scope])
        except ConnectorError:
            raise
        except ValueError as error:  # so msal tells a refused discovery
            raise AuthError(
                "the login does not know the tenant", remedy="check tenant_id and authority"
            ) from error
        except Exception as error:  # msal raises its own and bare exceptions for a 5xx
            raise TransientError(f"the login does not answer ({type(error).__name__})") from error
        if "access_token" not in found:
            raise AuthError(
                f"the login refuses the application ({found.get('error', 'unknown')})",
                remedy="check tenant_id, client_id and the secret's expiry date",
            )
        return {"Authorization": f"Bearer {found['access_token']}"}

    def _open(self, secret: str) -> Any:
        return msal.ConfidentialClientApplication(
            self._settings.client_id,
            client_credential=secret,
            authority=self._settings.login,
            instance_discovery=None if self._settings.authority is None else False,
            http_client=LoginTransport(self._login),
        )


def _chunks(values: Sequence[str]) -> Iterator[str]:
    """The values in JSON and percent-encoded, as many at a time as a URL bears.

    JSON's double quotes let an apostrophe through as it is (query/filter-rows).
    """
    chunk: list[str] = []
    size = 0
    for value in values:
        told = quote(json.dumps(value, ensure_ascii=False), safe="")
        if chunk and (len(chunk) == IN_MOST or size + len(told) > IN_LONGEST):
            yield ",".join(chunk)
            chunk, size = [], 0
        chunk.append(told)
        size += len(told)
    if chunk:
        yield ",".join(chunk)


def rows_of(page: Mapping[str, Any]) -> list[Any]:
    """Raises ResponseError where there are none: that must not pass for an empty list."""
    rows = page.get("value")
    if not isinstance(rows, list):
        raise ResponseError("Dataverse answers a list without its rows")
    return rows


def error_of(response: httpx.Response) -> tuple[str, str]:
    """Code and message of a refusal."""
    body = json_of(response)
    told = body.get("error") if isinstance(body, Mapping) else None
    return (
        (str(told.get("code", "")), str(told.get("message", "")))
        if isinstance(told, Mapping)
        else ("", "")
    )


def problem(response: httpx.Response) -> ConnectorError:
    """What a refused request says of the connection."""
    code, _ = error_of(response)
    if code == EXPIRED:
        return CursorExpiredError("Dataverse has forgotten the change token")
    if code == UNTRACKED:
        return SetupError(
            "a table has no change tracking", remedy="turn it on in the table's properties"
        )
    if code in LATER:
        return TransientError(f"Dataverse cannot answer now ({code})")
    if code in STRANGERS:
        return AuthError(
            f"the application is no enabled user of the environment ({code})",
            remedy="add it as an application user, enabled, with a security role",
        )
    if response.status_code == 403:
        return AuthError(
            f"Dataverse refuses the permission ({code})",
            remedy="give the application user organization-level read and write on the tables",
        )
    if response.status_code == 400 and b"$deltatoken" in response.request.url.query:
        # whatever is wrong with a token that was ours to keep, a new listing mends it
        return CursorExpiredError(f"Dataverse does not take the change token ({code})")
    return ResponseError(f"Dataverse refuses a request with {response.status_code} ({code})")
