"""Queries over HTTP: pages that stay as they were at the first, locators that live two days.

Source: REST API Developer Guide, Query, QueryAll and Query More; the words of refusals as in
recorded answers.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.simulators.salesforce import soql
from connectors.simulators.salesforce.org import Org
from connectors.simulators.salesforce.refusals import RowError

CURSOR_LIFE = timedelta(days=2)
BATCH = (200, 2000)  #: rows that ``batchSize`` may ask for (headers-queryoptions)
_PARENTS = ("Account", "Owner")


@dataclass(frozen=True, slots=True)
class Locator:
    """What a query found, for its next pages."""

    ends: datetime
    rows: list[dict[str, Any]]
    size: int


class Queries:
    """The queries of one organization."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._locators: dict[str, Locator] = {}

    def run(self, request: Request, _given: Any, which: str) -> Response:
        text = request.query_params.get("q", "")
        query = soql.parse(text)
        table = self._org.setup(query.object)
        if table is None:
            name = self._object(query, text)
            rows = self._seen(name, deleted=which == "queryAll")
        else:
            name, rows = query.object, [_lowered(row) for row in table]
        rows = soql.in_order([row for row in rows if query.where(row)], query.order)
        rows = rows[query.offset :][: query.limit]
        if not query.fields:
            return JSONResponse({"totalSize": len(rows), "done": True, "records": []})
        version = request.url.path.split("/")[3]
        return self._first(request, [_shown(row, query.fields, name, version) for row in rows])

    def more(self, request: Request, _given: Any, number: str) -> Response:
        name, _, start = number.rpartition("-")
        found = self._locators.get(name)
        if found is None or found.ends <= self._org.clock.now():
            raise RowError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(request, name, found, int(start))

    def _object(self, query: soql.Query, text: str) -> str:
        """The object asked for. Raises RowError for it, or for a field in the wrong place."""
        wanted = query.object.lower()
        name = next((n for n in self._org.schema.names() if n.lower() == wanted), None)
        if name is None:
            words = f"sObject type '{query.object}' is not supported. "
            hint = _HINT.format("object", "entity")
            raise RowError("INVALID_TYPE", _pointed(text, query.object, words + hint))
        for path in sorted(query.named):
            self._known(name, path, text)
        for path, literal in query.filters:
            self._comparable(name, path, literal)
        return name

    def _known(self, name: str, path: str, text: str) -> None:
        first, _, rest = path.partition(".")
        if rest and first.capitalize() in _PARENTS:
            return
        if self._org.schema.field(name, first) is None:
            words = f"No such column '{path}' on entity '{name}'. "
            hint = _HINT.format("field", "custom field")
            raise RowError("INVALID_FIELD", _pointed(text, path, words + hint))

    def _comparable(self, name: str, path: str, literal: Any) -> None:
        """Long text cannot be compared at all, other fields only with their own kind."""
        one = self._org.schema.field(name, path)
        if one is None:  # of a related record
            return
        if not one["filterable"]:
            raise RowError("INVALID_FIELD", f"field '{path}' can not be filtered in a query call")
        wanted = _LITERALS.get(one["type"], ("string", "should be enclosed in quotes", str))
        if literal is None or isinstance(literal, wanted[2]):
            return
        message = f"value of filter criterion for field '{path}' must be of type {wanted[0]} "
        raise RowError("INVALID_FIELD", f"{message}and {wanted[1]}")

    def _seen(self, name: str, *, deleted: bool) -> list[dict[str, Any]]:
        now = self._org.clock.now()
        found = []
        for row in self._org.rows.values():
            values = row.seen(now)
            if row.object != name or values is None or self._org.is_purged(row):
                continue
            if deleted or not values["IsDeleted"]:
                found.append(self._with_parent(values))
        return found

    def _with_parent(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = _lowered(values)
        parent = self._org.rows.get(values.get("AccountId") or "")
        if parent is not None:
            found["account"] = _lowered(parent.values)
        return found

    def _first(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        asked = re.search(r"batchSize=(\d+)", request.headers.get("Sforce-Query-Options", ""))
        least, most = BATCH
        size = max(least, min(int(asked[1]) if asked else most, most))
        size = min(size, self._org.switches["page_size"])
        name = f"0r8{secrets.token_hex(8)}"
        found = Locator(self._org.clock.now() + CURSOR_LIFE, rows, size)
        if len(rows) > size:
            self._locators[name] = found
        return _page(request, name, found, 0)


_HINT = (
    "If you are attempting to use a custom {}, be sure to append the '__c' after the {} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_QUOTELESS = "should not be enclosed in quotes"
#: what a type may be compared with, in Salesforce's words; all others with text
_LITERALS: dict[str, tuple[str, str, Any]] = {
    "boolean": ("boolean", _QUOTELESS, bool),
    "date": ("date", _QUOTELESS, date),
    "datetime": ("dateTime", _QUOTELESS, datetime),
    "int": ("int", _QUOTELESS, float),
    "double": ("double", _QUOTELESS, float),
    "currency": ("currency", _QUOTELESS, float),
    "percent": ("percent", _QUOTELESS, float),
}


def _pointed(text: str, word: str, words: str) -> str:
    """A refusal with the query and a caret below the word that is wrong, as recorded."""
    place = text.find(word)
    return f"\n{text}\n{' ' * place}^\nERROR at Row:1:Column:{place + 1}\n{words}"


def attributes(name: str, number: str, version: str) -> dict[str, str]:
    """What every row says of itself."""
    return {"type": name, "url": f"/services/data/{version}/sobjects/{name}/{number}"}


def _lowered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Names of fields in SOQL do not tell capitals."""
    return {name.lower(): value for name, value in values.items()}


def _shown(
    row: Mapping[str, Any], fields: tuple[str, ...], name: str, version: str
) -> dict[str, Any]:
    shown: dict[str, Any] = {"attributes": attributes(name, row["id"], version)}
    for path in fields:
        first, _, rest = path.partition(".")
        if not rest:
            shown[path] = soql.value_at(row, path)
        elif isinstance(row.get(first.lower()), Mapping):
            found = shown.setdefault(first, {"attributes": {"type": first}})
            found[rest] = soql.value_at(row, path)
        else:
            shown[first] = None
    return shown


def _page(request: Request, name: str, found: Locator, start: int) -> Response:
    end = start + found.size
    page: dict[str, Any] = {"totalSize": len(found.rows), "done": end >= len(found.rows)}
    if not page["done"]:
        version = request.url.path.split("/")[3]
        page["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
    return JSONResponse(page | {"records": found.rows[start:end]})
