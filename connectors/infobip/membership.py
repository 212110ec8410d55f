"""Which company a person belongs to.

No call reads a membership, so the company's id stands in a custom attribute beside it. The
attribute is written last: while it lacks, the membership is known to be unfinished. Memberships
that the attribute does not name are somebody else's and left alone.
"""

from collections.abc import Iterable, Mapping

from connectors.infobip.client import InfobipClient, slices
from connectors.infobip.faults import Fault
from connectors.infobip.fields import COMPANY
from connectors.infobip.reading import Reader

NO_COMPANY = Fault(404, "40405", "no such company")


def move(
    client: InfobipClient,
    reader: Reader,
    wanted: Mapping[str, str | None],
    held: Mapping[str, str | None],
) -> dict[str, Fault]:
    """person id -> company id; the refused ones. ``held``: the company known so far."""
    asked = {company for company in wanted.values() if company}
    known = reader.current(COMPANY, asked)
    faults = {p: NO_COMPANY for p, company in wanted.items() if company and company not in known}
    moved = {person: company for person, company in wanted.items() if person not in faults}
    for company, persons in _grouped(held, moved):
        if any(moved[person] != company for person in persons):
            leavers = [person for person in persons if moved[person] != company]
            for part in slices(leavers):
                fault = client.leave(company, part)
                if fault and fault.status != 404:  # a company that is gone has no members
                    faults |= dict.fromkeys(part, fault)
    for company, persons in _grouped(moved, moved):
        for part in slices([person for person in persons if person not in faults]):
            if part and (fault := client.join(company, part)):
                faults |= dict.fromkeys(part, fault)
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
