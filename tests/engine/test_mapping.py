"""Native values to golden and back."""

from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import CATALOGUE
from config.expressions import expression
from connectors import registry
from sync_engine.converters import FORMS, resembles
from sync_engine.fieldmap import Compute
from sync_engine.mapping import Mapping
from sync_engine.parsing import parse
from sync_engine.values import UNSET
from tests.engine.organizations import LEAD


def mapping(kind: str = "lead", **fields: Any) -> Mapping:
    return parse("Thing", {"kind": kind, "fields": fields}, CATALOGUE, "HR")


@pytest.mark.parametrize(
    ("form", "native", "normal"),
    [
        ("text", "  Ann\u200b  Lee ", "Ann Lee"),
        ("text", "e\u0301", "é"),
        ("text", "", None),
        ("text", "a\x00b", "ab"),
        ("multiline", "a \r\nb\r\n", "a\nb"),
        ("email", " Ann@PLAVI.example ", "ann@plavi.example"),
        ("email", "not an address", "not an address"),
        ("phone", "01 555 0101", "+38515550101"),
        ("phone", "38515550101", "+38515550101"),
        ("phone", "+385 1 555 0101", "+38515550101"),
        ("phone", "call me", "call me"),
        ("domain", "https://www.Plavi.example/contact", "plavi.example"),
        ("date", "1984-02-29T00:00:00Z", "1984-02-29"),
        ("integer", "12", 12),
        ("integer", 12.0, 12),
        ("boolean", "true", True),
        ("boolean", "perhaps", UNSET),
        ("country", "Croatia", "HR"),
        ("country", "DEU", "DE"),
        ("country", "Atlantis", "Atlantis"),
        ("language", "en_GB", "en-gb"),
    ],
)
def test_normal_forms(form: str, native: Any, normal: Any) -> None:
    assert FORMS[form].normal(native, "HR") == normal


@settings(max_examples=600, derandomize=True)
@given(
    form=st.sampled_from(sorted(FORMS)),
    value=st.text(max_size=40),
    region=st.sampled_from(["HR", None]),
)
def test_a_normal_value_comes_back_as_itself(form: str, value: str, region: str | None) -> None:
    one = FORMS[form]
    normal = one.normal(value, region)
    for style in (None, "name" if form == "country" else None):
        assert one.normal(one.native(normal, style), region) == normal


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Ann", "ANN", True),
        ("Head of Logistics", "Head of Logi", True),
        ("+385 1 555", "+3851555", True),
        ("Ann", "Anna", False),
        ("Head of Logistics", "Head", False),
        ("Ann", "", False),
    ],
)
def test_resembles(ours: str, theirs: str, expected: bool) -> None:
    assert resembles(ours, theirs) is expected


PHONES: dict[str, Any] = {"mobile": {"member_of": "phones"}, "phone": {"member_of": "phones"}}
A, B, C = "+38515550101", "+38515550102", "+38515550103"


@pytest.mark.parametrize(
    ("members", "base", "golden", "expected"),
    [
        ([A], {"mobile": None, "phone": A}, {"mobile": None, "phone": A}, (None, A)),
        ([A], {"mobile": None, "phone": A}, {"mobile": A, "phone": None}, (A, None)),
        ([A, C], {"mobile": A, "phone": B}, {"mobile": A, "phone": B}, (A, C)),
        ([C], {"mobile": A, "phone": None}, {"mobile": A, "phone": None}, (C, None)),
        ([A, C], {"mobile": A, "phone": None}, {"mobile": A, "phone": None}, (A, C)),
        ([A], {"mobile": A, "phone": A}, {"mobile": A, "phone": A}, (A, A)),
        ([], {"mobile": A, "phone": None}, {"mobile": A, "phone": None}, (None, None)),
        ([C], {}, {"mobile": A, "phone": B}, (None, None)),
        ([C, A, B], {"mobile": A, "phone": B}, {"mobile": A, "phone": B}, (A, B)),
        ([C, B], {"mobile": A, "phone": B}, {"mobile": A, "phone": B}, (C, B)),
    ],
    ids=[
        "kept",
        "moved",
        "second changed",
        "replaced",
        "added",
        "one in two slots",
        "removed",
        "places taken",
        "put in front",
        "put in place",
    ],
)
def test_practice_4_11_slots(
    members: list[str], base: Any, golden: Any, expected: tuple[Any, Any]
) -> None:
    one = mapping(**PHONES)
    seen = one.golden_of("lead", {"phones": members})
    found = one.complete("lead", seen, base, golden, [])
    assert (found["mobile"], found["phone"]) == expected


def test_a_member_that_another_slot_needs_is_not_removed() -> None:
    one = mapping(**PHONES)
    seen = {"mobile": A, "phone": B}
    both = ("mobile", "phone")
    changed = one.native_changes("lead", {"mobile": B, "phone": C}, seen, seen, both)
    assert changed == {"phones": {"add": ["38515550103"], "remove": ["38515550101"]}}
    swapped = one.native_changes("lead", {"mobile": B, "phone": A}, seen, seen, both)
    assert swapped == {}


def test_practice_4_11_a_member_that_was_not_agreed_on_is_not_removed() -> None:
    one = mapping(**PHONES)
    seen, base = {"mobile": A, "phone": None}, {"mobile": B, "phone": None}
    changed = one.native_changes("lead", {"mobile": C}, seen, base, ("mobile",))
    assert changed == {"phones": {"add": ["38515550103"], "remove": []}}


def test_practice_4_11_a_member_that_lost_stands_nowhere_from_then_on() -> None:
    one = mapping(**PHONES)
    shown = {"mobile": C, "phone": None}
    golden, before = {"mobile": A, "phone": None}, {"mobile": B, "phone": None}
    base = one.settled("lead", shown, shown, shown, (golden, before))
    assert (base["mobile"], one.further("lead", base)) == (None, {"mobile": [C]})


def test_practice_4_9_half_an_address() -> None:
    one = mapping(address={"parts": {"street": "street", "city": "city"}})
    golden = {
        "street": "Ilica 1",
        "city": "Zagreb",
        "postcode": "10000",
        "state": None,
        "country": "HR",
    }
    seen = one.golden_of("lead", {"street": "Ilica 1", "city": "Zagreb"})
    assert one.complete("lead", seen, {}, {"address": golden}, [])["address"] == golden
    moved = {"address": {"street": "Ilica 2", "city": "Zagreb"}}
    found = one.complete("lead", moved, {"address": golden}, {"address": golden}, [])["address"]
    assert found == golden | {"street": "Ilica 2"}


def test_a_choice_that_is_not_offered_is_left_alone() -> None:
    one = mapping(lead_source={"field": "Source", "values": {"web": "Web"}})
    assert one.golden_of("lead", {"Source": "Fair"}) == {}
    assert one.golden_of("lead", {"Source": "Web"}) == {"lead_source": "web"}
    assert one.same("lead", "lead_source", {"lead_source": "web"}, {"lead_source": "partner"})
    assert one.given("lead", {"lead_source": "partner"}) == []


def test_a_field_of_another_kind_is_not_read() -> None:
    one = mapping(birth_date="Born", last_name="Last")
    assert one.native_fields(["lead"]) == ("Last",)
    assert one.native_fields(["customer"]) == ("Born", "Last")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"shoe_size": "Shoe"}, "no golden field shoe_size"),
        ({"email": {"feild": "Email"}}, "unknown key feild"),
        ({"address": "Address"}, "parts belong to an address"),
        ({"address": {"parts": {"planet": "P"}}}, "an address has the parts"),
    ],
)
def test_a_wrong_mapping_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        mapping(**fields)


@pytest.mark.parametrize("name", ["salesforce", "dynamics", "infobip"])
def test_the_shipped_mappings_parse(name: str) -> None:
    for object_name, tree in registry.load(name).Mappings.items():
        assert parse(object_name, tree, CATALOGUE, None).fields


@settings(max_examples=1000, deadline=None)
@given(
    st.from_regex(r"[aB1_+.-]{1,4}@([ax1n-]{1,5}\.){0,2}(com|TEST|local|de|c|1)", fullmatch=True)
)
def test_a_plain_address_is_read_as_the_library_reads_it(text: str) -> None:
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
        wanted = found.normalized.lower()
    except EmailNotValidError:
        wanted = text
    assert FORMS["email"].normal(text, None) == wanted


def test_practice_4_6_what_a_create_adds_may_be_made_by_a_rule() -> None:
    chosen = {"kind": {"rule": 'job_title == "Boss" ? "A" : "B"'}, "by": "us"}
    broken = {"kind": {"rule": "job_title.size()"}}
    known = {"value", *(name for fields in CATALOGUE.values() for name in fields)}

    def compiled(text: str) -> Compute:
        return expression(text, known).value

    for title, kind in (("Boss", "A"), ("Buyer", "B"), (None, "B")):
        mapping = parse("Lead", LEAD | {"on_create": chosen}, CATALOGUE, "HR", compiled)
        made = mapping.create_values("lead", {"job_title": title}, ["job_title"])
        assert (made["kind"], made["by"]) == (kind, "us")
    mapping = parse("Lead", LEAD | {"on_create": broken}, CATALOGUE, "HR", compiled)
    assert "kind" not in mapping.create_values("lead", {"job_title": None}, ["job_title"])
