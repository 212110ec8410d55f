"""Lists of rows: ``$select``, ``$filter``, ``$orderby``, pages, and change tracking.

Sources: powerapps-docs, webapi/query (page-results) and
use-change-tracking-synchronize-data-external-systems. Pages go on behind the last row they
showed, so that a deleted row moves nobody.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote, unquote

from connectors.simulators.dataverse import odata
from connectors.simulators.dataverse.columns import SET_OF, RowError, own_name
from connectors.simulators.dataverse.tables import Environment, Stored

MOST = 5000  #: rows of a page, and the highest count
DELTA_LIFE = timedelta(days=7)
_KNOWN = ("$select", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$deltatoken")
_REFUSED_WITH_TRACKING = ("$filter", "$orderby", "$expand", "$top")
_TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
Order = list[tuple[str, bool]]  #: column, descending


@dataclass(frozen=True, slots=True)
class Query:
    """One request for rows of a table."""

    env: Environment
    table: str
    root: str  #: of the Web API, absolute
    options: Mapping[str, str]
    prefer: str

    def answer(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Body and headers. Raises RowError."""
        self.env.may("Read", self.table)
        for name in self.options:
            if name.startswith("$") and name not in _KNOWN:
                raise RowError(400, "0x80060888", f"The query parameter {name} is not supported.")
        select = selected(self.env, self.table, self.options.get("$select", ""))
        applied = {}
        if asked := re.search(r"odata\.maxpagesize=\d+", self.prefer):
            applied = {"Preference-Applied": asked[0]}
        if "$deltatoken" in self.options:
            return self._changes(select), applied
        if "odata.track-changes" in self.prefer or self._cookie("istracking") == "True":
            self._may_track()
            return self._page(select, tracked=True), {"Preference-Applied": "odata.track-changes"}
        return self._page(select, tracked=False), applied

    def _page(self, select: Sequence[str], *, tracked: bool) -> dict[str, Any]:
        order = self._order()
        rows = self._matching()
        rows.sort(key=cmp_to_key(lambda a, b: _compare(order, a.values, b.values)))
        told: dict[str, Any] = {"@odata.context": f"{self.root}/$metadata#{self._of(select)}"}
        if self.options.get("$count") == "true":
            told["@odata.count"] = min(len(rows), MOST)
        if "$top" in self.options:
            rows = rows[: int(self.options["$top"])]
        if last := self._last():
            rows = [row for row in rows if _compare(order, row.values, last) > 0]
        page = rows[: self._size()]
        since = int(self._cookie("version") or self.env.version)
        told["value"] = [shown(self.env, row, select, self.prefer) for row in page]
        if len(page) < len(rows):
            marks = {name: page[-1].values.get(name) for name, _ in order}
            told["@odata.nextLink"] = self._next(marks, since, tracked=tracked)
        elif tracked:
            version = since if self.env.switches["token_of_start"] else self.env.version
            told["@odata.deltaLink"] = self._delta_link(select, version)
        return told

    def _changes(self, select: Sequence[str]) -> dict[str, Any]:
        """Changed rows by version, then deletions by version."""
        since = self._token()
        entries = [
            ((0, row.version), shown(self.env, row, select, self.prefer))
            for row in self.env.rows.values()
            if row.table == self.table and row.version > since
        ]
        context = f"{self.root}/$metadata#{SET_OF[self.table]}"
        for number, (of, when) in self.env.tombstones.items():
            if of == self.table and when > since:
                gone = {"id": number, "reason": "deleted"}
                entries.append(((1, when), {"@odata.context": f"{context}/$deletedEntity", **gone}))
        entries.sort(key=lambda entry: entry[0])
        last = self._last()
        if last:
            place = (last["deleted"], last["version"])
            entries = [entry for entry in entries if entry[0] > place]
        page = entries[: self._size()]
        told: dict[str, Any] = {
            "@odata.context": f"{self.root}/$metadata#{self._of(select)}/$delta",
            "value": [row for _, row in page],
        }
        # what happens between the pages may lie before them: the next token starts at the first
        now = int(self._cookie("version") or self.env.version)
        if len(page) < len(entries):
            deleted, version = page[-1][0]
            marks = {"deleted": deleted, "version": version}
            told["@odata.nextLink"] = self._next(marks, now, tracked=True)
        else:
            told["@odata.deltaLink"] = self._delta_link(select, now)
        return told

    def _token(self) -> int:
        """The version that the token stands for. Raises RowError where it has expired."""
        version, _, stamp = self.options["$deltatoken"].partition("!")
        made = datetime.strptime(f"{stamp} +0000", "%m/%d/%Y %H:%M:%S %z")
        old = self.env.clock.now() - made > DELTA_LIFE
        if old or int(version) < self.env.switches["schema_changed_at"]:
            words = (
                "Version stamp associated with the client has expired. Please perform a full sync."
            )
            raise RowError(400, "0x80044352", words)
        return int(version)

    def _may_track(self) -> None:
        if self.table in self.env.switches["untracked"]:
            words = f"Entity {self.table} isn't enabled for change tracking."
            raise RowError(400, "0x80072491", words)
        for name in _REFUSED_WITH_TRACKING:
            if name in self.options:
                words = (
                    f'The "{name}" query parameter isn\'t supported when Change Tracking '
                    f"is enabled."
                )
                raise RowError(400, "", words)

    def _matching(self) -> list[Stored]:
        rows = [row for row in self.env.rows.values() if row.table == self.table]
        if "$filter" not in self.options:
            return rows
        aliases = {name: value for name, value in self.options.items() if name.startswith("@")}
        test, named = odata.parse(self.options["$filter"], aliases)
        self._known(named.columns, self.env.columns[self.table])
        self._known(named.attributes, {own_name(name) for name in self.env.columns[self.table]})
        return [row for row in rows if test(row.values)]

    def _known(self, names: Iterable[str], columns: Iterable[str]) -> None:
        for name in set(names) - set(columns):
            words = f"Could not find a property named '{name}' on type '{self.table}'."
            raise RowError(400, "0x80060888", words)

    def _order(self) -> Order:
        """The columns asked for, then the key, which no two rows share."""
        order = []
        for term in (t.split() for t in self.options.get("$orderby", "").split(",") if t.strip()):
            order.append((term[0], term[1:] == ["desc"]))
        self._known((name for name, _ in order), self.env.columns[self.table])
        return [*order, (f"{self.table}id", False)]

    def _size(self) -> int:
        asked = re.search(r"odata\.maxpagesize=(\d+)", self.prefer)
        most = int(self.env.switches["page_size"])
        return min(int(asked[1]), most) if asked and "$top" not in self.options else most

    def _of(self, select: Sequence[str]) -> str:
        chosen = f"({','.join(select)})" if "$select" in self.options else ""
        return SET_OF[self.table] + chosen

    def _next(self, marks: Mapping[str, Any], version: int, *, tracked: bool) -> str:
        """The documented cookie: the last row's place, quoted within the quoted token."""
        number = int(self._cookie("pagenumber") or 1)
        places = "".join(
            f'<{name} last="{html.escape(json.dumps(value))}" />' for name, value in marks.items()
        )
        inner = quote(f'<cookie page="{number}">{places}</cookie>', safe="")
        token = (
            f'<cookie pagenumber="{number + 1}" pagingcookie="{inner}" '
            f'istracking="{tracked}" version="{version}" />'
        )
        kept = "&".join(
            f"{name}={quote(value, safe=',()')}"
            for name, value in self.options.items()
            if name != "$skiptoken"
        )
        path = f"{self.root}/{SET_OF[self.table]}?{kept}{'&' if kept else ''}"
        return f"{path}$skiptoken={quote(token, safe='')}"

    def _cookie(self, name: str) -> str:
        found = re.search(rf'\b{name}="([^"]*)"', self.options.get("$skiptoken", ""))
        return found[1] if found else ""

    def _last(self) -> dict[str, Any]:
        """The place of the row that the page before ended with."""
        inner = unquote(self._cookie("pagingcookie"))
        places = re.findall(r'<(\w+) last="([^"]*)"', inner)
        return {name: json.loads(html.unescape(value)) for name, value in places}

    def _delta_link(self, select: Sequence[str], version: int) -> str:
        stamp = f"{self.env.clock.now():%m/%d/%Y %H:%M:%S}"
        chosen = f"$select={','.join(select)}&" if "$select" in self.options else ""
        token = quote(f"{version}!{stamp}", safe="")
        return f"{self.root}/{SET_OF[self.table]}?{chosen}$deltatoken={token}"


def selected(env: Environment, table: str, select: str) -> list[str]:
    """The columns asked for, or all. Raises RowError."""
    names = [name.strip() for name in select.split(",") if name.strip()]
    for name in names:
        if name not in env.columns[table]:
            words = f"Could not find a property named '{name}' on type '{table}'."
            raise RowError(400, "0x80060888", words)
    return names or sorted(env.columns[table])


def shown(env: Environment, row: Stored, select: Sequence[str], prefer: str) -> dict[str, Any]:
    """The row as JSON: with its ETag and its key, whatever is selected."""
    told: dict[str, Any] = {"@odata.etag": row.etag}
    for name in select:
        value = None if env.hides(row.table, name) else row.values.get(name)
        if value is not None and name.startswith("_") and _TARGET in prefer:
            told[f"{name}@{_TARGET}"] = _target(env, str(value))
        told[name] = value
    return told | {f"{row.table}id": row.id}


def _target(env: Environment, number: str) -> str:
    return env.rows[number].table if number in env.rows else "systemuser"


def _compare(order: Order, first: Mapping[str, Any], second: Mapping[str, Any]) -> int:
    """Nulls stand first, text is compared without case."""
    for name, descending in order:
        a, b = _place(first.get(name)), _place(second.get(name))
        if a != b:
            return -1 if (a < b) != descending else 1
    return 0


def _place(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0,)
    return (1, value.casefold() if isinstance(value, str) else value)
