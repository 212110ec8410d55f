"""A population whose truth is known, and how two systems come to hold it badly.

Everything follows from a seed. A ``Person`` is who somebody is; a ``Shown`` is one record of
one system: what was typed there, and beside it which facts stand behind what was typed.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

SIDES = ("sales", "service")
#: first names as their owners write them -> nicknames and other alphabets
FIRST_NAMES = {
    "Ivan": ("Ivo", "Иван"), "Marko": ("Марко",), "Ana": ("Ана",), "Marija": ("Марија",),
    "Josip": (), "Petra": (), "Đurđa": (), "Željko": ("Жељко",), "Šime": (), "Luka": (),
    "Robert": ("Bob", "Rob"), "William": ("Bill", "Will"), "Elizabeth": ("Liz", "Beth"),
    "Katherine": ("Kate", "Cathy"), "Thomas": ("Tom",), "Michael": ("Mike",), "Susan": ("Sue",),
    "Jürgen": (), "Björn": (), "Günther": (), "Søren": (), "François": (), "José": (),
    "Andrew": ("Andy", "Drew"), "Jennifer": ("Jen",), "Νίκος": (), "Dorothea": (), "Hugo": (),
    "Oksana": ("Оксана",), "Vera": (), "Branimir": (), "Filip": (), "Klara": (),
    "Zvonimir": (), "Lucija": (), "Domagoj": (), "Emil": (), "Nikolina": (), "Tihana": (),
}  # fmt: skip
#: surnames -> spellings that sound like them
SURNAMES = {
    "Horvat": ("Horvath", "Horwat"), "Kovačević": ("Kovacevitch",), "Müller": ("Miller",),
    "Meyer": ("Maier", "Meier"), "Schmidt": ("Schmitt",), "Novak": ("Nowak",), "Babić": (),
    "Marić": ("Maritch",), "Jurić": (), "Đurić": (), "Smith": ("Smyth",), "Johnson": ("Jonson",),
    "Petrović": ("Petrovitch",), "Vuković": (), "Perić": (), "Groß": (), "Øster": (),
    "García": (), "Lefèvre": ("Lefebre",), "Knežević": (), "Pavlović": (), "Tomić": (),
    "Šimić": (), "Grgić": ("Gergić",), "Filipović": (), "Radić": (), "Brown": ("Browne",),
    "Taylor": ("Tailor",), "Clarke": ("Clark",), "Anderson": ("Andersson",), "Živković": (),
    "Matić": (), "Lončar": (), "Bauer": (), "Weiß": ("Weisz",), "Lindqvist": ("Lindquist",),
    "Blažević": (), "Barišić": (), "Hoffmann": ("Hofman",), "Ćosić": (), "Stewart": ("Steward",),
}  # fmt: skip
CITIES = tuple(
    (name, str(10_000 + 750 * n))
    for n, name in enumerate(
        (
            "Zagreb", "Split", "Rijeka", "Osijek", "Zadar", "Pula", "Karlovac", "Varaždin",
            "Graz", "Wien", "Linz", "München", "Köln", "Leeds", "York", "Bath", "Derby",
        )
    )
)  # fmt: skip
#: facts that tell a person, strongest first: the two last ones only beside the full name
IDENTIFIERS = ("mailbox", "mobile", "birth", "firm")
#: facts that bring two people near one another who have nearly the same name
NEAR = (*IDENTIFIERS, "landline", "postcode", "city")


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    first: str
    last: str
    birth: str
    mobile: str
    landline: str
    mailbox: str
    city: int
    firm: int | None
    generation: str = ""  #: Jr., where the family needs it
    shares: bool = False  #: a mailbox or a mobile with another one


@dataclass(slots=True)
class Shown:
    """One record. ``facts`` are those that can be read off it, by their true value."""

    person: Person
    side: str
    values: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    given: str = "full"  #: how the first name stands there: full, initial or none
    name: str = "kept"  #: what became of it, as typed: kept, swapped, misspelt or changed
    number: str = ""  #: the record's id, once it is entered

    @property
    def who(self) -> int:
        return self.person.number


def population(seed: int, size: int) -> list[Person]:
    """So many people: alone, in couples, with twins, with a father of the same name.

    No two of one name work for one firm: by practice 2.1 they would be one person.
    """
    draw = random.Random(seed)
    found: list[Person] = []
    employed: set[tuple[str, str, int | None]] = set()
    while len(found) < size:
        for person in _household(draw, len(found), firms=max(3, size // 12)):
            who = (person.first, person.last, person.firm)
            found.append(replace(person, firm=None) if who in employed else person)
            employed.add(who)
    return found[:size]


def _household(draw: random.Random, number: int, firms: int) -> Iterator[Person]:
    one = _person(draw, number, firms)
    lot = draw.random()
    if lot < 0.05 or 0.08 <= lot < 0.10:
        one = replace(one, shares=True)
    yield one
    if lot < 0.08:  # a couple, often on one mailbox
        other = _relative(draw, one, number + 1, firms)
        yield replace(other, mailbox=one.mailbox, shares=True) if lot < 0.05 else other
    elif lot < 0.10:  # twins with one phone
        other = _relative(draw, one, number + 1, firms)
        yield replace(other, birth=one.birth, mobile=one.mobile, shares=True)
    elif lot < 0.12:  # a father and a son of one name
        son = _relative(draw, one, number + 1, firms)
        son = replace(son, first=one.first, birth=_birth(draw, 1985, 2004))
        marked = draw.random() < 0.5
        yield replace(son, generation="Jr.") if marked else son


def _person(draw: random.Random, number: int, firms: int) -> Person:
    first = _frequent(draw, tuple(FIRST_NAMES))
    last = _frequent(draw, tuple(SURNAMES))
    return Person(
        number=number,
        first=first,
        last=last,
        birth=_birth(draw, 1940, 1984),
        mobile=f"+38591{2000000 + number:07d}",
        landline=f"+3851{4800000 + number:07d}",
        mailbox=f"person{number}@mail{number % 7}.example.hr",
        city=min(int(draw.expovariate(0.25)), len(CITIES) - 1),
        firm=draw.randrange(firms) if draw.random() < 0.7 else None,
    )


def _relative(draw: random.Random, one: Person, number: int, firms: int) -> Person:
    other = _person(draw, number, firms)
    while other.first == one.first:
        other = _person(draw, number, firms)
    return replace(other, last=one.last, landline=one.landline, city=one.city)


def _frequent(draw: random.Random, names: Sequence[str]) -> str:
    """The first names of a list are the frequent ones, as in life."""
    return names[min(int(draw.expovariate(3 / len(names))), len(names) - 1)]


def _birth(draw: random.Random, since: int, until: int) -> str:
    return f"{draw.randint(since, until)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"


def records(seed: int, people: Sequence[Person], *, births: bool = True) -> list[Shown]:
    """What the systems hold of them: most in both, some in one, a few twice in one.

    Two records of one person have something in common besides the name: where they have
    nothing, no question could bring them together but one about every namesake.
    ``births``: whether the systems have a place for dates of birth.
    """
    draw = random.Random(seed + 1)
    found: list[Shown] = []
    for person in people:
        lot = draw.random()
        sides = list(SIDES) if lot < 0.6 else [SIDES[int(lot < 0.8)]]
        if draw.random() < 0.01:
            sides.append(draw.choice(sides))
        while True:
            mine = [_typed(draw, person, side, births) for side in sides]
            if all(_have_in_common(*pair) for pair in combinations(mine, 2)):
                break
        found += mine
    return found


def _have_in_common(left: Shown, right: Shown) -> bool:
    """Something near; where the surname is misspelt or another one, something that few have."""
    is_full, became = left.given == right.given == "full", {left.name, right.name}
    names: Sequence[str] = NEAR
    if "changed" in became and ("swapped" in became or not is_full):
        return False
    is_odd = "swapped" in became and ("misspelt" in became or not is_full)
    # on one side it is an entry made twice
    if left.side == right.side or "changed" in became or is_odd:
        names = ("mailbox", "mobile")
    elif "misspelt" in became:
        names = ("mailbox", "mobile", "birth", *(("firm", "landline") if is_full else ()))
    return any(n in left.facts and left.facts[n] == right.facts.get(n) for n in names)


def _typed(draw: random.Random, person: Person, side: str, births: bool) -> Shown:
    """One record of the person, as somebody in a hurry enters it."""
    town, postcode = CITIES[person.city]
    record = Shown(person, side, {})
    _type_name(draw, record)
    _type_mail(draw, record)
    shares = {
        "mobile": (0.7, person.mobile, _phone(draw, person.mobile)),
        "landline": (0.5, person.landline, _phone(draw, person.landline)),
        "birth": (0.45 * births, person.birth, person.birth),
        "firm": (0.75, person.firm, person.firm),
        "city": (0.8, person.city, town.upper() if draw.random() < 0.2 else town),
        "postcode": (0.5, person.city, postcode),
    }
    for name, (share, fact, typed) in shares.items():
        if draw.random() < share and fact is not None:
            record.facts[name], record.values[name] = fact, typed
    return record


def _type_mail(draw: random.Random, record: Shown) -> None:
    person, lot = record.person, draw.random()
    if lot < 0.03 and person.firm is not None:
        record.values["mailbox"] = f"info@firm{person.firm}.example.hr"
    elif lot < 0.05:
        record.values["mailbox"] = "none@none.com"
    elif lot < 0.09:  # another one of theirs
        record.values["mailbox"] = record.facts["mailbox"] = f"other.{person.mailbox}"
    elif lot < 0.75:
        record.facts["mailbox"] = person.mailbox
        record.values["mailbox"] = person.mailbox.upper() if draw.random() < 0.1 else person.mailbox


def _type_name(draw: random.Random, record: Shown) -> None:
    person = record.person
    first, last, lot = person.first, person.last, draw.random()
    if lot < 0.02:
        first, last, record.name = last, first, "swapped"
    elif lot < 0.05:
        first, last = first.upper(), last.upper()
    elif lot < 0.12:
        first = draw.choice((first, *FIRST_NAMES[first]))
    elif lot < 0.17:
        first, last = unmarked(first), unmarked(last)
    elif lot < 0.19 and SURNAMES[last]:
        last, record.name = draw.choice(SURNAMES[last]), "misspelt"
    elif lot < 0.21:
        last, record.name = mistyped(draw, last), "misspelt"
    elif lot < 0.22:  # a name by marriage
        last, record.name = _frequent(draw, tuple(SURNAMES)), "changed"
    elif lot < 0.23 and not person.shares:
        first, record.given = f"{first[0]}.", "initial"
    elif lot < 0.25 and not person.shares:
        first, record.given = "", "none"
    if person.generation and lot >= 0.02:
        last = f"{last} {person.generation}"
        record.facts["generation"] = person.generation
    record.values |= {"first": first, "last": last}


def unmarked(name: str) -> str:
    """As typed on a keyboard without the letters."""
    for letter, plain in zip("šđčćžŠĐČĆŽüöäøßéèçíñ", "sdcczSDCCZuoaoseecin", strict=False):
        name = name.replace(letter, "ss" if letter == "ß" else plain)
    return name


def mistyped(draw: random.Random, name: str) -> str:
    """One letter left out, doubled, put wrong or changed with its neighbour, not the first."""
    place, lot = draw.randrange(1, len(name) - 1), draw.randrange(4)
    before, letter, after = name[:place], name[place], name[place + 1 :]
    return (
        before + after,
        before + letter * 2 + after,
        before + draw.choice("aeiounrstl") + after,
        before + after[0] + letter + after[1:],
    )[lot]


def _phone(draw: random.Random, number: str) -> str:
    """The number as people write it: with spaces, a national nought, or all at once."""
    national = f"0{number[4:]}"
    return draw.choice((number, f"{number[:4]} {number[4:6]} {number[6:]}", national))
