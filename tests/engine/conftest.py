"""Fixtures of the engine's tests."""

from tests.engine.databases import database, postgres, postgres_server

__all__ = ["database", "postgres", "postgres_server"]
