"""The rest of the demo's world: some hundreds of people and companies, made by rule.

Nobody here shares surname and initial with anybody else, so that none resembles another
by accident; the same person is written differently from system to system.
"""

from dataclasses import dataclass
from typing import Any

_FIRST = (
    "Anton", "Berta", "Cecil", "Dora", "Emil", "Frieda", "Gustav", "Helga", "Igor", "Jana",
)  # fmt: skip
_LAST = (
    "Ahlberg", "Bauer", "Castelli", "Dvorak", "Eriksen", "Fontaine", "Gruber", "Hansson", "Ivanov",
    "Jansen", "Keller", "Larsen", "Moreau", "Nilsson", "Ortega", "Pavone", "Quist", "Richter",
    "Santos", "Thaler", "Urban", "Vargas", "Wagner", "Xander", "Yilmaz", "Zimmer", "Albrecht",
    "Bellini", "Conti", "Decker", "Engel", "Ferrari", "Gallo", "Huber", "Isler", "Jung", "Kramer",
    "Lorenz", "Mancini", "Neumann", "Olivier", "Petrov", "Reuter", "Schmid", "Tanner", "Ulrich",
    "Vidal", "Winter",
)  # fmt: skip
_COMPANIES = (
    "Aurora", "Beacon", "Cobalt", "Delta", "Ember", "Fjord", "Granit", "Horizont", "Iris", "Jade",
    "Kestrel", "Linden", "Meridian", "Nimbus", "Onyx", "Prisma", "Quarz", "Rowan", "Sirius",
    "Topaz", "Umbra", "Vertex", "Willow", "Xenon", "Yarrow", "Zenit", "Almond", "Birch", "Cedar",
    "Dune", "Elm", "Fern", "Ginkgo", "Hazel", "Ivy", "Juniper", "Kiwi", "Lotus", "Maple", "Nettle",
    "Olive", "Poplar", "Quince", "Rose", "Sage", "Thyme", "Ulmus", "Vetch", "Wheat", "Yew",
    "Anchor", "Bridge", "Comet", "Drift", "Echo", "Flint", "Glade", "Haven", "Inlet", "Jetty",
)  # fmt: skip
_TITLES = ("Buyer", "Engineer", "Director", "Accountant", "Planner", None)

#: who is known where: sales, service, profiles
_KNOWN = ("svp", "sv", "s", "v", "svp", "sp", "svp", "p")


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    domain: str
    known: str


@dataclass(frozen=True, slots=True)
class Face:
    """One person of the crowd."""

    number: int
    first: str
    last: str
    known: str
    title: str | None
    company: Company

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@{self.company.domain}".lower()

    @property
    def phone(self) -> str:
        return f"+49 30 2000{self.number:04d}"


COMPANIES = [
    Company(f"{name} GmbH", f"{name.lower()}.example", _KNOWN[n % 5])
    for n, name in enumerate(_COMPANIES)
]


def faces(start: int, count: int) -> list[Face]:
    """People number ``start`` and on; each surname and initial once."""
    pairs = [(first, last) for first in _FIRST for last in _LAST]
    return [
        Face(n, *pairs[n], _KNOWN[n % len(_KNOWN)], _TITLES[n % len(_TITLES)], COMPANIES[n % 60])
        for n in range(start, start + count)
    ]


def sales_person(face: Face) -> dict[str, Any]:
    return {
        "FirstName": face.first,
        "LastName": face.last,
        "Email": face.email,
        "Phone": face.phone if face.number % 3 else face.phone.replace("+49", "0049"),
        "Title": face.title,
    }


def service_person(face: Face) -> dict[str, Any]:
    return {
        "firstname": face.first,
        "lastname": face.last,
        "emailaddress1": face.email.upper() if face.number % 4 == 0 else face.email,
        "telephone1": face.phone,
        "jobtitle": face.title if face.number % 2 else None,
    }


def profile(face: Face, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "firstName": face.first,
        "lastName": face.last,
        "contactInformation": {
            "email": [{"address": face.email}],
            "phone": [{"number": face.phone.replace("+", "").replace(" ", "")}],
        },
    }
