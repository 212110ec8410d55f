"""Which records are one person or company. Exact, ordered rules on normalised keys. Pure.

| persons                                           | companies                                   |
|---------------------------------------------------|---------------------------------------------|
| ``cross_ids``: one holds the other's record id    | ``cross_ids``                               |
| ``email_name``: e-mail, with agreeing name        | ``vat``: VAT or registration number         |
| ``mobile_surname``: mobile, with agreeing surname | ``domain``: web domain, with agreeing name  |
| ``name_birth_date``: full name and birth date     | ``name_place``: name, country and city      |
| ``name_company``: full name and company           |                                             |

A sync may choose among them, and their order. Our own key stands before them all: it is read
from the record and needs no group. A key that several records of one system carry links nobody,
unless their names or places tell them apart; nor does a key where a stronger rule says otherwise,
both having its keys and none in common.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

from sync_engine import companies
from sync_engine.folding import company, fold, generation, given, surname
from sync_engine.identifiers import SHIPPED, NoKeys, birth_date, is_mobile, is_phone
from sync_engine.values import CROSS_IDS

Values = Mapping[str, Any]

EMAIL, MOBILE, BIRTH, EMPLOYER = 1, 2, 3, 4
VAT, DOMAIN, NAME = 1, 2, 3
CROSS = 7
_PERSON_RULES = {
    CROSS: "cross_ids",
    EMAIL: "email_name",
    MOBILE: "mobile_surname",
    BIRTH: "name_birth_date",
    EMPLOYER: "name_company",
}
#: kind -> rule -> its name, in configuration and history alike; strongest first as shipped
RULES: Mapping[str, Mapping[int, str]] = {
    "lead": _PERSON_RULES,
    "customer": _PERSON_RULES,
    "company": {CROSS: "cross_ids", VAT: "vat", DOMAIN: "domain", NAME: "name_place"},
}
OWN_ID = "own id"  #: under which a record's values name its id, where others may hold it
_OWN_NUMBER = 8  #: digests of this rule never link


class Key(NamedTuple):
    """One match key of a record."""

    rule: int
    text: str
    digest: int
    is_address: bool = False  #: an e-mail or phone, which Customer Profiles gives one owner
    is_own: bool = False  #: the record's own id, which others may hold

    @property
    def is_number(self) -> bool:
        return self.is_address and self.rule == MOBILE


@dataclass(frozen=True, slots=True)
class Member:
    """A link in a key group."""

    link_id: int
    instance_id: int
    entity_id: int | None
    values: Values
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All links that carry one key."""

    kind: str
    rule: int
    members: tuple[Member, ...]
    apart: frozenset[frozenset[int]] = frozenset()  #: pairs of links a person told apart
    #: entity -> the instances on which it has a record, in this group or not
    places: Mapping[int, Collection[int]] = field(default_factory=dict)
    order: Sequence[int] = ()  #: the rules that link, strongest first; none: as shipped

    @property
    def stronger(self) -> Sequence[int]:
        """The rules before this one. Ids differ in every system, so that they contradict nobody."""
        order = list(self.order or RULES[self.kind])
        return [rule for rule in order[: order.index(self.rule)] if rule != CROSS]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cluster of links that a person must be asked about."""

    why: str
    links: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    linked: tuple[tuple[int, ...], ...]  #: link ids that are one
    doubts: tuple[Doubt, ...]


def rule_of(kind: str, name: str) -> int:
    """The rule of that name. Raises StopIteration where there is none."""
    return next(rule for rule, known in RULES[kind].items() if known == name)


def keys(kind: str, values: Values, no: NoKeys = SHIPPED) -> list[Key]:
    """The match keys of a record, in the shipped order of rules."""
    crossing = _cross_keys(kind, values)
    return crossing + (_company_keys(values, no) if kind == "company" else _keys(kind, values, no))


def _cross_keys(kind: str, values: Values) -> list[Key]:
    """The record ids that it holds of other systems, and its own, which they may hold."""
    held = dict.fromkeys(_record_id(values[name]) for name in CROSS_IDS if values.get(name))
    found = [_key(kind, CROSS, text) for text in held]
    if own := values.get(OWN_ID):
        found.append(_key(kind, CROSS, _record_id(own))._replace(is_own=True))
    return found


def _record_id(value: Any) -> str:
    """A record's id in one form: Salesforce's 18 characters are its 15 and a checksum."""
    text = str(value).strip("{} ")
    if len(text) == 18 and text.isalnum():
        return text[:15]
    return text.lower() if "-" in text else text


def _keys(kind: str, values: Values, no: NoKeys) -> list[Key]:
    further = values.get("further", ())  # members of a set for which there is no slot
    addresses = (values.get("email"), values.get("email2"), *further)
    numbers = [(values.get("mobile"), True), (values.get("phone"), False)]
    numbers += [(member, True) for member in further]
    found = [
        _key(kind, EMAIL, address, is_address=True)
        for address in addresses
        if no.is_personal_email(address)
    ]
    found += [
        _key(kind, MOBILE, str(number), is_address=True)
        for number, labelled in numbers
        if values.get("last_name") and is_mobile(number, labelled=labelled)
    ]
    full = _full_name(values, no)
    born = birth_date(values.get("birth_date"))
    if full and born:
        found.append(_key(kind, BIRTH, f"{full}|{born}"))
    employer = company(values.get("company_name") or "")
    if full and no.is_name(employer):
        found.append(_key(kind, EMPLOYER, f"{full}|{employer}"))
    return list(dict.fromkeys(found))


def _company_keys(values: Values, no: NoKeys) -> list[Key]:
    found = []
    _, vat = companies.number(values.get("vat"))
    if vat.strip("0") and no.is_name(vat.lower()):
        found.append(_key("company", VAT, vat))
    domain = values.get("website")
    if no.is_own_domain(domain):
        found.append(_key("company", DOMAIN, str(domain)))
    place = values.get("address") or {}
    name = company(values.get("name") or "")
    if no.is_name(name) and place.get("country") and place.get("city"):
        text = f"{name}|{place['country']}|{fold(place['city'])}"
        found.append(_key("company", NAME, text))
    return found


def own_numbers(values: Values) -> list[int]:
    """Digests of the numbers that belong to a company, which are nobody's key (practice 2.2)."""
    return [number_of_company(values["phone"])] if is_phone(values.get("phone")) else []


def number_of_company(number: str) -> int:
    return digest_of("company", _OWN_NUMBER, number)


def agrees(kind: str, rule: int, left: Values, right: Values) -> bool:
    """Whether a shared key may link these two: the names must not disagree (practice 2.2).

    Companies must not stand in different places: a number or domain may be that of branches.
    """
    if kind == "company":
        return _companies_agree(rule, left, right)
    surnames = [_surname(values) for values in (left, right)]
    if not all(surnames):
        return rule in (EMAIL, MOBILE) and _given_agree(left, right)
    if surnames[0] == surnames[1]:
        return _given_agree(left, right)
    return names_swapped(left, right) or (
        surnames_overlap(surnames[0], surnames[1]) and _given_agree(left, right, strictly=True)
    )


def _companies_agree(rule: int, left: Values, right: Values) -> bool:
    if rule != NAME and companies.places_differ(left, right):
        return False
    if rule == VAT:
        return companies.numbers_agree(left, right) is not False
    return rule == NAME or companies.names_agree(left, right)


def contradicts(group: Group, left: Member, right: Member) -> bool:
    """Both hold something that differs: a key of a rule before this one, a date of birth, what
    tells father from son, the legal form where no number is shared, or the town where nothing but
    the employer is; where one holds the other's id, the name.
    """
    rule = group.rule
    if rule == CROSS and not agrees(group.kind, DOMAIN, left.values, right.values):
        return True
    born = [birth_date(member.values.get("birth_date")) for member in (left, right)]
    if all(born) and born[0] != born[1]:
        return True
    if rule != EMAIL and generations_differ(left.values, right.values):
        return True
    if rule == EMPLOYER and companies.places_differ(left.values, right.values):
        return True  # namesakes in a large firm
    is_of_name = group.kind == "company" and rule in (DOMAIN, NAME)
    if is_of_name and companies.forms_differ(left.values, right.values):
        return True
    for stronger in group.stronger:
        mine, theirs = (
            {key.digest for key in member.keys if key.rule == stronger} for member in (left, right)
        )
        if mine and theirs and not mine & theirs:
            return True
    return False


def settle(group: Group) -> Settlement:
    """Who of a group is one, and whom a person must be asked about.

    Members that disagree by name (a couple on one mailbox) fall into clusters of their own.
    A cluster with at most one record per instance and at most one entity is one; any other
    is doubtful, also where all of it is linked and two entities meet.
    """
    linked: list[tuple[int, ...]] = []
    doubts: list[Doubt] = []
    for cluster in _clusters(group):
        is_open = any(member.entity_id is None for member in cluster)
        if len(cluster) < 2 or not (is_open or len(_entities(cluster)) > 1):
            continue
        numbers = tuple(member.link_id for member in cluster)
        why = _doubt(group, cluster)
        if not why:
            linked.append(numbers)
        elif is_open or why == "two entities":
            doubts.append(Doubt(why, numbers))
    return Settlement(tuple(linked), tuple(doubts))


def _clusters(group: Group) -> list[list[Member]]:
    """Members that agree, by way of one another, in order of link id."""
    clusters: list[list[Member]] = []
    for member in sorted(group.members, key=lambda m: m.link_id):
        meeting = [c for c in clusters if any(_meet(group, member, other) for other in c)]
        joined = [member]
        for cluster in meeting:
            clusters.remove(cluster)
            joined += cluster
        clusters.append(sorted(joined, key=lambda m: m.link_id))
    return clusters


def _meet(group: Group, left: Member, right: Member) -> bool:
    if _are_linked(left, right):
        return True
    if frozenset((left.link_id, right.link_id)) in group.apart:
        return False
    if group.rule == CROSS:  # two organizations may have given one id each
        return not (_is_owner(left) and _is_owner(right))
    return agrees(group.kind, group.rule, left.values, right.values)


def _doubt(group: Group, cluster: Sequence[Member]) -> str:
    """Why a cluster is not simply one; empty if it is."""
    pairs = [pair for pair in combinations(cluster, 2) if not _are_linked(*pair)]
    if any(contradicts(group, *pair) for pair in pairs):
        return "contradiction"
    entities = _entities(cluster)
    if len(entities) > 1:
        return "two entities"
    taken = {instance for entity in entities for instance in group.places.get(entity, ())}
    taken |= {m.instance_id for m in cluster if m.entity_id is not None}
    wanted = [m.instance_id for m in cluster if m.entity_id is None]
    if taken & set(wanted) or len(set(wanted)) < len(wanted):
        return "duplicate in one system"
    return "" if all(_meet(group, *pair) for pair in pairs) else "names differ"


def _is_owner(member: Member) -> bool:
    return any(key.is_own for key in member.keys)


def _entities(cluster: Sequence[Member]) -> list[int]:
    return sorted({m.entity_id for m in cluster if m.entity_id is not None})


def _are_linked(left: Member, right: Member) -> bool:
    return left.entity_id is not None and left.entity_id == right.entity_id


def _given_agree(left: Values, right: Values, *, strictly: bool = False) -> bool:
    """First names that are equal, short for one another, or an initial of the other."""
    mine, theirs = _given(left), _given(right)
    if not mine or not theirs:
        return not strictly
    return mine == theirs or (1 in (len(mine), len(theirs)) and mine[0] == theirs[0])


def names_swapped(left: Values, right: Values) -> bool:
    """Whether one's first name is the other's last, both ways."""
    mine, theirs = ([_given(v), _surname(v)] for v in (left, right))
    return all(mine) and mine == [given(theirs[1]), theirs[0]]


def surnames_overlap(left: str, right: str) -> bool:
    """A double name agrees with one of its parts."""
    return bool(set(left.split(" ")) & set(right.split(" ")))


def generations_differ(left: Values, right: Values) -> bool:
    mine, theirs = (generation(str(v.get("last_name") or "")) for v in (left, right))
    return mine != theirs


def _full_name(values: Values, no: NoKeys) -> str | None:
    """First and last name in either order, since people enter them in either."""
    first, last = _given(values), _surname(values)
    if not (no.is_name(first) and no.is_name(last)) or len(first) == 1:
        return None
    return "|".join(sorted((first, last)))


def _given(values: Values) -> str:
    return given(str(values.get("first_name") or ""))


def _surname(values: Values) -> str:
    return surname(str(values.get("last_name") or ""))


def _key(kind: str, rule: int, text: str, *, is_address: bool = False) -> Key:
    return Key(rule, text, digest_of(kind, rule, text), is_address)


def digest_of(kind: str, rule: int, text: str) -> int:
    """64 bits, signed: what both databases can hold as a key."""
    digest = hashlib.blake2b(f"{kind}|{rule}|{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
