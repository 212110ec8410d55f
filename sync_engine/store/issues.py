"""Queries on what waits for a person, and on what people have decided."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Row

from sync_engine.models import Decision, Entity, Issue, Kind
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import DecisionRow, IssueRow
from sync_engine.store.sql import among, chunks, insert_new

ISSUE: Any = Issue.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
ENTITY: Any = Entity.__table__  # type: ignore[attr-defined]
DECISION: Any = Decision.__table__  # type: ignore[attr-defined]


@lru_cache(maxsize=64)
def _open(whats: tuple[str, ...]) -> Any:
    """Open issues, of these sorts if any are named; put together once."""
    query = select(ISSUE).where(ISSUE.c.closed_at.is_(None)).order_by(ISSUE.c.id)
    return query.where(ISSUE.c.what.in_(whats)) if whats else query


class Issues:
    """Reads and writes issues and decisions."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    def open(self, connection: Connection, issues: Collection[IssueRow]) -> list[IssueRow]:
        """Open what is not open already; gives what is new."""
        rows = [
            {
                "id": issue.id,
                "what": issue.what,
                "cause": issue.cause,
                "source_id": issue.source_id,
                "entity_id": issue.entity_id,
                "link_id": issue.link_id,
                "field_id": self._layouts.maybe_id(issue.field_name),
                "detail": issue.detail,
                "opened_at": issue.opened_at,
            }
            for issue in issues
        ]
        if not rows:
            return []
        connection.execute(insert_new(connection, ISSUE), rows)
        new: set[int] = set()
        for chunk in chunks([issue.id for issue in issues]):
            kept = select(ISSUE.c.id).where(among(connection, ISSUE.c.id, chunk))
            new.update(connection.scalars(kept))
        return [issue for issue in issues if issue.id in new]

    def tell(self, connection: Connection, number: int, detail: Mapping[str, Any]) -> None:
        """Say what an issue is about with the numbers of now."""
        told = update(ISSUE).where(ISSUE.c.id == number).values(detail=dict(detail))
        connection.execute(told)

    def all(self, connection: Connection, *, whats: Collection[str] = ()) -> list[IssueRow]:
        query = _open(tuple(sorted(whats)))
        return [self._issue(row) for row in connection.execute(query)]

    def about(
        self, connection: Connection, whats: Collection[str], entities: Collection[int]
    ) -> list[IssueRow]:
        """Open issues of these sorts about these entities."""
        found: list[IssueRow] = []
        for chunk in chunks(entities):
            query = select(ISSUE).where(
                ISSUE.c.closed_at.is_(None),
                ISSUE.c.what.in_(sorted(whats)),
                among(connection, ISSUE.c.entity_id, chunk),
            )
            found += [self._issue(row) for row in connection.execute(query)]
        return found

    def of_links(
        self, connection: Connection, whats: Collection[str], links: Collection[int]
    ) -> list[IssueRow]:
        """Open issues of these sorts about these links."""
        found: list[IssueRow] = []
        for chunk in chunks(links):
            query = select(ISSUE).where(
                ISSUE.c.closed_at.is_(None),
                ISSUE.c.what.in_(sorted(whats)),
                among(connection, ISSUE.c.link_id, chunk),
            )
            found += [self._issue(row) for row in connection.execute(query)]
        return found

    def close(self, connection: Connection, now: datetime, ids: Collection[int]) -> None:
        for chunk in chunks(ids):
            connection.execute(
                update(ISSUE).where(among(connection, ISSUE.c.id, chunk)).values(closed_at=now)
            )

    def close_about(
        self,
        connection: Connection,
        now: datetime,
        *,
        whats: Collection[str] = (),
        links: Collection[int] = (),
        entities: Collection[int] = (),
    ) -> None:
        """Close the open issues, of these sorts if any are named, about any of these."""
        about = [
            column.in_(sorted(ids))
            for column, ids in ((ISSUE.c.link_id, links), (ISSUE.c.entity_id, entities))
            if ids
        ]
        if not about:
            return
        query = update(ISSUE).where(ISSUE.c.closed_at.is_(None), or_(*about))
        if whats:
            query = query.where(ISSUE.c.what.in_(sorted(whats)))
        connection.execute(query.values(closed_at=now))

    def by_side(
        self, connection: Connection, whats: Collection[str]
    ) -> Counter[tuple[int, Kind, str]]:
        """(source, kind of the entity, what) -> open issues."""
        query = (
            select(ISSUE.c.source_id, ENTITY.c.kind, ISSUE.c.what, func.count())
            .join(ENTITY, ENTITY.c.id == ISSUE.c.entity_id)
            .where(ISSUE.c.closed_at.is_(None), ISSUE.c.what.in_(sorted(whats)))
            .group_by(ISSUE.c.source_id, ENTITY.c.kind, ISSUE.c.what)
        )
        return Counter({(s, Kind(k), w): n for s, k, w, n in connection.execute(query) if s})

    def counts(self, connection: Connection) -> dict[str, int]:
        query = (
            select(ISSUE.c.what, func.count().label("n"))
            .where(ISSUE.c.closed_at.is_(None))
            .group_by(ISSUE.c.what)
            .order_by(ISSUE.c.what)
        )
        return {row.what: row.n for row in connection.execute(query)}

    def decisions(
        self, connection: Connection, records: Collection[tuple[int, str]]
    ) -> list[DecisionRow]:
        """What people have said of any of these (source id, record id)."""
        found: dict[int, DecisionRow] = {}
        for chunk in chunks({record for _, record in records}):
            query = select(DECISION).where(
                or_(
                    among(connection, DECISION.c.left_record, chunk),
                    among(connection, DECISION.c.right_record, chunk),
                )
            )
            for row in connection.execute(query):
                found[row.id] = DecisionRow(
                    row.verdict,
                    (row.left_source, row.left_record),
                    (row.right_source, row.right_record),
                )
        return [found[number] for number in sorted(found)]

    def decide(
        self, connection: Connection, decisions: Collection[DecisionRow], by: str, at: datetime
    ) -> None:
        """Remember what was said of pairs of records; the last word counts."""
        for said in decisions:
            pair = {
                "left_source": said.left[0],
                "left_record": said.left[1],
                "right_source": said.right[0],
                "right_record": said.right[1],
            }
            where = [DECISION.c[name] == value for name, value in pair.items()]
            connection.execute(delete(DECISION).where(*where))
            row = pair | {"verdict": said.verdict, "by": by, "at": at}
            connection.execute(insert(DECISION), row)

    def all_decisions(
        self, connection: Connection, verdicts: Collection[str] = ()
    ) -> list[Row[Any]]:
        """Everything people have said, or these verdicts alone, oldest first."""
        query = select(DECISION).order_by(DECISION.c.id)
        if verdicts:
            query = query.where(DECISION.c.verdict.in_(sorted(verdicts)))
        return list(connection.execute(query))

    def forget_unlinked(self, connection: Connection, records: Collection[tuple[int, str]]) -> None:
        """These records are not to be left alone any more."""
        for source_id, record in sorted(records):
            connection.execute(
                delete(DECISION).where(
                    DECISION.c.verdict == "unlink",
                    DECISION.c.left_source == source_id,
                    DECISION.c.left_record == record,
                )
            )

    def _issue(self, row: Row[Any]) -> IssueRow:
        columns = dict(row._mapping)
        columns["field_name"] = self._layouts.maybe_name(columns.pop("field_id"))
        columns["detail"] = columns["detail"] or {}
        return IssueRow(**columns)
