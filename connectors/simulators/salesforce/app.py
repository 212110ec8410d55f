"""The REST API over HTTP: what is asked where. Source: REST API Developer Guide."""

import json
import re
from email.utils import format_datetime
from threading import Lock
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulators.control import Control
from connectors.simulators.faults import Faults
from connectors.simulators.salesforce import soap, soql
from connectors.simulators.salesforce.login import holds_token, login
from connectors.simulators.salesforce.org import Org
from connectors.simulators.salesforce.queries import Queries
from connectors.simulators.salesforce.refusals import BodyError, RowError, not_found
from connectors.simulators.salesforce.rows import Rows

DATA = "/services/data"
VERSIONS = range(31, 69)  #: older ones are retired (api-eol-soap)
LONGEST = 16384  #: bytes of an address, with its headers
DAILY_CALLS = 15000


class SalesforceApi:
    """Requests to one organization, one at a time."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._lock = Lock()
        queries, rows = Queries(org), Rows(org)
        self._routes: list[tuple[str, str, Any]] = [
            ("GET", r"", self._resources),
            ("GET", r"query(?:All)?/(0r8\w+-\d+)", queries.more),
            ("GET", r"(query|queryAll)", queries.run),
            ("GET", r"limits", self._limits),
            ("GET", r"sobjects", self._global),
            ("GET", r"sobjects/(\w+)/describe", self._describe),
            ("GET", r"ui-api/object-info/(\w+)/picklist-values/(\w+)", self._offered),
            ("POST", r"sobjects/(\w+)", rows.insert),
            ("GET", r"sobjects/(\w+)/(\w+)", rows.read),
            ("PATCH", r"sobjects/(\w+)/(\w{15}|\w{18})", rows.update),
            ("DELETE", r"sobjects/(\w+)/(\w+)", rows.delete),
            ("GET", r"sobjects/(\w+)/(\w+)/([^/]+)", rows.read_by),
            ("PATCH", r"sobjects/(\w+)/(\w+)/([^/]+)", rows.upsert),
            ("POST", r"composite/sobjects", rows.insert_all),
            ("PATCH", r"composite/sobjects", rows.update_all),
            ("DELETE", r"composite/sobjects", rows.delete_all),
            ("PATCH", r"composite/sobjects/(\w+)/(\w+)", rows.upsert_all),
        ]

    async def login(self, request: Request) -> Response:
        return self._dated(await login(self._org, request))

    async def versions(self, _request: Request) -> Response:
        """The one resource that needs no token (dome_versions)."""
        return self._dated(
            JSONResponse(
                [{"label": f"v{n}", "url": f"{DATA}/v{n}.0", "version": f"{n}.0"} for n in VERSIONS]
            )
        )

    async def resource(self, request: Request) -> Response:
        """Everything below ``/services/data/vNN.0``."""
        body = await request.body()
        if len(str(request.url)) + sum(len(k) + len(v) for k, v in request.headers.raw) > LONGEST:
            return self._dated(Response("<h1>URI Too Long</h1>", 414, media_type="text/html"))
        if not holds_token(self._org, request):
            refused = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
            return self._dated(JSONResponse(refused, 401))
        response = await run_in_threadpool(self._answer, request, body)
        response.headers["Sforce-Limit-Info"] = f"api-usage={self._used()}/{DAILY_CALLS}"
        return self._dated(response)

    def _dated(self, response: Response) -> Response:
        response.headers["Date"] = format_datetime(self._org.clock.now(), usegmt=True)
        return response

    def _used(self) -> int:
        return len(self._org.journal.calls)

    def _answer(self, request: Request, body: bytes) -> Response:
        with self._lock:
            try:
                return self._route(request, _json(body))
            except RowError as error:
                return JSONResponse([_error(error)], error.status)
            except BodyError as error:
                refused = [{"message": str(error), "errorCode": "JSON_PARSER_ERROR"}]
                return JSONResponse(refused, 400)
            except soql.SoqlError as error:
                refused = [{"message": str(error), "errorCode": "MALFORMED_QUERY"}]
                return JSONResponse(refused, 400)

    def _route(self, request: Request, given: Any) -> Response:
        # as it was sent: a slash inside a value is encoded
        path = request.scope["raw_path"].decode().partition("?")[0]
        version, _, rest = path.removeprefix(DATA).strip("/").partition("/")
        if version not in {f"v{n}.0" for n in VERSIONS}:
            raise not_found()
        for method, pattern, answer in self._routes:
            found = re.fullmatch(pattern, rest)
            if found and request.method == method:
                reply: Response = answer(request, given, *map(unquote, found.groups()))
                return reply
        raise not_found()

    async def soap(self, request: Request) -> Response:
        """The partner SOAP API."""
        body = await request.body()
        return self._dated(await run_in_threadpool(self._soap, request, body))

    def _soap(self, request: Request, body: bytes) -> Response:
        with self._lock:
            return soap.answer(self._org, request, body)

    def _resources(self, request: Request, _given: Any) -> Response:
        root = request.url.path.rstrip("/")
        names = ("sobjects", "query", "queryAll", "limits", "composite")
        return JSONResponse({name: f"{root}/{name}" for name in names})

    def _limits(self, _request: Request, _given: Any) -> Response:
        left = DAILY_CALLS - self._used()
        return JSONResponse({"DailyApiRequests": {"Max": DAILY_CALLS, "Remaining": left}})

    def _global(self, _request: Request, _given: Any) -> Response:
        described = [self._org.schema.of(name) or {} for name in self._org.schema.names()]
        sobjects = [{k: v for k, v in one.items() if k != "fields"} for one in described]
        return JSONResponse({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})

    def _describe(self, _request: Request, _given: Any, name: str) -> Response:
        described = self._org.schema.of(name)
        if described is None:
            raise not_found()
        return JSONResponse(described)

    def _offered(self, _request: Request, _given: Any, name: str, record_type: str) -> Response:
        """Source: User Interface API Developer Guide, Picklist Values Collection."""
        narrowed = self._org.switches["offered"].get(record_type, {})
        fields = [one for one in self._org.schema.fields(name) if one["picklistValues"]]
        told: dict[str, Any] = {}
        for one in fields:
            values = [choice["value"] for choice in one["picklistValues"] if choice["active"]]
            values = [value for value in values if value in narrowed.get(one["name"], values)]
            choices = [{"value": value, "label": value, "validFor": []} for value in values]
            told[one["name"]] = {"controllerValues": {}, "defaultValue": None, "values": choices}
        return JSONResponse({"picklistFieldValues": told})


def create() -> Control:
    """The application with its control face."""
    org = Org()
    api = SalesforceApi(org)
    app = Starlette(
        routes=[
            Route("/services/oauth2/token", api.login, methods=["POST"]),
            Route("/services/Soap/u/{version}", api.soap, methods=["POST"]),
            Route(DATA, api.versions, methods=["GET"]),
            Route(f"{DATA}/", api.versions, methods=["GET"]),
            Route(
                f"{DATA}/{{rest:path}}",
                api.resource,
                methods=["GET", "POST", "PATCH", "DELETE"],
            ),
        ]
    )
    return Control(app, org, Faults())


def _json(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise BodyError("The HTTP entity body is not valid JSON") from error


def _error(error: RowError) -> dict[str, Any]:
    return {
        "message": error.message,
        "errorCode": error.code,
        **({"fields": list(error.fields)} if error.fields else {}),
    }
