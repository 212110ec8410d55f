"""Reads changes by change tracking and rows by id or column.

A delta row says what a record is now. The token comes with the last page only and may
miss what changed while a first listing ran, so the listing is followed by a read of what
was modified since its start (powerapps-docs issue 3862).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.dynamics.client import KEYS, SETS, DynamicsClient
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import CursorExpiredError, ResponseError
from connectors.protocol import (
    Change,
    Clock,
    Converted,
    Cursor,
    Deleted,
    Merged,
    Page,
    Record,
    Selection,
    Upserted,
)

CHUNK = 200  #: values of one In(...)
_PARENT = "_parentcustomerid_value"


class Reader:
    """Reads one environment's tables."""

    def __init__(self, client: DynamicsClient, settings: DynamicsSettings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        asked = selection_hash(selection)
        if since is not None and since.get("selection") != asked:
            raise CursorExpiredError("the cursor belongs to another selection")
        cursor = dict(since) if since else {"selection": asked, "started": self._started()}
        listing = "started" in cursor
        table = SETS[selection.object]
        url = str(cursor.get("link") or f"{table}?$select={self._columns(selection)}")
        prefer = ("odata.track-changes", f"odata.maxpagesize={self._settings.page_size}")
        for page in self._client.pages(url, prefer if listing else ()):
            changes = self._changes(selection, page["value"])
            if "@odata.nextLink" in page:
                yield Page(changes, {**cursor, "link": page["@odata.nextLink"]})
                continue
            link = page.get("@odata.deltaLink") or (None if listing else url)
            if link is None:
                raise ResponseError("Dataverse gave no delta link: is change tracking on?")
            if listing:
                changes += self._meanwhile(selection, str(cursor["started"]))
            yield Page(changes, {"selection": asked, "link": link}, listed_all=listing)

    def _started(self) -> str:
        """By our clock; the overlap bears what it may be wrong by."""
        early = self._clock.now() - timedelta(seconds=self._settings.overlap)
        return early.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _meanwhile(self, selection: Selection, since: str) -> list[Change]:
        url = (
            f"{SETS[selection.object]}?$select={self._columns(selection)}"
            f"&$filter=modifiedon ge {since}&$orderby=modifiedon asc,{KEYS[selection.object]} asc"
        )
        found: list[Change] = []
        for page in self._client.pages(url):
            found += self._changes(selection, page["value"])
        return found

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> list[Record]:
        column = KEYS[selection.object] if field in ("id", "key") else field
        found: dict[str, Record] = {}
        for start in range(0, len(values), CHUNK):
            chunk = values[start : start + CHUNK]
            rows = list(
                self._client.among(selection.object, self._columns(selection), column, chunk)
            )
            for change in self._changes(selection, rows):
                if isinstance(change, Upserted):
                    found[change.record.id] = change.record
        return list(found.values())

    def _columns(self, selection: Selection) -> str:
        own = {"statecode", "modifiedon", "versionnumber", "merged", "_masterid_value"}
        own |= (
            {"_parentcontactid_value", "_parentaccountid_value"}
            if selection.object == "lead"
            else set()
        )
        return ",".join(sorted({*selection.fields, *own}))

    def _changes(self, selection: Selection, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        key = KEYS[selection.object]
        qualified = [
            row[key] for row in rows if selection.object == "lead" and row.get("statecode") == 1
        ]
        contacts = self._contacts(qualified)
        accounts = self._accounts(selection, rows)
        found: list[Change] = []
        for row in rows:
            if "$deletedEntity" in str(row.get("@odata.context", "")):
                found.append(Deleted(str(row["id"]).lower()))
            elif row.get("merged") and row.get("_masterid_value"):
                found.append(Merged(row[key], row["_masterid_value"]))
            elif row[key] in qualified:
                into = {
                    "contact": contacts.get(row[key]) or row.get("_parentcontactid_value"),
                    "account": row.get("_parentaccountid_value"),
                }
                found.append(Converted(row[key], {n: to for n, to in into.items() if to}))
            else:
                found.append(Upserted(self._record(selection, row, accounts)))
        return found

    def _contacts(self, leads: Sequence[str]) -> dict[str, str]:
        """Lead -> the contact that it was qualified into."""
        found: dict[str, str] = {}
        for start in range(0, len(leads), CHUNK):
            chunk = leads[start : start + CHUNK]
            columns = "contactid,_originatingleadid_value"
            for row in self._client.among("contact", columns, "originatingleadid", chunk):
                found.setdefault(row["_originatingleadid_value"], row["contactid"])
        return found

    def _accounts(
        self, selection: Selection, rows: Sequence[Mapping[str, Any]]
    ) -> frozenset[str] | None:
        """Which parents are accounts: the column may hold a contact too, and does not say."""
        if _PARENT not in selection.fields:
            return None
        parents = sorted({row[_PARENT] for row in rows if row.get(_PARENT)})
        found: set[str] = set()
        for start in range(0, len(parents), CHUNK):
            chunk = parents[start : start + CHUNK]
            told = self._client.among("account", "accountid", "accountid", chunk)
            found |= {row["accountid"] for row in told}
        return frozenset(found)

    def _record(
        self, selection: Selection, row: Mapping[str, Any], accounts: frozenset[str] | None
    ) -> Record:
        number = str(row[KEYS[selection.object]])
        values = {name: None if row.get(name) == "" else row.get(name) for name in selection.fields}
        if accounts is not None and values.get(_PARENT) not in accounts:
            values[_PARENT] = None
        state = row.get("statecode")
        return Record(
            id=number,
            values=values,
            key=UUID(number),  # an id of our own choosing is our key
            version=str(row["@odata.etag"]),
            modified_at=datetime.fromisoformat(str(row["modifiedon"]).replace("Z", "+00:00")),
            inactive=state == (2 if selection.object == "lead" else 1),
        )


def selection_hash(selection: Selection) -> str:
    """What a token is good for."""
    text = json.dumps([selection.object, *selection.fields])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
