"""One service to one state file: two would do each other's work, and ask the systems twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sync_engine.store.backups import StateInUseError

_SQLITE = "sqlite:///"


@contextmanager
def alone(state_url: str) -> Iterator[None]:
    """Keep other services from this SQLite state. Raises StateInUseError.

    The lock is the system's and goes with the process, however it ends. It lies on a file of its
    own: closing the database's here would drop SQLite's locks on it. On PostgreSQL the leases
    alone decide who works.
    """
    if not state_url.startswith(_SQLITE):
        yield
        return
    beside = os.open(f"{state_url.removeprefix(_SQLITE)}.service", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(beside)
        yield
    finally:
        os.close(beside)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateInUseError("another crm-sync run works with this state") from None
