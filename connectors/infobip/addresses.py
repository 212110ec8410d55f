"""Whose the addresses of a profile are: a phone or e-mail belongs to one profile of the account."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from connectors.infobip.bodies import added, removed
from connectors.infobip.client import Identity
from connectors.infobip.faults import ADDRESS_TAKEN, Fault, outcome_of
from connectors.infobip.fields import CHANNELS, IDENTITIES, digits
from connectors.protocol import Outcome, Refusal, Result, Write


def gained(write: Write) -> Iterator[Identity]:
    for field, type in CHANNELS.items():
        yield from (_identity(type, member) for member in added(write.values, field))
    if external := write.values.get("externalId"):
        yield "EXTERNAL_ID", str(external)


def given_up(writes: Iterable[Write]) -> frozenset[Identity]:
    return frozenset(
        _identity(type, member)
        for write in writes
        for field, type in CHANNELS.items()
        for member in removed(write.values, field)
    )


def _identity(type: str, member: str) -> Identity:
    return type, digits(member) if type == "PHONE" else member.casefold()


def taken(
    write: Write,
    fault: Fault,
    owners: Mapping[Identity, str],
    freed: Collection[Identity] = frozenset(),
) -> Outcome:
    """The outcome of a duplicate; ``freed``: addresses that the same call takes from others."""
    others = [one for one in gained(write) if owners.get(one, write.id) != write.id]
    if not others and not fault.says_exists:
        return outcome_of(fault, write.id, write.values)
    if not others or all(one in freed for one in others):
        return Outcome(Result.RETRY, write.id, reason=fault.reason(write.values))
    types = {type for type, _ in others}
    faults = {field: ADDRESS_TAKEN for field, type in IDENTITIES.items() if type in types}
    found = tuple(dict.fromkeys(owners[one] for one in others))
    return Outcome(
        Result.REJECTED,
        write.id,
        reason=ADDRESS_TAKEN,
        faults=faults,
        refusal=Refusal.DUPLICATE,
        found=found,
    )
