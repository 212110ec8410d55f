"""Record types, chosen on creation; states and countries where they are picklists."""

import base64
from typing import Any

import pytest

from connectors import Level, Refusal, Result, Selection
from tests.connectors.processes import Server
from tests.connectors.salesforce_org import creating, lead, read, updating

PLACE = Selection("Lead", ("City", "Country", "State"))
TYPED = Selection("Lead", ("LastName", "RecordTypeId"))
PARTNER, MASTER, HIDDEN = "012000000000001AAA", "012000000000000AAA", "012000000000002AAA"
COUNTRIES = (("HR", "Croatia"), ("US", "United States"), ("CA", "Canada"))
#: code, name and countries of states; two are called alike
STATES = (("CA", "California", ["US"]), ("ON", "Ontario", ["CA"]), ("OT", "Ontario", ["US"]))


def entry(value: str, label: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "label": label, "active": True, "defaultValue": False, **more}


def valid_for(countries: list[str]) -> str:
    bits = sum(0x80 >> n for n, (code, _) in enumerate(COUNTRIES) if code in countries)
    return base64.b64encode(bytes([bits])).decode()


@pytest.fixture
def places(org: Server) -> Server:
    """An administrator turns state and country picklists on."""
    like = {"type": "picklist", "restrictedPicklist": True, "length": 10, "nillable": True}
    countries = [entry(code, name) for code, name in COUNTRIES]
    org.act("alter", "Lead", field="CountryCode", to=like | {"picklistValues": countries})
    states = [entry(code, name, validFor=valid_for(of)) for code, name, of in STATES]
    told = {"picklistValues": states, "controllerName": "CountryCode", "dependentPicklist": True}
    org.act("alter", "Lead", field="StateCode", to=like | told)
    return org


@pytest.fixture
def types(org: Server) -> Server:
    org.act("alter", "Lead", field="RecordTypeId", to={"type": "reference", "nillable": True})
    infos = [
        {"recordTypeId": number, "developerName": name, "available": seen,
         "master": number == MASTER}
        for number, name, seen in (
            (MASTER, "Master", True), (PARTNER, "Partner", True), (HIDDEN, "Hidden", False),
        )
    ]  # fmt: skip
    org.act("alter", "Lead", to={"recordTypeInfos": infos})
    return org


@pytest.mark.parametrize(
    ("country", "state", "shown", "codes"),
    [
        ("Croatia", None, ("Croatia", None), ("HR", None)),
        ("HR", None, ("Croatia", None), ("HR", None)),
        ("United States of America", "California", ("United States", "California"), ("US", "CA")),
        ("Canada", "Ontario", ("Canada", "Ontario"), ("CA", "ON")),
        ("US", "ontario", ("United States", "Ontario"), ("US", "OT")),
        (None, None, (None, None), (None, None)),
    ],
)
def test_practice_4_6_places_are_written_by_their_codes(
    places: Server,
    sales: Any,
    country: str | None,
    state: str | None,
    shown: tuple[str | None, str | None],
    codes: tuple[str | None, str | None],
) -> None:
    values = {"State": state, "Country": country, "City": "Anywhere"}
    (made,) = sales.write("Lead", [creating(LastName="H", Company="P", **values)])
    number = lead(places)
    (done,) = sales.write("Lead", [updating(number, values)])
    for one in (made, done):
        assert one.result is Result.DONE
        told = read(sales, one.id, PLACE).values
        assert (told["Country"], told["State"], told["City"]) == (*shown, "Anywhere")
    row = next(one for one in places.records("Lead") if one["Id"] == number)
    assert (row["CountryCode"], row["StateCode"]) == codes


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({"Country": "Atlantis"}, {"Country": "not among the choices there"}),
        (
            {"Country": "Croatia", "State": "California"},
            {"State": "not among the choices there"},
        ),
        ({"State": "Ontario"}, {"State": "several are called so"}),
    ],
)
def test_practice_4_6_a_place_that_is_no_choice_is_that_fields_fault(
    places: Server, sales: Any, values: dict[str, str], faults: dict[str, str]
) -> None:
    number, before = lead(places), places.writes()
    good = creating(LastName="H", Company="P")
    writes = [creating(LastName="H", Company="P", **values), good]
    refused, made = sales.write("Lead", writes)
    assert (refused.result, refused.faults, made.result) == (Result.REJECTED, faults, Result.DONE)
    (refused,) = sales.write("Lead", [updating(number, values)])
    assert (refused.faults, refused.refusal) == (faults, Refusal.CHOICE)
    assert places.writes() == {**before, "create": 1}


def test_practice_4_6_a_code_that_is_refused_is_the_texts_fault(places: Server, sales: Any) -> None:
    """The state was written without its country, which the record lacks."""
    (refused,) = sales.write("Lead", [updating(lead(places), {"State": "California"})])
    assert refused.faults == {"State": "FIELD_INTEGRITY_EXCEPTION"}


def test_practice_4_6_text_and_code_are_not_mapped_together(places: Server, sales: Any) -> None:
    both = Selection("Lead", ("Country", "CountryCode", "OwnerId"))
    errors = [one.what for one in sales.check([both]).findings if one.level is Level.ERROR]
    assert errors == ["Lead.Country and CountryCode are one value, which is mapped twice"]


def test_practice_4_6_a_record_type_is_chosen_on_creation(types: Server, sales: Any) -> None:
    values = {"LastName": "H", "Company": "P"}
    (made,) = sales.write("Lead", [creating(**values, RecordTypeId="Partner")])
    assert read(sales, made.id, TYPED).values["RecordTypeId"] == PARTNER
    (made,) = sales.write("Lead", [creating(**values, RecordTypeId=PARTNER)])
    assert made.result is Result.DONE
    for name in ("Hidden", "Nope"):
        (refused,) = sales.write("Lead", [creating(**values, RecordTypeId=name)])
        assert set(refused.faults) == {"RecordTypeId"}


def test_practice_4_6_a_record_type_is_never_changed(types: Server, sales: Any) -> None:
    number, before = lead(types), types.writes()
    (refused,) = sales.write("Lead", [updating(number, {"RecordTypeId": "Partner"})])
    assert refused.faults == {
        "RecordTypeId": "a record type is chosen on creation, and not changed"
    }
    assert types.writes() == before
    told = [one.what for one in sales.check([TYPED]).findings]
    assert "Lead: a record type is chosen on creation, and never changed" in told


def test_practice_4_6_choices_beside_a_controlling_field_are_told(
    places: Server, sales: Any
) -> None:
    (told,) = [one.fields for one in sales.describe() if one.name == "Lead"]
    assert told["StateCode"].controller == "CountryCode"
    assert told["StateCode"].dependent == {"US": ("CA", "OT"), "CA": ("ON",)}
    valid = [entry("One", "One", validFor="gA=="), entry("Two", "Two", validFor="QA==")]
    like = {"type": "picklist", "restrictedPicklist": True, "picklistValues": valid}
    places.act("alter", "Lead", field="Sub__c", to=like | {"controllerName": "DoNotCall"})
    (told,) = [one.fields for one in sales.describe() if one.name == "Lead"]
    assert told["Sub__c"].dependent == {"false": ("One",), "true": ("Two",)}


def test_practice_4_6_choices_of_a_record_type_are_told(types: Server, sales: Any) -> None:
    industries = [entry(name, name) for name in ("Blue", "Green")]
    like = {"type": "picklist", "restrictedPicklist": True, "picklistValues": industries}
    types.act("alter", "Lead", field="Colour__c", to=like)
    types.post("switches", offered={PARTNER: {"Colour__c": ["Green"]}})
    (told,) = [one.fields for one in sales.describe() if one.name == "Lead"]
    colour = told["Colour__c"]
    assert (colour.choices, colour.controller) == (("Blue", "Green"), "RecordTypeId")
    assert colour.dependent == {"Partner": ("Green",), PARTNER: ("Green",)}
