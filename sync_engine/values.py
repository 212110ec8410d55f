"""Golden values and the little that is said about one of them. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

Values: TypeAlias = Mapping[str, Any]  #: golden field -> value; an unset field is missing
GOLDEN: Final = "golden"
UNSET: Final = object()
OPT_OUT: Final = "sync_opt_out"  #: a record's own wish to be left alone
CROSS_IDS: Final = ("cross_id", "cross_lead_id")  #: ids of the person's records elsewhere
UNSHARED: Final = frozenset({OPT_OUT, *CROSS_IDS})  #: a record's own: they never travel
NOT_STORED: Final = "not stored"  #: why one is held that was accepted, and kept as it was
MISFIT: Final = "does not fit"  #: why a field is held whose value was not even sent


@dataclass(frozen=True, slots=True)
class Held:
    """A field that is not written for now."""

    of: str  #: hash of golden's value that is not written
    why: str
    shown: Any = None  #: what the side shows instead


@dataclass(frozen=True, slots=True)
class Author:
    """Where golden's value of a field came from."""

    by: str  #: the side
    stamp: str | None = None


def hash_of(value: Any) -> str:
    """A short stand-in for a value, so that it is not stored twice."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=8).hexdigest()
