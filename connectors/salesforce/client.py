"""The REST API as Python calls; no idea of synchronisation.

simple-salesforce builds queries and describes in direct mode; every request of its
session is handed to our transport, it never logs in and never refreshes (it loses the
caller's headers when it does). Collections and conditional updates are our own.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import requests
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from connectors.errors import (
    AuthError,
    ConnectorError,
    RateLimitError,
    ResponseError,
    TransientError,
)
from connectors.http import HttpClient, check_host, json_of
from connectors.protocol import Runtime
from connectors.salesforce.settings import SUFFIXES, SalesforceSettings

COLLECTION = 200  #: rows of one call (resources_composite_sobjects_collections)
WRITE_HEADERS = {
    # REST defaults to TRUE: assignment rules would change the owner (headers-autoassign)
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Call-Options": "client=crm-sync",
}
_LIMITS = frozenset({"REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED"})
_LATER = frozenset({"SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT"})


class HandedOver(requests.adapters.BaseAdapter):
    """Sends what a requests session would send over our own client."""

    def __init__(self, client: HttpClient) -> None:
        super().__init__()
        self._client = client

    def send(
        self, request: requests.PreparedRequest, *_options: Any, **_named: Any
    ) -> requests.Response:
        headers = {k: str(v) for k, v in request.headers.items() if k.lower() in _KEPT}
        body = request.body if isinstance(request.body, bytes | str) else None
        answer = self._client.send(
            request.method or "GET", request.url or "", headers=headers, content=body
        )
        response = requests.Response()
        response.status_code, response.reason = answer.status_code, answer.reason_phrase
        response.headers = CaseInsensitiveDict(answer.headers)
        response.url, response.encoding, response.request = str(request.url), "utf-8", request
        response._content = answer.content
        return response

    def close(self) -> None: ...


#: what simple-salesforce may say; authorization and encoding are our client's
_KEPT = frozenset({"content-type", "sforce-query-options", "accept"})


class SalesforceClient:
    """One organization's REST API."""

    def __init__(self, settings: SalesforceSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        transport = runtime.transport(settings.ca_file)
        self._login = HttpClient(settings.origin, transport, runtime.clock)
        self._transport = transport
        self._token = ""
        self._rest: HttpClient | None = None
        self._library: Any = None
        self.used = (0, 0)  #: API calls of the last 24 hours, and how many are allowed

    def close(self) -> None:
        self._login.close()
        if self._rest is not None:
            self._rest.close()

    @property
    def _root(self) -> str:
        return f"/services/data/v{self._settings.api_version}"

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request below the API's root."""
        response = self._http().send(method, self._root + path, **options)
        self._note_usage(response)
        return response

    def server_time(self, response: httpx.Response) -> datetime:
        """The server's clock, from the Date header. Raises ResponseError without one."""
        told = response.headers.get("Date")
        if not told:
            raise ResponseError("Salesforce answers without a Date header")
        return parsedate_to_datetime(told).astimezone(UTC)

    def now(self) -> datetime:
        """The server's clock."""
        return self.server_time(self.send("GET", "/"))

    def query(self, soql: str) -> Iterator[list[dict[str, Any]]]:
        """Pages of rows, deleted ones too. A page is requested when it is asked for."""
        answer = self._asked(lambda: self._simple().query(soql, include_deleted=True))
        while True:
            yield answer["records"]
            if answer["done"]:
                return
            following = answer["nextRecordsUrl"]
            answer = self._asked(
                lambda: self._simple().query_more(following, identifier_is_url=True)  # noqa: B023  # called at once
            )

    def describe(self, name: str) -> Mapping[str, Any] | None:
        """The object's description; None where the organization has no such object."""
        response = self.send("GET", f"/sobjects/{quote(name)}/describe")
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise problem(response)
        described: Mapping[str, Any] = json_of(response)
        return described

    def upsert(
        self, name: str, field: str, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Create, or find, rows by external id; at most 200. One answer each, in order."""
        records = [{"attributes": {"type": name}, **row} for row in rows]
        response = self.send(
            "PATCH",
            f"/composite/sobjects/{quote(name)}/{quote(field)}",
            json={"allOrNone": False, "records": records},
            headers=WRITE_HEADERS,
        )
        return _collection(response, len(rows))

    def update(
        self, name: str, number: str, values: Mapping[str, Any], unless_changed: str | None
    ) -> httpx.Response:
        """Change one row, unless it moved on since ``unless_changed`` (an HTTP date)."""
        headers = dict(WRITE_HEADERS)
        if unless_changed:
            headers["If-Unmodified-Since"] = unless_changed
        path = f"/sobjects/{quote(name)}/{quote(number)}"
        return self.send("PATCH", path, json=dict(values), headers=headers)

    def delete(self, numbers: Sequence[str]) -> list[dict[str, Any]]:
        response = self.send(
            "DELETE",
            "/composite/sobjects",
            params={"ids": ",".join(numbers), "allOrNone": "false"},
            headers=WRITE_HEADERS,
        )
        return _collection(response, len(numbers))

    def _http(self) -> HttpClient:
        """Requests to the instance that the token names, which may be another host."""
        if self._rest is None:
            self._authorize(True)
        if self._rest is None:
            raise ResponseError("Salesforce gave no instance to talk to")
        return self._rest

    def _authorize(self, fresh: bool) -> Mapping[str, str]:
        if fresh or not self._token:
            self._log_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _log_in(self) -> None:
        auth = self._settings.auth
        basic = httpx.BasicAuth(auth.client_id, auth.secret())
        request = next(basic.auth_flow(httpx.Request("POST", self._settings.origin)))
        response = self._login.send(
            "POST",
            "/services/oauth2/token",
            content="grant_type=client_credentials",
            headers={
                "Authorization": request.headers["Authorization"],
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        body = json_of(response)
        if response.status_code != 200:
            code = body.get("error", response.status_code) if isinstance(body, dict) else "?"
            raise AuthError(
                f"Salesforce refuses the login ({code})",
                remedy="check client id and secret, and that the app has a user to run as",
            )
        self._token = str(body["access_token"])
        try:
            origin = check_host(body["instance_url"], SUFFIXES, self._settings.allow_host)
        except ValueError as error:
            raise AuthError(f"the login points to another host: {error}") from error
        if self._rest is None or self._rest.origin != origin:
            self._rest = HttpClient(origin, self._transport, self._runtime.clock, self._authorize)
            self._library = None

    def _simple(self) -> Any:
        if self._library is None:
            client = self._http()
            session = requests.Session()
            session.trust_env = False
            session.mount("https://", HandedOver(client))
            self._library = Salesforce(
                session_id="ours",  # our client puts the real one in
                instance_url=client.origin,
                session=session,
                version=self._settings.api_version,
            )
        return self._library

    def _asked(self, call: Any) -> Any:
        try:
            return call()
        except SalesforceError as error:
            raise problem_of(error.status, error.content) from error
        except ValueError as error:
            raise TransientError("Salesforce answers without JSON") from error

    def _note_usage(self, response: httpx.Response) -> None:
        told = response.headers.get("Sforce-Limit-Info", "")
        used, _, most = told.partition("api-usage=")[2].partition(";")[0].partition("/")
        if used.isdigit() and most.isdigit():
            self.used = (int(used), int(most))


def soql(text: str, **values: Any) -> str:
    """A query with its values quoted."""
    return str(format_soql(text, **values))


def http_date(stamp: str) -> str:
    """A SystemModstamp as the HTTP date that conditional requests take; seconds only."""
    moment = datetime.fromisoformat(stamp).astimezone(UTC)
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def errors_of(body: Any) -> list[Mapping[str, Any]]:
    """The errors of an answer: a list of objects with errorCode or statusCode."""
    found = body if isinstance(body, list) else [body]
    return [error for error in found if isinstance(error, Mapping)]


def code_of(error: Mapping[str, Any]) -> str:
    return str(error.get("errorCode") or error.get("statusCode") or error.get("error") or "UNKNOWN")


def problem(response: httpx.Response) -> ConnectorError:
    """What a refused request says of the connection."""
    return problem_of(response.status_code, json_of(response))


def problem_of(status: int, body: Any) -> ConnectorError:
    codes = [code_of(error) for error in errors_of(body)] or [str(status)]
    named = ", ".join(codes)
    if _LIMITS & set(codes):
        return RateLimitError(
            f"the daily API calls of the organization are used up ({named})",
            remedy="run less often or buy more calls",
            retry_after=3600,
        )
    if _LATER & set(codes):
        return TransientError(f"Salesforce cannot answer now ({named})")
    if status == 403 or any(code.startswith("INSUFFICIENT_ACCESS") for code in codes):
        return AuthError(
            f"Salesforce refuses the permission ({named})",
            remedy="check the permission set of the integration user",
        )
    return ResponseError(f"Salesforce refuses a request with {status} ({named})")


def _collection(response: httpx.Response, expected: int) -> list[dict[str, Any]]:
    if response.status_code != 200:
        raise problem(response)
    answers = json_of(response)
    if not isinstance(answers, list) or len(answers) != expected:
        raise TransientError("Salesforce answers a collection with another number of rows")
    return answers
