"""A world put into two systems, the real engine run over it, and what came of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sync_engine.models import Kind, LinkState
from sync_engine.store import LinkRow
from tests.engine.organizations import TEXT
from tests.engine.three import Three
from tests.identity.companies import Listed
from tests.identity.people import SIDES, Shown

OBJECTS = {
    Kind.LEAD: dict(zip(SIDES, ("Lead", "lead"), strict=True)),
    Kind.CUSTOMER: dict(zip(SIDES, ("Contact", "contact"), strict=True)),
    Kind.COMPANY: dict(zip(SIDES, ("Account", "account"), strict=True)),
}
_ACCOUNTS = OBJECTS[Kind.COMPANY]
_FIELDS = {
    "first": "first", "last": "last", "mailbox": "mail", "mobile": "mobile",
    "landline": "phone", "city": "city", "postcode": "zip",
}  # fmt: skip
_COMPANY_FIELDS = {
    "name": "name", "vat": "vat", "domain": "site", "phone": "phone", "city": "city",
    "postcode": "zip", "country": "country",
}  # fmt: skip
_PLACE = {"address": {"parts": {"city": "city", "postcode": "zip", "country": "country"}}}


class Entered(Protocol):
    """One record of a world, whatever it is of."""

    side: str
    values: dict[str, Any]
    number: str

    @property
    def who(self) -> int:
        """Which person or company it is of."""


@dataclass(slots=True)
class Verdict:
    """What crm-sync made of a world."""

    wrong: list[tuple[str, ...]] = field(default_factory=list)  #: records of several people as one
    twice: list[str] = field(default_factory=list)  #: people who got a record where they had one
    held: set[int] = field(default_factory=set)  #: records that a person is asked about
    undecidable: set[int] = field(default_factory=set)
    linked: int = 0  #: those whose records on both sides are one
    both: int = 0  #: those who stand on both sides, decidably


@contextmanager
def world(kind: Kind, records: Sequence[Shown]) -> Iterator[Three]:
    """Two systems that hold these people."""
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


@contextmanager
def company_world(records: Sequence[Listed]) -> Iterator[Three]:
    """Two systems that hold these companies."""
    three = Three(order=SIDES, kinds={Kind.COMPANY})
    names = [f"{side}/{OBJECTS[Kind.COMPANY][side]}" for side in SIDES]
    for name in names:
        three.offer(name, city=TEXT, zip=TEXT, country=TEXT)
    three.remap(_PLACE, *names)
    for record in records:
        values = {_COMPANY_FIELDS[name]: value for name, value in record.values.items()}
        system = three.systems[record.side]
        record.number = system.create(OBJECTS[Kind.COMPANY][record.side], **values)
    for system in three.systems.values():
        system.page_size, system.max_batch = 2000, 200
    yield three
    three.close()


def _account(three: Three, known: dict[tuple[str, int], str], side: str, firm: int) -> str:
    if (side, firm) not in known:
        values = {"name": f"Firm No {firm} d.o.o.", "vat": f"HR{firm:011d}"}
        known[side, firm] = three.systems[side].create(_ACCOUNTS[side], **values)
    return known[side, firm]


def judge(kind: Kind, records: Sequence[Entered], undecidable: set[int], three: Three) -> Verdict:
    """Compare what is linked, made and asked with the truth."""
    names = {side: f"{side}/{OBJECTS[kind][side]}" for side in SIDES}
    links = {(s, k.record_id): k for s in SIDES for k in three.links(names[s])}
    owner = {(record.side, record.number): record.who for record in records}
    found = Verdict(undecidable=undecidable)
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
    records: Sequence[Entered], links: dict[tuple[str, str | None], LinkRow], three: Three
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
    records: Sequence[Entered], links: dict[tuple[str, str | None], LinkRow], found: Verdict
) -> None:
    owned: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        owned.setdefault(record.who, []).append(place)
    for mine in owned.values():
        if len(mine) == 2 and not found.undecidable & set(mine):
            if records[mine[0]].side == records[mine[1]].side:
                continue
            entities = {links[records[n].side, records[n].number].entity_id for n in mine}
            found.both += 1
            found.linked += len(entities) == 1 and None not in entities
