"""Which records are one person or company. Exact, ordered rules on normalised keys. Pure.

| rule | persons                          | companies                            |
|------|----------------------------------|--------------------------------------|
| 1    | e-mail, with agreeing name       | VAT or registration number           |
| 2    | mobile or phone, agreeing surname| web domain (no mail or hosting ones) |
| 3    | full name and birth date         | folded name with country and city    |
| 4    | full name and company            |                                      |

Rule 0, our own key, is read from the record and needs no group. A key that several
records of one system carry links nobody, unless their names tell them apart; nor does a
key where a stronger rule says otherwise, both having its keys and none in common.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

from sync_engine.folding import company, fold, given, sound

Values = Mapping[str, Any]

ROLE_NAMES = frozenset(
    {
        "info", "office", "sales", "support", "contact", "kontakt", "mail", "admin", "hello",
        "service", "billing", "accounts", "marketing", "hr", "jobs", "team", "webmaster",
        "noreply", "no-reply", "postmaster", "reception", "enquiries", "prodaja", "ured",
    }
)  # fmt: skip
PLACEHOLDER_NAMES = frozenset({"none", "no", "na", "noemail", "unknown", "test", "nomail", "xxx"})
#: folded names that name nobody
NO_NAMES = PLACEHOLDER_NAMES | {"", "n a", "null", "undefined"}
PLACEHOLDER_DOMAINS = frozenset(
    {
        "none.com",
        "example.com",
        "example.org",
        "example.net",
        "noemail.com",
        "test.com",
        "nomail.com",
    }
)
#: domains that say nothing about whose company it is
SHARED_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com",
        "icloud.com", "me.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com",
        "aol.com", "mail.ru", "yandex.ru", "wordpress.com", "wixsite.com", "blogspot.com",
        "github.io", "sites.google.com", "facebook.com", "linkedin.com", "instagram.com",
    }
)  # fmt: skip

#: several addresses, a name around one, a scheme before it: no address that two could share
_IN_NO_ADDRESS = frozenset(' <>,;:"[]()')

EMAIL, PHONE, BIRTH, EMPLOYER = 1, 2, 3, 4
VAT, DOMAIN, NAME = 1, 2, 3
#: kind -> rule -> how people are told of it
_PERSON_RULES = {
    EMAIL: "e-mail and name",
    PHONE: "phone and surname",
    BIRTH: "name and birth date",
    EMPLOYER: "name and company",
}
RULES: Mapping[str, Mapping[int, str]] = {
    "lead": _PERSON_RULES,
    "customer": _PERSON_RULES,
    "company": {VAT: "VAT number", DOMAIN: "web domain", NAME: "name, country and city"},
}
_OWN_NUMBER, _RESEMBLES = 8, 9  #: digests of these rules never link


class Key(NamedTuple):
    """One match key of a record."""

    rule: int
    text: str
    digest: int
    is_address: bool = False  #: an e-mail or phone, which Customer Profiles gives one owner

    @property
    def is_number(self) -> bool:
        return self.is_address and self.rule == PHONE


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


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cluster of links that a person must be asked about."""

    why: str
    links: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    linked: tuple[tuple[int, ...], ...]  #: link ids that are one
    doubts: tuple[Doubt, ...]


def keys(kind: str, values: Values) -> list[Key]:
    """The match keys of a record, strongest rule first."""
    if kind == "company":
        return _company_keys(values)
    further = values.get("further", ())  # members of a set for which there is no slot
    addresses = (values.get("email"), values.get("email2"), *further)
    numbers = (values.get("mobile"), values.get("phone"), *further)
    found = [
        _key(kind, EMAIL, address, is_address=True)
        for address in addresses
        if is_personal_email(address)
    ]
    found += [
        _key(kind, PHONE, number, is_address=True)
        for number in numbers
        if _is_phone(number) and values.get("last_name")
    ]
    full = _full_name(values)
    if full and values.get("birth_date"):
        found.append(_key(kind, BIRTH, f"{full}|{values['birth_date']}"))
    employer = company(values.get("company_name") or "")
    if full and employer not in NO_NAMES:
        found.append(_key(kind, EMPLOYER, f"{full}|{employer}"))
    return list(dict.fromkeys(found))


def _company_keys(values: Values) -> list[Key]:
    found = []
    vat = _bare(values.get("vat"))
    if vat.strip("0") and vat.lower() not in NO_NAMES:
        found.append(_key("company", VAT, vat))
    domain = values.get("website")
    if domain and "." in domain and " " not in domain and domain not in SHARED_DOMAINS:
        found.append(_key("company", DOMAIN, domain))
    place = values.get("address") or {}
    name = company(values.get("name") or "")
    if name not in NO_NAMES and place.get("country") and place.get("city"):
        text = f"{name}|{place['country']}|{fold(place['city'])}"
        found.append(_key("company", NAME, text))
    return found


def own_numbers(values: Values) -> list[int]:
    """Digests of the numbers that belong to a company, which are nobody's key (practice 2.2)."""
    return [number_of_company(values["phone"])] if _is_phone(values.get("phone")) else []


def number_of_company(number: str) -> int:
    return _digest("company", _OWN_NUMBER, number)


def resemblance(kind: str, values: Values) -> list[int]:
    """Digests under which records that might be one stand together; they never link.

    Who shares one is somebody else all the same where ``first_names_differ``.
    """
    if kind == "company":
        name = values.get("name")
        return [_digest(kind, _RESEMBLES, company(name))] if name else []
    surname = values.get("last_name")
    if not surname:
        return []
    place = values.get("address") or {}
    phones = [str(values[n])[-6:] for n in ("mobile", "phone") if _is_phone(values.get(n))]
    near = [
        company(values["company_name"]) if values.get("company_name") else None,
        place.get("postcode"),
        fold(place["city"]) if place.get("city") else None,
        values.get("birth_date"),
        values.get("email"),
        *phones,
    ]
    who = sound(surname)
    return [_digest(kind, _RESEMBLES, f"{who}|{beside}") for beside in near if beside]


def first_names_differ(left: Values, right: Values) -> bool:
    """Whether two records that resemble each other have first names of another initial."""
    mine, theirs = (given(str(v.get("first_name") or ""))[:1] for v in (left, right))
    return bool(mine and theirs and mine != theirs)


def agrees(kind: str, rule: int, left: Values, right: Values) -> bool:
    """Whether a shared key may link these two: the names must not disagree (practice 2.2)."""
    if kind == "company":
        return rule != DOMAIN or _names_meet(left, right)
    surnames = [_folded(left, "last_name"), _folded(right, "last_name")]
    if not all(surnames):
        return rule in (EMAIL, PHONE) and _given_agree(left, right)
    if surnames[0] == surnames[1]:
        return _given_agree(left, right)
    swapped = surnames[0] == _folded(right, "first_name") and surnames[1] == _folded(
        left, "first_name"
    )
    return swapped or (
        _surnames_overlap(surnames[0], surnames[1]) and _given_agree(left, right, strictly=True)
    )


def contradicts(rule: int, left: Member, right: Member) -> bool:
    """Both hold something stronger that differs: a key of a rule before this one, a birth date."""
    born = [_bare(member.values.get("birth_date")) for member in (left, right)]
    if all(born) and born[0] != born[1]:
        return True
    for stronger in range(1, rule):
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


def is_address(value: Any) -> bool:
    """Whether it is an e-mail address or a number in E.164, whosever."""
    return _is_email(value) or _is_phone(value)


def is_personal_email(value: Any) -> bool:
    """Whether an address can stand for a person."""
    if not _is_email(value):
        return False
    local, domain = value.split("@")
    bare = local.split("+")[0]
    return (
        bare not in ROLE_NAMES
        and bare not in PLACEHOLDER_NAMES
        and domain not in PLACEHOLDER_DOMAINS
    )


def _is_email(value: Any) -> bool:
    if not isinstance(value, str) or value.count("@") != 1 or not _IN_NO_ADDRESS.isdisjoint(value):
        return False
    local, domain = value.split("@")
    return bool(local) and "." in domain and not domain.endswith(".")


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
    return agrees(group.kind, group.rule, left.values, right.values)


def _doubt(group: Group, cluster: Sequence[Member]) -> str:
    """Why a cluster is not simply one; empty if it is."""
    pairs = [pair for pair in combinations(cluster, 2) if not _are_linked(*pair)]
    if any(contradicts(group.rule, *pair) for pair in pairs):
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


def _entities(cluster: Sequence[Member]) -> list[int]:
    return sorted({m.entity_id for m in cluster if m.entity_id is not None})


def _are_linked(left: Member, right: Member) -> bool:
    return left.entity_id is not None and left.entity_id == right.entity_id


def _given_agree(left: Values, right: Values, *, strictly: bool = False) -> bool:
    """First names that are equal, short for one another, or an initial of the other."""
    mine, theirs = (given(str(v.get("first_name") or "")) for v in (left, right))
    if not mine or not theirs:
        return not strictly
    return mine == theirs or (1 in (len(mine), len(theirs)) and mine[0] == theirs[0])


def _surnames_overlap(left: str, right: str) -> bool:
    """A double name agrees with one of its parts."""
    return bool(set(left.split(" ")) & set(right.split(" ")))


def _names_meet(left: Values, right: Values) -> bool:
    mine, theirs = (company(str(v.get("name") or "")) for v in (left, right))
    return not mine or not theirs or bool(set(mine.split(" ")) & set(theirs.split(" ")))


def _full_name(values: Values) -> str | None:
    first, last = given(values.get("first_name") or ""), fold(values.get("last_name") or "")
    return None if first in NO_NAMES or last in NO_NAMES else f"{first}|{last}"


def _folded(values: Values, name: str) -> str:
    return fold(str(values.get(name) or ""))


def _is_phone(value: Any) -> bool:
    """Whether it is a number in E.164 that is no filler; any other text is none."""
    text = str(value or "")
    digits = text[1:]
    return text[:1] == "+" and digits.isdigit() and len(digits) > 6 and len(set(digits[-7:])) > 1


def _bare(value: Any) -> str:
    return "".join(c for c in str(value or "").upper() if c.isalnum())


def _key(kind: str, rule: int, text: str, *, is_address: bool = False) -> Key:
    return Key(rule, text, _digest(kind, rule, text), is_address)


def _digest(kind: str, rule: int, text: str) -> int:
    """64 bits, signed: what both databases can hold as a key."""
    digest = hashlib.blake2b(f"{kind}|{rule}|{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
