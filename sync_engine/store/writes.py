"""Queries on external writes (``sent``): stored before each call, answered after it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select
from sqlalchemy.engine import Connection, Row

from sync_engine.models import Link, Owes, Sent, SentResult
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import SentRow
from sync_engine.store.sql import among, chunks, insert_many, update_many

SENT: Any = Sent.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
LINK: Any = Link.__table__  # type: ignore[attr-defined]

#: landed; or it may have, and its link does not owe the same once more
_COUNTS = or_(
    SENT.c.result == SentResult.DONE,
    and_(
        or_(SENT.c.result.is_(None), SENT.c.result == SentResult.UNKNOWN),
        SENT.c.risk != LINK.c.owes,
    ),
)
_OVERDUE: Any = (
    select(SENT.c.link_id)
    .where(
        SENT.c.source_id == bindparam("source"),
        SENT.c.result.is_(None),
        SENT.c.id < bindparam("before"),
    )
    .distinct()
    .order_by(SENT.c.link_id)
)


class Writes:
    """Reads and writes rows of ``sent``."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    def insert(self, connection: Connection, rows: Sequence[SentRow]) -> None:
        insert_many(connection, SENT, [self._columns(row) for row in rows])

    def take_back(self, connection: Connection, rows: Iterable[SentRow]) -> None:
        """Remove rows whose call was never made."""
        for chunk in chunks({row.id for row in rows}):
            connection.execute(delete(SENT).where(among(connection, SENT.c.id, chunk)))

    def close(self, connection: Connection, rows: Iterable[SentRow]) -> None:
        """Store the results; a landed create's values are known from the record itself."""
        columns = [
            {
                "id": row.id,
                "result": row.result,
                "reason": row.reason,
                "answered_at": row.answered_at,
                "vals": self._layouts.by_id(row.values) or None,
            }
            for row in rows
        ]
        update_many(connection, SENT, columns)

    def open(self, connection: Connection, links: Collection[int]) -> dict[int, list[SentRow]]:
        """Link -> its writes that may or may not have landed, oldest first."""
        found: dict[int, list[SentRow]] = {}
        for chunk in chunks(links):
            query = select(SENT).where(
                among(connection, SENT.c.link_id, chunk), SENT.c.result.is_(None)
            )
            for row in connection.execute(query.order_by(SENT.c.id)):
                found.setdefault(row.link_id, []).append(self._row(row))
        return found

    def overdue(self, connection: Connection, source_id: int, row_id: int) -> list[int]:
        """Links of the source with an open write older than a row id."""
        rows = connection.execute(_OVERDUE, {"source": source_id, "before": row_id})
        return [row.link_id for row in rows]

    def of_runs(self, connection: Connection, runs: Collection[int]) -> list[SentRow]:
        query = select(SENT).where(SENT.c.run_id.in_(sorted(runs))).order_by(SENT.c.id)
        return [self._row(row) for row in connection.execute(query)]

    def newest(self, connection: Connection) -> int:
        """The newest row of ``sent``; 0 where there is none."""
        return connection.execute(select(func.max(SENT.c.id))).scalar_one() or 0

    def of_links(self, connection: Connection, links: Collection[int]) -> list[SentRow]:
        """Every write to these links, oldest first."""
        query = select(SENT).where(SENT.c.link_id.in_(sorted(links))).order_by(SENT.c.id)
        return [self._row(row) for row in connection.execute(query)]

    def written(
        self, connection: Connection, entities: Collection[int], since: int
    ) -> dict[int, list[SentRow]]:
        """Entity -> the writes to its links that landed since a row id, oldest first."""
        found: dict[int, list[SentRow]] = {}
        for chunk in chunks(entities):
            query = (
                select(SENT, LINK.c.entity_id)
                .join(LINK, LINK.c.id == SENT.c.link_id)
                .where(
                    among(connection, LINK.c.entity_id, chunk),
                    SENT.c.id > since,
                    SENT.c.result == SentResult.DONE,
                )
                .order_by(SENT.c.id)
            )
            for row in connection.execute(query):
                found.setdefault(row.entity_id, []).append(self._row(row))
        return found

    def counted(self, connection: Connection, source_id: int, row_id: int) -> dict[Owes, int]:
        """Class -> links of the source that were written so since a row id.

        A write that failed is none, and one that will be repeated counts when it is.
        """
        query = (
            select(SENT.c.risk, func.count(SENT.c.link_id.distinct()))
            .join(LINK, LINK.c.id == SENT.c.link_id)
            .where(SENT.c.source_id == source_id, SENT.c.id > row_id, _COUNTS)
            .group_by(SENT.c.risk)
        )
        return {Owes(risk): n for risk, n in connection.execute(query)}

    def updates(
        self, connection: Connection, source_id: int, row_id: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """The links that were updated since a row id, counted alike, each with its values."""
        query = (
            select(SENT.c.link_id, SENT.c.vals)
            .join(LINK, LINK.c.id == SENT.c.link_id)
            .where(
                SENT.c.source_id == source_id,
                SENT.c.risk.in_((Owes.UPDATE, Owes.CLEAR)),
                SENT.c.id > row_id,
                _COUNTS,
            )
        )
        for row in connection.execute(query):
            yield row.link_id, self._layouts.by_name(row.vals)

    def _row(self, row: Row[Any]) -> SentRow:
        return SentRow(
            id=row.id,
            source_id=row.source_id,
            link_id=row.link_id,
            run_id=row.run_id,
            action=row.action,
            risk=Owes(row.risk),
            golden_rev=row.golden_rev,
            link_rev=row.link_rev,
            version=row.version,
            values=self._layouts.by_name(row.vals),
            before=self._layouts.by_name(row.before),
            result=None if row.result is None else SentResult(row.result),
            reason=row.reason,
            answered_at=row.answered_at,
        )

    def _columns(self, row: SentRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "source_id": row.source_id,
            "link_id": row.link_id,
            "run_id": row.run_id,
            "action": row.action,
            "risk": row.risk,
            "golden_rev": row.golden_rev,
            "link_rev": row.link_rev,
            "version": row.version,
            "vals": self._layouts.by_id(row.values) or None,
            "before": self._layouts.by_id(row.before) or None,
            "result": row.result,
            "reason": row.reason,
            "answered_at": row.answered_at,
        }
