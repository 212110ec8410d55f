"""Who owns a field on a side: direction with put-back, empty values, masks (peers 2, 6, 36, 42)."""

import re
from typing import Any

import pytest

from connectors import FieldType
from sync_engine.models import Happened
from tests.engine.remapping import offer, remap
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def lead(three: Three) -> Any:
    return only(three.service.alive("lead"))


def told(three: Three, rule: str) -> list[Any]:
    """History of that rule."""
    ids = {link.entity_id or 0 for link in three.links("sales/Lead")}
    with three.store.reading() as connection:
        rows = [row for number in ids for row in three.store.entities.history(connection, number)]
    return [row for row in rows if row.rule == rule]


# --- direction


def test_peers_2_a_field_goes_one_way(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "direction": "from"}}, "service/lead")
    remap(three, {"job_title": {"field": "title", "direction": "to"}}, "sales/Lead")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.update("lead", lead(three).id, title="Seller")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Seller"
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, title="Boss")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Boss"
    assert lead(three).values["title"] == "Seller"  # never written there


@pytest.mark.parametrize("edit", ["Seller", None])
def test_peers_6_an_edit_on_a_side_that_does_not_own_the_field_is_put_back_and_told(
    three: Three, edit: str | None
) -> None:
    remap(three, {"job_title": {"field": "title", "direction": "to"}}, "service/lead")
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.service.update("lead", lead(three).id, title=edit)
    three.settle()
    assert lead(three).values["title"] == "Buyer"
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    assert three.whats() == ["put back"]
    (row,) = told(three, "put back")
    assert row.what is Happened.CONFLICT
    assert (row.old, row.new) == ("Buyer", "Buyer")
    assert row.lost == {"service": {"value": edit, "stamp": None}}
    three.cycle()
    assert len(told(three, "put back")) == 1  # once


def test_peers_6_what_stood_there_before_is_kept_in_the_history(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "direction": "to"}}, "service/lead")
    three.sales.create("Lead", **ANN, title="Buyer")
    three.service.create("lead", **ANN, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "Buyer"
    assert told(three, "put back")[0].lost == {"service": {"value": "Seller", "stamp": None}}


def test_peers_6_a_value_that_nobody_else_has_is_left(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "direction": "to"}}, "service/lead")
    number = three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "Seller"
    assert three.sales.row("Lead", number).values["title"] is None
    assert three.whats() == []


# --- empty values


@pytest.mark.parametrize("nulls", ["ignore", "fill_only"])
def test_peers_36_an_empty_value_that_says_nothing(three: Three, nulls: str) -> None:
    remap(three, {"job_title": {"field": "title", "nulls": nulls}}, "service/lead")
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.service.update("lead", lead(three).id, title=None)
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    assert lead(three).values["title"] == "Buyer"  # filled again
    three.sales.update("Lead", number, title=None)
    three.settle()
    assert lead(three).values["title"] == "Buyer"  # not cleared here
    assert three.whats() == []


def test_peers_36_propagate_is_the_default(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.service.update("lead", lead(three).id, title=None)
    three.settle()
    assert three.sales.row("Lead", number).values["title"] is None


def test_peers_36_fill_only_fills_and_never_overwrites(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "nulls": "fill_only"}}, "service/lead")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert lead(three).values["title"] == "Buyer"
    three.service.update("lead", lead(three).id, title="Seller")  # its own edits travel
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Seller"
    three.sales.update("Lead", number, title="Boss")
    three.settle()
    assert lead(three).values["title"] == "Seller"
    assert only(three.profiles.alive("person")).values["title"] == "Boss"


def test_peers_36_a_field_only_filled_by_others_is_not_put_back(three: Three) -> None:
    entry = {"field": "title", "nulls": "fill_only", "direction": "to"}
    remap(three, {"job_title": entry}, "service/lead")
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.service.update("lead", lead(three).id, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "Seller"
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    assert three.whats() == []


# --- masks


@pytest.mark.parametrize(
    ("name", "native", "mask", "value", "shown"),
    [
        ("job_title", "title", "redact", "Buyer", r"\*\*\*"),
        ("job_title", "title", "truncate", "Buyer", r"B\."),
        ("job_title", "title", "hash", "Buyer", "[0-9a-f]{16}"),
        ("email", "mail", "hash", "ann@plavi.example", r"[0-9a-f]{16}@masked\.invalid"),
    ],
)
def test_peers_42_a_masked_side_never_sees_the_value(
    three: Three, name: str, native: str, mask: str, value: str, shown: str
) -> None:
    entry = {"field": native, "mask": mask, "direction": "to"}
    remap(three, {name: entry}, "service/lead")
    number = three.sales.create("Lead", **ANN | {native: value})
    three.settle()
    masked = lead(three).values[native]
    assert re.fullmatch(shown, masked)
    three.sales.update("Lead", number, mobile="+385915550104")
    three.settle()
    assert three.sales.row("Lead", number).values[native] == value  # it never flows back
    assert lead(three).values[native] == masked
    assert three.whats() == []


def test_peers_42_a_value_that_stood_there_is_masked_and_an_edit_is_put_back(three: Three) -> None:
    entry = {"field": "title", "mask": "redact", "direction": "to"}
    remap(three, {"job_title": entry}, "service/lead")
    three.sales.create("Lead", **ANN, title="Buyer")
    three.service.create("lead", **ANN, title="Buyer")
    three.settle()
    assert lead(three).values["title"] == "***"
    three.service.update("lead", lead(three).id, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "***"
    assert only(three.sales.alive("Lead")).values["title"] == "Buyer"
    assert three.whats() == ["put back"]


def test_peers_42_an_address_is_told_without_its_door(three: Three) -> None:
    parts = {
        "street": "street",
        "city": "city",
        "postcode": "zip",
        "state": "state",
        "country": "country",
    }
    entry = {"parts": parts, "mask": "truncate", "direction": "to"}
    remap(three, {"address": entry}, "service/lead")
    home = {"street": "Ilica 1", "city": "Zagreb", "zip": "10000", "country": "HR"}
    three.sales.create("Lead", **ANN, **home)
    three.settle()
    row = lead(three).values
    assert (row["street"], row["zip"], row["city"]) == (None, None, "Zagreb")
    before = three.written()
    three.cycle()
    assert three.written() == before
    assert only(three.sales.alive("Lead")).values["street"] == "Ilica 1"
    assert three.whats() == []


def test_peers_42_a_masked_value_is_in_no_plan(three: Three) -> None:
    offer(three, "service/lead", title=FieldType("string"))
    entry = {"field": "title", "mask": "redact", "direction": "to"}
    remap(three, {"job_title": entry}, "service/lead")
    three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    link = only(three.links("service/lead"))
    assert link.seen is not None
    assert link.seen["job_title"] == link.base["job_title"] == "***"
