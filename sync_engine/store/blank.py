"""Blanks what is stored of one person: rows stay, values go."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from sync_engine.models import Table

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
    connection.execute(_TABLES["match_key"].delete().where(_TABLES["match_key"].c.link_id.in_(ids)))
    connection.execute(
        update(link)
        .where(link.c.entity_id.in_(entities))
        .values(seen=None, base=[], held=None, stamps=None, fingerprint=None)
    )
    connection.execute(update(entity).where(entity.c.id.in_(entities)).values(golden=[], dirty=0))
