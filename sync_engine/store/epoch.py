"""Whether a state is the newest there was.

Its epoch grows with every run that writes. Where a witness outside has seen a later one, or
records carry keys that the state never gave, the state is older than the systems: it is
restored, whoever did that, and what they did meanwhile is to be learnt before any write.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from sync_engine.models import Lease, Listed, Meta, Source, Sync

META: Any = Meta.__table__  # type: ignore[attr-defined]  # SQLModel hides it from types
_RESTORING, _MAPPING, _OUT = (select(META.c[name]) for name in ("restoring", "mapping", "out"))


@dataclass(frozen=True, slots=True)
class Epoch:
    """Which state, and how far it has come."""

    installation: int
    number: int


def epoch(connection: Connection) -> Epoch:
    row = connection.execute(select(META.c.installation, META.c.epoch)).one()
    return Epoch(int(row.installation), int(row.epoch))


def advance(connection: Connection) -> Epoch:
    """The next epoch; the witness is told once this is committed."""
    connection.execute(update(META).values(epoch=META.c.epoch + 1))
    return epoch(connection)


def is_restoring(connection: Connection) -> bool:
    return bool(connection.execute(_RESTORING).scalar_one())


def decided_under(connection: Connection) -> str | None:
    """The fingerprint of the mappings under which people were last decided about."""
    told: str | None = connection.execute(_MAPPING).scalar_one()
    return told


def decide_under(connection: Connection, mapping: str) -> None:
    connection.execute(update(META).values(mapping=mapping))


def out_before(connection: Connection) -> frozenset[str]:
    """Who took no part when creates were last put off, by whatever process."""
    return frozenset(connection.execute(_OUT).scalar_one() or ())


def keep_out(connection: Connection, out: Collection[str]) -> None:
    connection.execute(update(META).values(out=sorted(out)))


def begin_restoring(connection: Connection, reached: int = 0) -> None:
    """What the systems did since is unknown: all is listed anew before any write.

    Until a source has listed, nothing is created on its side; until a person releases a
    sync, it writes nothing. ``reached`` is the epoch that a witness has seen.
    """
    source, sync, lease = (
        Source.__table__,  # type: ignore[attr-defined]
        Sync.__table__,  # type: ignore[attr-defined]
        Lease.__table__,  # type: ignore[attr-defined]
    )
    unread = {"cursor": None, "listing": None, "listed_at": None, "checked_at": None}
    connection.execute(update(source).values(**unread, due_at=None, guard=None))
    connection.execute(delete(Listed.__table__))  # type: ignore[attr-defined]
    connection.execute(update(sync).values(released_at=None, due_at=None))
    connection.execute(update(lease).values(holder=None, until=None))
    number = max(reached, epoch(connection).number)
    connection.execute(update(META).values(restoring=1, epoch=number))


def end_restoring(connection: Connection) -> None:
    connection.execute(update(META).values(restoring=0))
