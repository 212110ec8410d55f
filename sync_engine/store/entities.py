"""Queries on entities and their history."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, func, select, text, update
from sqlalchemy.engine import Connection, Row

from sync_engine.models import Entity, EntityState, Happened, History, Kind
from sync_engine.store.layouts import Layouts
from sync_engine.store.rows import EntityRow, HistoryRow
from sync_engine.store.sql import among, chunks, finding, given, insert_many, update_many
from sync_engine.values import Author

ENTITY: Any = Entity.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
HISTORY: Any = History.__table__  # type: ignore[attr-defined]

_OF_VALUES = (Happened.VALUE, Happened.CONFLICT)
#: ``entity.dirty``: to be decided; or only once an instance that is out answers
DIRTY, POSTPONED = 1, 2


def _last(connection: Connection, entities: Sequence[int], *only: Any) -> Any:
    """Of each field of these entities, the id of the last row that tells of it.

    Rows of several fields, which have no field, are few, and all of them are in it.
    """
    return (
        select(func.max(HISTORY.c.id))
        .where(
            among(connection, HISTORY.c.entity_id, entities),
            HISTORY.c.what.in_(_OF_VALUES),
            *only,
        )
        .group_by(
            HISTORY.c.entity_id,
            HISTORY.c.field_id,
            case((HISTORY.c.field_id.is_(None), HISTORY.c.id)),
        )
    )


_ANY_DIRTY: Any = (
    select(ENTITY.c.id)
    .where(ENTITY.c.kind == bindparam("kind"), ENTITY.c.dirty > 0, ENTITY.c.dirty == DIRTY)
    .limit(1)
)


class Entities:
    """Reads and writes entities and what happened to them."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts

    def dirty(self, connection: Connection, kind: Kind, after: int, limit: int) -> list[int]:
        """Lock the next dirty entities; their rows and links are read in the next statements."""
        query = (
            select(ENTITY.c.id)
            .where(
                ENTITY.c.kind == kind,
                ENTITY.c.dirty > 0,
                ENTITY.c.dirty == DIRTY,
                ENTITY.c.id > after,
            )
            .order_by(ENTITY.c.kind, ENTITY.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [row.id for row in connection.execute(query)]

    def any_dirty(self, connection: Connection, kind: Kind) -> bool:
        return connection.execute(_ANY_DIRTY, {"kind": kind}).first() is not None

    def wake(self, connection: Connection, kind: Kind) -> None:
        """Decide again what was postponed because an instance was out."""
        connection.execute(
            update(ENTITY)
            .where(ENTITY.c.kind == kind, ENTITY.c.dirty > 0, ENTITY.c.dirty == POSTPONED)
            .values(dirty=DIRTY)
        )

    def by_id(self, connection: Connection, ids: Collection[int]) -> dict[int, EntityRow]:
        found: dict[int, EntityRow] = {}
        query = finding(connection.dialect.name, ENTITY.c.id)
        for chunk in chunks(ids):
            rows = connection.execute(query, given(connection, ENTITY.c.id, chunk)).all()
            found |= {row[0]: self._row(row) for row in rows}
        return found

    def insert(self, connection: Connection, entities: Iterable[EntityRow]) -> None:
        insert_many(connection, ENTITY, [self._columns(entity) for entity in entities])

    def save(self, connection: Connection, entities: Iterable[EntityRow]) -> None:
        update_many(connection, ENTITY, [self._columns(entity) for entity in entities])

    def mark(self, connection: Connection, ids: Collection[int]) -> None:
        """Mark entities dirty; unconditionally, so that it waits for the one who clears it."""
        for chunk in chunks(ids):
            connection.execute(
                update(ENTITY).where(among(connection, ENTITY.c.id, chunk)).values(dirty=DIRTY)
            )

    def mark_kind(self, connection: Connection, kind: Kind) -> None:
        """Mark every live entity of a kind: its mapping or rules have changed."""
        connection.execute(
            update(ENTITY)
            .where(ENTITY.c.kind == kind, ENTITY.c.state == EntityState.LIVE)
            .values(dirty=DIRTY)
        )

    def survivors(self, connection: Connection, ids: Collection[int]) -> dict[int, int]:
        """Merged entity -> the one it has become part of, followed to its end."""
        into: dict[int, int] = {}
        asked = set(ids)
        while asked:
            fresh: dict[int, int] = {}
            for chunk in chunks(asked):
                query = select(ENTITY.c.id, ENTITY.c.into_id).where(
                    among(connection, ENTITY.c.id, chunk), ENTITY.c.into_id.is_not(None)
                )
                fresh |= {row.id: row.into_id for row in connection.execute(query)}
            into |= fresh
            asked = set(fresh.values()) - set(into)

        def end(entity: int) -> int:
            while entity in into:
                entity = into[entity]
            return entity

        return {entity: end(entity) for entity in ids}

    def parts(self, connection: Connection, entity_id: int) -> list[int]:
        """Entities that were merged into this one."""
        query = select(ENTITY.c.id).where(ENTITY.c.into_id == entity_id).order_by(ENTITY.c.id)
        return [row.id for row in connection.execute(query)]

    def tell(self, connection: Connection, rows: Collection[HistoryRow]) -> None:
        """Append to history."""
        insert_many(connection, HISTORY, [self._told(row) for row in rows])

    def history(self, connection: Connection, entity_id: int) -> list[HistoryRow]:
        """What happened to an entity, field by field.

        First values are not stored twice: they are what the next change found, or golden now.
        """
        query = select(HISTORY).where(HISTORY.c.entity_id == entity_id).order_by(HISTORY.c.id)
        rows = self._all_heard(connection, query)
        entity = self.by_id(connection, [entity_id]).get(entity_id)
        later = dict(entity.golden) if entity else {}
        for row in reversed(rows):
            if row.fields:
                row.new = later.get(row.field_name or "")
            elif row.what in _OF_VALUES:
                later[row.field_name or ""] = row.old
        return rows

    def newest(self, connection: Connection) -> int:
        """The newest row of history; 0 where there is none."""
        return connection.execute(select(func.max(HISTORY.c.id))).scalar_one() or 0

    def left(self, connection: Connection, link_id: int) -> list[int]:
        """Entities that a record has belonged to and left, oldest first."""
        query = (
            select(HISTORY.c.entity_id)
            # stands in the text: SQLite uses a partial index only for what it can read there
            .where(HISTORY.c.link_id == link_id, text(f"what = {Happened.UNLINKED:d}"))
            .order_by(HISTORY.c.id)
        )
        return [row.entity_id for row in connection.execute(query)]

    def whole(self, connection: Connection, entities: Collection[int]) -> dict[int, EntityRow]:
        """These entities, all that have become part of them, and all that they became part of."""
        found: dict[int, EntityRow] = {}
        asked = set(entities)
        while asked:
            found |= self.by_id(connection, asked)
            near = {found[n].into_id for n in asked & set(found)} - {None}
            for number in asked:
                near |= set(self.parts(connection, number))
            asked = {n for n in near if n is not None} - set(found)
        return found

    def of_run(self, connection: Connection, run_id: int) -> list[HistoryRow]:
        query = select(HISTORY).where(HISTORY.c.run_id == run_id).order_by(HISTORY.c.id)
        return self._all_heard(connection, query)

    def last_words(
        self, connection: Connection, entities: Collection[int]
    ) -> dict[int, dict[str, HistoryRow]]:
        """Entity -> field -> the row by which golden got its present value."""
        found: dict[int, dict[str, HistoryRow]] = {}
        for chunk in chunks(entities):
            last = _last(connection, chunk)
            query = select(HISTORY).where(HISTORY.c.id.in_(last)).order_by(HISTORY.c.id)
            for row in self._all_heard(connection, query):
                found.setdefault(row.entity_id, {})[row.field_name or ""] = row
        return found

    def claims(
        self, connection: Connection, entities: Collection[int], since: int
    ) -> list[HistoryRow]:
        """The values that records of these entities brought since a row id, oldest first."""
        found: list[HistoryRow] = []
        for chunk in chunks(entities):
            query = select(HISTORY).where(
                HISTORY.c.entity_id.in_(chunk),
                HISTORY.c.id > since,
                HISTORY.c.what.in_(_OF_VALUES),
                HISTORY.c.link_id.is_not(None),
            )
            found += self._all_heard(connection, query.order_by(HISTORY.c.id))
        return found

    def conflicts(self, connection: Connection, run_ids: Collection[int]) -> list[HistoryRow]:
        query = (
            select(HISTORY)
            .where(HISTORY.c.run_id.in_(sorted(run_ids)), HISTORY.c.what == Happened.CONFLICT)
            .order_by(HISTORY.c.id)
        )
        return self._all_heard(connection, query)

    def linked_by(self, connection: Connection, kinds: Collection[Kind]) -> dict[str, int]:
        """Match rule -> how many records of these kinds it has linked."""
        query = (
            select(HISTORY.c.rule, func.count())
            .join(ENTITY, ENTITY.c.id == HISTORY.c.entity_id)
            .where(
                HISTORY.c.what == Happened.LINKED,
                HISTORY.c.rule.is_not(None),
                ENTITY.c.kind.in_(sorted(kinds)),
            )
            .group_by(HISTORY.c.rule)
            .order_by(func.count().desc(), HISTORY.c.rule)
        )
        return {str(rule): number for rule, number in connection.execute(query)}

    def count_told(self, connection: Connection, kind: Kind, what: Happened, since: int) -> int:
        """How often something happened to entities of a kind since a row id."""
        query = (
            select(func.count())
            .select_from(HISTORY)
            .join(ENTITY, ENTITY.c.id == HISTORY.c.entity_id)
            .where(HISTORY.c.id > since, HISTORY.c.what == what, ENTITY.c.kind == kind)
        )
        return int(connection.execute(query).scalar_one())

    def authors(
        self, connection: Connection, entities: Collection[int]
    ) -> Mapping[int, Mapping[str, Author]]:
        """Entity -> field -> where golden's present value came from."""
        found: dict[int, dict[str, Author]] = {}
        told = HISTORY.c
        for chunk in chunks(entities):
            last = _last(connection, chunk, told.by != "golden")
            query = select(told.entity_id, told.field_id, told.fields, told.by, told.stamp)
            rows = connection.execute(query.where(told.id.in_(last)).order_by(told.id))
            for entity, field, fields, by, stamp in rows.all():
                author, authors = Author(by, stamp), found.setdefault(entity, {})
                for number in fields or (field,):
                    authors[self._layouts.field_name(number)] = author
        return found

    def _row(self, row: Row[Any]) -> EntityRow:
        number, kind, state, into_id, layout, golden, dirty, rev = row
        values = self._layouts.decode(layout, golden)
        return EntityRow(number, Kind(kind), values, EntityState(state), into_id, dirty, rev)

    def _columns(self, entity: EntityRow) -> dict[str, Any]:
        layout = self._layouts.golden  # a field that nobody maps any more leaves golden
        return {
            "id": entity.id,
            "kind": entity.kind,
            "state": entity.state,
            "into_id": entity.into_id,
            "layout": layout,
            "golden": self._layouts.encode(layout, entity.golden),
            "dirty": entity.dirty,
            "rev": entity.rev,
        }

    def _told(self, row: HistoryRow) -> dict[str, Any]:
        columns = {name: getattr(row, name) for name in row.__slots__ if name != "field_name"}
        columns["field_id"] = self._layouts.maybe_id(row.field_name)
        columns["fields"] = [self._layouts.field_id(name) for name in row.fields] or None
        return columns

    def _all_heard(self, connection: Connection, query: Any) -> list[HistoryRow]:
        return [heard for row in connection.execute(query) for heard in self._heard(row)]

    def _heard(self, row: Row[Any]) -> list[HistoryRow]:
        """One row; of first values that golden took together one for each."""
        columns = dict(row._mapping)
        columns["what"] = Happened(columns["what"])
        name = self._layouts.maybe_name(columns.pop("field_id"))
        fields = tuple(self._layouts.field_name(number) for number in columns.pop("fields") or ())
        return [HistoryRow(**columns, field_name=one, fields=fields) for one in fields or (name,)]
