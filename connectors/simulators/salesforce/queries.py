"""Queries over HTTP: pages that stay as they were at the first, locators that live two days."""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.simulators.salesforce import soql
from connectors.simulators.salesforce.org import RECORDED, Org, RowError, Stored

CURSOR_LIFE = timedelta(days=2)
_PARENTS = ("Account", "Owner")


class Queries:
    """The queries of one organization."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._cursors: dict[str, tuple[datetime, list[dict[str, Any]]]] = {}

    def run(self, request: Request, _given: Any, which: str) -> Response:
        query = soql.parse(request.query_params.get("q", ""))
        if query.object == "Organization":
            return JSONResponse(_page([_recorded_organization(query)], None, 1))
        name = next((n for n in self._org.describes if n.lower() == query.object.lower()), None)
        if name is None:
            message = f"sObject type '{query.object}' is not supported."
            raise RowError("INVALID_TYPE", message)
        for path in sorted(query.named):
            self._known(name, path)
        rows = self._selected(name, query, deleted=which == "queryAll")
        if not query.fields:
            return JSONResponse({"totalSize": len(rows), "done": True, "records": []})
        found = [_shown(row, query.fields, name) for row in rows]
        return self._paged(request, found)

    def _known(self, name: str, path: str) -> None:
        first, _, rest = path.partition(".")
        if rest and first.capitalize() in _PARENTS:
            return
        if self._org.field(name, first) is None:
            message = (
                f"\nSELECT {path} FROM {name}\n       ^\nERROR at Row:1:Column:8\n"
                f"No such column '{path}' on entity '{name}'."
            )
            raise RowError("INVALID_FIELD", message)

    def _selected(self, name: str, query: soql.Query, *, deleted: bool) -> list[dict[str, Any]]:
        now = self._org.clock.now()
        rows = []
        for row in self._org.rows.values():
            if row.object != name or row.visible > now:
                continue
            if deleted or not row.values["IsDeleted"]:
                lowered = self._lowered(row)
                if query.where(lowered):
                    rows.append(lowered)
        for path, descending in reversed(query.order):
            rows.sort(key=partial(_place, path), reverse=descending)
        return rows[query.offset :][: query.limit]

    def _lowered(self, row: Stored) -> dict[str, Any]:
        found = {name.lower(): value for name, value in row.values.items()}
        parent = self._org.rows.get(row.values.get("AccountId") or "")
        if parent is not None:
            found["account"] = {name.lower(): value for name, value in parent.values.items()}
        return found

    def _paged(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        asked = re.search(r"batchSize=(\d+)", request.headers.get("Sforce-Query-Options", ""))
        size = min(int(asked[1]) if asked else 2000, self._org.switches["page_size"])
        following = None
        if len(rows) > size:
            name = f"0r8{secrets.token_hex(8)}"
            self._cursors[name] = (self._org.clock.now() + CURSOR_LIFE, rows)
            following = f"/services/data/v62.0/query/{name}-{size}"
        return JSONResponse(_page(rows[:size], following, len(rows)))

    def more(self, _request: Request, _given: Any, locator: str) -> Response:
        name, _, start = locator.rpartition("-")
        ends, rows = self._cursors.get(name, (self._org.clock.now(), []))
        if ends <= self._org.clock.now():
            raise RowError("INVALID_QUERY_LOCATOR", "invalid query locator")
        size = self._org.switches["page_size"]
        page = rows[int(start) :][:size]
        left = int(start) + size
        following = f"/services/data/v62.0/query/{name}-{left}" if left < len(rows) else None
        return JSONResponse(_page(page, following, len(rows)))


def attributes(name: str, number: str) -> dict[str, str]:
    """What every row says of itself."""
    return {"type": name, "url": f"/services/data/v62.0/sobjects/{name}/{number}"}


def _shown(row: Mapping[str, Any], fields: tuple[str, ...], name: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"attributes": attributes(name, row["id"])}
    for path in fields:
        first, _, rest = path.partition(".")
        if not rest:
            shown[path] = soql.value_at(row, path)
        elif isinstance(row.get(first.lower()), Mapping):
            shown.setdefault(first, {"attributes": {"type": first}})[rest] = soql.value_at(
                row, path
            )
        else:
            shown[first] = None
    return shown


def _page(rows: list[dict[str, Any]], following: str | None, total: int) -> dict[str, Any]:
    page = {"totalSize": total, "done": following is None, "records": rows}
    return page | ({"nextRecordsUrl": following} if following else {})


def _recorded_organization(query: soql.Query) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((RECORDED / "organization_record.json").read_text())
    recorded["Id"] = "00D000000000001AAA"
    return {"attributes": recorded["attributes"], **{n: recorded.get(n) for n in query.fields}}


def _place(path: str, row: dict[str, Any]) -> Any:
    return soql.sort_key(soql.value_at(row, path))
