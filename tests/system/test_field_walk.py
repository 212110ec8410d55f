"""Every mapped field, set, changed and cleared in each system, arrives in the others over HTTP.

Values and field names stand here in each system's own words, written by hand: nothing is
taken from a mapping. Each field has a record of its own per system that it is edited in, and
all edits of one action travel in one cycle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.catalogue import CATALOGUE
from connectors import registry
from sync_engine.converters import PARTS
from tests.system.world import Running, running

OBJECTS = {
    "lead": {"sales": "Lead", "service": "lead", "profiles": "person"},
    "customer": {"sales": "Contact", "service": "contact", "profiles": "person"},
    "company": {"sales": "Account", "service": "account", "profiles": "company"},
}
SYSTEMS = ("sales", "service", "profiles")
IDS = {"sales": "Id", "profiles": "id"}
SET, CHANGE, CLEAR = "set", "change", "clear"


@dataclass(frozen=True)
class Walk:
    """One golden field: what it is called in each system, and the values it takes.

    ``{n}`` in a value is a number that no other record has.
    """

    name: str
    sales: str = ""
    service: str = ""
    profiles: str = ""
    first: Any = ""
    second: Any = ""
    words: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  #: where they differ
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  #: needed on the record
    actions: tuple[str, ...] = (SET, CHANGE, CLEAR)

    def at(self, system: str) -> str:
        return str(getattr(self, system))

    def value(self, system: str, action: str, n: int) -> Any:
        if action == CLEAR:
            return None
        value = self.words.get(system, (self.first, self.second))[action == CHANGE]
        return value.format(n=n) if isinstance(value, str) else value


def _opt_out(name: str, sales: str, service: str) -> Walk:
    profiles = f"customAttributes.{name}"
    # nobody but the side that set an opt-out may end it: it is changed where it was set
    return Walk(name, sales, service, profiles, True, False, actions=(SET, CHANGE))


def _address(sales: str, street: str = "", city: str = "") -> list[Walk]:
    return [
        Walk("street", f"{sales}Street", "address1_line1", street, "Sunny side {n}", "Quay {n}"),
        Walk("city", f"{sales}City", "address1_city", city, "Split {n}", "Rijeka {n}"),
        Walk("postcode", f"{sales}PostalCode", "address1_postalcode", "", "21{n}", "51{n}"),
        Walk("state", f"{sales}State", "address1_stateorprovince", "", "Coast {n}", "Hill {n}"),
        Walk("country", f"{sales}Country", "address1_country", "country", "Croatia", "Germany"),
    ]


_PLUS, _DIGITS = ("+385155{n}1", "+385155{n}2"), ("385155{n}1", "385155{n}2")
_MAIN = ("+385155{n}0", "385155{n}0", "main{n}@walk.example")
#: Customer Profiles refuses a person without any address
_HAS_EMAIL: dict[str, dict[str, Any]] = {
    "sales": {"Email": _MAIN[2]},
    "service": {"emailaddress1": _MAIN[2]},
    "profiles": {"emails": [_MAIN[2]]},
}
_HAS_MOBILE: dict[str, dict[str, Any]] = {
    "sales": {"MobilePhone": _MAIN[0]},
    "service": {"mobilephone": _MAIN[0]},
    "profiles": {"phones": [_MAIN[1]]},
}
_PERSON = (
    Walk("salutation", "Salutation", "salutation", "", "Ms.", "Dr."),
    Walk("first_name", "FirstName", "firstname", "firstName", "Ann", "Eve"),
    Walk("last_name", "LastName", "lastname", "lastName", "", "Wed{n}", actions=(CHANGE,)),
    Walk("middle_name", "", "middlename", "middleName", "Lee", "Mary"),
    Walk(
        "email", "Email", "emailaddress1", "emails[0]", "a{n}@walk.example", "b{n}@walk.example",
        beside=_HAS_MOBILE,
    ),
    Walk(
        "email2", "", "emailaddress2", "emails[1]", "c{n}@walk.example", "d{n}@walk.example",
    ),
    Walk(
        "mobile", "MobilePhone", "mobilephone", "phones[0]", *_PLUS, words={"profiles": _DIGITS}
    ),
    Walk(
        "phone", "Phone", "telephone1", "phones[1]", *_PLUS,
        words={"profiles": _DIGITS},
        beside=_HAS_MOBILE,
    ),
    Walk("job_title", "Title", "jobtitle", "customAttributes.job_title", "Buyer", "Head buyer"),
    Walk("description", "Description", "description", "", "First\nline {n}", "Second\nline {n}"),
    _opt_out("email_opt_out", "HasOptedOutOfEmail", "donotemail"),
    _opt_out("phone_opt_out", "DoNotCall", "donotphone"),
    _opt_out("fax_opt_out", "HasOptedOutOfFax", "donotfax"),
    _opt_out("bulk_email_opt_out", "", "donotbulkemail"),
)  # fmt: skip
WALKS: dict[str, list[Walk]] = {
    "lead": [
        *_PERSON,
        *_address("", "address", "city"),
        Walk(
            "company_name", "Company", "companyname", "", "", "Other firm {n}", actions=(CHANGE,)
        ),
        Walk(
            "lead_source", "LeadSource", "leadsourcecode", "",
            words={"sales": ("Web", "Partner Referral"), "service": (8, 4)},
        ),
        Walk(
            "lead_status", "Status", "statuscode", "",
            words={
                "sales": ("Working - Contacted", "Open - Not Contacted"), "service": (2, 1),
            },
            actions=(SET, CHANGE),
        ),
    ],
    "customer": [
        *_PERSON,
        *_address("Mailing", "address", "city"),
        Walk("birth_date", "Birthdate", "birthdate", "birthDate", "1980-02-03", "1980-03-02"),
        Walk(
            "company", "AccountId", "_parentcustomerid_value",
            "customAttributes.crmsync_company_id", "North {origin}", "South {origin}",
        ),
    ],
    "company": [
        Walk("name", "Name", "name", "name", "", "New name {n}", actions=(CHANGE,)),
        Walk("website", "Website", "websiteurl", "domains[0]", "w{n}.example", "x{n}.example"),
        Walk("phone", "Phone", "telephone1", "", *_PLUS),
        *_address("Billing"),
        Walk("industry", "Industry", "", "industry", "Banking", "Energy"),
        Walk("employees", "NumberOfEmployees", "numberofemployees", "", 12, 13),
    ],
}  # fmt: skip


@dataclass
class Trip:
    """One field on one record, edited in ``origin``."""

    kind: str
    walk: Walk
    origin: str
    n: int
    ids: dict[str, str] = field(default_factory=dict)  #: system -> record id

    @property
    def mark(self) -> str:
        return f"Trip{self.n}"

    @property
    def home(self) -> str:
        """Where the record is created: Salesforce takes no lead without the company's name."""
        return "sales" if (self.kind, self.origin) == ("lead", "profiles") else self.origin

    @property
    def targets(self) -> list[str]:
        return [s for s in OBJECTS[self.kind] if s != self.origin and self.walk.at(s)]

    def __str__(self) -> str:
        return f"{self.kind}.{self.walk.name} of {self.origin}"


def trips() -> Iterator[Trip]:
    number = 1000
    for kind, walks in WALKS.items():
        for walk in walks:
            for origin in OBJECTS[kind]:
                number += 1
                if walk.at(origin):
                    yield Trip(kind, walk, origin, number)


class Walkers:
    """The three systems with a record per trip."""

    def __init__(self, world: Running) -> None:
        self.world = world
        self.trips = list(trips())
        #: (system, company name) -> id
        self.companies: dict[tuple[str, str], str] = {}

    def set_out(self) -> None:
        for system, objects in OBJECTS["company"].items():
            acts = []
            for side in ("North", "South"):
                values = {{"sales": "Name"}.get(system, "name"): f"{side} {system}"}
                acts.append({"action": "create", "object": objects, "values": values})
            self.world.systems[system].acts(*acts)
        for trip in self.trips:
            values = self._base(trip) | self._needed(trip)
            self._act(trip, "create", trip.home, values)
        self.world.settle()
        self._find()

    def edit(self, action: str) -> list[Trip]:
        moved = [trip for trip in self.trips if action in trip.walk.actions]
        for trip in moved:
            value = self._value(trip, trip.origin, action)
            self._act(trip, "update", trip.origin, self._written(trip, value))
        return moved

    def differing(self, moved: list[Trip], action: str) -> list[str]:
        found = []
        for system in SYSTEMS:
            rows = {
                (kind, self._id(system, kind, row)): row
                for kind, objects in OBJECTS.items()
                for row in self.world.systems[system].records(objects[system])
            }
            for trip in moved:
                if system not in trip.targets:
                    continue
                shown = self._shown(trip, system, rows[trip.kind, trip.ids[system]])
                wanted = self._value(trip, system, action)
                if shown != wanted and (shown or wanted):
                    found.append(f"{trip}: {system} holds {shown!r} instead of {wanted!r}")
        return sorted(found)

    def _base(self, trip: Trip) -> dict[str, Any]:
        if trip.kind == "company":
            return {"Name" if trip.home == "sales" else "name": trip.mark}
        last = {"sales": "LastName", "service": "lastname", "profiles": "lastName"}[trip.home]
        values: dict[str, Any] = {last: trip.mark}
        if trip.home == "profiles":
            values["type"] = trip.kind.upper()
        if trip.kind == "lead" and trip.home != "profiles":
            values["Company" if trip.home == "sales" else "companyname"] = f"Firm {trip.n}"
        return values

    def _beside(self, trip: Trip, system: str) -> Mapping[str, Any]:
        if trip.kind == "company":
            return {}
        return (trip.walk.beside or _HAS_EMAIL)[system]

    def _needed(self, trip: Trip) -> dict[str, Any]:
        given = {
            name: [v.format(n=trip.n) for v in value]
            if isinstance(value, list)
            else value.format(n=trip.n)
            for name, value in self._beside(trip, trip.home).items()
        }
        return _contacts(given) if trip.home == "profiles" else given

    def _written(self, trip: Trip, value: Any) -> dict[str, Any]:
        """The body by which a person gives the field that value."""
        name = trip.walk.at(trip.origin)
        if name == "_parentcustomerid_value":
            name = "parentcustomerid_account@odata.bind"
            value = None if value is None else f"/accounts({value})"
        if name.startswith("customAttributes."):
            return {"customAttributes": {name.removeprefix("customAttributes."): value}}
        if name == "domains[0]":
            return {"domains": [] if value is None else [value]}
        if "[" not in name:
            return {name: value}
        held = {
            k: [o.format(n=trip.n) for o in v] for k, v in self._beside(trip, trip.origin).items()
        }
        return _contacts(held | {name[:-3]: held.get(name[:-3], []) + ([value] if value else [])})

    def _shown(self, trip: Trip, system: str, row: Mapping[str, Any]) -> Any:
        name = trip.walk.at(system)
        if name.startswith("customAttributes."):
            held = row.get("customAttributes", {})
            return held.get(name.removeprefix("customAttributes."))
        if "[" not in name:
            return row.get(name)
        contacts = row.get("contactInformation", {})
        held = {
            "emails": [one["address"] for one in contacts.get("email", ())],
            "phones": [one["number"] for one in contacts.get("phone", ())],
            "domains": list(row.get("domains", ())),
        }[name[:-3]]
        kept = self._beside(trip, system).get(name[:-3], [])
        own = [one for one in held if one not in [k.format(n=trip.n) for k in kept]]
        assert len(own) <= 1, (str(trip), held)
        return own[0] if own else None

    def _value(self, trip: Trip, system: str, action: str) -> Any:
        if trip.walk.name != "company" or action == CLEAR:
            return trip.walk.value(system, action, trip.n)
        name = (trip.walk.first, trip.walk.second)[action == CHANGE]
        return self.companies[system, name.format(origin=trip.origin)]

    def _act(self, trip: Trip, action: str, system: str, values: dict[str, Any]) -> None:
        server, name = self.world.systems[system], OBJECTS[trip.kind][system]
        more = {"id": trip.ids[system]} if action == "update" else {}
        server.act(action, name, values=values, **more)

    def _find(self) -> None:
        by_mark = {trip.mark: trip for trip in self.trips}
        for kind, objects in OBJECTS.items():
            for system, name in objects.items():
                for row in self.world.systems[system].records(name):
                    called = _name(kind, system, row)
                    number = self._id(system, kind, row)
                    if called in by_mark and by_mark[called].kind == kind:
                        by_mark[called].ids[system] = number
                    elif kind == "company":
                        self.companies[system, called] = number

    def _id(self, system: str, kind: str, row: Mapping[str, Any]) -> str:
        return str(row[IDS.get(system) or f"{OBJECTS[kind][system]}id"])


def _name(kind: str, system: str, row: Mapping[str, Any]) -> str:
    if kind == "company":
        return str(row["Name" if system == "sales" else "name"])
    last = {"sales": "LastName", "service": "lastname", "profiles": "lastName"}[system]
    return str(row.get(last))


def _contacts(given: Mapping[str, list[str]]) -> dict[str, Any]:
    keys = {"emails": ("email", "address"), "phones": ("phone", "number")}
    return (
        {
            "contactInformation": {
                keys[name][0]: [{keys[name][1]: one} for one in values]
                for name, values in given.items()
            }
        }
        if given
        else {}
    )


@pytest.mark.timeout(300)
def test_practice_4_2_every_field_arrives_in_the_next_cycle_and_the_one_after_writes_nothing(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as world:
        walkers = Walkers(world)
        walkers.set_out()
        for action in (SET, CHANGE, CLEAR):
            moved = walkers.edit(action)
            code, told = world.run("sync")
            assert code == 0, told
            assert walkers.differing(moved, action) == []
            written = world.writes()
            code, told = world.run("sync")
            assert code == 0, told
            assert world.writes() == written, told


def test_practice_4_2_every_field_that_two_systems_hold_is_walked() -> None:
    """A field added to a shipped mapping must be walked too."""
    connectors = {"sales": "salesforce", "service": "dynamics", "profiles": "infobip"}
    for kind, objects in OBJECTS.items():
        mapped: dict[str, set[str]] = {}
        for system, name in objects.items():
            for golden, entry in registry.load(connectors[system]).Mappings[name]["fields"].items():
                parts = entry.get("parts") if isinstance(entry, dict) else None
                for one in parts or (golden,):
                    if one in PARTS or one in CATALOGUE[kind]:
                        mapped.setdefault(one, set()).add(system)
        shared = {name: systems for name, systems in mapped.items() if len(systems) > 1}
        walked = {walk.name: {s for s in objects if walk.at(s)} for walk in WALKS[kind]}
        assert walked == shared, kind
