"""The Web API over HTTP: login, single rows, functions and actions."""

import json
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.simulators.control import Control
from connectors.simulators.dataverse import definitions, odata
from connectors.simulators.dataverse.columns import SET_OF, SETS, RowError
from connectors.simulators.dataverse.listing import Query, selected, shown
from connectors.simulators.dataverse.tables import (
    LISTED,
    PRIVILEGES,
    USER,
    Environment,
    Stored,
    privilege_id,
)
from connectors.simulators.faults import Faults

CLIENT = ("demo-client", "demo-secret-dynamics")
ORGANIZATION = "11111111-aaaa-4bbb-8ccc-222222222222"
BUSINESS_UNIT = "00000000-0000-0000-0000-000000000002"
ROOT = "/api/data/v9.2"
TOKEN_LIFE = 3599
LONGEST_URL = 32_768  #: characters (webapi/query/overview)
_ID = r"\(([0-9a-fA-F-]{36})\)"
_EXISTS = "A record with matching key values already exists."
_MOVED = "The version of the existing record doesn't match the RowVersion property provided."


class WebApi:
    """Requests to one environment, one at a time."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment
        self._lock = Lock()

    async def discover(self, request: Request) -> Response:
        origin, tenant = _origin(request), request.path_params["tenant"]
        return JSONResponse(
            {
                "token_endpoint": f"{origin}/{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{origin}/{tenant}/oauth2/v2.0/authorize",
                "issuer": f"{origin}/{tenant}/v2.0",
            }
        )

    async def login(self, request: Request) -> Response:
        """Client credentials; refusals as Microsoft Entra's error codes page lists them."""
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") != "client_credentials":
            words = "AADSTS70003: The app requested an unsupported grant type."
            return _refused_login(400, "unsupported_grant_type", words)
        if (form.get("client_id"), form.get("client_secret")) != CLIENT:
            words = "AADSTS7000215: Invalid client secret provided."
            return _refused_login(401, "invalid_client", words)
        if form.get("scope") != f"{_origin(request)}/.default":
            words = "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
            return _refused_login(400, "invalid_scope", words)
        token = secrets.token_urlsafe(40)
        self._env.tokens[token] = self._env.clock.now() + timedelta(seconds=TOKEN_LIFE)
        told = {"token_type": "Bearer", "expires_in": TOKEN_LIFE, "access_token": token}
        return JSONResponse(told)

    async def data(self, request: Request) -> Response:
        body = await request.body()
        now = self._env.clock.now()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._env.tokens.get(token, now) <= now:
            where = (
                f"Bearer authorization_uri={_origin(request)}/tenant/oauth2/authorize, "
                f"resource_id={_origin(request)}/"
            )
            response = Response(status_code=401, headers={"WWW-Authenticate": where})
        elif len(str(request.url)) > LONGEST_URL:
            response = Response(status_code=414)
        else:
            response = await run_in_threadpool(self._answer, request, body)
        response.headers["Date"] = format_datetime(now, usegmt=True)
        response.headers["OData-Version"] = "4.0"
        if response.headers.get("Content-Type") == "application/json":
            response.headers["Content-Type"] = "application/json; odata.metadata=minimal"
        return response

    def _answer(self, request: Request, body: bytes) -> Response:
        with self._lock:
            try:
                return self._route(request, _parsed(body))
            except RowError as error:
                status, told = error.status, {"code": error.code, "message": error.message}
            except (odata.FilterError, ValueError) as error:
                status, told = 400, {"code": "0x80060888", "message": str(error)}
            return JSONResponse({"error": told}, status)

    def _route(self, request: Request, given: dict[str, Any]) -> Response:
        path = request.url.path.removeprefix(ROOT).strip("/")
        options = {unquote_plus(k): v for k, v in request.query_params.items()}
        if (told := self._told(path)) is not None:
            return JSONResponse(told)
        if (told := definitions.answer(self._env, path, options)) is not None:
            return JSONResponse(told)
        if path in LISTED:
            return JSONResponse({"value": self._listed(path, options)})
        if path == "Merge" and request.method == "POST":
            return self._merge(given)
        if found := re.fullmatch(rf"leads{_ID}/Microsoft\.Dynamics\.CRM\.QualifyLead", path):
            return self._qualify(request, found[1], given)
        if found := re.fullmatch(rf"(\w+){_ID}", path):
            return self._row(request, self._table(found[1]), found[2], given)
        if found := re.fullmatch(r"(\w+)/\$count", path):
            rows = self._env.records(self._table(found[1]))
            return Response(str(min(len(rows), 5000)), media_type="text/plain")
        table = self._table(path)
        if request.method == "POST":
            return self._post(request, table, given)
        root = f"{_origin(request)}{ROOT}"
        query = Query(self._env, table, root, options, request.headers.get("Prefer", ""))
        body, headers = query.answer()
        return JSONResponse(body, headers=headers)

    def _listed(self, name: str, options: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = self._env.switches[LISTED[name]]
        if "$filter" in options:
            test, _ = odata.parse(options["$filter"], options)
            rows = [row for row in rows if test(row)]
        return [{column: row[column] for column in options["$select"].split(",")} for row in rows]

    def _table(self, name: str) -> str:
        if name not in SETS or SETS[name] in self._env.switches["missing"]:
            raise RowError(404, "0x80060888", f"Resource not found for the segment '{name}'.")
        return SETS[name]

    def _told(self, path: str) -> dict[str, Any] | None:
        """What the environment says of itself and of its user."""
        if path in ("WhoAmI", "WhoAmI()"):
            ids = {"UserId": USER, "BusinessUnitId": BUSINESS_UNIT}
            return {**ids, "OrganizationId": ORGANIZATION}
        if path.startswith("RetrieveCurrentOrganization("):
            return {
                "Detail": {
                    "OrganizationId": ORGANIZATION,
                    "FriendlyName": "Simulated Dataverse",
                    "OrganizationType": self._env.switches["organization_type"],
                    "State": "Enabled",
                }
            }
        if path == f"businessunits({BUSINESS_UNIT})":
            return {"businessunitid": BUSINESS_UNIT, "name": "Simulated unit"}
        if path == f"systemusers({USER})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()":
            return {"RolePrivileges": self._privileges()}
        if path.endswith("/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"):
            return {"AttributePrivileges": definitions.attribute_privileges(self._env)}
        return None

    def _privileges(self) -> list[dict[str, Any]]:
        return [
            {
                "Depth": "Global",
                "PrivilegeId": privilege_id(kind, table),
                "BusinessUnitId": BUSINESS_UNIT,
                "PrivilegeName": f"prv{kind}{table.capitalize()}",
            }
            for table in SET_OF
            for kind in PRIVILEGES
            if f"{kind} {table}" not in self._env.switches["denied"]
        ]

    # rows

    def _post(self, request: Request, table: str, given: dict[str, Any]) -> Response:
        self._env.may("Create", table)
        number = given.get(f"{table}id") or str(uuid.uuid4())
        if number.lower() in self._env.rows:
            raise RowError(412, "0x80040237", _EXISTS)
        row = self._env.create(table, number, given, "api")
        return self._written(request, row, created=True)

    def _row(self, request: Request, table: str, number: str, given: dict[str, Any]) -> Response:
        if request.method == "GET":
            return self._read(request, table, number)
        if request.method == "DELETE":
            self._env.may("Delete", table)
            row = self._env.find(table, number)
            _condition(request, row)
            self._env.delete(row, "api")
            return Response(status_code=204)
        return self._patch(request, table, number, given)

    def _read(self, request: Request, table: str, number: str) -> Response:
        self._env.may("Read", table)
        row = self._env.find(table, number)
        if request.headers.get("If-None-Match") == row.etag:
            return Response(status_code=304)
        return JSONResponse(self._entity(request, row), headers={"ETag": row.etag})

    def _patch(self, request: Request, table: str, number: str, given: dict[str, Any]) -> Response:
        """If-None-Match: only create; If-Match: only update; neither: whichever it takes."""
        present = number.lower() in self._env.rows
        if request.headers.get("If-None-Match") == "*" and present:
            raise RowError(412, "0x80040237", _EXISTS)
        if "If-Match" not in request.headers and not present:
            self._env.may("Create", table)
            row = self._env.create(table, number, given, "api")
            return self._written(request, row, created=True)
        self._env.may("Write", table)
        row = self._env.find(table, number)
        _condition(request, row)
        self._env.update(row, given, "api")
        return self._written(request, row, created=False)

    def _written(self, request: Request, row: Stored, *, created: bool) -> Response:
        where = f"{_origin(request)}{ROOT}/{SET_OF[row.table]}({row.id})"
        if "return=representation" not in request.headers.get("Prefer", ""):
            return Response(status_code=204, headers={"OData-EntityId": where})
        headers = {"Preference-Applied": "return=representation", "ETag": row.etag}
        return JSONResponse(self._entity(request, row), 201 if created else 200, headers)

    def _entity(self, request: Request, row: Stored) -> dict[str, Any]:
        select = request.query_params.get("$select", "")
        chosen = f"({select})" if select else ""
        context = f"{_origin(request)}{ROOT}/$metadata#{SET_OF[row.table]}{chosen}/$entity"
        names = selected(self._env, row.table, select)
        prefer = request.headers.get("Prefer", "")
        return {"@odata.context": context, **shown(self._env, row, names, prefer)}

    # actions

    def _merge(self, given: Mapping[str, Any]) -> Response:
        """Source: powerapps-docs, webapi/merge-entity-using-web-api."""
        table = str(given["Target"]["@odata.type"]).rpartition(".")[2]
        target, loser = (
            self._env.find(table, str(given[name][f"{table}id"]))
            for name in ("Target", "Subordinate")
        )
        content = dict(given.get("UpdateContent") or {})
        content.pop("@odata.type", None)
        self._env.merge(target, loser, content)
        self._env.journal.write(table, target.id, "merge", content, "api")
        return Response(status_code=204)

    def _qualify(self, request: Request, number: str, given: Mapping[str, Any]) -> Response:
        """Source: QualifyLead in the Web API reference; the answer as it was recorded."""
        lead = self._env.find("lead", number)
        self._env.may("Write", "lead")
        make = [table for table in ("contact", "account") if given.get(f"Create{table.title()}")]
        for table in make:
            self._env.may("Create", table)
        made = self._env.qualify(lead, {}, tuple(make), int(given["Status"]))
        self._env.journal.write("lead", lead.id, "convert", make, "api")
        rows = [
            {
                "@odata.type": f"#Microsoft.Dynamics.CRM.{row.table}",
                **shown(self._env, row, sorted(self._env.columns[row.table]), ""),
            }
            for row in made
        ]
        context = (
            f"{_origin(request)}{ROOT}/$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)"
        )
        return JSONResponse({"@odata.context": context, "value": rows})


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


def _condition(request: Request, row: Stored) -> None:
    if request.headers.get("If-Match", "*") not in ("*", row.etag):
        raise RowError(412, "0x80060882", _MOVED)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError as error:
        words = "Error identified in Payload provided by the user: invalid JSON."
        raise RowError(400, "0x80048d19", words) from error
    if not isinstance(found, dict):
        raise RowError(400, "0x80048d19", "Error identified in Payload provided by the user.")
    return found


def _refused_login(status: int, error: str, words: str) -> Response:
    return JSONResponse({"error": error, "error_description": words}, status)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
