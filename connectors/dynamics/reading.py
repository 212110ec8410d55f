"""Reads changes by change tracking and rows by id or column.

A delta row says what a record is now. The token comes with the last page only and may
miss what changed while a first listing ran, so the listing is followed by a read of what
was modified since its start (powerapps-docs issue 3862).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.dynamics.client import KEYS, SETS, DynamicsClient, rows_of
from connectors.dynamics.currencies import CURRENCY, Currencies
from connectors.dynamics.metadata import PARENT, logical_name
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import CursorExpiredError, ResponseError
from connectors.protocol import (
    Change,
    Converted,
    Cursor,
    Deleted,
    Merged,
    Page,
    Record,
    Selection,
    Upserted,
)
from connectors.replies import documented

_OWN = ("statecode", "modifiedon", "versionnumber", "merged", "_masterid_value")
_LEADS_OWN = ("_parentcontactid_value", "_parentaccountid_value")
_QUALIFIED, _DISQUALIFIED, _INACTIVE = 1, 2, 1  #: statecode of a lead, of a lead, of the others


class Reader:
    """Reads one environment's tables.

    A cursor of a listing has ``started``, one of changes the delta ``link``; ``next`` is the
    page to go on with.
    """

    def __init__(self, client: DynamicsClient, settings: DynamicsSettings) -> None:
        self._client = client
        self._settings = settings
        self._currencies = Currencies(client)

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        query = f"{SETS[selection.object]}?$select={_columns(selection)}"
        asked = _digest(selection, query)
        if since is None:
            yield from self._list(selection, query, {"query": asked, "started": self._start()})
            return
        _refuse_foreign(since, asked)
        if "started" in since:
            yield from self._list(selection, query, since)
        else:
            yield from self._follow(selection, since)

    def _start(self) -> str:
        """What is modified from now on, by the server's clock, may be missing in a listing."""
        early = self._client.time() - timedelta(seconds=self._settings.overlap)
        return early.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _list(self, selection: Selection, query: str, cursor: Cursor) -> Iterator[Page]:
        prefer = ("odata.track-changes", f"odata.maxpagesize={self._settings.page_size}")
        for page in self._client.pages(cursor.get("next", query), prefer):
            changes = self._changes(selection, rows_of(page))
            if "@odata.nextLink" in page:
                cursor = {**cursor, "next": page["@odata.nextLink"]}
                yield Page(changes, cursor)
        if "@odata.deltaLink" not in page:
            raise ResponseError("Dataverse gave no delta link: is change tracking on?")
        for late in self._modified(selection, query, cursor["started"]):
            yield Page(changes, cursor)  # broken off here, the last page is read again
            changes = late
        done = {"query": cursor["query"], "link": page["@odata.deltaLink"]}
        yield Page(changes, done, listed_all=True)

    def _modified(self, selection: Selection, query: str, since: str) -> Iterator[list[Change]]:
        key = KEYS[selection.object]
        url = f"{query}&$filter=modifiedon ge {since}&$orderby=modifiedon asc,{key} asc"
        for page in self._client.pages(url, (f"odata.maxpagesize={self._settings.page_size}",)):
            if rows := rows_of(page):
                yield self._changes(selection, rows)

    def _follow(self, selection: Selection, cursor: Cursor) -> Iterator[Page]:
        prefer = (f"odata.maxpagesize={self._settings.page_size}",)
        for page in self._client.pages(cursor.get("next", cursor["link"]), prefer):
            # "an empty JSON response" where nothing changed: the link that was used stays good
            changes = self._changes(selection, rows_of(page) if page else [])
            if "@odata.nextLink" in page:
                yield Page(changes, {**cursor, "next": page["@odata.nextLink"]})
            else:
                link = page.get("@odata.deltaLink", cursor["link"])
                yield Page(changes, {"query": cursor["query"], "link": link})

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> list[Record]:
        column = KEYS[selection.object] if field in ("id", "key") else logical_name(field)
        if column == KEYS[selection.object]:
            values = [number for value in values if (number := _id_of(value))]
        rows = list(self._client.among(selection.object, _columns(selection), column, list(values)))
        found = {
            change.record.id: change.record
            for change in self._changes(selection, rows)
            if isinstance(change, Upserted)
        }
        return list(found.values())

    @documented("Dataverse")
    def _changes(self, selection: Selection, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        key = KEYS[selection.object]
        gone = self._gone(selection.object, rows)
        into = self.qualified(rows) if selection.object == "lead" else {}
        kin = self._contacts_among(rows) if PARENT in selection.fields else frozenset[str]()
        found: list[Change] = []
        for row in rows:
            if _is_deletion(row):
                if row["id"] in gone:
                    found.append(Deleted(str(row["id"]), UUID(row["id"])))
            elif row.get("merged") and row.get("_masterid_value"):
                found.append(Merged(row[key], row["_masterid_value"], UUID(row[key])))
            elif row[key] in into:
                found.append(Converted(row[key], into[row[key]], UUID(row[key])))
            else:
                found.append(Upserted(self._record(selection, row, kin)))
        return found

    def _record(self, selection: Selection, row: Mapping[str, Any], kin: frozenset[str]) -> Record:
        record = _record(selection, row, kin)
        if CURRENCY not in selection.fields:
            return record
        code = self._currencies.code(record.values[CURRENCY])
        return replace(record, values={**record.values, CURRENCY: code})

    def _gone(self, table: str, rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """The deleted rows that are still so: one that was restored comes as a row as well.

        Deletions stand last in the feed, whatever their time (use-change-tracking).
        """
        told = [str(row["id"]) for row in rows if _is_deletion(row)]
        there = {
            row[KEYS[table]] for row in self._client.among(table, KEYS[table], KEYS[table], told)
        }
        return frozenset(told) - there

    def qualified(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        """Qualified lead -> what it became: what names it as its origin, else its own parents."""
        leads = {row["leadid"]: row for row in rows if row.get("statecode") == _QUALIFIED}
        into: dict[str, dict[str, str]] = {number: {} for number in leads}
        for table in ("contact", "account"):
            columns = f"{KEYS[table]},createdon,_originatingleadid_value"
            made = self._client.among(table, columns, "originatingleadid", list(leads))
            for one in sorted(made, key=lambda row: str(row["createdon"])):
                into[one["_originatingleadid_value"]][table] = one[KEYS[table]]
            for number, row in leads.items():
                if parent := row.get(f"_parent{table}id_value"):
                    into[number].setdefault(table, parent)
        return into

    def _contacts_among(self, rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """Which parents are contacts: the column may hold either and, tracked, does not say.

        Asked of contacts, every one of which we can read (change tracking demands it): an
        account that we may not see must not look like no account.
        """
        parents = sorted({row[PARENT] for row in rows if row.get(PARENT)})
        found = self._client.among("contact", "contactid", "contactid", parents)
        return frozenset(row["contactid"] for row in found)

    @documented("Dataverse")
    def leads(self, numbers: Sequence[str]) -> list[Mapping[str, Any]]:
        """State, version and parents of leads; what is not there is left out."""
        columns = ",".join(("leadid", "statecode", "versionnumber", *_LEADS_OWN))
        return list(self._client.among("lead", columns, "leadid", numbers))

    @documented("Dataverse")
    def children_of_contacts(self, contacts: Sequence[str]) -> frozenset[str]:
        """Which of these contacts have a contact for their parent."""
        rows = list(self._client.among("contact", f"contactid,{PARENT}", "contactid", contacts))
        kin = self._contacts_among(rows)
        return frozenset(row["contactid"] for row in rows if row[PARENT] in kin)


def _refuse_foreign(since: Cursor, asked: str) -> None:
    """Raises CursorExpiredError for what this reader has not given for this selection."""
    if since.get("query") != asked:  # a token belongs to its $select
        raise CursorExpiredError("the cursor belongs to another selection")
    links = [since[name] for name in ("link", "next") if name in since]
    try:
        if "link" not in since:
            datetime.fromisoformat(since["started"])
        if not all(link.startswith("https://") for link in links):
            raise ValueError("no link")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CursorExpiredError("the cursor cannot be read") from error


def _columns(selection: Selection) -> str:
    own = (*_OWN, *_LEADS_OWN) if selection.object == "lead" else _OWN
    return ",".join(sorted({*selection.fields, *own}))


def _record(selection: Selection, row: Mapping[str, Any], kin: frozenset[str]) -> Record:
    number = str(row[KEYS[selection.object]])
    values = {name: None if row.get(name) == "" else row.get(name) for name in selection.fields}
    if values.get(PARENT) in kin:
        values[PARENT] = None
    ended = _DISQUALIFIED if selection.object == "lead" else _INACTIVE
    return Record(
        id=number,
        values=values,
        key=UUID(number),  # an id of our own choosing is our key
        version=str(row["@odata.etag"]),
        modified_at=datetime.fromisoformat(str(row["modifiedon"]).replace("Z", "+00:00")),
        inactive=row.get("statecode") == ended,
    )


def _is_deletion(row: Mapping[str, Any]) -> bool:
    return "$deletedEntity" in str(row.get("@odata.context", ""))


def _id_of(value: str) -> str | None:
    """A row's id as Dataverse writes it, however a person did; None for what names no row."""
    try:
        number = UUID(value)
    except ValueError:
        return None
    return str(number) if number.int else None


def _digest(selection: Selection, query: str) -> str:
    """What a cursor is good for."""
    text = json.dumps([query, *sorted(selection.fields)])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
