"""Values that nobody should enter, from each system into the other two over HTTP, row by row.

Every row is a record of its own; all are synchronised in one go, beside one that is as it
should be. What a system does not take is held there in that field alone (``HELD``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import Running, running

SALES, SERVICE, PROFILES = "sales", "service", "profiles"
HELD = None  #: it is not there; the rest of the record is
OBJECTS = {
    "lead": {SALES: "Lead", SERVICE: "lead", PROFILES: "person"},
    "customer": {SALES: "Contact", SERVICE: "contact", PROFILES: "person"},
}
LAST = {SALES: "LastName", SERVICE: "lastname", PROFILES: "lastName"}
#: what each system calls it
FIELDS = {
    "title": {SALES: "Title", SERVICE: "jobtitle", PROFILES: "job_title"},
    "first": {SALES: "FirstName", SERVICE: "firstname", PROFILES: "firstName"},
    "email": {SALES: "Email", SERVICE: "emailaddress1", PROFILES: "email"},
    "mobile": {SALES: "MobilePhone", SERVICE: "mobilephone", PROFILES: "phone"},
    "born": {SALES: "Birthdate", SERVICE: "birthdate", PROFILES: "birthDate"},
    "text": {SALES: "Description", SERVICE: "description"},
    "country": {SALES: "Country", SERVICE: "address1_country", PROFILES: "country"},
}
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@dataclass(frozen=True)
class Case:
    """One value in one field of one system, and what the others are to show."""

    row: int
    origin: str
    field: str
    value: str
    shown: Mapping[str, Any]

    @property
    def kind(self) -> str:
        # Salesforce takes no lead without a company, which a profile does not name
        return "customer" if self.field == "born" or self.origin == PROFILES else "lead"


def everywhere(row: int, origin: str, field: str, value: str, shown: str | None = None) -> Case:
    """It arrives in both of the others; by default as it was entered."""
    others = [s for s in FIELDS[field] if s != origin]
    return Case(row, origin, field, value, dict.fromkeys(others, shown or value))


CASES = [
    everywhere(31, SALES, "title", "Bu\x00yer", "Buyer"),
    everywhere(33, SALES, "title", "\x07Bu\x1fyer\ufffe", "Buyer"),
    everywhere(34, SALES, "title", "Bu\u200by\ufeffer\u00a0one", "Buyer one"),
    everywhere(34, SERVICE, "title", "Do\u00adnau", "Do\u00adnau"),
    everywhere(35, SERVICE, "title", "\u202eBuyer\u202c"),
    everywhere(36, PROFILES, "title", f"{FAMILY}\U0001f1ed\U0001f1f7"),
    # Dynamics counts units of UTF-16, of which the last sign has two: just as long as it takes
    everywhere(36, SALES, "title", "x" * 98 + "\U0001f600"),
    Case(36, SALES, "title", "x" * 99 + FAMILY, {SERVICE: HELD, PROFILES: "x" * 99 + FAMILY}),
    everywhere(37, SERVICE, "title", "Cafe\u0301", "Caf\u00e9"),
    Case(40, SALES, "title", "x" * 101, {SERVICE: HELD, PROFILES: "x" * 101}),
    Case(40, PROFILES, "title", "x" * 4000, {SALES: HELD, SERVICE: HELD}),
    Case(40, SALES, "text", "x" * 32_000, {SERVICE: HELD}),
    Case(42, SALES, "title", "N/A", {SERVICE: None, PROFILES: None}),  # it stands for nothing
    everywhere(43, SALES, "title", "Robert'); DROP TABLE leads; --"),
    everywhere(43, SERVICE, "title", "<script>alert(1)</script> {{7*7}} %s%n ${jndi:ldap://x}"),
    everywhere(43, PROFILES, "title", "O'Brien \\ \" / ' OR Name LIKE '%"),
    everywhere(43, SALES, "first", "Null"),
    everywhere(45, SERVICE, "email", "o'brien+a%27&b#c@bad.example"),
    everywhere(49, SERVICE, "title", "=cmd|' /C calc'!A0"),
    everywhere(49, PROFILES, "title", "+1"),
    everywhere(49, SALES, "title", "@SUM(1)"),
    Case(50, SERVICE, "email", "nowhere", {SALES: HELD, PROFILES: HELD}),
    Case(50, SERVICE, "email", "two@@bad.example", {SALES: HELD, PROFILES: HELD}),
    Case(50, SERVICE, "email", "a@bad.example\nBcc: b@bad.example", {SALES: HELD, PROFILES: HELD}),
    everywhere(51, SALES, "email", "Ann+News@BAD-One.example", "ann+news@bad-one.example"),
    everywhere(52, SERVICE, "mobile", "00385 91 555 7701", "+385915557701"),
    Case(
        52, SALES, "mobile", "+38515557702 ext 12",
        {SERVICE: "+38515557702 ext 12", PROFILES: HELD},
    ),
    Case(52, SALES, "mobile", "3.85911E+11", {SERVICE: "3.85911E+11", PROFILES: HELD}),
    Case(52, SALES, "mobile", "call me", {SERVICE: "call me", PROFILES: HELD}),
    Case(58, PROFILES, "born", "0001-01-01", {SALES: HELD, SERVICE: HELD}),
    Case(58, SALES, "born", "1700-01-01", {SERVICE: HELD, PROFILES: "1700-01-01"}),
    Case(58, SERVICE, "born", "9999-12-31", {SALES: None, PROFILES: None}),  # it stands for none
    Case(58, SERVICE, "born", "9999-12-30", {SALES: HELD, PROFILES: "9999-12-30"}),
    everywhere(58, SERVICE, "born", "2024-02-29"),
    everywhere(68, SALES, "country", "Atlantis"),
    everywhere(69, SERVICE, "text", "a\r\nb", "a\nb"),
    everywhere(69, SALES, "text", "<b>a</b> & c"),
]  # fmt: skip


def name_of(number: int) -> str:
    return f"Case{1000 + number}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Path(tmp_path_factory.mktemp("values"))) as systems:
        for number, case in enumerate(CASES):
            enter(systems, number, case)
        good = {"FirstName": "Good", "LastName": "Neighbour", "Email": "g@good.example"}
        systems.sales.act("create", "Lead", values=good | {"Company": "Good"})
        systems.settle()
        yield systems


def enter(world: Running, number: int, case: Case) -> None:
    """A person creates the record, with an address or number beside the value."""
    email, mobile = f"case{number}@bad.example", f"+38591777{1000 + number}"
    told = {"email": email, "mobile": mobile, case.field: case.value}
    values: dict[str, Any] = {FIELDS[f][case.origin]: value for f, value in told.items()}
    values[LAST[case.origin]] = name_of(number)
    if case.origin == PROFILES:
        contacts = {"email": [{"address": email}], "phone": [{"number": mobile[1:]}]}
        values = {"lastName": name_of(number), "type": case.kind.upper()}
        values["contactInformation"] = contacts
        if case.field == "title":
            values["customAttributes"] = {"job_title": case.value}
        else:
            values[FIELDS[case.field][PROFILES]] = case.value
    elif case.kind == "lead":
        firm = {SALES: "Company", SERVICE: "companyname"}[case.origin]
        values[firm] = f"Firm {number}"
    world.systems[case.origin].act("create", OBJECTS[case.kind][case.origin], values=values)


def held(world: Running, number: int, case: Case, system: str) -> Any:
    """What the system shows in the case's field; its record must be there."""
    rows = world.systems[system].records(OBJECTS[case.kind][system])
    (row,) = [row for row in rows if row.get(LAST[system]) == name_of(number)]
    name = FIELDS[case.field][system]
    if system != PROFILES:
        return row[name]
    if case.field == "title":
        return row.get("customAttributes", {}).get(name)
    if case.field in ("email", "mobile"):
        members = row["contactInformation"].get(name, [])
        found = [one.get("address") or f"+{one['number']}" for one in members]
        return found[0] if found else None
    return row.get(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n].row}-{n}")
def test_rows_31_to_72_a_value_arrives_or_is_held_in_its_field_alone(
    world: Running, number: int
) -> None:
    case = CASES[number]
    for system, expected in case.shown.items():
        assert held(world, number, case, system) == expected, system
    assert held(world, number, case, case.origin) == case.value  # as it was entered


@pytest.mark.timeout(300)
def test_the_good_neighbour_is_everywhere_and_then_all_is_quiet(world: Running) -> None:
    assert "Neighbour" in {row["lastname"] for row in world.service.records("lead")}
    assert "Neighbour" in {row.get("lastName") for row in world.profiles.records("person")}
    before = world.writes()
    code, told = world.run("sync")
    assert code in (0, 3), told
    assert world.writes() == before
    assert "Traceback" not in told
