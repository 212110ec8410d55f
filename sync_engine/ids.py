"""Row ids and record keys: never reused, also not after a restored database.

A row id is 41 bits of milliseconds and a 22-bit counter. A key is a UUIDv8 that tells
the installation (32 bits), the entity (63 bits) and 27 random bits (RFC 9562, 5.8).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
#: how far a clock may have been ahead for rows to go on in order once it is set back
AHEAD = timedelta(days=1)
END = EPOCH + timedelta(milliseconds=2**41)  #: in 2089: later moments have no row ids
_COUNTER_BITS = 22
_RANDOM_BITS = 27
_ENTITY_BITS = 63


class Random(Protocol):
    """The randomness seam: ``random.Random``, or the system's own."""

    def getrandbits(self, k: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class KeyParts:
    installation: int
    entity_id: int


class Ids:
    """Gives row ids and keys; ``random`` is the randomness seam."""

    def __init__(self, now: Callable[[], datetime], random: Random) -> None:
        self._now = now
        self._random = random
        self._counter = random.getrandbits(_COUNTER_BITS)
        self._last = 0

    def row(self) -> int:
        """A new row id, greater than every id this object gave before."""
        milliseconds = int((self._now() - EPOCH).total_seconds() * 1000)
        self._counter = (self._counter + 1) % (1 << _COUNTER_BITS)
        fresh = (milliseconds << _COUNTER_BITS) | self._counter
        # a clock set back, or a counter that wrapped within a millisecond
        self._last = fresh if fresh > self._last else self._last + 1
        return self._last

    def after(self, row_id: int) -> None:
        """Go on after a row of an earlier process, whose clock may have been ahead of ours.

        What happened last is told by row ids. Where the clock was wrong by more than a day its
        rows are left behind: whatever counts rows of a day would go on counting ours.
        """
        if row_id < self.row_at(self._now() + AHEAD):
            self._last = max(self._last, row_id)

    def row_at(self, moment: datetime) -> int:
        """The smallest row id given at that moment or later."""
        return int((moment - EPOCH).total_seconds() * 1000) << _COUNTER_BITS

    def installation(self) -> int:
        return self._random.getrandbits(32)

    def key(self, installation: int, entity_id: int) -> UUID:
        """A new key for a record of that entity."""
        payload = (installation << _ENTITY_BITS) | entity_id
        payload = (payload << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        high, middle, low = payload >> 74, (payload >> 62) & 0xFFF, payload & ((1 << 62) - 1)
        return UUID(int=(high << 80) | (8 << 76) | (middle << 64) | (2 << 62) | low)


def time_of(row_id: int) -> datetime:
    """When a row id was given, to the millisecond."""
    return EPOCH + timedelta(milliseconds=row_id >> _COUNTER_BITS)


def key_parts(key: UUID) -> KeyParts | None:
    """What one of our keys tells; None for any other UUID."""
    number = key.int
    if (number >> 76) & 0xF != 8 or (number >> 62) & 0b11 != 2:
        return None
    payload = ((number >> 80) << 74) | (((number >> 64) & 0xFFF) << 62) | (number & ((1 << 62) - 1))
    payload >>= _RANDOM_BITS
    return KeyParts(payload >> _ENTITY_BITS, payload & ((1 << _ENTITY_BITS) - 1))
