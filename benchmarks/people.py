"""Leads by number: the same number is the same person, in whatever organization."""

from collections.abc import Iterator
from typing import Any

_FIRST = (
    "Ana", "Ivan", "Marija", "Luka", "Petra", "Josip", "Elena", "Tomislav", "Nina", "Marko",
    "Sara", "Filip", "Lucija", "David", "Iva", "Karlo", "Ema", "Antonio", "Mia", "Jakov",
    "Dora", "Mateo", "Lana", "Roko", "Klara", "Leon", "Tena", "Borna", "Vita", "Niko",
    "Rita", "Oskar", "Zara", "Viktor", "Hana", "Simon", "Greta", "Emil", "Olga", "Hugo",
)  # fmt: skip
_SYLLABLES = (
    "ba", "be", "bo", "da", "de", "do", "fa", "ga", "go", "ka", "ke", "ko", "la", "le", "lo", "ma",
    "me", "mo", "na", "ne", "no", "pa", "po", "ra", "re", "ro", "sa", "se", "so", "ta", "te", "to",
)  # fmt: skip
_CITIES = ("Zagreb", "Split", "Rijeka", "Osijek", "Zadar", "Pula", "Sisak", "Karlovac")
_TITLES = ("Buyer", "Head of Purchasing", "Engineer", "Owner", "Office Manager", "Accountant")
_SURNAMES = 5000  #: different ones; with the first names 200,000 people of different names


def lead(number: int) -> dict[str, Any]:
    """The fields of one lead as a person in Salesforce would enter them."""
    first, last = _FIRST[number // _SURNAMES % len(_FIRST)], _surname(number % _SURNAMES)
    return {
        "Salutation": "Ms." if number % 2 else "Mr.",
        "FirstName": first,
        "LastName": last,
        "Email": f"{first}.{last}.{number}@firm{number % 977}.example".lower(),
        "Phone": f"+385 1 {number:07d}",
        "MobilePhone": f"091 {number:07d}",
        "Street": f"Ilica {number % 300 + 1}",
        "City": _CITIES[number % len(_CITIES)],
        "PostalCode": f"{10000 + number % 43000}",
        "State": "Zagrebacka",
        "Country": "Croatia",
        "Company": f"Firm {number % 977} d.o.o.",
        "Title": _TITLES[number % len(_TITLES)],
        "LeadSource": "Web",
        "Status": "Open - Not Contacted",
        "Description": f"Asked at the fair about model {number % 41}; wants an offer for delivery "
        f"in week {number % 52 + 1} and a call before that.",
        "HasOptedOutOfEmail": number % 10 == 0,
    }


def creations(records: int) -> Iterator[dict[str, Any]]:
    """What enters so many leads."""
    for number in range(records):
        yield {"action": "create", "object": "Lead", "values": lead(number)}


def _surname(number: int) -> str:
    base = len(_SYLLABLES)
    parts = (number % base, number // base % base, number // base**2 % base)
    return "".join(_SYLLABLES[part] for part in parts).capitalize()
