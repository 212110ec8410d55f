"""What changed, and single records: the reading half of the connector.

There is no feed: changes are read newest first by ``modifiedAt`` down to the watermark of the last
time, everything is read in order of creation. Deletions and merges show only in the latter.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from connectors.errors import CursorExpiredError
from connectors.infobip.client import InfobipClient
from connectors.infobip.fields import (
    COMPANY,
    IDENTITIES,
    PERSON,
    Places,
    Row,
    digits,
    id_of,
    instant,
    key_of,
    record_of,
    stamp_of,
    value_of,
)
from connectors.infobip.paging import AS_CREATED, NEWEST_FIRST, Position, walk
from connectors.protocol import Cursor, Page, Record, Selection, Upserted
from connectors.replies import documented

PROBE = 100  #: rows of the first window: mostly little has changed
FEW = 10  #: records read singly without trying the list first
#: native field of a person, or "key" -> identity type
IDENTITY = {**IDENTITIES, "key": "EXTERNAL_ID"}
#: native field of a company, or "key" -> query parameter
COMPANY_QUERY = {
    "externalId": "externalId",
    "key": "externalId",
    "name": "name",
    "domains": "domain",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """What a cursor holds."""

    watermark: datetime | None = None  #: greatest modifiedAt of what was read to the end
    #: in mid-listing or mid-walk: what the watermark will be
    top: datetime | None = None
    listing: bool = False
    position: Position | None = None


def cursor_of(selection: Selection, reached: Reached) -> Cursor:
    def text(stamp: datetime | None) -> str | None:
        return stamp.isoformat() if stamp else None

    cursor: dict[str, Any] = {"of": _digest(selection), "watermark": text(reached.watermark)}
    if reached.position:
        cursor |= {"top": text(reached.top), "listing": reached.listing}
        cursor["position"] = reached.position.to_json()
    return cursor


def reached_of(selection: Selection, cursor: Cursor) -> Reached:
    """Raises CursorExpiredError for the cursor of another selection."""
    if cursor.get("of") != _digest(selection):
        raise CursorExpiredError(f"the cursor belongs to another selection of {selection.object}")
    try:
        watermark, top = _stamp(cursor["watermark"]), _stamp(cursor.get("top"))
        at = Position.from_json(cursor["position"]) if "position" in cursor else None
    except (KeyError, TypeError, ValueError) as error:
        raise CursorExpiredError(f"the cursor of {selection.object} cannot be read") from error
    return Reached(watermark, top, bool(cursor.get("listing")), at)


def _stamp(text: str | None) -> datetime | None:
    return instant(text) if text else None


def _digest(selection: Selection) -> str:
    text = "\n".join([selection.object, *sorted(selection.fields)])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Reader:
    def __init__(
        self, client: InfobipClient, places: Places, overlap: timedelta, page_size: int
    ) -> None:
        self._client = client
        self._places = places
        self._overlap = overlap
        self._page_size = page_size

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        reached = reached_of(selection, since) if since is not None else None
        if reached is None or reached.listing:
            return self._listing(selection, reached)
        return self._news(selection, reached)

    def _listing(self, selection: Selection, reached: Reached | None) -> Iterator[Page]:
        """Everything; the watermark is what was newest before it began."""
        if reached is None:
            newest = self._client.rows(selection.object, 1, 1, NEWEST_FIRST.text)
            top = stamp_of(newest[0]) if newest else None
            reached = Reached(top=top, listing=True, position=Position())
        read = partial(self._client.rows, selection.object)
        for seen in walk(read, AS_CREATED, reached.position or Position(), self._page_size):
            if seen.end:
                after = Reached(watermark=reached.top)
            else:
                after = replace(reached, position=seen.position)
            yield self._page(selection, seen.rows, after, listed_all=seen.end)

    def _news(self, selection: Selection, reached: Reached) -> Iterator[Page]:
        """Down to the watermark less the overlap; then the top again, if that took long."""
        floor = reached.watermark - self._overlap if reached.watermark else None
        top, windows = reached.top, 2 if reached.position else 0
        read = partial(self._client.rows, selection.object)
        start = reached.position or Position()
        for seen in walk(read, NEWEST_FIRST, start, self._page_size, PROBE):
            windows += 1
            top = top or _latest(reached.watermark, seen.first)
            done = seen.end or (floor is not None and seen.last is not None and seen.last < floor)
            rows = _since(seen.rows, floor)
            if done and windows == 1:
                yield self._page(selection, rows, Reached(watermark=top))
                return
            yield self._page(selection, rows, replace(reached, top=top, position=seen.position))
            if done:
                break
        yield from self._top_again(selection, reached, top)

    def _top_again(
        self, selection: Selection, reached: Reached, top: datetime | None
    ) -> Iterator[Page]:
        """What moved to the top while the rest was read; then the watermark rises.

        Down to the overlap again: the walk may have lasted longer than a change takes to show.
        """
        read = partial(self._client.rows, selection.object)
        floor = top - self._overlap if top else None
        highest = top
        first = True
        for seen in walk(read, NEWEST_FIRST, Position(), self._page_size, PROBE):
            highest = _latest(top, seen.first) if first else highest
            first = False
            done = seen.end or floor is None or (seen.last is not None and seen.last < floor)
            # until then the old watermark stands: replaying starts anew
            after = Reached(watermark=highest if done else reached.watermark)
            yield self._page(selection, _since(seen.rows, floor), after)
            if done:
                return

    def _page(
        self, selection: Selection, rows: Iterable[Row], after: Reached, listed_all: bool = False
    ) -> Page:
        with documented("Customer Profiles"):
            changes = [Upserted(record_of(row, selection.fields, self._places)) for row in rows]
        return Page(changes, cursor_of(selection, after), listed_all)

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> list[Record]:
        rows = self._rows(selection.object, field, list(dict.fromkeys(values)))
        with documented("Customer Profiles"):
            return [record_of(row, selection.fields, self._places) for row in rows]

    def _rows(self, object: str, field: str, values: list[str]) -> Collection[Row]:
        if field == "id":
            return self.current(object, values).values()
        if field == "key":
            values = [str(UUID(value)) for value in values if _is_key(value)]
        if field != "key" or not self._places.key_attribute:
            if object == PERSON and field in IDENTITY:
                return self._matched(IDENTITY[field], values)
            if object == COMPANY and field in COMPANY_QUERY:
                return self._searched(field, values)
        return self._scanned(object, field, values)[0].values() if values else []

    def _matched(self, type: str, values: Sequence[str]) -> Collection[Row]:
        told = [(type, digits(value) if type == "PHONE" else value) for value in values]
        return self.current(PERSON, set(self._client.match(told).values())).values()

    def _searched(self, field: str, values: list[str]) -> Collection[Row]:
        """Companies, which only a call each finds: the whole list, where that is cheaper."""
        found: dict[str, Row] = {}
        missing = values
        if len(values) > FEW:
            found, listed = self._scanned(COMPANY, field, values, len(values))
            known = {key.casefold() for row in found.values() for key in self._keys(row, field)}
            missing = [] if listed else [v for v in values if v.casefold() not in known]
        for value in missing:
            if row := self._client.company(COMPANY_QUERY[field], value):
                found[id_of(row)] = row
        return found.values()

    def _scanned(
        self, object: str, field: str, values: Collection[str], most: int | None = None
    ) -> tuple[dict[str, Row], bool]:
        """By reading the list, at most ``most`` pages; whether that was all of it.

        Of persons only e-mail, phone and external id can be searched by a documented call.
        """
        fold = str.casefold if field in ("name", "domains") else str
        wanted = {fold(value) for value in values}
        found: dict[str, Row] = {}
        read = partial(self._client.rows, object)
        for count, seen in enumerate(walk(read, AS_CREATED, Position(), self._page_size), 1):
            for row in seen.rows:
                if wanted & {fold(key) for key in self._keys(row, field)}:
                    found[id_of(row)] = row
            if count == most and not seen.end:
                return found, False
        return found, True

    def _keys(self, row: Row, field: str) -> list[str]:
        if field == "id":
            return [id_of(row)]
        value = key_of(row, self._places) if field == "key" else value_of(row, field, self._places)
        if isinstance(value, list):
            return [str(member) for member in value]
        return [] if value is None else [str(value)]

    def current(self, object: str, ids: Collection[str]) -> dict[str, Row]:
        """The records with these ids as they are now; those that are gone are left out."""
        missing = sorted({id for id in ids if id.isdecimal()}, key=int)
        found: dict[str, Row] = {}
        if len(missing) > FEW:
            found = self._newest(object, missing)
            missing = [id for id in missing if id not in found]
        for id in missing:
            row = self._client.person(id) if object == PERSON else self._client.company("id", id)
            if row is not None:
                found[id] = row
        return found

    def _newest(self, object: str, ids: Collection[str]) -> dict[str, Row]:
        """Those that the list shows first. A page costs as much as a single read, so pages are
        read as long as each answers for more than one."""
        wanted, found = set(ids), dict[str, Row]()
        read = partial(self._client.rows, object)
        for seen in walk(read, NEWEST_FIRST, Position(), self._page_size):
            hits = {id: row for row in seen.rows if (id := id_of(row)) in wanted}
            found |= hits
            if len(hits) < 2 or len(found) == len(wanted):
                break
        return found


def _since(rows: Sequence[Row], floor: datetime | None) -> list[Row]:
    return [row for row in rows if floor is None or stamp_of(row) >= floor]


def _latest(*stamps: datetime | None) -> datetime | None:
    return max((stamp for stamp in stamps if stamp), default=None)


def _is_key(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
