"""Companies whose truth is known, and how two systems come to hold them badly.

As in ``people``: a ``Company`` is what there is, a ``Listed`` one record of one system, with the
facts behind what was typed. Groups share a domain, branches a VAT number and a domain.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from tests.identity.people import CITIES, SIDES, mistyped, unmarked

OWNERS = (
    "Horvat", "Kovačević", "Müller", "Novak", "Šimić", "Adria", "Dunav", "Sljeme", "Alpen",
    "Nordlicht", "Galeb", "Kvarner", "Merkur", "Orion", "Zvijezda", "Brünner", "Jadran", "Lipa",
    "Hrast", "Tulipan", "Polaris", "Vega", "Cvjetić", "Bäcker", "Perun", "Bjelolasica", "Sava",
    "Drava", "Mura", "Velebit", "Medvednica", "Papuk", "Krka", "Zrmanja", "Cetina", "Neretva",
)  # fmt: skip
TRADES = (
    "Gradnja", "Transport", "Invest", "Elektronik", "Möbel", "Stolarija", "Pekara", "Software",
    "Textil", "Metall", "Promet", "Agrar", "Optik", "Tiskara", "Vinarija", "Ribarstvo",
)  # fmt: skip
#: what a company is -> how its form is written, at home and abroad
FORMS = {
    "limited": ("d.o.o.", "doo", "D.O.O.", "Ltd.", "GmbH", "Limited"),
    "joint stock": ("d.d.", "dd", "AG", "PLC"),
    "sole": ("obrt",),
}
#: facts that tell a company, strongest first; the last two only together
NEAR = ("vat", "domain", "phone", "postcode", "city")
SHARED = ("facebook.com/", "gmail.com/", "wixsite.com/")


@dataclass(frozen=True, slots=True)
class Company:
    number: int
    core: str  #: the name without its form
    form: str
    vat: str
    domain: str
    phone: str
    city: int
    branched: bool = False  #: there are several of its number, told apart by their towns


@dataclass(slots=True)
class Listed:
    """One record. ``facts`` are those that can be read off it, by their true value."""

    company: Company
    side: str
    values: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    name: str = "kept"  #: what became of it, as typed: kept, misspelt or short
    number: str = ""  #: the record's id, once it is entered

    @property
    def who(self) -> int:
        return self.company.number


def population(seed: int, size: int) -> list[Company]:
    draw = random.Random(seed)
    cores = [f"{owner} {trade}" for owner in OWNERS for trade in TRADES]
    draw.shuffle(cores)
    found: list[Company] = []
    while len(found) < size:
        found += _family(draw, cores.pop(), len(found))
    return found[:size]


def _family(draw: random.Random, core: str, number: int) -> Iterator[Company]:
    """A company alone, or with daughters, branches or namesakes."""
    one, lot = _company(draw, core, number), draw.random()
    one = replace(one, branched=0.06 <= lot < 0.10)
    yield one
    other = _company(draw, core, number + 1)
    elsewhere = (one.city + 1 + draw.randrange(len(CITIES) - 1)) % len(CITIES)
    if lot < 0.06:  # a daughter: other work under one domain, often in one house
        owner, trade = core.split(" ")
        trades = [each for each in TRADES if each != trade]
        place = one.city if draw.random() < 0.7 else elsewhere
        core = f"{owner} {draw.choice(trades)}"
        yield replace(other, core=core, domain=one.domain, city=place)
    elif lot < 0.10:  # a branch
        yield replace(one, number=number + 1, city=elsewhere, phone=other.phone)
    elif lot < 0.14:  # a namesake in another town
        yield replace(other, city=elsewhere)
    elif lot < 0.16:  # one of the same town and another form
        forms = [form for form in FORMS if form != one.form]
        yield replace(other, city=one.city, form=draw.choice(forms))


def _company(draw: random.Random, core: str, number: int) -> Company:
    lot = draw.random()
    return Company(
        number=number,
        core=core,
        form="limited" if lot < 0.8 else "joint stock" if lot < 0.9 else "sole",
        vat=f"{20_000_000_000 + 7919 * number:011d}",
        domain=f"{unmarked(core).lower().replace(' ', '-')}{number}.hr",
        phone=f"+3851{3700000 + number:07d}",
        city=min(int(draw.expovariate(0.25)), len(CITIES) - 1),
    )


def records(seed: int, companies: Sequence[Company]) -> list[Listed]:
    """What the systems hold: most in both, some in one, a few twice in one."""
    draw = random.Random(seed + 1)
    found: list[Listed] = []
    for company in companies:
        lot = draw.random()
        sides = list(SIDES) if lot < 0.6 else [SIDES[int(lot < 0.8)]]
        if draw.random() < 0.01:
            sides.append(draw.choice(sides))
        while True:
            mine = [_typed(draw, company, side) for side in sides]
            if all(_have_in_common(*pair) for pair in combinations(mine, 2)):
                break
        found += mine
    return found


def _have_in_common(left: Listed, right: Listed) -> bool:
    """Something beside the name; beside a misspelt or shortened one something that tells."""
    is_kept = left.name == right.name == "kept"
    names = NEAR if is_kept and left.side != right.side else ("vat", "domain")
    return any(n in left.facts and left.facts[n] == right.facts.get(n) for n in names)


def _typed(draw: random.Random, company: Company, side: str) -> Listed:
    town, postcode = CITIES[company.city]
    record = Listed(company, side, {})
    _type_name(draw, record)
    _type_domain(draw, record)
    number = company.vat
    written = draw.choice((f"HR{number}", f"HR {number}", f"hr-{number}", number))
    shares = {
        "vat": (0.55, number, written),
        "phone": (0.5, company.phone, f"0{company.phone[4:]}"),
        "city": (
            1.0 if company.branched else 0.8,
            company.city,
            town.upper() if draw.random() < 0.2 else town,
        ),
        "postcode": (0.4, company.city, postcode),
    }
    for name, (share, fact, typed) in shares.items():
        if draw.random() < share:
            record.facts[name], record.values[name] = fact, typed
    record.values["country"] = draw.choice(("HR", "Croatia"))
    return record


def _type_domain(draw: random.Random, record: Listed) -> None:
    own, lot = record.company.domain, draw.random()
    if lot < 0.04:  # nobody's: a page on what many share
        record.values["domain"] = f"https://www.{draw.choice(SHARED)}{unmarked(own)}"
    elif lot < 0.06:
        record.values["domain"] = draw.choice(("n/a", "none.com"))
    elif lot < 0.08:  # another one of theirs
        record.values["domain"] = record.facts["domain"] = own.replace(".hr", ".eu")
    elif lot < 0.62:
        record.facts["domain"] = own
        forms = (own, f"www.{own}", f"https://www.{own}/", f"http://{own.upper()}/kontakt")
        record.values["domain"] = draw.choice(forms)


def _type_name(draw: random.Random, record: Listed) -> None:
    core, lot = record.company.core, draw.random()
    if lot < 0.12:
        core = core.upper()
    elif lot < 0.24:
        core = unmarked(core)
    elif lot < 0.28:
        core, record.name = mistyped(draw, core), "misspelt"
    elif lot < 0.31:
        core, record.name = core.split(" ")[0], "short"
    if draw.random() < 0.75:
        written = draw.choice(FORMS[record.company.form])
        core = draw.choice((f"{core} {written}", f"{core}, {written}"))
        record.facts["form"] = record.company.form
    record.values["name"] = core


# what nothing but a person can tell


def undecidable(records: Sequence[Listed]) -> set[int]:
    """Places in ``records`` of those that a perfect reader could not tell apart or together."""
    of_company: dict[int, list[int]] = {}
    of_owner: dict[str, list[int]] = {}  # everybody who could be taken for one another
    for place, record in enumerate(records):
        of_company.setdefault(record.who, []).append(place)
        of_owner.setdefault(record.company.core.split(" ")[0], []).append(place)
    settled = {
        place
        for mine in of_company.values()
        if _is_one(records, mine, of_owner[records[mine[0]].company.core.split(" ")[0]])
        for place in mine
    }
    open_ = [place for place in range(len(records)) if place not in settled]
    found = {place for place in open_ if len(of_company[records[place].who]) > 1}
    for place in open_:
        mine = records[place]
        for other in of_owner[mine.company.core.split(" ")[0]]:
            if other not in settled and other != place and _could_be_one(mine, records[other]):
                found |= {place, other}
    return found


def _is_one(records: Sequence[Listed], mine: Sequence[int], near: Sequence[int]) -> bool:
    """Whether these, all of one company, are one by what both show and no other company does."""
    if len(mine) != 2 or records[mine[0]].side == records[mine[1]].side:
        return False
    left, right = (records[place] for place in mine)
    strangers = [records[n] for n in near if n not in mine]
    for name in ("vat", "domain"):
        if name in left.facts and name in right.facts:
            if left.facts[name] != right.facts[name]:
                return False  # what contradicts itself is asked
            if name == "domain" and not left.name == right.name == "kept":
                return False  # of a group's companies any could be meant
            return not any(
                stranger.facts.get(name) == left.facts[name]
                and (name == "vat" or _named_alike(left, stranger))
                and not _differ(left, stranger, "city")
                for stranger in strangers
            )
    if not left.name == right.name == "kept" or left.facts.get("city") is None:
        return False
    return left.facts["city"] == right.facts.get("city") and not any(
        _named_alike(left, stranger) and stranger.facts.get("city") == left.facts["city"]
        for stranger in strangers
    )


def _could_be_one(left: Listed, right: Listed) -> bool:
    """Two records of different systems: one number, or names within reach and something near."""
    if left.side == right.side or _differ(left, right, "vat"):
        return False
    if "vat" in left.facts and left.facts["vat"] == right.facts.get("vat"):
        return True  # one that has moved, or a branch
    if left.facts.get("domain") == right.facts.get("domain", ""):
        return not _differ(left, right, "city") or _named_alike(left, right)
    if not _named_alike(left, right):
        return False
    return any(name in left.facts and left.facts[name] == right.facts.get(name) for name in NEAR)


def _named_alike(left: Listed, right: Listed) -> bool:
    if "short" in (left.name, right.name):
        return left.company.core.split(" ")[0] == right.company.core.split(" ")[0]
    return left.company.core == right.company.core


def _differ(left: Listed, right: Listed, name: str) -> bool:
    mine, theirs = left.facts.get(name), right.facts.get(name)
    return mine is not None and theirs is not None and mine != theirs
