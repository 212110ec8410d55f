"""Reads changes on SystemModstamp and records by id, key or field.

The stamp has whole seconds, and rows become visible after it (a transaction commits
later), so a read goes back by an overlap and the stored cursor stays behind the server's
clock; what is read again ends at the engine's fingerprint.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from simple_salesforce.format import format_soql

from connectors.errors import CursorExpiredError, SetupError
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
from connectors.replies import believed, documented
from connectors.salesforce.client import Row, SalesforceClient
from connectors.salesforce.metadata import Metadata, can_be_looked_up
from connectors.salesforce.settings import SalesforceSettings

START = "1970-01-01T00:00:00.000+0000"
#: bytes of an encoded query; address and headers together may have 16,384 (KB 000386264)
LONGEST = 12_000
#: after that a deleted record is in no answer (Object Reference, undelete: 15 days)
RECYCLE_BIN = timedelta(days=15)
_SYSTEM = ("Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "LastModifiedDate")
_CONVERSION = ("IsConverted", "ConvertedContactId", "ConvertedAccountId")


class Reader:
    """Reads one organization's objects."""

    def __init__(
        self,
        client: SalesforceClient,
        metadata: Metadata,
        settings: SalesforceSettings,
        clock: Clock,
    ) -> None:
        self._client = client
        self._metadata = metadata
        self._settings = settings
        self._clock = clock

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        asked = selection_hash(selection)
        if since is not None:
            _refuse_foreign(since, asked)
        listing = since is None or "until" in since
        cursor: Cursor = since or {"selection": asked, "stamp": START}
        least = START if listing else str(cursor["stamp"])  # a server's clock may go back
        until = ""
        for rows, last in self._pages(self._query(selection, cursor, listing)):
            if not until:  # the first answer tells when it was asked
                until = str(cursor.get("until") or self._now())
                self._refuse_expired(cursor, listing)
            latest = max(least, _earlier(until, self._settings.safety_lag))
            end = {"selection": asked, "stamp": latest}
            if last:
                cursor = end
            elif rows:
                cursor = _after(rows[-1], cursor, end, until if listing else None)
            with documented("Salesforce"):
                found = [self._change(selection, row) for row in rows]
            yield Page(found, cursor, listed_all=listing and last)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> list[Record]:
        column = {"id": "Id", "key": self._settings.external_id_field}.get(field, field)
        described = self._metadata.fields(selection.object).get(column)
        if described is not None and not can_be_looked_up(described):
            return []
        head = (
            f"SELECT {self._columns(selection)} FROM {selection.object} "
            f"WHERE {self._alive(selection.object)} AND {column} IN "
        )
        rows = list(self._rows_among(head, dict.fromkeys(values)))
        with documented("Salesforce"):
            return [self._record(selection, row) for row in rows]

    def versions(self, name: str, numbers: Sequence[str]) -> dict[str, str]:
        """Id -> SystemModstamp now, of the rows that are alive."""
        head = f"SELECT Id, SystemModstamp FROM {name} WHERE {self._alive(name)} AND Id IN "
        with documented("Salesforce"):
            return {row["Id"]: row["SystemModstamp"] for row in self._rows_among(head, numbers)}

    def leads(self, numbers: Sequence[str]) -> dict[str, Row]:
        """State, version, owner and company of leads, converted ones too; by id."""
        columns = ("Id", "SystemModstamp", "OwnerId", "Company", *_CONVERSION)
        head = f"SELECT {', '.join(columns)} FROM Lead WHERE IsDeleted = false AND Id IN "
        with documented("Salesforce"):
            return {row["Id"]: row for row in self._rows_among(head, numbers)}

    def accounts_of(self, contacts: Sequence[str]) -> dict[str, str | None]:
        """Contact -> the account that it belongs to."""
        head = "SELECT Id, AccountId FROM Contact WHERE IsDeleted = false AND Id IN "
        with documented("Salesforce"):
            return {row["Id"]: row["AccountId"] for row in self._rows_among(head, contacts)}

    def accounts_named(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Name, without case as SOQL compares it -> the accounts that have it."""
        head = f"SELECT Id, Name FROM Account WHERE {self._alive('Account')} AND Name IN "
        found: dict[str, list[str]] = {}
        with documented("Salesforce"):
            for row in self._rows_among(head, dict.fromkeys(name for name in names if name)):
                found.setdefault(row["Name"].casefold(), []).append(row["Id"])
        return found

    def _rows_among(self, head: str, values: Iterable[str]) -> Iterator[Row]:
        room = LONGEST - len(quote_plus(head))
        for chunk in _chunks(values, room):
            for rows, _ in self._pages(head + format_soql("{chunk}", chunk=chunk)):
                yield from rows

    def _pages(self, query: str) -> Iterator[tuple[list[Row], bool]]:
        try:
            yield from self._client.query(query)
        except SetupError:
            self._metadata.forget()
            raise

    def _now(self) -> str:
        """When the first page was asked for; a cursor may stand as late as that."""
        return _stamp(believed(self._client.heard, self._clock))

    def _refuse_expired(self, since: Cursor, listing: bool) -> None:
        """Deleted records leave the recycle bin: then only a full listing shows them."""
        begun = datetime.fromisoformat(_earlier(str(since["stamp"]), self._settings.overlap))
        if not listing and self._client.heard - begun > RECYCLE_BIN:
            raise CursorExpiredError("what was deleted since may have left the recycle bin")

    def _query(self, selection: Selection, since: Cursor, listing: bool) -> str:
        stamp = str(since["stamp"])
        low = _literal(stamp if listing else _earlier(stamp, self._settings.overlap))
        newer = f"SystemModstamp >= {low}"
        if "id" in since:
            last = format_soql("{id}", id=since["id"])
            newer = f"((SystemModstamp = {low} AND Id > {last}) OR SystemModstamp > {low})"
        conditions = " AND ".join([newer, *self._no_people(selection.object)])
        return (
            f"SELECT {self._columns(selection)} FROM {selection.object} "
            f"WHERE {conditions} ORDER BY SystemModstamp, Id"
        )

    def _no_people(self, name: str) -> list[str]:
        """A person account is an account and a contact in one: neither company nor contact."""
        people = "IsPersonAccount" in self._metadata.fields(name)
        return ["IsPersonAccount = false"] if people else []

    def _alive(self, name: str) -> str:
        conditions = ["IsDeleted = false", *self._no_people(name)]
        if "IsConverted" in self._metadata.fields(name):
            conditions.append("IsConverted = false")
        return " AND ".join(conditions)

    def _columns(self, selection: Selection) -> str:
        """Raises SetupError for a field that cannot be read: it must not pass for empty."""
        present = self._metadata.fields(selection.object).keys()
        for hidden in sorted(set(selection.fields) - present):
            self._metadata.forget()
            raise SetupError(
                f"{selection.object}.{hidden} cannot be read",
                remedy="check the name and the field-level security, or unmap it",
            )
        ours = {*_SYSTEM, *_CONVERSION, self._settings.external_id_field}
        if selection.object == "Lead":
            ours.add("Status")
        return ", ".join(sorted({*selection.fields, *(ours & present)}))

    def _change(self, selection: Selection, row: Mapping[str, Any]) -> Change:
        number, key = str(row["Id"]), _uuid(row.get(self._settings.external_id_field))
        if row.get("IsDeleted"):
            winner = row.get("MasterRecordId")
            return Merged(number, winner, key) if winner else Deleted(number, key)
        if row.get("IsConverted"):
            into = {
                "Contact": row.get("ConvertedContactId"),
                "Account": row.get("ConvertedAccountId"),
            }
            return Converted(number, {name: to for name, to in into.items() if to}, key)
        return Upserted(self._record(selection, row))

    def _record(self, selection: Selection, row: Mapping[str, Any]) -> Record:
        status = row.get("Status") if selection.object == "Lead" else None
        return Record(
            id=str(row["Id"]),
            values={name: row[name] for name in selection.fields},
            key=_uuid(row.get(self._settings.external_id_field)),
            version=str(row["SystemModstamp"]),
            modified_at=datetime.fromisoformat(row["LastModifiedDate"]),
            inactive=status in self._settings.disqualified_statuses,
        )


def selection_hash(selection: Selection) -> str:
    """What a cursor is good for."""
    text = json.dumps([selection.object, *selection.fields])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _refuse_foreign(since: Cursor, asked: str) -> None:
    """Raises CursorExpiredError for what this reader has not given for this selection."""
    if since.get("selection") != asked:
        raise CursorExpiredError("the cursor belongs to another selection")
    try:
        for stamp in (since["stamp"], since.get("until", since["stamp"])):
            datetime.fromisoformat(stamp)
    except (KeyError, TypeError, ValueError) as error:
        raise CursorExpiredError("the cursor cannot be read") from error


def _after(row: Row, since: Cursor, end: Cursor, until: str | None) -> dict[str, Any]:
    """Where reading stands behind a row. A listing (``until``) goes on after it; an increment
    begins at its stamp, less the overlap, never later than it may at its end."""
    stamp = row["SystemModstamp"]
    if until is not None:
        return {"selection": end["selection"], "until": until, "stamp": stamp, "id": row["Id"]}
    return {**end, "stamp": max(str(since["stamp"]), min(stamp, end["stamp"]))}


def _chunks(values: Iterable[str], room: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    used = 0
    for value in values:
        size = len(quote_plus(format_soql("{value},", value=value)))
        if chunk and used + size > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(value)
        used += size
    if chunk:
        yield chunk


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
