"""A world of people put into two systems, the real engine run over it, and what came of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sync_engine.models import Kind, LinkState
from sync_engine.store import LinkRow
from tests.engine.three import Three
from tests.identity.people import SIDES, Shown
from tests.identity.truth import undecidable

OBJECTS = {
    Kind.LEAD: dict(zip(SIDES, ("Lead", "lead"), strict=True)),
    Kind.CUSTOMER: dict(zip(SIDES, ("Contact", "contact"), strict=True)),
}
_ACCOUNTS = dict(zip(SIDES, ("Account", "account"), strict=True))
_FIELDS = {
    "first": "first", "last": "last", "mailbox": "mail", "mobile": "mobile",
    "landline": "phone", "city": "city", "postcode": "zip",
}  # fmt: skip


@dataclass(slots=True)
class Verdict:
    """What crm-sync made of a world."""

    wrong: list[tuple[str, ...]] = field(default_factory=list)  #: records of several people as one
    twice: list[str] = field(default_factory=list)  #: people who got a record where they had one
    held: set[int] = field(default_factory=set)  #: records that a person is asked about
    undecidable: set[int] = field(default_factory=set)
    linked: int = 0  #: people whose records on both sides are one
    both: int = 0  #: people who stand on both sides, decidably


@contextmanager
def world(kind: Kind, records: Sequence[Shown]) -> Iterator[Three]:
    """Two systems that hold these records."""
    kinds = {kind, Kind.COMPANY} if kind is Kind.CUSTOMER else {kind}
    three = Three(order=SIDES, kinds=kinds)
    accounts: dict[tuple[str, int], str] = {}
    for record in records:
        values = {_FIELDS[n]: v or None for n, v in record.values.items() if n in _FIELDS}
        firm = record.values.get("firm")
        if kind is Kind.LEAD:
            values["firm"] = f"Firm No {firm} d.o.o." if firm is not None else "unknown"
        elif firm is not None:
            values["account"] = _account(three, accounts, record.side, firm)
        if kind is Kind.CUSTOMER:
            values["birth"] = record.values.get("birth")
        system = three.systems[record.side]
        record.number = system.create(OBJECTS[kind][record.side], **values)
    for system in three.systems.values():
        system.page_size, system.max_batch = 2000, 200
    yield three
    three.close()


def _account(three: Three, known: dict[tuple[str, int], str], side: str, firm: int) -> str:
    if (side, firm) not in known:
        values = {"name": f"Firm No {firm} d.o.o.", "vat": f"HR{firm:011d}"}
        known[side, firm] = three.systems[side].create(_ACCOUNTS[side], **values)
    return known[side, firm]


def judge(kind: Kind, records: Sequence[Shown], three: Three) -> Verdict:
    """Compare what is linked, made and asked with the truth."""
    names = {side: f"{side}/{OBJECTS[kind][side]}" for side in SIDES}
    links = {(s, k.record_id): k for s in SIDES for k in three.links(names[s])}
    owner = {(record.side, record.number): record.person.number for record in records}
    found = Verdict(undecidable=undecidable(records))
    people: dict[int, set[int]] = {}  # entity -> whose records it has
    for place, link in links.items():
        if link.entity_id is not None and link.state is LinkState.LIVE and place in owner:
            people.setdefault(link.entity_id, set()).add(owner[place])
    for entity, whose in sorted(people.items()):
        if len(whose) > 1:
            mine = [p for p, k in links.items() if k.entity_id == entity]
            found.wrong.append(tuple(f"{side}:{number}" for side, number in mine))
    found.twice = list(_twice(links, owner, people))
    found.held = _held(records, links, three)
    _count(records, links, found)
    return found


def _twice(
    links: dict[tuple[str, str | None], LinkRow],
    owner: dict[tuple[str, str], int],
    people: dict[int, set[int]],
) -> Iterator[str]:
    """Records made by us for somebody who had one there, or got another."""
    had = Counter((side, person) for (side, _), person in owner.items())
    for (side, number), link in sorted(links.items(), key=str):
        if (side, number) in owner or link.entity_id is None:
            continue
        for person in sorted(people.get(link.entity_id, ())):
            if had[side, person]:
                yield f"{side}:{number} for person {person}"
            had[side, person] += 1


def _held(
    records: Sequence[Shown], links: dict[tuple[str, str | None], LinkRow], three: Three
) -> set[int]:
    place_of = {(record.side, record.number): n for n, record in enumerate(records)}
    asked, entities = set(), set()
    for issue in three.issues():
        if issue.what == "identity":
            asked |= {issue.link_id, *issue.detail["with"]}
        elif issue.what == "possible duplicate":
            asked |= set(issue.detail["links"])
            entities.add(issue.entity_id)
    return {
        place_of[place]
        for place, link in links.items()
        if place in place_of and (link.id in asked or link.entity_id in entities)
    }


def _count(
    records: Sequence[Shown], links: dict[tuple[str, str | None], LinkRow], found: Verdict
) -> None:
    owned: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        owned.setdefault(record.person.number, []).append(place)
    for mine in owned.values():
        if len(mine) == 2 and not found.undecidable & set(mine):
            if records[mine[0]].side == records[mine[1]].side:
                continue
            entities = {links[records[n].side, records[n].number].entity_id for n in mine}
            found.both += 1
            found.linked += len(entities) == 1 and None not in entities
