"""Which contacts an opt-out concerns, and when these wait for it (practice 4.1). Pure."""

from collections.abc import Mapping
from typing import Final

from sync_engine.values import Held, Values, hash_of

#: opt-out -> the contacts that may not be written without it
CONCERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "email_opt_out": ("email", "email2"),
    "bulk_email_opt_out": ("email", "email2"),
    "phone_opt_out": ("mobile", "phone"),
    "fax_opt_out": (),
}


def withheld(golden: Values, held: Mapping[str, Held]) -> frozenset[str]:
    """The contacts that a side is not given while it refuses the opt-out from them."""
    return frozenset(
        contact
        for flag, contacts in CONCERNS.items()
        if golden.get(flag) is True and (kept := held.get(flag)) is not None
        if kept.why == "rejected" and kept.of == hash_of(True)
        for contact in contacts
    )


def opts_out(values: Values) -> frozenset[str]:
    """The opt-outs among what was to be written."""
    return frozenset(flag for flag in CONCERNS if values.get(flag) is True)
