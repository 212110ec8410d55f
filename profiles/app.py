"""Customer Profiles over HTTP, in the dialect of Infobip's People API."""

import hmac
import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from profiles.companies import Companies
from profiles.control import Journal
from profiles.errors import Refusal, envelope
from profiles.persons import Persons
from profiles.store import Store, savepoint

MOST = 1000  #: rows of a page, entries of a batch
Answer = tuple[int, Any]


class PeopleApi:
    """Requests to one account; each is one transaction."""

    def __init__(self, store: Store, key: str, journal: Journal) -> None:
        self._store = store
        self._key = f"App {key}".encode()
        self._journal = journal
        self.persons = Persons(store)
        self.companies = Companies(store)

    async def answer(self, request: Request) -> Response:
        told = request.headers.get("Authorization", "").encode("latin-1")
        if not hmac.compare_digest(told, self._key):
            return JSONResponse(envelope("UNAUTHORIZED", "Invalid login details"), 401)
        body = await request.body()
        response = await run_in_threadpool(self._respond, request, body)
        self._journal.call(request.method, request.url.path, response.status_code)
        return response

    def _respond(self, request: Request, body: bytes) -> Response:
        try:
            given = json.loads(body) if body else {}
            if not isinstance(given, dict):
                raise Refusal(40001, "the body is a JSON object")
            work, parts = self._route(request)
            with self._store.transaction() as db:
                status, told = work(db, dict(request.query_params), given, *parts)
        except ValueError:
            return JSONResponse(Refusal(40001, "the body is no JSON").body, 400)
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status)
        return Response(status_code=status) if told is None else JSONResponse(told, status)

    def _route(self, request: Request) -> tuple[Callable[..., Answer], tuple[str, ...]]:
        for method, pattern, work in (
            ("GET", r"/people/2/persons", self._read),
            ("POST", r"/people/2/persons", self._create),
            ("PATCH", r"/people/2/persons", self._update),
            ("PUT", r"/people/2/persons", self._replace),
            ("DELETE", r"/people/2/persons", self._delete),
            ("(PUT|PATCH|DELETE)", r"/people/2/persons/contactInformation", self._contacts),
            ("(POST|PATCH|DELETE)", r"/people/2/persons/batch", self._batch),
            ("POST", r"/people/2/persons/match", self._match),
            ("GET", r"/people/2/companies", self._read_company),
            ("POST", r"/people/2/companies", self._create_company),
            ("PATCH", r"/people/2/companies", self._update_company),
            ("DELETE", r"/people/2/companies", self._delete_company),
            ("(POST|PATCH|DELETE)", r"/people/2/companies/batch", self._company_batch),
            ("(PATCH|DELETE)", r"/people/2/companies/persons", self._members),
            ("(GET|POST)", r"/people/2/tags", self._tags),
            ("(PATCH|DELETE)", r"/people/2/tags/([^/]+)/persons", self._tagged),
            ("(GET|POST)", r"/people/2/customAttributes", self._attributes),
            ("GET", r"/profiles/account", self._account),
        ):
            verb = re.fullmatch(method, request.method)
            path = re.fullmatch(pattern, request.url.path)
            if verb and path:
                return work, (*verb.groups(), *path.groups())
        raise Refusal(40400, "there is no such resource", status=404)

    # persons

    def _read(self, db: sqlite3.Connection, query: Mapping[str, str], _given: Any) -> Answer:
        if "identifier" in query:
            number = self.persons.find(db, query.get("type", ""), query["identifier"])
            return 200, self.persons.shown(db, number)
        limit, page, order = _paging(query)
        told: dict[str, Any] = {"limit": limit, "page": page, "orderBy": order}
        told["persons"] = self.persons.page(db, limit, page, order)
        if query.get("includeTotalCount") == "true":
            told["totalCount"] = db.execute("SELECT count(*) FROM person").fetchone()[0]
        return 200, told

    def _create(self, db: sqlite3.Connection, _query: Any, given: dict[str, Any]) -> Answer:
        number = self.persons.create(db, given)
        self._journal.write("person", number, "create", given)
        return 200, self.persons.shown(db, number)

    def _update(
        self, db: sqlite3.Connection, query: Mapping[str, str], given: dict[str, Any]
    ) -> Answer:
        number = self._one(db, query)
        self._journal.changed("person", number, self.persons.update(db, number, given))
        return 200, self.persons.shown(db, number)

    def _replace(
        self, db: sqlite3.Connection, query: Mapping[str, str], given: dict[str, Any]
    ) -> Answer:
        number = self._one(db, query)
        self.persons.replace(db, number, given)
        self._journal.write("person", number, "update", given)
        return 200, self.persons.shown(db, number)

    def _delete(self, db: sqlite3.Connection, query: Mapping[str, str], _given: Any) -> Answer:
        number = self._one(db, query)
        self.persons.delete(db, number)
        self._journal.write("person", number, "delete", {})
        return 200, None

    def _contacts(
        self,
        db: sqlite3.Connection,
        query: Mapping[str, str],
        given: dict[str, Any],
        method: str,
    ) -> Answer:
        number = self._one(db, query)
        if method == "PUT":
            self.persons.replace_contacts(db, number, given)
        elif method == "DELETE":
            self.persons.remove_contacts(db, number, given)
        else:
            only = {"contactInformation": given.get("contactInformation")}
            self.persons.update(db, number, only)
        self._journal.write("person", number, "update", {"contactInformation": None})
        return 200, self.persons.shown(db, number)

    def _batch(
        self, db: sqlite3.Connection, _query: Any, given: dict[str, Any], method: str
    ) -> Answer:
        """Only what failed is told; failures are entries of status 409."""
        refused = []
        for index, entry in enumerate(_entries(given, "people")):
            try:
                with savepoint(db):
                    self._entry(db, method, entry)
            except Refusal as refusal:
                told: dict[str, Any] = {"status": 409, "errors": [{"message": refusal.message}]}
                told |= {"index": index} if method == "POST" else {"query": entry.get("query")}
                refused.append(told | ({"isModified": False} if method == "PATCH" else {}))
        return (207 if refused else 200), {"results": refused}

    def _entry(self, db: sqlite3.Connection, method: str, entry: dict[str, Any]) -> None:
        if method == "POST":
            number = self.persons.create(db, entry)
            self._journal.write("person", number, "create", entry)
            return
        number = self._one(db, entry["query"])
        if method == "PATCH":
            self._journal.changed(
                "person", number, self.persons.update(db, number, entry["update"])
            )
        else:
            self.persons.delete(db, number)
            self._journal.write("person", number, "delete", {})

    def _match(self, db: sqlite3.Connection, _query: Any, given: dict[str, Any]) -> Answer:
        matches = []
        for identity in given.get("identities", []):
            try:
                number = self._one(db, identity)
            except Refusal:
                continue
            matches.append({**identity, "personId": number})
        return 200, {"matches": matches}

    def _one(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> int:
        return self.persons.find(db, str(query.get("type", "")), str(query.get("identifier", "")))

    # companies

    def _read_company(
        self, db: sqlite3.Connection, query: Mapping[str, str], _given: Any
    ) -> Answer:
        if {"id", "externalId", "name", "domain"} & set(query):
            try:
                number = self.companies.find(db, query)
            except Refusal as refusal:
                if refusal.code != 40405:
                    raise
                return 200, {"companies": [], "limit": 20, "page": 1}
            return 200, {"companies": [self.companies.shown(db, number)], "limit": 20, "page": 1}
        limit, page, order = _paging(query)
        found = self.companies.page(db, limit, page, order)
        return 200, {"companies": found, "limit": limit, "page": page, "orderBy": order}

    def _create_company(self, db: sqlite3.Connection, _query: Any, given: dict[str, Any]) -> Answer:
        number = self.companies.create(db, given)
        self._journal.write("company", number, "create", given)
        return 200, self.companies.shown(db, number)

    def _update_company(
        self, db: sqlite3.Connection, query: Mapping[str, str], given: dict[str, Any]
    ) -> Answer:
        number = self.companies.find(db, query)
        replaced = query.get("replaceDomains") == "true"
        changed = self.companies.update(db, number, given, replace_domains=replaced)
        self._journal.changed("company", number, changed)
        return 200, self.companies.shown(db, number)

    def _delete_company(
        self, db: sqlite3.Connection, query: Mapping[str, str], _given: Any
    ) -> Answer:
        number = self.companies.find(db, query)
        self.companies.delete(db, number)
        self._journal.write("company", number, "delete", {})
        return 200, None

    def _company_batch(
        self, db: sqlite3.Connection, _query: Any, given: dict[str, Any], method: str
    ) -> Answer:
        """Creates also tell what succeeded, with its id."""
        told: list[dict[str, Any]] = []
        failed = False
        for index, entry in enumerate(_entries(given, "companies")):
            try:
                with savepoint(db):
                    number = self._company_entry(db, method, entry)
                if method == "POST":
                    told.append({"status": 200, "index": index, "id": number})
            except Refusal as refusal:
                failed = True
                one: dict[str, Any] = {"status": 409, "errors": [{"message": refusal.message}]}
                told.append(
                    one | ({"index": index} if method == "POST" else {"query": entry["query"]})
                )
        return (207 if failed else 200), {"results": told}

    def _company_entry(self, db: sqlite3.Connection, method: str, entry: dict[str, Any]) -> int:
        if method == "POST":
            number = self.companies.create(db, entry)
            self._journal.write("company", number, "create", entry)
            return number
        number = self.companies.find(db, entry["query"])
        if method == "PATCH":
            self._journal.changed(
                "company", number, self.companies.update(db, number, entry["update"])
            )
        else:
            self.companies.delete(db, number)
            self._journal.write("company", number, "delete", {})
        return number

    def _members(
        self,
        db: sqlite3.Connection,
        query: Mapping[str, str],
        given: dict[str, Any],
        method: str,
    ) -> Answer:
        company = self.companies.find(db, query)
        statement = {
            "PATCH": "INSERT OR IGNORE INTO member VALUES (?, ?)",
            "DELETE": "DELETE FROM member WHERE person_id = ? AND company_id = ?",
        }[method]
        for entry in _entries(given, "people"):
            db.execute(statement, (self._one(db, entry["query"]), company))
        return 200, None

    # tags, attributes, account

    def _tags(
        self, db: sqlite3.Connection, _query: Any, given: dict[str, Any], method: str
    ) -> Answer:
        if method == "GET":
            return 200, [{"name": row[0]} for row in db.execute("SELECT name FROM tag")]
        done = db.execute("INSERT OR IGNORE INTO tag VALUES (?)", (given["name"],))
        if not done.rowcount:
            raise Refusal(40006, f"Tag {given['name']} already exists.", "name")
        return 200, {"name": given["name"]}

    def _tagged(
        self,
        db: sqlite3.Connection,
        _query: Any,
        given: dict[str, Any],
        method: str,
        name: str,
    ) -> Answer:
        for entry in _entries(given, "people"):
            number = self._one(db, entry["query"])
            if method == "PATCH":
                self.persons.update(db, number, {"tags": [name]})
            else:
                db.execute(
                    "DELETE FROM person_tag WHERE person_id = ? AND name = ?", (number, name)
                )
                self.persons.touch(db, number)
            self._journal.write("person", number, "update", {"tags": None})
        return 200, "ok"

    def _attributes(
        self, db: sqlite3.Connection, query: Mapping[str, str], given: dict[str, Any], method: str
    ) -> Answer:
        if method == "POST":
            row = (given["name"], given["dataType"])
            if not db.execute("INSERT OR IGNORE INTO attribute VALUES (?, ?)", row).rowcount:
                raise Refusal(40006, f"Attribute {given['name']} already exists.", "name")
            return 200, given
        limit, page, _ = _paging(query)
        rows = db.execute(
            "SELECT name, type FROM attribute ORDER BY name LIMIT ? OFFSET ?",
            (limit, limit * (page - 1)),
        )
        told = [{"name": row[0], "dataType": row[1]} for row in rows]
        return 200, {"customAttributes": told, "limit": limit, "page": page}

    def _account(self, db: sqlite3.Connection, _query: Any, _given: Any) -> Answer:
        """Our own addition: whose store this is."""
        row = db.execute("SELECT id FROM account").fetchone()
        return 200, {"accountId": row[0], "name": "embedded Customer Profiles"}


def _paging(query: Mapping[str, str]) -> tuple[int, int, str]:
    try:
        limit, page = int(query.get("limit", 20)), int(query.get("page", 1))
    except ValueError as error:
        raise Refusal(40001, "limit and page are numbers") from error
    if not 1 <= limit <= MOST or page < 1:
        raise Refusal(40001, f"limit is 1 to {MOST}, page starts at 1")
    return limit, page, query.get("orderBy", "createdAt:asc")


def _entries(given: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = given.get(name)
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise Refusal(40001, f"{name} is a list of 1 to {MOST} entries", name)
    return found


def application(api: PeopleApi, more: list[Route]) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[*more, Route("/{rest:path}", api.answer, methods=methods)])
