"""The Web API over HTTP: login, rows, change tracking, metadata."""

import json
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, quote, unquote_plus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulators.control import Control
from connectors.simulators.dataverse import odata
from connectors.simulators.dataverse.tables import SETS, Environment, RowError, Stored
from connectors.simulators.faults import Faults

CLIENT = ("demo-client", "demo-secret-dynamics")
ORGANIZATION = "11111111-aaaa-4bbb-8ccc-222222222222"
ROOT = "/api/data/v9.2"
TOKEN_LIFE, DELTA_LIFE = 3599, timedelta(days=7)
_REFUSED_WITH_TRACKING = ("$filter", "$orderby", "$expand", "$top")
_TYPES = {
    "boolean": "Boolean", "dateTime": "DateTime", "date": "DateTime", "integer": "Integer",
    "listLookup": "Picklist", "lookup": "Lookup", "entityId": "Uniqueidentifier",
    "bigInteger": "BigInt", "state": "State", "status": "Status",
}  # fmt: skip


class WebApi:
    """Requests to one environment, one at a time."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment
        self._lock = Lock()

    async def discover(self, request: Request) -> Response:
        origin = f"{request.url.scheme}://{request.url.netloc}"
        tenant = request.path_params["tenant"]
        return JSONResponse(
            {
                "token_endpoint": f"{origin}/{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{origin}/{tenant}/oauth2/v2.0/authorize",
                "issuer": f"{origin}/{tenant}/v2.0",
            }
        )

    async def login(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != CLIENT:
            words = "AADSTS7000215: Invalid client secret provided."
            return JSONResponse({"error": "invalid_client", "error_description": words}, 401)
        token = secrets.token_urlsafe(40)
        self._env.tokens[token] = self._env.clock.now() + timedelta(seconds=TOKEN_LIFE)
        told = {"token_type": "Bearer", "expires_in": TOKEN_LIFE, "access_token": token}
        return JSONResponse(told)

    async def data(self, request: Request) -> Response:
        body = await request.body()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._env.tokens.get(token, self._env.clock.now()) <= self._env.clock.now():
            where = (
                "Bearer authorization_uri=https://login/oauth2/authorize, resource_id=https://org/"
            )
            return Response(status_code=401, headers={"WWW-Authenticate": where})
        return await run_in_threadpool(self._answer, request, body)

    def _answer(self, request: Request, body: bytes) -> Response:
        with self._lock:
            try:
                return self._route(request, json.loads(body) if body else {})
            except RowError as error:
                status, told = error.status, {"code": error.code, "message": error.message}
            except (odata.FilterError, ValueError) as error:
                status, told = 400, {"code": "0x80060888", "message": str(error)}
            return JSONResponse({"error": told}, status)

    def _route(self, request: Request, given: dict[str, Any]) -> Response:
        path = request.url.path.removeprefix(ROOT).strip("/")
        if path in ("WhoAmI", "WhoAmI()"):
            ids = {"UserId": str(uuid.UUID(int=1)), "BusinessUnitId": str(uuid.UUID(int=2))}
            return JSONResponse({**ids, "OrganizationId": ORGANIZATION})
        if path == "organizations":
            row = {"organizationid": ORGANIZATION, "name": "Simulated Dataverse"}
            return JSONResponse({"value": [row]})
        if found := re.fullmatch(r"EntityDefinitions\(LogicalName='(\w+)'\)", path):
            return self._definition(found[1])
        if found := re.fullmatch(r"(\w+)\(([0-9a-fA-F-]{36})\)", path):
            return self._row(request, _table(found[1]), found[2], given)
        if found := re.fullmatch(r"(\w+)/\$count", path):
            table = _table(found[1])
            return Response(str(len(self._env.records(table))), media_type="text/plain")
        table = _table(path)
        if request.method == "POST":
            return self._post(request, table, given)
        return self._list(request, table)

    # rows

    def _post(self, request: Request, table: str, given: dict[str, Any]) -> Response:
        number = given.get(f"{table}id") or str(uuid.uuid4())
        if number.lower() in self._env.rows:
            raise RowError(412, "0x80040237", "A record with matching key values already exists.")
        row = self._env.create(table, number, given, "api")
        return self._written(request, row, created=True)

    def _row(self, request: Request, table: str, number: str, given: dict[str, Any]) -> Response:
        if request.method == "GET":
            return JSONResponse(self._shown(self._env.find(table, number), _select(request)))
        if request.method == "DELETE":
            row = self._env.find(table, number)
            self._condition(request, row)
            self._env.delete(row, "api")
            return Response(status_code=204)
        present = number.lower() in self._env.rows
        if request.headers.get("If-None-Match") == "*":
            if present:
                words = "A record with matching key values already exists."
                raise RowError(412, "0x80040237", words)
            row = self._env.create(table, number, given, "api")
            return self._written(request, row, created=True)
        if "If-Match" not in request.headers and not present:
            row = self._env.create(table, number, given, "api")  # an upsert
            return self._written(request, row, created=True)
        row = self._env.find(table, number)
        self._condition(request, row)
        self._env.update(row, given, "api")
        return self._written(request, row, created=False)

    def _condition(self, request: Request, row: Stored) -> None:
        wanted = request.headers.get("If-Match", "*")
        if wanted not in ("*", row.etag):
            words = "The version of the existing record doesn't match the RowVersion property."
            raise RowError(412, "0x80060882", words)

    def _written(self, request: Request, row: Stored, *, created: bool) -> Response:
        name = next(n for n, table in SETS.items() if table == row.table)
        where = f"{request.url.scheme}://{request.url.netloc}{ROOT}/{name}({row.id})"
        headers = {"OData-EntityId": where}
        if "return=representation" not in request.headers.get("Prefer", ""):
            return Response(status_code=204, headers=headers)
        shown = self._shown(row, _select(request))
        return JSONResponse(shown, 201 if created else 200, headers | {"ETag": row.etag})

    # lists and changes

    def _list(self, request: Request, table: str) -> Response:
        query = {unquote_plus(k): v for k, v in request.query_params.items()}
        prefer = request.headers.get("Prefer", "")
        select = self._selected(table, query)
        unknown = [n for n in query if n.startswith("$") and n not in _KNOWN]
        if unknown:
            raise RowError(400, "0x80060888", f"The query parameter {unknown[0]} is not supported")
        if "$deltatoken" in query:
            return self._delta(request, table, select, query)
        tracked = "odata.track-changes" in prefer or "istracking" in query.get("$skiptoken", "")
        if tracked:
            self._may_track(table, query)
        rows = self._matching(table, query)
        size = self._page_size(prefer)
        start, version = _position(query.get("$skiptoken", ""), self._env.version)
        page = [self._shown(row, select) for row in rows[start : start + size]]
        told: dict[str, Any] = {
            "@odata.context": f"{_origin(request)}{ROOT}/$metadata",
            "value": page,
        }
        if query.get("$count") == "true":
            told["@odata.count"] = min(len(rows), 5000)
        if start + size < len(rows):
            mark = quote(f"{start + size}!{version}{'!istracking' if tracked else ''}")
            rest = "&".join(f"{n}={quote(v)}" for n, v in query.items() if n != "$skiptoken")
            told["@odata.nextLink"] = (
                f"{_origin(request)}{request.url.path}?{rest}&$skiptoken={mark}"
            )
        elif tracked:
            told["@odata.deltaLink"] = self._delta_link(request, table, select, version)
        headers = {"Preference-Applied": "odata.track-changes"} if tracked else {}
        return JSONResponse(told, headers=headers)

    def _may_track(self, table: str, query: Mapping[str, str]) -> None:
        if table in self._env.switches["untracked"]:
            message = f"Entity {table} isn't enabled for change tracking."
            raise RowError(400, "0x80072491", message)
        for name in _REFUSED_WITH_TRACKING:
            if name in query:
                message = (
                    f'The "${name.removeprefix("$")}" query parameter isn\'t supported when '
                    f"Change Tracking is enabled."
                )
                raise RowError(400, "0x80060888", message)

    def _delta_link(self, request: Request, table: str, select: list[str], version: int) -> str:
        token = f"{version}!{self._env.clock.now():%m/%d/%Y %H:%M:%S}"
        chosen = ",".join(select)
        path = f"{_origin(request)}{request.url.path}"
        return f"{path}?$select={chosen}&$deltatoken={quote(token, safe='')}"

    def _delta(
        self, request: Request, table: str, select: list[str], query: Mapping[str, str]
    ) -> Response:
        """Changed rows by version, then deletions; a token lives seven days."""
        version_text, _, stamp = query["$deltatoken"].partition("!")
        made = datetime.strptime(stamp, "%m/%d/%Y %H:%M:%S").replace(
            tzinfo=self._env.clock.now().tzinfo
        )
        version = int(version_text)
        old = self._env.clock.now() - made > DELTA_LIFE
        if old or version < self._env.switches["schema_changed_at"]:
            message = (
                "Version stamp associated with the client has expired. Please perform a full sync."
            )
            raise RowError(400, "0x80044352", message)
        rows = [r for r in self._env.rows.values() if r.table == table and r.version > version]
        value = [self._shown(row, select) for row in sorted(rows, key=lambda r: r.version)]
        context = f"{_origin(request)}{ROOT}/$metadata#{request.url.path.rsplit('/', 1)[-1]}"
        for number, (of, when) in self._env.tombstones.items():
            if of == table and when > version:
                value.append(
                    {
                        "@odata.context": f"{context}/$deletedEntity",
                        "id": number,
                        "reason": "deleted",
                    }
                )
        link = self._delta_link(request, table, select, self._env.version)
        return JSONResponse(
            {"@odata.context": f"{context}/$delta", "@odata.deltaLink": link, "value": value}
        )

    def _matching(self, table: str, query: Mapping[str, str]) -> list[Stored]:
        rows = [row for row in self._env.rows.values() if row.table == table]
        if "$filter" in query:
            aliases = {name: value for name, value in query.items() if name.startswith("@")}
            test, named = odata.parse(query["$filter"], aliases)
            for name in named:
                if (
                    name not in self._env.columns[table]
                    and f"_{name}_value" not in self._env.columns[table]
                ):
                    raise RowError(400, "0x80060888", f"Could not find a property named '{name}'")
            rows = [row for row in rows if test(row.values)]
        for term in reversed([t for t in query.get("$orderby", "").split(",") if t]):
            name, _, direction = term.strip().partition(" ")
            rows.sort(key=partial(_place, name), reverse=direction == "desc")
        return rows[: int(query["$top"])] if "$top" in query else rows

    def _selected(self, table: str, query: Mapping[str, str]) -> list[str]:
        names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
        for name in names:
            if name not in self._env.columns[table]:
                message = f"Could not find a property named '{name}' on type '{table}'."
                raise RowError(400, "0x80060888", message)
        return names or sorted(self._env.columns[table])

    def _page_size(self, prefer: str) -> int:
        asked = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        return min(int(asked[1]) if asked else 5000, int(self._env.switches["page_size"]))

    def _shown(self, row: Stored, select: list[str]) -> dict[str, Any]:
        names = select or sorted(row.values)
        shown = {name: row.values.get(name) for name in names}
        return {"@odata.etag": row.etag, **shown, f"{row.table}id": row.id}

    def _definition(self, table: str) -> Response:
        if table not in self._env.columns:
            words = f"Could not find an entity with name {table}"
            raise RowError(404, "0x80060888", words)
        attributes = [
            {
                "LogicalName": re.sub(r"^_(\w+)_value$", r"\1", name),
                "AttributeType": _TYPES.get(column["type"], "String"),
                "MaxLength": column.get("maxLength"),
            }
            for name, column in sorted(self._env.columns[table].items())
        ]
        return JSONResponse(
            {
                "LogicalName": table,
                "EntitySetName": next(n for n, t in SETS.items() if t == table),
                "PrimaryIdAttribute": f"{table}id",
                "ChangeTrackingEnabled": table not in self._env.switches["untracked"],
                "IsOptimisticConcurrencyEnabled": True,
                "Attributes": attributes,
            }
        )


_KNOWN = ("$select", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$deltatoken")


def create() -> Control:
    """The application with its control face."""
    environment = Environment()
    api = WebApi(environment)
    methods = ["GET", "POST", "PATCH", "DELETE"]
    app = Starlette(
        routes=[
            Route("/{tenant}/v2.0/.well-known/openid-configuration", api.discover),
            Route("/{tenant}/.well-known/openid-configuration", api.discover),
            Route("/{tenant}/oauth2/v2.0/token", api.login, methods=["POST"]),
            Route(ROOT + "/{rest:path}", api.data, methods=methods),
        ]
    )
    return Control(app, environment, Faults())


def _table(name: str) -> str:
    if name not in SETS:
        message = f"Resource not found for the segment '{name}'."
        raise RowError(404, "0x80060888", message)
    return SETS[name]


def _select(request: Request) -> list[str]:
    return [n for n in request.query_params.get("$select", "").split(",") if n]


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _position(mark: str, version: int) -> tuple[int, int]:
    """Where a page starts, and the version when the first page was read."""
    if not mark:
        return 0, version
    start, _, rest = mark.partition("!")
    return int(start), int(rest.partition("!")[0])


def _place(name: str, row: Stored) -> str:
    return str(row.values.get(name) or "")
