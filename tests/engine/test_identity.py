"""Who is one person, who is two, and who is asked about."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


@pytest.fixture
def three() -> Iterator[Three]:
    found = Three()
    yield found
    found.close()


def only(rows: list[Any]) -> Any:
    assert len(rows) == 1, rows
    return rows[0]


def test_state_9_two_rules_bring_two_records_of_one_system(three: Three) -> None:
    mobile = "091 555 0104"
    three.sales.create("Lead", **ANN, mobile=mobile)
    three.service.create("lead", **ANN)
    three.service.create("lead", **ANN | {"mail": None}, mobile=mobile)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert "identity" in three.whats()


def test_state_9_a_second_record_meets_the_person_by_another_systems_key(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects = {"mobile": "+385915550104"}
    three.sales.update("Lead", number, mobile="091 555 0104")
    three.settle()
    three.service.rejects = {}
    three.service.create("lead", first="Ann", last="Horvat", mobile="091 555 0104", firm="Plavi")
    three.settle()
    assert "identity" in three.whats()


def test_i_11_a_create_found_by_its_key_has_match_keys(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.lost_answers = 1
    three.settle()
    three.service.create("lead", **ANN)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert "identity" in three.whats()


def test_state_9_a_namesake_with_another_address_is_asked(three: Three) -> None:
    three.sales.create("Lead", **ANN, mobile="091 555 0104")
    three.service.create("lead", **ANN | {"mail": "horvat2@plavi.example"}, mobile="091 555 0177")
    three.settle()
    assert {r.values["mail"] for r in three.sales.alive("Lead")} == {"ann@plavi.example"}
    assert {r.values["mail"] for r in three.service.alive("lead")} == {"horvat2@plavi.example"}


def test_practice_2_2_a_companys_own_number_is_no_key(three: Three) -> None:
    three.world.sources = [one for one in three.world.sources if one.instance != "profiles"]
    number = "01 555 0101"
    firms = [
        three.sales.create("Account", name="Plavi", vat="HR1", phone=number),
        three.service.create("account", name="Plavi", vat="HR1", phone=number),
    ]
    three.sales.create("Contact", first="Ivan", last="Horvat", phone=number, account=firms[0])
    three.service.create("contact", last="Horvat", phone=number, account=firms[1])
    three.settle()
    assert only(three.sales.alive("Contact")).values["first"] == "Ivan"
    assert only(three.service.alive("contact")).values["first"] is None


def test_practice_2_1_a_record_with_our_key_is_ours(three: Three) -> None:
    three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    row = only(three.service.alive("lead"))
    three.service.delete("lead", row.id)
    three.settle()
    again = three.service.create("lead", first="A.", last="Horvat-Kralj", firm="Other")
    three.service.row("lead", again).key = row.key
    three.settle()
    assert len(three.sales.alive("Lead")) == 1


def test_state_9_two_people_who_meet_in_a_group_are_an_issue(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", first="Ann", last="Horvat", mail="a@b.example", firm="Zub")
    three.settle()
    row = next(r for r in three.service.alive("lead") if r.values["mail"] == "a@b.example")
    three.service.update("lead", row.id, mail="ann@plavi.example")
    three.settle()
    assert "identity" in three.whats()


def test_state_8_asked_records_return_when_their_group_changes(three: Three) -> None:
    first = three.sales.create("Lead", **ANN)
    second = three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    assert three.whats().count("identity") == 1
    three.sales.merge("Lead", first, second)
    three.settle()
    assert len(three.profiles.alive("person")) == 1
    assert three.whats() == []


def test_practice_2_3_a_held_create_goes_when_the_look_alike_does(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    alike = three.service.create("lead", first="Ana", last="Horvat", firm="Plavi d.o.o.")
    three.settle()
    assert "possible duplicate" in three.whats()
    three.service.delete("lead", alike)
    three.settle()
    assert len(three.profiles.alive("person")) == 1
    assert "possible duplicate" not in three.whats()


def test_practice_2_5_the_customer_covers_the_lead_when_both_are_new(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("contact", **PERSON)
    three.settle()
    assert only(three.profiles.alive("person")).values["type"] == "CUSTOMER"


def test_practice_4_1_a_merge_keeps_the_stricter(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN, noemail=False)
    other = three.sales.create(
        "Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub", noemail=True
    )
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is True
