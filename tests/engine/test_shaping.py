"""What a mapping makes of a value on its way: defaults, expressions, names, own fields, choices."""

from typing import Any

import pytest

from connectors import FieldType
from tests.engine.organizations import TEXT
from tests.engine.remapping import offer, remap
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def lead(three: Three) -> Any:
    return only(three.service.alive("lead"))


# --- practice 4.4: what is required and missing


def test_practice_4_4_a_missing_required_value_holds_the_record(three: Three) -> None:
    three.sales.create("Lead", **ANN | {"firm": None})
    three.settle()
    assert three.service.alive("lead") == []
    assert "required value missing" in three.whats()


def test_practice_4_4_a_default_is_written_and_never_copied_back(three: Three) -> None:
    remap(three, {"company_name": {"field": "firm", "default": "Unknown"}}, "service/lead")
    number = three.sales.create("Lead", **ANN | {"firm": None})
    three.settle()
    assert lead(three).values["firm"] == "Unknown"
    assert three.sales.row("Lead", number).values["firm"] is None
    three.sales.update("Lead", number, title="Buyer")  # decided and written once more
    three.service.update("lead", lead(three).id, mobile="+385915550104")
    three.settle()
    assert three.sales.row("Lead", number).values["firm"] is None
    assert three.whats() == []


def test_practice_4_4_an_edit_of_a_default_travels_and_a_clear_brings_it_back(
    three: Three,
) -> None:
    remap(three, {"company_name": {"field": "firm", "default": "Unknown"}}, "service/lead")
    number = three.sales.create("Lead", **ANN | {"firm": None})
    three.settle()
    three.service.update("lead", lead(three).id, firm="Plavi")
    three.settle()
    assert three.sales.row("Lead", number).values["firm"] == "Plavi"
    three.sales.update("Lead", number, firm=None)
    three.settle()
    assert lead(three).values["firm"] == "Unknown"
    assert three.sales.row("Lead", number).values["firm"] is None


def test_practice_4_4_a_default_survives_a_lost_answer(three: Three) -> None:
    remap(three, {"company_name": {"field": "firm", "default": "Unknown"}}, "service/lead")
    three.service.lost_answers = 1
    number = three.sales.create("Lead", **ANN | {"firm": None})
    three.settle()
    three.settle()
    assert lead(three).values["firm"] == "Unknown"
    assert three.sales.row("Lead", number).values["firm"] is None


# --- peers 30: constants


def test_peers_30_a_constant_fills_where_nobody_has_a_value(three: Three) -> None:
    remap(three, {"job_title": {"constant": "App user"}}, "profiles/person")
    number = three.sales.create("Lead", **ANN)
    profile = three.profiles.create(
        "person", type="LEAD", first="Ann", last="Horvat", mails=["ann@plavi.example"]
    )
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "App user"
    three.sales.update("Lead", number, title="Buyer")  # and stands back for every edit
    three.settle()
    assert lead(three).values["title"] == "Buyer"
    assert three.profiles.row("person", profile).values["title"] is None
    assert three.whats() == []


# --- peers 31: expressions


def test_peers_31_an_expression_makes_what_is_written_and_what_is_read(three: Three) -> None:
    title = {
        "field": "title",
        "write": "value == null ? null : value.upper()",
        "read": "value == null ? null : value.substring(0, 1) + value.substring(1, 99).lower()",
    }
    remap(three, {"job_title": title}, "service/lead")
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    assert lead(three).values["title"] == "BUYER"
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    three.service.update("lead", lead(three).id, title="SELLER")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Seller"
    assert three.whats() == []


def test_peers_31_what_an_expression_loses_does_not_flow_back(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "write": "value.upper()"}}, "service/lead")
    number = three.sales.create("Lead", **ANN, title="Head of Logistics")
    three.settle()
    three.sales.update("Lead", number, mobile="+385915550104")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Head of Logistics"
    three.service.update("lead", lead(three).id, title="Seller")  # a person's edit does
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Seller"
    assert lead(three).values["title"] == "SELLER"


def test_peers_31_a_field_is_made_of_others_and_follows_them(three: Three) -> None:
    offer(three, "service/lead", shown=TEXT)
    whole = {
        "field": "shown",
        "direction": "to",
        "write": "(first_name == null ? '' : first_name + ' ') + last_name",
    }
    remap(three, {"shown_name": whole}, "service/lead", own={"shown_name": "text"})
    number = three.sales.create("Lead", **ANN)
    three.settle()
    assert lead(three).values["shown"] == "Ann Horvat"
    three.sales.update("Lead", number, last="Kos")
    three.settle()
    assert lead(three).values["shown"] == "Ann Kos"
    before = three.written()
    three.cycle()
    assert three.written() == before


# --- names in one field


def test_a_name_in_one_field_is_put_together_and_taken_apart(three: Three) -> None:
    offer(three, "service/lead", name=TEXT)
    parts = {"first_name": {"part_of": "name"}, "last_name": {"part_of": "name"}}
    remap(three, parts, "service/lead")
    van = ANN | {"first": "Ann Marie", "last": "van der Berg"}
    number = three.sales.create("Lead", **van)
    three.settle()
    assert lead(three).values["name"] == "Ann Marie van der Berg"
    three.service.update("lead", lead(three).id, name="Anna Marie van der Berg")
    three.settle()
    row = three.sales.row("Lead", number).values
    assert (row["first"], row["last"]) == ("Anna Marie", "van der Berg")
    three.sales.update("Lead", number, last="Smith Jones")
    three.settle()
    assert lead(three).values["name"] == "Anna Marie Smith Jones"
    assert three.sales.row("Lead", number).values["last"] == "Smith Jones"
    assert three.whats() == []


def test_a_whole_name_links_with_the_same_name_in_parts(three: Three) -> None:
    offer(three, "service/lead", name=TEXT)
    parts = {"first_name": {"part_of": "name"}, "last_name": {"part_of": "name"}}
    remap(three, parts, "service/lead")
    three.sales.create("Lead", **ANN | {"last": "de la Cruz"})
    three.service.create("lead", name="Ann de la Cruz", mail="ann@plavi.example", firm="Plavi")
    three.settle()
    assert three.written()["service"] == three.written()["sales"] == {}


# --- own golden fields


@pytest.mark.parametrize(
    ("form", "here", "there"),
    [
        ("text", " Gold ", "Gold"),
        ("number", "12.50", 12.5),
        ("integer", "12", 12),
        ("boolean", "true", True),
        ("date", "2026-03-01T23:30:00-08:00", "2026-03-01"),  # the same day in every zone
        ("datetime", "2026-03-01T23:30:00.5-08:00", "2026-03-02T07:30:00Z"),
        ("choices", "b;a", "a;b"),
        ("language", "German", "de"),
        ("phone", "091 555 0104", "+385915550104"),
    ],
)
def test_an_own_field_travels_in_its_normal_form(
    three: Three, form: str, here: Any, there: Any
) -> None:
    offer(three, "sales/Lead", extra=TEXT)
    offer(three, "service/lead", extra=TEXT)
    remap(three, {"extra": "extra"}, "sales/Lead", "service/lead", own={"extra": form})
    number = three.sales.create("Lead", **ANN, extra=here)
    three.settle()
    assert lead(three).values["extra"] == there
    assert three.sales.row("Lead", number).values["extra"] == here
    three.service.update("lead", lead(three).id, extra=None)
    three.settle()
    assert three.sales.row("Lead", number).values["extra"] is None


def test_practice_4_7_money_travels_with_its_currency(three: Three) -> None:
    offer(three, "sales/Lead", amount=TEXT, currency=TEXT)
    offer(three, "service/lead", amount=TEXT, currency=TEXT)
    money = {"parts": {"amount": "amount", "currency": "currency"}}
    remap(three, {"budget": money}, "sales/Lead", "service/lead", own={"budget": "money"})
    number = three.sales.create("Lead", **ANN, amount=1200, currency="EUR")
    three.settle()
    assert (lead(three).values["amount"], lead(three).values["currency"]) == (1200, "EUR")
    three.service.update("lead", lead(three).id, currency="USD")
    three.settle()
    row = three.sales.row("Lead", number).values
    assert (row["amount"], row["currency"]) == (1200, "USD")


def test_practice_4_7_money_of_another_currency_is_not_written(three: Three) -> None:
    offer(three, "sales/Lead", amount=TEXT, currency=TEXT)
    offer(three, "service/lead", amount=TEXT)
    own = {"budget": "money"}
    both = {"parts": {"amount": "amount", "currency": "currency"}}
    remap(three, {"budget": both}, "sales/Lead", own=own)
    euros = {"parts": {"amount": "amount"}, "currency": "EUR"}
    remap(three, {"budget": euros}, "service/lead", own=own)
    number = three.sales.create("Lead", **ANN, amount=1200, currency="EUR")
    three.settle()
    assert lead(three).values["amount"] == 1200
    three.sales.update("Lead", number, amount=1300, currency="USD")
    three.settle()
    assert lead(three).values["amount"] == 1200
    assert three.whats() == ["unknown choice"]


# --- peers 32: choices that a value map does not know

SOURCES = {"field": "title", "values": {"web": "Web", "other": "Other"}}


@pytest.mark.parametrize(
    ("policy", "written", "whats"),
    [
        ({}, None, ["unknown choice"]),
        ({"unknown": "hold"}, None, ["unknown choice"]),
        ({"unknown": "pass"}, "fair", []),
        ({"unknown": "default", "default": "other"}, "Other", []),
    ],
)
def test_peers_32_a_golden_choice_without_a_word(
    three: Three, policy: dict[str, Any], written: Any, whats: list[str]
) -> None:
    own = {"origin": "choice"}
    remap(three, {"origin": "title", "job_title": None}, "sales/Lead", own=own)
    remap(three, {"origin": SOURCES | policy, "job_title": None}, "service/lead", own=own)
    number = three.sales.create("Lead", **ANN, title="fair")
    three.settle()
    assert lead(three).values["title"] == written
    assert three.sales.row("Lead", number).values["title"] == "fair"  # never replaced
    assert three.whats() == whats
    three.sales.update("Lead", number, title="web")
    three.settle()
    assert lead(three).values["title"] == "Web"


@pytest.mark.parametrize(
    ("policy", "taken", "whats"),
    [
        ({}, None, ["unknown choice"]),
        ({"unknown": "pass"}, "Fair", []),
        ({"unknown": "default", "default": "other"}, "other", []),
    ],
)
def test_peers_32_a_native_choice_that_is_not_known(
    three: Three, policy: dict[str, Any], taken: Any, whats: list[str]
) -> None:
    own = {"origin": "choice"}
    remap(three, {"origin": "title", "job_title": None}, "sales/Lead", own=own)
    remap(three, {"origin": SOURCES | policy, "job_title": None}, "service/lead", own=own)
    number = three.service.create("lead", **ANN, title="Fair")
    three.settle()
    assert only(three.sales.alive("Lead")).values["title"] == taken
    assert three.service.row("lead", number).values["title"] == "Fair"  # it stays there
    assert three.whats() == whats


def test_several_choices_are_mapped_each(three: Three) -> None:
    own = {"topics": "choices"}
    offer(three, "sales/Lead", topics=TEXT)
    offer(three, "service/lead", topics=FieldType("string"))
    remap(three, {"topics": "topics"}, "sales/Lead", own=own)
    numbers = {"field": "topics", "style": "commas", "values": {"tea": 1, "coffee": 2}}
    remap(three, {"topics": numbers}, "service/lead", own=own)
    number = three.sales.create("Lead", **ANN, topics="tea;coffee")
    three.settle()
    assert lead(three).values["topics"] == "2,1"
    three.service.update("lead", lead(three).id, topics="1")
    three.settle()
    assert three.sales.row("Lead", number).values["topics"] == "tea"
    three.sales.update("Lead", number, topics="tea;mate")
    three.settle()
    assert lead(three).values["topics"] == "1"
    assert three.whats() == ["unknown choice"]
