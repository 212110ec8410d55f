"""One service to a state. Leases keep two from harm; that there are two is a mistake to be told.

The lock is the operating system's, or a PostgreSQL session's: it goes with the process that
holds it, however that ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from sync_engine.store.backups import StateInUseError
from sync_engine.store.epoch import epoch


@contextmanager
def sole(engine: Engine, holder: str) -> Iterator[None]:
    """Be the only service of this state. Raises StateInUseError where there is another one."""
    if engine.dialect.name == "postgresql":
        with _session_lock(engine):
            yield
    elif engine.url.database in (None, "", ":memory:"):
        yield
    else:
        with _file_lock(Path(f"{engine.url.database}.run"), holder):
            yield


@contextmanager
def _file_lock(file: Path, holder: str) -> Iterator[None]:
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            other = lock.read(200).strip() or "another process"
            raise StateInUseError(f"{other} runs with this state") from error
        lock.truncate(0)
        lock.write(holder)
        lock.flush()
        yield


@contextmanager
def _session_lock(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        number = epoch(connection).installation
        asked = text("select pg_try_advisory_lock(:number)")
        if not connection.execute(asked, {"number": number}).scalar_one():
            raise StateInUseError("another service runs with this state")
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:number)"), {"number": number})
