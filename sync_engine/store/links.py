"""Queries on links, match keys and what waits for a link. Core statements in batches."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.engine import Connection

from sync_engine.models import (
    WRITES,
    Entity,
    History,
    Kind,
    LinkState,
    MatchKey,
    Owes,
    Waiting,
)
from sync_engine.store.encoding import ALL, LINK, decoded, encoded
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import LinkRow
from sync_engine.store.sql import (
    among,
    chunks,
    delete_many,
    finding,
    given,
    insert_many,
    insert_new,
    update_many,
)
from sync_engine.values import MISFIT, NOT_STORED

ENTITY: Any = Entity.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
HISTORY: Any = History.__table__  # type: ignore[attr-defined]
KEY: Any = MatchKey.__table__  # type: ignore[attr-defined]
WAITING: Any = Waiting.__table__  # type: ignore[attr-defined]

Pair = tuple[int, int]  #: a match key's digest, and the id of a link that carries it
PLACED = (LinkState.CREATING, LinkState.LIVE)
#: a link in one of these has a record that can be read
READABLE = (LinkState.NEW, LinkState.ASKED, LinkState.LIVE, LinkState.SURPLUS, LinkState.HELD)


def _of_entities(owned: Any) -> Any:
    """Finds links whose entity is ``owned``, in two halves, so that both partial indexes serve.

    The states stand in the text: SQLite uses a partial index only for what it can read there.
    """
    placed: Any = bindparam("placed", sorted(PLACED), expanding=True, literal_execute=True)
    past = and_(LINK.c.state.not_in(placed), LINK.c.entity_id.is_not(None))
    return or_(and_(owned, LINK.c.state.in_(placed)), and_(owned, past))


#: why a field is held that may be accepted under another mapping
_REFUSED = ("rejected", MISFIT, NOT_STORED)

#: asked for at every step of every cycle, so these are put together once
_OF_SOURCE: Any = LINK.c.source_id == bindparam("source")
_TO_FOLLOW: Any = (
    select(LINK)
    .where(
        LINK.c.owes > 0,  # as the index says it
        LINK.c.owes == Owes.FOLLOW,
        LINK.c.state.in_((LinkState.MERGED, LinkState.CONVERTED)),
    )
    # in the order of the index of what is owed: by id, SQLite would read every link
    .order_by(LINK.c.source_id, LINK.c.kind, LINK.c.due_at, LINK.c.id)
    .with_for_update()
)
_OWED: Any = (
    select(LINK.c.kind, LINK.c.owes, func.count())
    .where(_OF_SOURCE, LINK.c.owes > 0)
    .group_by(LINK.c.kind, LINK.c.owes)
)
_OWING: Any = (
    select(LINK)
    .where(
        _OF_SOURCE,
        LINK.c.kind == bindparam("kind"),
        LINK.c.owes.in_(bindparam("risks", expanding=True)),
        LINK.c.owes > 0,
        LINK.c.state.in_((LinkState.CREATING, *READABLE)),
        or_(LINK.c.due_at.is_(None), LINK.c.due_at <= bindparam("now")),
    )
    .order_by(LINK.c.owes, LINK.c.id)
    .limit(bindparam("most"))
    .with_for_update()
)
_COUNTED = (LINK.c.source_id, LINK.c.kind, LINK.c.state)
_COUNTS: Any = select(*_COUNTED, func.count()).group_by(*_COUNTED)


def _pairs(pairs: Iterable[Pair]) -> list[dict[str, int]]:
    return [{"key": key, "link_id": link} for key, link in sorted(pairs)]


class Links:
    """Reads and writes links; ``layouts`` turns their arrays into fields and back."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    def by_record(
        self, connection: Connection, source_id: int, records: Collection[str]
    ) -> dict[str, LinkRow]:
        meant = {"source": source_id}
        found = self._where(connection, LINK.c.record_id, records, _OF_SOURCE, **meant)
        return {str(link.record_id): link for link in found}

    def by_key(self, connection: Connection, keys: Collection[UUID]) -> dict[UUID, LinkRow]:
        return {link.key: link for link in self._where(connection, LINK.c.key, keys) if link.key}

    def by_id(self, connection: Connection, ids: Collection[int]) -> dict[int, LinkRow]:
        return {link.id: link for link in self._where(connection, LINK.c.id, ids)}

    def with_revisions(
        self, connection: Connection, ids: Collection[int]
    ) -> dict[int, tuple[LinkRow, int]]:
        """Link id -> the link, and its entity's revision."""
        found: dict[int, tuple[LinkRow, int]] = {}
        for chunk in chunks(ids):
            query = (
                select(LINK, ENTITY.c.rev.label("entity_rev"))
                .join(ENTITY, ENTITY.c.id == LINK.c.entity_id)
                .where(among(connection, LINK.c.id, chunk))
                .order_by(LINK.c.id)
                .with_for_update(of=LINK)
            )
            found |= {
                row.id: (decoded(self._layouts, row), row.entity_rev)
                for row in connection.execute(query)
            }
        return found

    def of_entities(self, connection: Connection, entities: Collection[int]) -> list[LinkRow]:
        found: list[LinkRow] = []
        for chunk in chunks(entities):
            query = select(LINK).where(_of_entities(among(connection, LINK.c.entity_id, chunk)))
            found += self._found(connection, query.order_by(LINK.c.id).with_for_update())
        return found

    def references(
        self,
        connection: Connection,
        kind: Kind,
        records: Mapping[int, Collection[str]],
        entities: Collection[int],
    ) -> list[LinkRow]:
        """Links of a kind that hold one of the records of an instance, or stand for an entity."""
        wanted = [
            and_(LINK.c.instance_id == instance, among(connection, LINK.c.record_id, sorted(ids)))
            for instance, ids in records.items()
            if ids
        ]
        if entities:
            owned = among(connection, LINK.c.entity_id, sorted(entities))
            wanted.append(and_(owned, LINK.c.state.in_(PLACED)))
        if not wanted:
            return []
        query = select(LINK).where(LINK.c.kind == kind, or_(*wanted))
        return self._found(connection, query)

    def to_follow(self, connection: Connection) -> list[LinkRow]:
        """Merged and converted links whose entity has not followed them yet."""
        return sorted(self._found(connection, _TO_FOLLOW), key=lambda link: link.id)

    def new(self, connection: Connection, limit: int, kinds: Collection[Kind]) -> list[LinkRow]:
        """Links that were read and are not matched."""
        query = (
            select(LINK)
            .where(
                LINK.c.state == LinkState.NEW,
                LINK.c.kind.in_(sorted(kinds)),
                LINK.c.seen.is_not(None),
            )
            .order_by(LINK.c.kind, LINK.c.id)
        )
        return self._found(connection, query.limit(limit).with_for_update())

    def sharing_keys(
        self, connection: Connection, digests: Collection[int]
    ) -> dict[int, list[int]]:
        """Digest -> the ids of the links that carry it."""
        found: dict[int, list[int]] = {}
        for chunk in chunks(digests):
            query = (
                select(KEY)
                .where(among(connection, KEY.c.key, chunk))
                .order_by(KEY.c.key, KEY.c.link_id)
            )
            for digest, link in connection.execute(query).all():
                found.setdefault(digest, []).append(link)
        return found

    def live_entities(self, connection: Connection) -> list[int]:
        """Every entity that has a live record anywhere."""
        query = select(LINK.c.entity_id).where(LINK.c.state == LinkState.LIVE).distinct()
        return sorted(row.entity_id for row in connection.execute(query))

    def owing(
        self,
        connection: Connection,
        source_id: int,
        kind: Kind,
        now: datetime,
        limit: int,
        risks: Collection[Owes],
    ) -> list[LinkRow]:
        wanted = {"source": source_id, "kind": kind, "risks": sorted(risks)}
        return self._found(connection, _OWING, {**wanted, "now": now, "most": limit})

    def owed(self, connection: Connection, source_id: int) -> dict[tuple[Kind, Owes], int]:
        """How many links of the source owe what."""
        rows = connection.execute(_OWED, {"source": source_id})
        return {(Kind(k), Owes(o)): n for k, o, n in rows}

    def converted_into(self, connection: Connection, links: Collection[int]) -> set[int]:
        """Those of the links that a lead of the same system was converted into."""
        found: set[int] = set()
        for chunk in chunks(links):
            query = select(LINK.c.into_id).where(
                among(connection, LINK.c.into_id, chunk), LINK.c.state == LinkState.CONVERTED
            )
            found |= {row.into_id for row in connection.execute(query)}
        return found

    def refused(self, connection: Connection, kind: Kind) -> list[LinkRow]:
        """Links of which a write was tried in vain, or a field refused."""
        query = select(LINK).where(
            LINK.c.kind == kind,
            LINK.c.state.in_(PLACED),
            or_(LINK.c.tries > 0, LINK.c.held.is_not(None)),
        )
        rows = self._found(connection, query)
        return [
            link
            for link in rows
            if link.tries or any(kept.why in _REFUSED for kept in link.held.values())
        ]

    def unmatched(self, connection: Connection, kind: Kind) -> list[LinkRow]:
        """Links that belong to nobody yet."""
        states = (LinkState.NEW, LinkState.ASKED)
        query = select(LINK).where(LINK.c.kind == kind, LINK.c.state.in_(states))
        return self._found(connection, query)

    def oldest_owing(self, connection: Connection, kind: Kind) -> int | None:
        """The oldest of the changes that links of a kind still owe: its history row, if any."""
        last = (
            select(func.max(HISTORY.c.id).label("id"))
            .join(LINK, LINK.c.entity_id == HISTORY.c.entity_id)
            .where(LINK.c.kind == kind, LINK.c.owes.in_(sorted(WRITES)))
            .group_by(LINK.c.id)
            .subquery()
        )
        return connection.execute(select(func.min(last.c.id))).scalar()

    def shared(self, connection: Connection, kinds: Collection[Kind]) -> tuple[int, int]:
        """How many people and companies of these kinds stand in several systems; how many in one.

        Reads every link: for the report of a first sync alone.
        """
        each = (
            select(func.count().label("places"))
            .where(LINK.c.state == LinkState.LIVE, LINK.c.kind.in_(sorted(kinds)))
            .group_by(LINK.c.entity_id)
            .subquery()
        )
        query = select(each.c.places > 1, func.count()).group_by(each.c.places > 1)
        found = {bool(several): number for several, number in connection.execute(query)}
        return found.get(True, 0), found.get(False, 0)

    def counts(self, connection: Connection) -> dict[tuple[int, Kind, LinkState], int]:
        """(source, kind, state) -> how many."""
        return {(s, Kind(k), LinkState(t)): n for s, k, t, n in connection.execute(_COUNTS)}

    def some_live(
        self, connection: Connection, source_id: int, without: Collection[str], limit: int
    ) -> list[str]:
        """A few records that the source is known to have."""
        query = select(LINK.c.record_id).where(
            LINK.c.source_id == source_id,
            LINK.c.record_id.is_not(None),
            LINK.c.record_id.not_in(sorted(without)),
            LINK.c.state == LinkState.LIVE,
        )
        return [row.record_id for row in connection.execute(query.limit(limit))]

    def insert(self, connection: Connection, links: Sequence[LinkRow]) -> None:
        insert_many(connection, LINK, [encoded(self._layouts, link) for link in links])

    def save(
        self, connection: Connection, links: Iterable[LinkRow], only: Sequence[str] = ALL
    ) -> None:
        """Store rows, or ``only`` these columns of them; those that give up a place go first."""
        rows = sorted(links, key=lambda link: (link.state in PLACED, link.id))
        columns = ("id", *only)
        update_many(connection, LINK, [encoded(self._layouts, link, columns) for link in rows])

    def absorb(self, connection: Connection, stub: int, link: int) -> None:
        """A link turns out to be of the record that a stub stands for."""
        waiting = select(literal(link), WAITING.c.entity_id).where(WAITING.c.link_id == stub)
        connection.execute(
            insert_new(connection, WAITING).from_select(["link_id", "entity_id"], waiting)
        )
        connection.execute(delete(WAITING).where(WAITING.c.link_id == stub))
        connection.execute(update(LINK).where(LINK.c.into_id == stub).values(into_id=link))
        connection.execute(delete(LINK).where(LINK.c.id == stub))

    def replace_keys(
        self,
        connection: Connection,
        gone: Iterable[tuple[int, int]],
        come: Iterable[tuple[int, int]],
    ) -> None:
        """Change match keys; pairs of (digest, link id)."""
        delete_many(connection, KEY, _pairs(gone))
        insert_many(connection, KEY, _pairs(come), new=True)

    def ask_anew(self, connection: Connection, digests: Collection[int]) -> None:
        """Match again what waits for a person and carries one of these keys."""
        for chunk in chunks(digests):
            sharing = select(KEY.c.link_id).where(among(connection, KEY.c.key, chunk))
            connection.execute(
                update(LINK)
                .where(LINK.c.id.in_(sharing), LINK.c.state == LinkState.ASKED)
                .values(state=LinkState.NEW)
            )

    def ask_all_anew(self, connection: Connection, kind: Kind) -> None:
        """Match again whatever belongs to nobody yet."""
        asked = (LINK.c.kind == kind, LINK.c.state == LinkState.ASKED)
        connection.execute(update(LINK).where(*asked).values(state=LinkState.NEW))

    def wait(self, connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
        """Mark the entity dirty when the link's state changes; pairs of (link, entity)."""
        rows = [{"link_id": link, "entity_id": entity} for link, entity in sorted(set(pairs))]
        insert_many(connection, WAITING, rows, new=True)

    def awaited(self, connection: Connection, links: Collection[int]) -> set[int]:
        """The entities that waited for these links, or for a record of the same entity.

        They wait no longer.
        """
        found: set[int] = set()
        for chunk in chunks(links):
            owners = select(LINK.c.entity_id).where(among(connection, LINK.c.id, chunk))
            theirs = select(LINK.c.id).where(_of_entities(LINK.c.entity_id.in_(owners)))
            gone = delete(WAITING).where(
                or_(among(connection, WAITING.c.link_id, chunk), WAITING.c.link_id.in_(theirs))
            )
            rows = connection.execute(gone.returning(WAITING.c.entity_id))
            found.update(row.entity_id for row in rows)
        return found

    def _where(
        self,
        connection: Connection,
        column: Any,
        values: Collection[Any],
        *more: Any,
        **parameters: Any,
    ) -> list[LinkRow]:
        found: list[LinkRow] = []
        query = finding(connection.dialect.name, column, *more)
        for chunk in chunks(values):
            looked_for = given(connection, column, chunk)
            found += self._found(connection, query, looked_for | parameters)
        return found

    def _found(
        self, connection: Connection, query: Any, parameters: Mapping[str, Any] | None = None
    ) -> list[LinkRow]:
        rows = connection.execute(query, parameters).all()
        return [decoded(self._layouts, row) for row in rows]
