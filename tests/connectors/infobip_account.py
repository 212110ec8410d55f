"""An account of Customer Profiles on paper: the People API as documented, in one process.

Serves the connector's tests through ``httpx.MockTransport``. Written from the vendor's documents
only; what these leave open is a switch.
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx

from connectors.infobip.connector import InfobipConnector
from connectors.infobip.settings import InfobipSettings
from connectors.protocol import Runtime

Row = dict[str, Any]
Hook = Callable[["Account", httpx.Request], httpx.Response | None]

START = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)
ATTRIBUTES = {
    "crmsync_company_id": "STRING",
    "job_title": "STRING",
    "email_opt_out": "BOOLEAN",
    "phone_opt_out": "BOOLEAN",
    "fax_opt_out": "BOOLEAN",
    "bulk_email_opt_out": "BOOLEAN",
}


class Refusal(Exception):
    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Call:
    method: str
    path: str
    params: dict[str, str]
    body: Any


@dataclass
class Account:
    """``before`` and ``after`` are asked around every call; an answer of theirs goes out."""

    null_ignored: bool = False
    type_refused: bool = False
    ties: bool = False  #: the clock stands still
    attributes: dict[str, str] = field(default_factory=lambda: dict(ATTRIBUTES))
    persons: dict[int, Row] = field(default_factory=dict)
    companies: dict[int, Row] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)  #: company -> persons
    tags: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    before: list[Hook] = field(default_factory=list)
    after: list[Hook] = field(default_factory=list)
    now: datetime = START
    _last: int = 0

    def transport(self) -> httpx.BaseTransport:
        def streamed(request: httpx.Request) -> httpx.Response:
            answer = self.handle(request)  # a network's answer is not read yet
            body = httpx.ByteStream(answer.content)
            return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

        return httpx.MockTransport(streamed)

    def handle(self, request: httpx.Request) -> httpx.Response:
        for hook in list(self.before):
            if answer := hook(self, request):
                return answer
        answer = self._answer(request)
        for hook in list(self.after):
            if other := hook(self, request):
                return other
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        call = Call(request.method, request.url.path, dict(request.url.params), body)
        self.calls.append(call)
        if request.headers.get("Authorization") != "App secret":
            return _envelope(401, "UNAUTHORIZED", "Invalid login details")
        try:
            told = self._served(call)
        except Refusal as no:
            body = {"errorCode": no.code, "errorMessage": no.message}
            return httpx.Response(no.status, json=body)
        return httpx.Response(200, json=told) if told is not None else httpx.Response(200)

    def count(self, method: str, path: str) -> int:
        return sum(1 for call in self.calls if (call.method, call.path) == (method, path))

    # what a person of the account does

    def add(self, **body: Any) -> int:
        return int(self._create(self.persons, {"type": "CUSTOMER", **body})["id"])

    def add_company(self, **body: Any) -> int:
        return int(self._create(self.companies, body)["id"])

    def edit(self, id: int, **changes: Any) -> None:
        self._change(self.persons, id, changes)

    # the API

    def _served(self, call: Call) -> Any:
        match call.method, call.path.strip("/").split("/")[2:]:
            case "GET", ["customAttributes"]:
                rows = [{"name": n, "dataType": t} for n, t in self.attributes.items()]
                return {"customAttributes": rows, "limit": 1000, "page": 1}
            case "POST", ["tags"]:
                self._define_tag(call.body["name"])
                return {"id": 1, "name": call.body["name"]}
            case "DELETE", ["tags", name, "persons"]:
                for entry in call.body["people"]:
                    row = self._named(entry["query"])
                    row["tags"] = [t for t in row.get("tags", []) if t != unquote(name)]
                    self._touch(row)
                return None
            case "POST", ["persons", "match"]:
                return {"matches": list(self._matches(call.body["identities"]))}
            case "DELETE", ["persons", "contactInformation"]:
                return self._remove_contacts(call)
            case method, [kind, "batch"]:
                return self._batch(method, self._rows(kind), call.body)
            case method, ["companies", "persons"]:
                return self._membership(method, call)
            case method, [kind]:
                return self._single(method, self._rows(kind), call)
        raise Refusal(40401, "not found", 404)

    def _rows(self, kind: str) -> dict[int, Row]:
        return self.companies if kind == "companies" else self.persons

    def _single(self, method: str, rows: dict[int, Row], call: Call) -> Any:
        wanted = {n: v for n, v in call.params.items() if n not in ("replaceDomains", "filter")}
        if method == "POST":
            return self._create(rows, call.body)
        if method == "PATCH":
            full = call.params.get("replaceDomains") == "true"
            return self._change(rows, int(self._found(rows, wanted)["id"]), call.body, full)
        if method != "GET":
            raise Refusal(40001, "not served here")
        if "page" in call.params:
            return self._page(rows, call.params)
        row = self._found(rows, wanted)
        return {"companies": [row]} if rows is self.companies else row

    def _page(self, rows: dict[int, Row], params: Mapping[str, str]) -> Row:
        name, direction = params["orderBy"].split(":")
        ordered = sorted(
            rows.values(), key=lambda row: (row[name], row["id"]), reverse=direction == "desc"
        )
        limit, page = int(params["limit"]), int(params["page"])
        assert 1 <= limit <= 1000
        part = ordered[(page - 1) * limit : page * limit]
        told = "companies" if rows is self.companies else "persons"
        return {told: copy.deepcopy(part), "limit": limit, "page": page}

    def _batch(self, method: str, rows: dict[int, Row], body: Any) -> Row:
        entries = body["people" if rows is self.persons else "companies"]
        results = []
        for index, entry in enumerate(entries):
            try:
                if method == "POST":
                    row = self._create(rows, entry)
                    if rows is self.companies:
                        results.append({"status": 200, "id": row["id"], "index": index})
                    continue
                id = int(self._found(rows, entry["query"])["id"])
                if method == "PATCH":
                    self._change(rows, id, entry["update"])
                else:
                    del rows[id]
            except Refusal as no:
                where = {"index": index} if method == "POST" else {"query": entry["query"]}
                status = 400 if no.code in (40001, 40015, 40018) else 409
                results.append({"status": status, "errors": [{"message": no.message}], **where})
        return {"results": results}

    def _create(self, rows: dict[int, Row], body: Row) -> Row:
        self._validate(rows, None, body)
        self._last += 1
        row: Row = {"id": self._last, "createdAt": self._tick(), **copy.deepcopy(body)}
        row["modifiedAt"] = row["createdAt"]
        rows[self._last] = row
        return copy.deepcopy(row)

    def _change(self, rows: dict[int, Row], id: int, body: Row, full: bool = False) -> Row:
        self._validate(rows, id, body)
        row = rows[id]
        was = copy.deepcopy(row)
        for name, value in body.items():
            if name == "customAttributes":
                for attribute, content in value.items():
                    self._set(row.setdefault(name, {}), attribute, content)
            elif name == "contactInformation":
                for channel, entries in value.items():
                    held = row.setdefault(name, {}).setdefault(channel, [])
                    held += [entry for entry in entries if entry not in held]
            elif name in ("tags", "domains") and not full:
                row[name] = list(dict.fromkeys([*row.get(name, []), *value]))
            else:
                self._set(row, name, value)
        if row != was:
            self._touch(row)
        return copy.deepcopy(row)

    def _set(self, where: Row, name: str, value: Any) -> None:
        if value is not None:
            where[name] = value
        elif not self.null_ignored:
            where.pop(name, None)

    def _validate(self, rows: dict[int, Row], id: int | None, body: Row) -> None:
        if rows is self.companies:
            return self._validate_company(id, body)
        if self.type_refused and id and body.get("type", rows[id]["type"]) != rows[id]["type"]:
            raise Refusal(40001, "Type cannot be changed")
        for name in body.get("customAttributes", {}):
            if name not in self.attributes:
                raise Refusal(40015, f"Unknown property {name}")
        for tag in body.get("tags", []):
            if tag.casefold() not in self.tags:
                raise Refusal(40001, f"Tag {tag} does not exist")
        if id is None and not (body.get("externalId") or any(_contacts(body))):
            raise Refusal(40018, "Destinations are empty")
        for identity in [("EXTERNAL_ID", body.get("externalId")), *_contacts(body)]:
            if identity[1] and self._owner(identity) not in (None, id):
                kind = {"EMAIL": 40005, "PHONE": 40004, "EXTERNAL_ID": 40003}[identity[0]]
                word = {"EMAIL": "email", "PHONE": "phone", "EXTERNAL_ID": "externalId"}
                what = f"Destination({word[identity[0]]}) {identity[1]} already exists."
                raise Refusal(kind, what)

    def _validate_company(self, id: int | None, body: Row) -> None:
        for other in self.companies.values():
            if other["id"] == id:
                continue
            name = str(body.get("name", "")).casefold()
            if name and other["name"].casefold() == name:
                raise Refusal(40006, f"Key (lower(name::text))=({body['name']}) already exists.")
            if set(body.get("domains", [])) & set(other.get("domains", [])):
                raise Refusal(40002, "Domain already exists.")
            if body.get("externalId") and other.get("externalId") == body["externalId"]:
                raise Refusal(40003, f"Key (external_id)=({body['externalId']}) already exists.")

    def _owner(self, identity: tuple[str, Any]) -> int | None:
        for row in self.persons.values():
            own = [("ID", str(row["id"])), ("EXTERNAL_ID", row.get("externalId"))]
            if identity in own or identity in list(_contacts(row)):
                return int(row["id"])
        return None

    def _named(self, query: Row) -> Row:
        return self._found(self.persons, query, copied=False)

    def _found(self, rows: dict[int, Row], query: Mapping[str, str], copied: bool = True) -> Row:
        row: Row | None = None
        if rows is self.persons:
            value = query["identifier"]
            value = value.casefold() if query["type"] == "EMAIL" else value
            row = rows.get(self._owner((query["type"], value)) or 0)
            no = Refusal(40401, "There is no person matching the query", 404)
        else:
            [(name, value)] = query.items()
            no = Refusal(40405, f'Company with {name} "{value}" does not exist', 404)
            row = next((r for r in rows.values() if value in _company_names(r, name)), None)
        if row is None:
            raise no
        return copy.deepcopy(row) if copied else row

    def _matches(self, identities: Iterable[Row]) -> Iterable[Row]:
        for told in identities:
            value = told["identifier"]
            folded = value.casefold() if told["type"] == "EMAIL" else value
            if owner := self._owner((told["type"], folded)):
                yield {**told, "personId": owner}

    def _remove_contacts(self, call: Call) -> Row:
        row = self._named(call.params)
        for channel, entries in call.body["contactInformation"].items():
            held = row["contactInformation"][channel]
            row["contactInformation"][channel] = [entry for entry in held if entry not in entries]
        self._touch(row)
        return copy.deepcopy(row)

    def _membership(self, method: str, call: Call) -> None:
        company = int(self._found(self.companies, call.params)["id"])
        ids = {int(self._named(entry["query"])["id"]) for entry in call.body["people"]}
        members = self.members.setdefault(company, set())
        self.members[company] = members | ids if method == "PATCH" else members - ids

    def _define_tag(self, name: str) -> None:
        if name.casefold() in self.tags:
            raise Refusal(40006, "Duplicate")
        self.tags.add(name.casefold())

    def _touch(self, row: Row) -> None:
        row["modifiedAt"] = self._tick()

    def _tick(self) -> str:
        if not self.ties:
            self.now += timedelta(seconds=1)
        return self.now.strftime("%Y-%m-%dT%H:%M:%S")


def _contacts(row: Row) -> Iterable[tuple[str, str]]:
    told = row.get("contactInformation") or {}
    for entry in told.get("phone", []):
        yield "PHONE", entry["number"]
    for entry in told.get("email", []):
        yield "EMAIL", entry["address"].casefold()


def _company_names(row: Row, name: str) -> list[str]:
    if name == "domain":
        return list(row.get("domains", []))
    return [str(row.get(name))]


def _envelope(status: int, id: str, text: str) -> httpx.Response:
    told = {"requestError": {"serviceException": {"messageId": id, "text": text}}}
    return httpx.Response(status, json=told)


class StillClock:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.waited = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.waited)

    def monotonic(self) -> float:
        return self.waited

    def wait(self, seconds: float) -> bool:
        self.waited += seconds
        return True


def connect(account: Account, clock: StillClock | None = None, **settings: Any) -> InfobipConnector:
    told = {"base_url": "https://x1.api.infobip.com", "api_key": "secret", **settings}
    told.setdefault("rates", {"read": 0, "write": 0, "create": 0, "match": 0})
    runtime = Runtime(clock or StillClock(), lambda: UUID(int=0), lambda _: account.transport())
    return InfobipConnector.open(InfobipSettings.model_validate(told), runtime)
