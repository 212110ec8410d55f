"""The REST API as Python calls; no idea of synchronisation.

simple-salesforce sends queries in direct mode; every request of its session is handed to
our transport, it never logs in and never refreshes (it loses the caller's headers when it
does). Collections and conditional updates are our own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import requests
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connectors.errors import AuthError, ResponseError, TransientError
from connectors.hosts import check_host
from connectors.http import HttpClient
from connectors.protocol import Budget, Runtime
from connectors.replies import Trail, documented, json_of, object_of, served_at
from connectors.salesforce.answers import code_of, errors_of, problem, problem_of
from connectors.salesforce.settings import SUFFIXES, SalesforceSettings

COLLECTION = 200  #: rows of one call (resources_composite_sobjects_collections)
WRITE_HEADERS = {
    # REST defaults to TRUE: assignment rules would change the owner (headers-autoassign)
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Call-Options": "client=crm-sync",
}
#: login errors that pass by themselves: "unknown_error", "retry your request" is reported in
#: amazon-connect-salesforce-lambda issue 43, the others are OAuth's own
_LOGIN_LATER = frozenset({"unknown_error", "server_error", "temporarily_unavailable"})
#: what simple-salesforce may say; authorization and encoding are our client's
_KEPT = frozenset({"content-type", "sforce-query-options", "accept"})

Row = dict[str, Any]


class Answered(requests.Response):
    """Our client's answer as simple-salesforce takes it, its JSON read as strictly as ours.

    requests itself replaces what is no UTF-8, and takes NaN for a number.
    """

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self._answer = answer
        self.status_code, self.reason = answer.status_code, answer.reason_phrase
        self.headers = CaseInsensitiveDict(answer.headers)
        self.encoding, self._content = "utf-8", answer.content

    def json(self, **_options: Any) -> Any:
        return json_of(self._answer)


class HandedOver(requests.adapters.BaseAdapter):
    """Sends what a requests session would send over our own client."""

    def __init__(self, send: Callable[..., httpx.Response]) -> None:
        super().__init__()
        self._send = send

    def send(
        self, request: requests.PreparedRequest, *_options: Any, **_named: Any
    ) -> requests.Response:
        headers = {k: str(v) for k, v in request.headers.items() if k.lower() in _KEPT}
        response = Answered(self._send(request.method, request.url, headers=headers))
        response.url, response.request = str(request.url), request
        return response

    def close(self) -> None: ...


class SalesforceClient:
    """One organization's REST API."""

    def __init__(self, settings: SalesforceSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._clock = runtime.clock
        self._tell_budget = runtime.budget
        self._transport = runtime.transport(settings.ca_file)
        self._login = HttpClient(settings.origin, self._transport, runtime.clock)
        self._token = ""
        self._rest: HttpClient | None = None
        self._library: Any = None
        self._heard: datetime | None = None
        self.organization = ""  #: its id, as the last login told
        self.user = ""  #: the id of the user we act as, likewise
        self.used = (0, 0)  #: API calls of the last 24 hours, and how many are allowed

    def close(self) -> None:
        self._login.close()
        if self._rest is not None:
            self._rest.close()

    @property
    def heard(self) -> datetime:
        """The server's clock when the last request was sent, or a little earlier.

        Raises ResponseError where the server tells no time.
        """
        if self._heard is None:
            raise ResponseError("Salesforce answers without a Date header")
        return self._heard

    def versions(self) -> list[str]:
        """The API versions that the server offers."""
        response = self._sent("GET", "/services/data")
        if response.status_code != 200:
            raise problem(response)
        with documented("Salesforce"):
            return [str(one["version"]) for one in json_of(response)]

    def query(self, soql: str) -> Iterator[tuple[list[Row], bool]]:
        """Pages of rows, deleted ones too, each with whether it is the last.

        A page is requested when it is asked for. Raises TransientError instead of a last page
        that leaves out rows which the first has counted: an end would be taken for all there is.
        """
        trail, told = Trail("Salesforce"), 0
        answer = self._asked(lambda: self._simple().query(soql, include_deleted=True))
        while True:
            with documented("Salesforce"):
                rows, done, total = answer["records"], bool(answer["done"]), answer["totalSize"]
                told += len(rows)
                following = "" if done else trail.follow(answer["nextRecordsUrl"])
                if not (done or following.startswith("/")):
                    raise ResponseError("a page of Salesforce points to another host")
            if done and told != total:
                raise TransientError(f"Salesforce counted {total} rows and told {told}")
            yield rows, done
            if done:
                return
            answer = self._asked(
                lambda: self._simple().query_more(following, identifier_is_url=True)  # noqa: B023  # called at once
            )

    def describe(self, name: str) -> Mapping[str, Any] | None:
        """The object's description; None where our user sees no such object."""
        response = self._below("GET", f"/sobjects/{quote(name)}/describe")
        if response.status_code == 404:
            json_of(response)  # a proxy's page says nothing about an object
            return None
        if response.status_code != 200:
            raise problem(response)
        return object_of(response)

    def offered(self, name: str, record_type: str) -> dict[str, tuple[str, ...]]:
        """Picklist -> its choices under a record type (User Interface API Developer Guide, "Get
        Values for All Picklist Fields of a Record Type"); none where our user may not ask."""
        path = f"/ui-api/object-info/{quote(name)}/picklist-values/{quote(record_type, safe='')}"
        response = self._below("GET", path)
        if response.status_code in (403, 404):
            return {}
        if response.status_code != 200:
            raise problem(response)
        with documented("Salesforce"):
            told = object_of(response)["picklistFieldValues"]
            return {
                field: tuple(one["value"] for one in values["values"])
                for field, values in told.items()
            }

    def upsert(self, name: str, field: str, rows: Sequence[Mapping[str, Any]]) -> httpx.Response:
        """Create, or find, rows by external id; at most 200."""
        records = [{"attributes": {"type": name}, **row} for row in rows]
        return self._below(
            "PATCH",
            f"/composite/sobjects/{quote(name)}/{quote(field)}",
            json={"allOrNone": False, "records": records},
            headers=WRITE_HEADERS,
        )

    def update(
        self, name: str, number: str, values: Mapping[str, Any], unless_changed: str | None
    ) -> httpx.Response:
        """Change one row, unless it moved on since ``unless_changed`` (an HTTP date)."""
        headers = dict(WRITE_HEADERS)
        if unless_changed:
            headers["If-Unmodified-Since"] = unless_changed
        path = f"/sobjects/{quote(name)}/{quote(number, safe='')}"
        return self._below("PATCH", path, json=dict(values), headers=headers)

    def soap(self, envelope: Callable[[str], bytes], *, fresh: bool) -> httpx.Response:
        """A call of the partner SOAP API; the session id is our access token, or a ``fresh`` one.

        SOAP API Developer Guide, "Step 3: Walk Through the Sample Code". Faults come with 500.
        """
        if fresh or self._rest is None:
            self._log_in()
        return self._sent(
            "POST",
            f"/services/Soap/u/{self._settings.api_version}",
            content=envelope(self._token),
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
            faults=True,
        )

    def delete(self, numbers: Sequence[str]) -> httpx.Response:
        return self._below(
            "DELETE",
            "/composite/sobjects",
            params={"ids": ",".join(numbers), "allOrNone": "false"},
            headers=WRITE_HEADERS,
        )

    def _below(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request below the root of the API's version."""
        root = f"/services/data/v{self._settings.api_version}"
        return self._sent(method, root + path, **options)

    def _sent(self, method: str, url: str, **options: Any) -> httpx.Response:
        begun = self._clock.monotonic()
        response = self._http().send(method, url, **options)
        if told := served_at(response):
            self._heard = told - timedelta(seconds=self._clock.monotonic() - begun)
        limits = response.headers.get("Sforce-Limit-Info", "")
        used, _, most = limits.partition("api-usage=")[2].partition(";")[0].partition("/")
        if used.isdigit() and most.isdigit():
            self.used = (int(used), int(most))
            self._tell_budget(Budget(*self.used))
        return response

    def _http(self) -> HttpClient:
        """Requests to the instance that the token names, which may be another host."""
        return self._rest or self._log_in()

    def _authorize(self, fresh: bool) -> Mapping[str, str]:
        if fresh:
            self._log_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _log_in(self) -> HttpClient:
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
        told = json_of(response)
        if response.status_code != 200:
            raise _refused_login(told)
        try:
            identity = str(told["id"]).split("/")
            self._pin(identity[-2])
            self.user = identity[-1]
            origin = check_host(told["instance_url"], SUFFIXES, self._settings.allow_host)
            self._token = str(told["access_token"])
        except (KeyError, IndexError, TypeError) as error:
            raise ResponseError("Salesforce answers a login without token or address") from error
        except ValueError as error:
            raise AuthError(f"the login points to another host: {error}") from error
        if self._rest is None or self._rest.origin != origin:
            self._rest = HttpClient(origin, self._transport, self._clock, self._authorize)
            self._library = None
        return self._rest

    def _pin(self, organization: str) -> None:
        """A refreshed sandbox keeps its address and becomes another organization."""
        if self.organization not in ("", organization):
            raise AuthError(
                f"organization {self.organization} has become {organization} at the same address",
                remedy="restart; if the organization has moved for good, run crm-sync rebind",
            )
        self.organization = organization

    def _simple(self) -> Any:
        origin = self._http().origin
        if self._library is None:
            session = requests.Session()
            session.trust_env = False
            session.mount("https://", HandedOver(self._sent))
            self._library = Salesforce(
                session_id="ours",  # our client puts the real one in
                instance_url=origin,
                session=session,
                version=self._settings.api_version,
            )
        return self._library

    def _asked(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except SalesforceError as error:
            raise problem_of(error.status, error.content) from error


def _refused_login(told: Any) -> AuthError | TransientError:
    code = next((code_of(error) for error in errors_of(told)), "no reason given")
    if code in _LOGIN_LATER:
        return TransientError(f"Salesforce cannot log anybody in now ({code})")
    return AuthError(
        f"Salesforce refuses the login ({code})",
        remedy="check client id and secret, and that the app has a user to run as",
    )
