"""Blanks what is stored of one person: rows stay, values go."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from sync_engine.models import Table
from sync_engine.store.encoding import numbers
from sync_engine.store.sql import delete_many

_TABLES = Table.metadata.tables


def blank_entity(connection: Connection, entity_id: int) -> None:
    """Remove every personal value of an entity and of all that were merged into it.

    It stands in their links, writes, history and issues. Who, when, which field and by which
    rule stay; match keys go. Follow the commit with ``Store.truncate_log`` so that SQLite's
    write-ahead log keeps none of it either.
    """
    link, entity = _TABLES["link"], _TABLES["entity"]
    parts = select(entity.c.id).where(entity.c.id == entity_id).cte("parts", recursive=True)
    parts = parts.union(select(entity.c.id).join(parts, entity.c.into_id == parts.c.id))
    entities = sorted(row.id for row in connection.execute(select(parts.c.id)))
    ids = select(link.c.id).where(link.c.entity_id.in_(entities)).scalar_subquery()
    blanks: list[tuple[Any, Any, dict[str, Any]]] = [
        (_TABLES["sent"], _TABLES["sent"].c.link_id.in_(ids), {"vals": None, "before": None}),
        (
            _TABLES["history"],
            _TABLES["history"].c.entity_id.in_(entities),
            {"old": None, "new": None, "lost": None},
        ),
        (
            _TABLES["issue"],
            _TABLES["issue"].c.entity_id.in_(entities) | _TABLES["issue"].c.link_id.in_(ids),
            {"detail": None},
        ),
    ]
    for table, where, values in blanks:
        connection.execute(update(table).where(where).values(**values))
    _forget_keys(connection, entities)
    connection.execute(
        update(link)
        .where(link.c.entity_id.in_(entities))
        .values(
            seen=None,
            base=[],
            held=None,
            stamps=None,
            fingerprint=None,
            match_keys=None,
            alike=None,
        )
    )
    connection.execute(update(entity).where(entity.c.id.in_(entities)).values(golden=[], dirty=0))


def _forget_keys(connection: Connection, entities: list[int]) -> None:
    link = _TABLES["link"]
    query = select(link.c.id, link.c.match_keys, link.c.alike).where(link.c.entity_id.in_(entities))
    pairs = [
        {"key": digest, "link_id": number}
        for number, *packed in connection.execute(query)
        for digest in (*numbers(packed[0]), *numbers(packed[1]))
    ]
    delete_many(connection, _TABLES["match_key"], pairs)
