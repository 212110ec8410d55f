"""Two systems' lists of people whose truth is known, as CSV: as they are really kept, badly.

Every person stands in both lists. What a record shows follows from the seed alone: keys are
missing, names are misspelt, swapped, shortened and without their marks, mailboxes are shared.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("id", "person", "first", "last", "email", "mobile", "city", "postcode", "company")
LISTS = ("sales", "service")
_FIRST = (
    "Ivan", "Ana", "Marko", "Marija", "Josip", "Petra", "Luka", "Lucija", "Robert", "Thomas",
    "Michael", "Susan", "Elizabeth", "Andrew", "Jürgen", "Björn", "François", "José", "Željko",
    "Šime", "Vera", "Hugo", "Klara", "Emil", "Nina", "Oscar", "Paula", "Filip", "Tena", "Jan",
)  # fmt: skip
_SHORT = {"Robert": "Bob", "Thomas": "Tom", "Michael": "Mike", "Elizabeth": "Liz", "Andrew": "Andy"}
_STEMS = (
    "Horv", "Kov", "Nov", "Mar", "Per", "Jur", "Pavl", "Tom", "Bab", "Rad", "Mil", "Gr", "Schm",
    "Mey", "Bau", "Hoff", "Smi", "Clar", "And", "Lind",
)  # fmt: skip
_ENDS = (
    "at", "ačević", "ak", "ić", "ović", "anić", "er", "mann", "idt", "son", "berg", "ström",
    "eli", "ard", "ulić", "ekić", "ošević", "inger",
)  # fmt: skip
_PLAIN = str.maketrans("čćšžöüéç", "ccszouec")


@dataclass(frozen=True, slots=True)
class _Person:
    number: int
    first: str
    last: str
    email: str
    mobile: str
    town: int
    company: str


def write(folder: Path, size: int, seed: int = 7) -> None:
    """``sales.csv`` and ``service.csv``, each with this many people."""
    draw = random.Random(seed)
    people = list(_people(draw, size))
    for name in LISTS:
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for person in draw.sample(people, size):
                table.writerow(_record(draw, person, name))


def _people(draw: random.Random, size: int) -> Iterator[_Person]:
    before: _Person | None = None
    for number in range(size):
        first, stem, end = draw.choice(_FIRST), draw.choice(_STEMS), draw.choice(_ENDS)
        person = _Person(
            number=number,
            first=first,
            last=f"{stem}{end}{draw.choice(('', '', '', 'ek', 'in', 'a', 'er'))}",
            email=f"p{number}@mail{number % 9}.example.hr",
            mobile=f"+38591{2_000_000 + number:07d}",
            town=min(int(draw.expovariate(0.02)), 299),
            company=f"Firm {draw.randrange(size // 12 + 1)} d.o.o.",
        )
        if before is not None and before.first != first and draw.random() < 0.03:  # a couple
            person = _Person(
                number, first, before.last, before.email, person.mobile, before.town,
                person.company,
            )  # fmt: skip
        yield person
        before = person


def _record(draw: random.Random, person: _Person, name: str) -> tuple[object, ...]:
    first, last, lot = person.first, person.last, draw.random()
    if lot < 0.02:
        first, last = last, first
    elif lot < 0.06:
        first = _SHORT.get(first, first)
    elif lot < 0.12:
        first, last = first.translate(_PLAIN), last.translate(_PLAIN)
    elif lot < 0.15:
        place = draw.randrange(1, len(last) - 1)
        last = last[:place] + last[place + 1 :]
    shown = [draw.random() < share for share in (0.75, 0.7, 0.85, 0.6, 0.75)]
    values = (
        person.email, person.mobile, f"Town {person.town}", str(10_000 + person.town),
        person.company,
    )  # fmt: skip
    held = (value if is_shown else "" for value, is_shown in zip(values, shown, strict=True))
    return (f"{name}-{person.number}", person.number, first, last, *held)
