"""Which rules link records is a sync's choice, and so is their order; so are ids kept elsewhere."""

from itertools import permutations
from typing import Any

import pytest

from config.catalogue import MATCH_RULES
from connectors import FieldType
from sync_engine import matching
from sync_engine.matching import OWN_ID, RULES, Group, Member
from sync_engine.models import Happened, Kind
from sync_engine.operations import explain
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "firm": "Plavi"}
MOBILE = {"mobile": "091 555 0104"}
CROSS = {"cross_id": {"field": "contact_id"}, "cross_lead_id": {"field": "lead_id"}}
#: the same record in Salesforce's two forms
LONG, SHORT = "0035g00000ABCDEAA2", "0035g00000ABCDE"


def rules_that_linked(three: Three) -> set[str | None]:
    entities = {k.entity_id for one in three.world.sources for k in three.links(one.name)}
    with three.store.reading() as connection:
        told = [
            row
            for number in entities
            if number is not None
            for row in three.store.entities.history(connection, number)
        ]
    return {row.rule for row in told if row.what is Happened.LINKED}


def crossing(three: Three) -> None:
    """Profiles keep the ids that the vendor's own integration has left on them."""
    text = FieldType("string")
    three.offer("profiles/person", contact_id=text, lead_id=text)
    three.remap(CROSS, "profiles/person")


@pytest.mark.parametrize("kind", RULES)
def test_practice_2_1_the_file_names_the_rules_that_history_names(kind: str) -> None:
    assert MATCH_RULES[kind][1:] == tuple(RULES[kind].values())


def test_practice_2_1_the_order_of_rules_is_a_choice(three: Three) -> None:
    """A weaker rule does not link against a stronger one; which is which is a sync's to say."""
    three.sales.create("Lead", **ANN, **MOBILE, mail="ann@plavi.example")
    three.service.create("lead", **ANN, **MOBILE, mail="ann@home.example")
    three.settle()
    assert only([one for one in three.issues() if one.what == "identity"]).cause == "contradiction"
    three.match(Kind.LEAD, "mobile_surname", "email_name", "name_company")
    for row in three.service.alive("lead"):
        three.service.update("lead", row.id, title="Buyer")
    three.settle()
    assert rules_that_linked(three) >= {"mobile_surname"}
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1


def test_practice_2_1_a_rule_that_is_not_chosen_links_nobody(three: Three) -> None:
    three.match(Kind.LEAD, "email_name", "mobile_surname", "name_birth_date")
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    assert not rules_that_linked(three)
    assert three.whats().count("possible duplicate") >= 1
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_practice_2_2_no_choice_links_against_surnames(size: int) -> None:
    """Whatever is chosen, in whatever order, a shared mailbox and phone are not enough."""
    couple: list[dict[str, Any]] = [
        {"first_name": first, "last_name": last, "email": "we@kral.example",
         "mobile": "+385915550104", "company_name": "Kral"}
        for first, last in (("Marija", "Kral"), ("Marija", "Babic"))
    ]  # fmt: skip
    members = tuple(
        Member(n, n, None, values, tuple(matching.keys("lead", values)))
        for n, values in enumerate(couple)
    )
    shared = set(members[0].keys) & set(members[1].keys)
    assert {key.rule for key in shared} == {matching.EMAIL, matching.MOBILE}
    chosen = [rule for rule in RULES["lead"] if rule != matching.CROSS]
    for order in permutations(chosen, size):
        for rule in {key.rule for key in shared} & set(order):
            assert matching.settle(Group("lead", rule, members, order=order)).linked == ()


@pytest.mark.parametrize("crm_first", [True, False])
def test_practice_2_1_an_id_kept_elsewhere_links(three: Three, crm_first: bool) -> None:
    crossing(three)
    person = {"first": "Ann", "last": "Horvat"}

    for side in ("sales", "service", "profiles"):
        three.creates(Kind.CUSTOMER, side, "link-only")

    def contact() -> str:
        return three.sales.create("Contact", **person, mail="ann@plavi.example")

    def profile(number: str) -> None:
        three.profiles.create("person", type="CUSTOMER", **person, contact_id=number)

    if crm_first:
        number = contact()
        three.settle()
        profile(number)
    else:
        profile("con-1")
        three.settle()
        assert contact() == "con-1"
    three.settle()
    assert "cross_ids" in rules_that_linked(three)
    assert only(three.profiles.alive("person")).values["mails"] == ["ann@plavi.example"]
    assert len(three.sales.alive("Contact")) == 1


def test_practice_2_1_ids_kept_elsewhere_never_travel(three: Three) -> None:
    crossing(three)
    number = three.sales.create("Contact", first="Ann", last="Horvat", mail="ann@plavi.example")
    three.profiles.create(
        "person", type="CUSTOMER", first="Ann", last="Horvat", contact_id=number, lead_id="00Q1"
    )
    three.settle()
    told = explain(three.face(), f"profiles:{only(three.profiles.alive('person')).id}")
    (field,) = [one for one in told.fields if one.field == "cross_id"]
    assert (field.golden, field.here) == (None, number)
    assert field.apart == "this record's own; it never travels"
    written = three.written()
    three.settle()
    assert three.written() == written


def test_practice_2_1_an_id_of_somebody_of_another_name_is_asked_about(three: Three) -> None:
    """A profile may have been overwritten by somebody else's upsert since."""
    crossing(three)
    number = three.sales.create("Contact", first="Ann", last="Horvat", mail="ann@plavi.example")
    three.profiles.create(
        "person", type="CUSTOMER", first="Ivo", last="Babic", mails=["ivo@b.example"],
        contact_id=number,
    )  # fmt: skip
    three.settle()
    assert only([one for one in three.issues() if one.what == "identity"]).cause == "contradiction"
    assert len(three.profiles.alive("person")) == len(three.sales.alive("Contact")) == 1


def member(number: int, instance: int, **values: Any) -> Member:
    told = {"first_name": "Ann", "last_name": "Horvat", **values}
    return Member(number, instance, None, told, tuple(matching.keys("customer", told)))


def test_practice_8_3_one_id_in_two_organizations_links_neither() -> None:
    own = (member(1, 1, **{OWN_ID: LONG}), member(2, 2, **{OWN_ID: SHORT}))
    profile = member(3, 3, cross_id=SHORT)
    assert matching.settle(Group("customer", matching.CROSS, own)).linked == ()
    assert matching.settle(Group("customer", matching.CROSS, own)).doubts == ()
    found = matching.settle(Group("customer", matching.CROSS, (*own, profile)))
    assert found.linked == ()
    assert only(list(found.doubts)).links == (1, 2, 3)


def test_practice_2_1_both_forms_of_a_record_id_are_one() -> None:
    keys = [matching.keys("customer", {"cross_id": one})[0].digest for one in (LONG, SHORT)]
    guids = [
        matching.keys("company", {"cross_id": one})[0].digest
        for one in ("{ABCDEF00-0000-0000-0000-00000001}", "abcdef00-0000-0000-0000-00000001")
    ]
    assert len(set(keys)) == len(set(guids)) == 1
    assert matching.keys("lead", {"cross_id": LONG})[0].digest not in keys


def test_practice_2_1_ids_of_systems_contradict_nothing(three: Three) -> None:
    """Each system gives ids of its own; where both may be held elsewhere, they still differ."""
    crossing(three)
    person = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example"}
    three.sales.create("Contact", **person)
    three.service.create("contact", **person)
    three.profiles.create(
        "person", type="CUSTOMER", first="Ann", last="Horvat", mails=["ann@plavi.example"],
        contact_id="of a record that is no more",
    )  # fmt: skip
    three.settle()
    assert (rules_that_linked(three), three.whats()) == ({"email_name"}, [])
