"""Customer Profiles over HTTP, in the dialect of Infobip's People API."""

import hmac
import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from profiles.calls import Answer, CompanyCalls, PersonCalls, Query
from profiles.control import Journal
from profiles.definitions import Definitions
from profiles.errors import Refusal, envelope
from profiles.rules import Given
from profiles.store import Store


class PeopleApi:
    """Requests to one account; each is one transaction."""

    def __init__(self, store: Store, key: str, journal: Journal) -> None:
        self._store = store
        self._key = f"App {key}".encode()
        self._journal = journal
        self.persons = PersonCalls(store, journal)
        self.companies = CompanyCalls(store, journal, self.persons.persons)
        self._definitions = Definitions(store)
        self._served = self._routes()

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        persons, companies = self.persons, self.companies
        people, firms = "/people/2/persons", "/people/2/companies"
        return [
            ("GET", people, persons.read),
            ("POST", people, persons.create),
            ("PATCH", people, persons.update),
            ("PUT", people, persons.replace),
            ("DELETE", people, persons.delete),
            ("PUT", f"{people}/contactInformation", persons.set_contacts),
            ("PATCH", f"{people}/contactInformation", persons.add_contacts),
            ("DELETE", f"{people}/contactInformation", persons.remove_contacts),
            ("POST", f"{people}/batch", persons.create_batch),
            ("PATCH", f"{people}/batch", persons.update_batch),
            ("DELETE", f"{people}/batch", persons.delete_batch),
            ("POST", f"{people}/match", persons.match),
            ("GET", firms, companies.read),
            ("POST", firms, companies.create),
            ("PATCH", firms, companies.update),
            ("DELETE", firms, companies.delete),
            ("POST", f"{firms}/batch", companies.create_batch),
            ("PATCH", f"{firms}/batch", companies.update_batch),
            ("DELETE", f"{firms}/batch", companies.delete_batch),
            ("PATCH", f"{firms}/persons", companies.join),
            ("DELETE", f"{firms}/persons", companies.leave),
            ("PATCH", "/people/2/tags/([^/]+)/persons", persons.tag),
            ("DELETE", "/people/2/tags/([^/]+)/persons", persons.untag),
            ("GET", "/people/2/tags", self._tags),
            ("POST", "/people/2/tags", self._add_tag),
            ("GET", "/people/2/tags/([^/]+)", self._tag),
            ("DELETE", "/people/2/tags/([^/]+)", self._delete_tag),
            ("GET", "/people/2/customAttributes", self._attributes),
            ("POST", "/people/2/customAttributes", self._add_attribute),
            ("GET", "/people/2/customAttributes/([^/]+)", self._attribute),
            ("GET", "/profiles/account", self._account),
        ]

    async def answer(self, request: Request) -> Response:
        told = request.headers.get("Authorization", "").encode("latin-1")
        if not hmac.compare_digest(told, self._key):
            return JSONResponse(envelope("UNAUTHORIZED", "Unauthorized"), 401)
        body = await request.body()
        response = await run_in_threadpool(self._respond, request, body)
        self._journal.call(request.method, request.url.path, response.status_code)
        return response

    def _respond(self, request: Request, body: bytes) -> Response:
        found = self._route(request.method, request.scope["raw_path"].decode("latin-1"))
        if found is None:
            return JSONResponse(envelope("NOT_FOUND", "Not found"), 404)
        work, named = found
        try:
            given = _json(body)
            with self._store.transaction() as db:
                status, told = work(db, dict(request.query_params), given, *named)
        except Refusal as refusal:
            enveloped = self._store.switches.enveloped
            return JSONResponse(refusal.body(enveloped=enveloped), refusal.status)
        return Response(status_code=status) if told is None else JSONResponse(told, status)

    def _route(self, method: str, path: str) -> tuple[Callable[..., Answer], list[str]] | None:
        """By the path as it was sent: a name in it may hold a slash."""
        for served, pattern, work in self._served:
            if served == method and (match := re.fullmatch(pattern, path)):
                return work, [unquote(part) for part in match.groups()]
        return None

    def _tags(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        return 200, self._definitions.tags(db, query)

    def _tag(self, db: sqlite3.Connection, _query: Query, _given: Given, name: str) -> Answer:
        return 200, self._definitions.tag(db, name)

    def _add_tag(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        return 200, self._definitions.add_tag(db, given)

    def _delete_tag(
        self, db: sqlite3.Connection, _query: Query, _given: Given, name: str
    ) -> Answer:
        self._definitions.delete_tag(db, name)
        return 200, "OK"

    def _attributes(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        return 200, self._definitions.attributes(db, query)

    def _attribute(self, db: sqlite3.Connection, _query: Query, _given: Given, name: str) -> Answer:
        return 200, self._definitions.attribute(db, name)

    def _add_attribute(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        return 200, self._definitions.add_attribute(db, given)

    def _account(self, db: sqlite3.Connection, _query: Query, _given: Given) -> Answer:
        """Our own addition: whose store this is."""
        row = db.execute("SELECT id FROM account").fetchone()
        return 200, {"accountId": row[0], "name": "embedded Customer Profiles"}


def _json(body: bytes) -> dict[str, Any]:
    """The body; a request without one is like one with an empty object."""
    try:
        given = json.loads(body) if body else {}
    except ValueError as error:
        raise Refusal(40001, "the body is no JSON") from error
    if not isinstance(given, dict):
        raise Refusal(40001, "the body is a JSON object")
    return given


def application(api: PeopleApi, more: list[Route]) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[*more, Route("/{rest:path}", api.answer, methods=methods)])
