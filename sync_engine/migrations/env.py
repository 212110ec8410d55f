"""Runs the migrations inside the store's own connection, for both databases."""

from typing import Any, Literal

from alembic import context

from sync_engine import models


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Our column types by name, with their import."""
    if kind == "type" and type(item).__module__ == models.__name__:
        autogen.imports.add("from sync_engine import models")
        return f"models.{type(item).__name__}()"
    return False


with context.config.attributes["engine"].begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=models.Table.metadata,
        render_as_batch=True,
        render_item=render_item,
    )
    context.run_migrations()
