"""What a side is shown instead of a value that it shall not know. Pure.

A masked value is that side's normal form: it is compared as such and never flows back.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

REDACTED = "***"
NOWHERE = "masked.invalid"  #: RFC 2606: a domain that never receives anything


def _digest(value: str, key: bytes) -> str:
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16]


def _first_letter(value: str, _key: bytes) -> str:
    return f"{value[:1]}."


def _outside(value: Mapping[str, Any], _key: bytes) -> dict[str, Any]:
    """Where somebody lives, but not at which door."""
    return {**value, "street": None, "postcode": None}


#: (mask, form) -> what it makes of a value, with the installation's secret
MASKS: Mapping[tuple[str, str], Callable[[Any, bytes], Any]] = {
    ("redact", "text"): lambda _value, _key: REDACTED,
    ("redact", "multiline"): lambda _value, _key: REDACTED,
    ("hash", "text"): _digest,
    ("hash", "email"): lambda value, key: f"{_digest(value, key)}@{NOWHERE}",
    ("truncate", "text"): _first_letter,
    ("truncate", "date"): lambda value, _key: f"{value[:4]}-01-01",
    ("truncate", "address"): _outside,
}
