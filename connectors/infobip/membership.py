"""Which company a person belongs to.

No call reads a membership, so the company's id stands in a custom attribute beside it. The
attribute is written last: while it lacks, the membership is known to be unfinished. Memberships
that the attribute does not name are somebody else's and left alone.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from connectors.infobip.bodies import refused_persons
from connectors.infobip.client import InfobipClient
from connectors.infobip.faults import Fault
from connectors.infobip.fields import COMPANY
from connectors.infobip.reading import Reader

NO_COMPANY = Fault(409, "40405", "no such company")


def move(
    client: InfobipClient,
    reader: Reader,
    wanted: Mapping[str, str | None],
    held: Mapping[str, str | None],
) -> dict[str, Fault]:
    """person id -> company id; the refused ones. ``held``: the company known so far."""
    named = {company for company in (*wanted.values(), *held.values()) if company}
    known = reader.current(COMPANY, named)
    faults = {p: NO_COMPANY for p, company in wanted.items() if company and company not in known}
    moved = {person: company for person, company in wanted.items() if person not in faults}
    for company, persons in _grouped(held, moved):
        if company not in known:  # gone: it has no members
            continue
        leavers = [person for person in persons if moved[person] != company]
        left = refused_persons(partial(client.leave, company), leavers)
        # who is gone is no member
        faults |= {person: fault for person, fault in left.items() if fault.status != 404}
    for company, persons in _grouped(moved, moved):
        joiners = [person for person in persons if person not in faults]
        faults |= refused_persons(partial(client.join, company), joiners)
    return faults


def _grouped(
    companies: Mapping[str, str | None], persons: Iterable[str]
) -> Iterable[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for person in persons:
        company = companies.get(person)
        if company and company.isdecimal():
            groups.setdefault(company, []).append(person)
    return groups.items()
