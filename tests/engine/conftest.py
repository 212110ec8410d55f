"""Fixtures of the engine's tests."""

from collections.abc import Iterator

import pytest

from tests.engine.databases import database, postgres, postgres_server
from tests.engine.three import Three

__all__ = ["database", "postgres", "postgres_server"]


@pytest.fixture
def three() -> Iterator[Three]:
    found = Three()
    yield found
    found.close()
