"""What one test sets up for a whole process, the next one does not find."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def usual_logging() -> Iterator[None]:
    """A command in this process chooses how much is logged."""
    yield
    structlog.reset_defaults()
