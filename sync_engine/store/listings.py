"""What a full listing has shown so far, and which links' records it has not."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from sync_engine.models import Listed
from sync_engine.store.encoding import LINK, decoded
from sync_engine.store.layouts import Layouts
from sync_engine.store.links import READABLE
from sync_engine.store.rows import LinkRow
from sync_engine.store.sql import insert_many

LISTED: Any = Listed.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types


class Listings:
    """Notes on listings that are under way, one per source."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    def show(
        self, connection: Connection, source_id: int, listing: int, records: Iterable[str]
    ) -> None:
        """Note that a full listing has shown these records."""
        rows = [
            {"source_id": source_id, "listing": listing, "record_id": record}
            for record in sorted(set(records))
        ]
        insert_many(connection, LISTED, rows, new=True)

    def unlisted(self, connection: Connection, source_id: int, listing: int) -> list[LinkRow]:
        """Links with a record that the listing has not shown."""
        shown = select(LISTED.c.record_id).where(
            LISTED.c.source_id == source_id, LISTED.c.listing == listing
        )
        query = select(LINK).where(
            LINK.c.source_id == source_id,
            LINK.c.state.in_(READABLE),
            LINK.c.record_id.not_in(shown),
        )
        return [decoded(self._layouts, row) for row in connection.execute(query).all()]

    def forget(self, connection: Connection, source_id: int) -> None:
        connection.execute(delete(LISTED).where(LISTED.c.source_id == source_id))
