"""Reads changes on SystemModstamp and records by id, key or field.

The stamp has whole seconds, and rows become visible after it (a transaction commits
later), so a read goes back by an overlap and the stored cursor stays behind the server's
clock; what is read again ends at the engine's fingerprint.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.errors import CursorExpiredError
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
from connectors.salesforce.client import SalesforceClient, soql
from connectors.salesforce.settings import SalesforceSettings

START = "1970-01-01T00:00:00.000+0000"
CHUNK = 200  #: values of one IN list; the whole address stays below 16,384 bytes
_SYSTEM = ("Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "LastModifiedDate")
_CONVERSION = ("IsConverted", "ConvertedContactId", "ConvertedAccountId")


class Reader:
    """Reads one organization's objects."""

    def __init__(self, client: SalesforceClient, settings: SalesforceSettings) -> None:
        self._client = client
        self._settings = settings
        self._fields: dict[str, frozenset[str]] = {}

    def fields(self, name: str) -> frozenset[str]:
        """The fields the object has, and our user may see."""
        if name not in self._fields:
            described = self._client.describe(name) or {"fields": []}
            self._fields[name] = frozenset(field["name"] for field in described["fields"])
        return self._fields[name]

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        asked = selection_hash(selection)
        if since is not None and since.get("selection") != asked:
            raise CursorExpiredError("the cursor belongs to another selection")
        listing = since is None or "until" in since
        horizon = self._client.now()
        until = str(since["until"]) if since and "until" in since else _stamp(horizon)
        if since is None:
            low, last = START, ""
        else:
            low, last = str(since["stamp"]), str(since.get("id", ""))
        high = max(until, _stamp(horizon + timedelta(seconds=1)))
        if not listing:
            low, last = _earlier(low, self._settings.overlap), ""
        resume = {"selection": asked, "until": until} if listing else None
        done = {"selection": asked, "stamp": self._safe(until if listing else _stamp(horizon))}
        pages = self._client.query(self._query(selection, low, last, high))
        rows = next(pages)
        while True:
            following = next(pages, None)
            if following is None:
                yield Page(self._changes(selection, rows), done, listed_all=listing)
                return
            # in an increment only the end is safe; a listing goes on after its last row
            position = {"stamp": rows[-1]["SystemModstamp"], "id": rows[-1]["Id"]}
            cursor = resume | position if resume else dict(since or {})
            yield Page(self._changes(selection, rows), cursor)
            rows = following

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> list[Record]:
        column = {"id": "Id", "key": self._settings.external_id_field}.get(field, field)
        found: dict[str, Record] = {}
        for start in range(0, len(values), CHUNK):
            chunk = list(values[start : start + CHUNK])
            where = soql(f"{column} IN {{chunk}} AND IsDeleted = false", chunk=chunk)
            if "IsConverted" in self.fields(selection.object):
                where += " AND IsConverted = false"
            text = f"SELECT {self._columns(selection)} FROM {selection.object} WHERE {where}"
            for rows in self._client.query(text):
                found |= {row["Id"]: self._record(selection, row) for row in rows}
        return list(found.values())

    def versions(self, name: str, numbers: Sequence[str]) -> dict[str, str]:
        """Id -> SystemModstamp now, of the rows that are alive."""
        text = soql(
            f"SELECT Id, SystemModstamp FROM {name} WHERE Id IN {{ids}} AND IsDeleted = false",
            ids=list(numbers),
        )
        return {r["Id"]: r["SystemModstamp"] for rows in self._client.query(text) for r in rows}

    def _query(self, selection: Selection, low: str, last: str, high: str) -> str:
        since = f"SystemModstamp >= {_literal(low)}"
        if last:
            since = (
                f"((SystemModstamp = {_literal(low)} AND Id > '{last}') "
                f"OR SystemModstamp > {_literal(low)})"
            )
        people = ""
        if selection.object in ("Contact", "Account") and "IsPersonAccount" in self.fields(
            selection.object
        ):
            people = " AND IsPersonAccount = false"
        return (
            f"SELECT {self._columns(selection)} FROM {selection.object} "
            f"WHERE {since} AND SystemModstamp < {_literal(high)}{people} "
            f"ORDER BY SystemModstamp, Id"
        )

    def _columns(self, selection: Selection) -> str:
        present = self.fields(selection.object)
        wanted = {*selection.fields, *_SYSTEM, *_CONVERSION, self._settings.external_id_field}
        if selection.object == "Lead":
            wanted.add("Status")
        return ", ".join(sorted(wanted & present))

    def _changes(self, selection: Selection, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        return [self._change(selection, row) for row in rows]

    def _change(self, selection: Selection, row: Mapping[str, Any]) -> Change:
        number = str(row["Id"])
        if row.get("IsDeleted"):
            winner = row.get("MasterRecordId")
            return Merged(number, winner) if winner else Deleted(number)
        if row.get("IsConverted"):
            into = {
                "Contact": row.get("ConvertedContactId"),
                "Account": row.get("ConvertedAccountId"),
            }
            return Converted(number, {name: to for name, to in into.items() if to})
        return Upserted(self._record(selection, row))

    def _record(self, selection: Selection, row: Mapping[str, Any]) -> Record:
        status = row.get("Status") if selection.object == "Lead" else None
        return Record(
            id=str(row["Id"]),
            values={name: _plain(row.get(name)) for name in selection.fields},
            key=_uuid(row.get(self._settings.external_id_field)),
            version=str(row["SystemModstamp"]),
            modified_at=datetime.fromisoformat(row["LastModifiedDate"]),
            inactive=status in self._settings.disqualified_statuses,
        )

    def _safe(self, stamp: str) -> str:
        return _earlier(stamp, self._settings.safety_lag)


def selection_hash(selection: Selection) -> str:
    """What a cursor is good for."""
    text = json.dumps([selection.object, *selection.fields])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    return None if value == "" else value


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _earlier(stamp: str, seconds: int) -> str:
    return _stamp(datetime.fromisoformat(stamp) - timedelta(seconds=seconds))


def _literal(stamp: str) -> str:
    """A date-time as SOQL writes it: no quotes, and Z, since a plus sign would be a blank."""
    return datetime.fromisoformat(stamp).strftime("%Y-%m-%dT%H:%M:%SZ")
