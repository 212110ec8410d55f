"""The REST API over HTTP: login, queries, rows, collections. Sources: REST API Developer Guide."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulators.control import Control
from connectors.simulators.faults import Faults
from connectors.simulators.salesforce import soql
from connectors.simulators.salesforce.org import API_USER, Org, RowError, Stored
from connectors.simulators.salesforce.queries import Queries, attributes

CLIENT = ("demo-client", "demo-secret-salesforce")
TOKEN_LIFE = timedelta(hours=2)
COLLECTION = 200


class SalesforceApi:
    """Requests to one organization, one at a time."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._lock = Lock()
        self._queries = Queries(org)

    async def login(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        told = request.headers.get("Authorization", "")
        if told.startswith("Basic "):
            name, _, secret = base64.b64decode(told[6:]).decode().partition(":")
            client = (name, secret)
        if form.get("grant_type") != "client_credentials":
            return _oauth("unsupported_grant_type", "grant type not supported")
        if client != CLIENT:
            return _oauth("invalid_client", "invalid client credentials")
        token = f"00D000000000001!{secrets.token_urlsafe(40)}"
        self._org.tokens[token] = self._org.clock.now() + TOKEN_LIFE
        origin = f"{request.url.scheme}://{request.url.netloc}"
        return JSONResponse(
            {
                "access_token": token,
                "instance_url": origin,
                "id": f"{origin}/id/00D000000000001AAA/{API_USER}",
                "token_type": "Bearer",
                "issued_at": str(int(self._org.clock.now().timestamp() * 1000)),
                "signature": "none",
            }
        )

    async def data(self, request: Request) -> Response:
        """Everything below ``/services/data``."""
        body = await request.body()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._org.tokens.get(token, self._org.clock.now()) <= self._org.clock.now():
            refused = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
            return self._dated(JSONResponse(refused, 401))
        response = await run_in_threadpool(self._answer, request, body)
        return self._dated(response)

    def _dated(self, response: Response) -> Response:
        response.headers["Date"] = format_datetime(self._org.clock.now(), usegmt=True)
        used = len(self._org.journal.calls)
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/15000"
        return response

    def _answer(self, request: Request, body: bytes) -> Response:
        with self._lock:
            try:
                given = _json(body)
                return self._route(request, given)
            except RowError as error:
                return JSONResponse([_error(error)], error.status)
            except soql.SoqlError as error:
                refused = [{"message": str(error), "errorCode": "MALFORMED_QUERY"}]
                return JSONResponse(refused, 400)

    def _route(self, request: Request, given: Any) -> Response:
        path = request.url.path.removeprefix("/services/data").strip("/")
        version, _, rest = path.partition("/")
        if not version or not rest:
            return JSONResponse(
                [{"label": "Winter", "url": "/services/data/v62.0", "version": "62.0"}]
            )
        for method, pattern, answer in self._routes():
            found = re.fullmatch(pattern, rest)
            if found and request.method == method:
                reply: Response = answer(request, given, *found.groups())
                return reply
        raise RowError("NOT_FOUND", "The requested resource does not exist", status=404)

    def _routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", r"query/(0r8\w+-\d+)/?", self._queries.more),
            ("GET", r"(query|queryAll)/?", self._queries.run),
            ("GET", r"limits/?", self._limits),
            ("GET", r"sobjects/?", self._global),
            ("GET", r"sobjects/(\w+)/describe/?", self._describe),
            ("POST", r"sobjects/(\w+)/?", self._insert),
            ("GET", r"sobjects/(\w+)/(\w+)/?", self._row),
            ("PATCH", r"sobjects/(\w+)/(\w{15}|\w{18})/?", self._update),
            ("DELETE", r"sobjects/(\w+)/(\w+)/?", self._delete),
            ("GET", r"sobjects/(\w+)/(\w+)/([^/]+)/?", self._row_by_field),
            ("PATCH", r"sobjects/(\w+)/(\w+)/([^/]+)/?", self._upsert_one),
            ("POST", r"composite/sobjects/?", self._create_many),
            ("PATCH", r"composite/sobjects/?", self._update_many),
            ("DELETE", r"composite/sobjects/?", self._delete_many),
            ("PATCH", r"composite/sobjects/(\w+)/(\w+)/?", self._upsert_many),
        ]

    def _limits(self, _request: Request, _given: Any) -> Response:
        used = len(self._org.journal.calls)
        return JSONResponse({"DailyApiRequests": {"Max": 15000, "Remaining": 15000 - used}})

    def _global(self, _request: Request, _given: Any) -> Response:
        names = [
            {"name": name, "keyPrefix": d["keyPrefix"]} for name, d in self._org.describes.items()
        ]
        return JSONResponse({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": names})

    def _describe(self, _request: Request, _given: Any, name: str) -> Response:
        self._object(name)
        return JSONResponse(self._org.describes[name])

    # single rows

    def _insert(self, request: Request, given: Any, name: str) -> Response:
        self._object(name)
        number = self._org.create(name, _fields(given), API_USER, assign=_assigns(request))
        return JSONResponse({"id": number, "success": True, "errors": []}, 201)

    def _row(self, request: Request, _given: Any, name: str, number: str) -> Response:
        row = self._alive(name, number)
        wanted = request.query_params.get("fields", "")
        names = [n for n in wanted.split(",") if n] or list(row.values)
        return JSONResponse(
            {"attributes": attributes(name, row.id), **{n: row.values.get(n) for n in names}},
            headers={"Last-Modified": format_datetime(_modified(row), usegmt=True)},
        )

    def _row_by_field(
        self, request: Request, given: Any, name: str, field: str, value: str
    ) -> Response:
        self._object(name)
        rows = self._holding(name, field, value)
        if not rows:
            raise RowError("NOT_FOUND", "The requested resource does not exist", status=404)
        return self._row(request, given, name, rows[0].id)

    def _update(self, request: Request, given: Any, name: str, number: str) -> Response:
        row = self._alive(name, number)
        unless = request.headers.get("If-Unmodified-Since")
        # one second of resolution; Last-Modified follows SystemModstamp
        if unless and _modified(row) > parsedate_to_datetime(unless):
            return JSONResponse(
                [{"message": "Record was modified", "errorCode": "PRECONDITION_FAILED"}], 412
            )
        self._org.update(row, _fields(given), API_USER)
        return Response(status_code=204)

    def _delete(self, _request: Request, _given: Any, name: str, number: str) -> Response:
        self._org.delete(self._alive(name, number), API_USER)
        return Response(status_code=204)

    def _upsert_one(
        self, request: Request, given: Any, name: str, field: str, value: str
    ) -> Response:
        self._object(name)
        found = self._upsert(name, field, {**_fields(given), field: value}, _assigns(request))
        return JSONResponse(found, 201 if found["created"] else 200)

    # collections

    def _create_many(self, request: Request, given: Any) -> Response:
        def create(one: dict[str, Any]) -> dict[str, Any]:
            name = one["attributes"]["type"]
            self._object(name)
            number = self._org.create(name, _fields(one), API_USER, assign=_assigns(request))
            return {"id": number, "success": True, "errors": []}

        return JSONResponse([_each(create, one) for one in _rows(given)])

    def _update_many(self, _request: Request, given: Any) -> Response:
        def update(one: dict[str, Any]) -> dict[str, Any]:
            number = one.get("Id") or one.get("id")
            row = self._alive(one["attributes"]["type"], str(number), "INVALID_CROSS_REFERENCE_KEY")
            self._org.update(row, _fields(one), API_USER)
            return {"id": row.id, "success": True, "errors": []}

        return JSONResponse([_each(update, one) for one in _rows(given)])

    def _upsert_many(self, request: Request, given: Any, name: str, field: str) -> Response:
        self._object(name)

        def upsert(one: dict[str, Any]) -> dict[str, Any]:
            return self._upsert(name, field, _fields(one), _assigns(request))

        return JSONResponse([_each(upsert, one, created=False) for one in _rows(given)])

    def _delete_many(self, request: Request, _given: Any) -> Response:
        def delete(number: str) -> dict[str, Any]:
            row = self._org.rows.get(number)
            if row is None:
                message = "invalid cross reference id"
                raise RowError("INVALID_CROSS_REFERENCE_KEY", message)
            self._org.delete(row, API_USER)
            return {"id": number, "success": True, "errors": []}

        numbers = request.query_params["ids"].split(",")
        return JSONResponse([_each(delete, number) for number in numbers])

    def _upsert(
        self, name: str, field: str, values: dict[str, Any], assign: bool
    ) -> dict[str, Any]:
        rows = self._holding(name, field, values.get(field))
        if not rows:
            number = self._org.create(name, values, API_USER, assign=assign)
            return {"id": number, "success": True, "errors": [], "created": True}
        rest = {n: v for n, v in values.items() if n != field}
        self._org.update(rows[0], rest, API_USER)
        return {"id": rows[0].id, "success": True, "errors": [], "created": False}

    def _holding(self, name: str, field: str, value: Any) -> list[Stored]:
        """The rows with that external id."""
        one = self._org.field(name, field)
        if one is None or not one["externalId"]:
            message = f"Provided external ID field does not exist or is not accessible: {field}"
            raise RowError("NOT_FOUND", message, status=404)
        return [
            row
            for row in self._org.rows.values()
            if row.object == name and row.values.get(field) == value and not row.values["IsDeleted"]
        ]

    def _object(self, name: str) -> None:
        if name not in self._org.describes:
            raise RowError("NOT_FOUND", "The requested resource does not exist", status=404)

    def _alive(self, name: str, number: str, code: str = "NOT_FOUND") -> Stored:
        self._object(name)
        row = self._org.find(name, number)
        if row is None:
            raise RowError(code, "Provided id does not exist", status=404)
        if row.values["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row


def create() -> Control:
    """The application with its control face."""
    org = Org()
    api = SalesforceApi(org)
    methods = ["GET", "POST", "PATCH", "DELETE"]
    app = Starlette(
        routes=[
            Route("/services/oauth2/token", api.login, methods=["POST"]),
            Route("/services/data", api.data, methods=["GET"]),
            Route("/services/data/{rest:path}", api.data, methods=methods),
        ]
    )
    return Control(app, org, Faults())


def _json(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise RowError("JSON_PARSER_ERROR", "The HTTP entity body is not valid JSON") from error


def _oauth(code: str, words: str) -> Response:
    return JSONResponse({"error": code, "error_description": words}, 400)


def _assigns(request: Request) -> bool:
    """Assignment rules run unless the header says FALSE (headers-autoassign)."""
    return request.headers.get("Sforce-Auto-Assign", "TRUE").upper() != "FALSE"


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in given.items() if n not in ("attributes", "Id", "id")}


def _rows(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = given["records"]
    if len(rows) > COLLECTION:
        raise RowError("EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached: {COLLECTION}")
    return rows


def _each(work: Any, one: Any, **more: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = work(one)
    except RowError as error:
        refused = {"statusCode": error.code, "message": error.message, "fields": list(error.fields)}
        return {"success": False, "errors": [refused], **more}
    return found


def _error(error: RowError) -> dict[str, Any]:
    told: dict[str, Any] = {"message": error.message, "errorCode": error.code}
    return told | ({"fields": list(error.fields)} if error.fields else {})


def _modified(row: Stored) -> datetime:
    return datetime.fromisoformat(row.values["SystemModstamp"])
