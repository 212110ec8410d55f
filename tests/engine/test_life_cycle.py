"""What becomes of records that are deleted, restored, merged and converted."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.protocol import Page
from sync_engine import operations
from sync_engine.models import Kind, LinkState
from sync_engine.operations import Verdict
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


def test_practice_3_1_a_converted_lead_whose_contact_is_not_visible_yet(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    contacts = three.source("sales/Contact")
    real = contacts.connector
    three.sales.convert("Lead", number)
    contacts.connector = _Lagging(real)  # type: ignore[assignment]
    three.settle()
    contacts.connector = real
    three.settle()
    assert len(three.sales.alive("Contact")) == 1


class _Lagging:
    """A feed that shows nothing yet; everything else works."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def changes(self, selection: Any, since: Any) -> Iterator[Page]:
        yield Page([], dict(since or {}))


def test_state_8_follow_runs_before_matching(three: Three) -> None:
    three.service.create("lead", **ANN)
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    again = three.sales.create("Lead", **ANN)  # before the conversion was read
    three.settle()
    assert only(three.service.alive("contact")).values["last"] == "Horvat"
    lead = next(link for link in three.links("sales/Lead") if link.record_id == again)
    assert lead.state is LinkState.LIVE  # a lead of its own


def test_i_14_a_conversion_into_a_second_contact_does_not_spread(three: Three) -> None:
    three.sales.create("Contact", **PERSON)
    three.service.create("lead", **ANN)
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)  # the user makes a duplicate
    three.settle()
    assert "identity" in three.whats()
    assert len(three.service.alive("contact")) == 1
    assert len([r for r in three.profiles.alive("person") if r.values["type"] == "CUSTOMER"]) == 1


def test_practice_3_3_a_lost_answer_to_a_conversion_is_no_foreign_type_change(three: Three) -> None:
    number = three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    three.profiles.lost_answers = 1
    three.sales.convert("Lead", number)
    three.cycle()
    three.settle()
    assert "type changed" not in three.whats()
    assert len(three.sales.alive("Contact")) == 1
    assert len(three.service.alive("contact")) == 1
    assert len(three.profiles.alive("person")) == 1


def test_practice_3_2_a_type_change_leaves_no_second_profile(three: Three) -> None:
    three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    assert len(three.profiles.alive("person")) == 1


def test_practice_3_2_a_type_change_converts_nothing_in_a_crm(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    assert "type changed" in three.whats()
    assert three.sales.alive("Contact") == []
    assert three.service.alive("contact") == []


def test_state_5_a_person_born_while_a_side_is_down_reaches_it_later(three: Three) -> None:
    three.cycle()
    three.service.down = True
    three.sales.create("Lead", **ANN)
    for _ in range(3):
        three.cycle()
    three.service.down = False
    three.settle()
    three.cycle()
    assert len(three.service.alive("lead")) == 1


def test_practice_3_2_the_lead_of_a_profile_that_turned_joins_it_when_converted(
    three: Three,
) -> None:
    three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.settle()
    three.profiles.update("person", profile.id, title="Buyer")
    three.settle()
    assert only(three.sales.alive("Contact")).values["title"] == "Buyer"
    assert only(three.service.alive("contact")).values["title"] == "Buyer"
    assert len(three.profiles.alive("person")) == 1


def test_state_8_a_conversion_waits_for_the_answer_whose_contact_it_is(three: Three) -> None:
    three.sales.create("Contact", **PERSON)
    three.service.create("lead", **ANN)
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.settle()
    quiet = three.cycle()
    assert not quiet.stored
    assert three.whats() == ["identity"]  # nobody's lead is left as past meanwhile
    (question,) = [issue for issue in three.issues() if issue.what == "identity"]
    operations.resolve(three.face(), question.id, Verdict("same"), "somebody")
    three.settle()
    owners = {
        link.entity_id for link in (*three.links("sales/Lead"), *three.links("sales/Contact"))
    }
    assert len(owners) == 1
    assert len(three.service.alive("contact")) == 1


def test_state_8_a_conversion_in_two_systems_at_once_is_one_customer(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.service.convert("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert len(three.sales.alive("Contact")) == len(three.service.alive("contact")) == 1
    assert len(three.profiles.alive("person")) == 1
    assert three.whats() == []


def test_practice_3_3_who_is_a_customer_already_becomes_one_with_the_lead(three: Three) -> None:
    three.service.create("contact", **PERSON)
    lead = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.sales.convert("Lead", lead, only(three.sales.alive("Contact")).id)
    three.settle()
    contacts = (only(three.sales.alive("Contact")), only(three.service.alive("contact")))
    assert [row.values["title"] for row in contacts] == ["Buyer", "Buyer"]
    assert len(three.profiles.alive("person")) == 1


def test_state_3_the_first_run_waits_for_every_side(three: Three) -> None:
    three.profiles.down = True
    three.sales.create("Lead", **ANN)
    for _ in range(2):
        three.cycle()
    assert [link.state for link in three.links("sales/Lead")] == [LinkState.NEW]
    assert three.service.alive("lead") == []
    three.profiles.down = False
    three.settle()
    assert len(three.service.alive("lead")) == 1


def test_state_8_a_conversion_is_not_carried_through_by_an_edit(three: Three) -> None:
    three.sales.create("Contact", **PERSON)
    three.service.create("lead", **ANN)
    three.settle()
    into = three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.settle()
    three.sales.update("Contact", into, title="Buyer")
    three.settle()
    assert "identity" in three.whats()
    assert len(three.service.alive("contact")) == 1


def test_state_8_a_converted_lead_stays_the_same_entity(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    (lead,) = three.links("sales/Lead")
    three.sales.convert("Lead", number)
    three.settle()
    (contact,) = three.links("sales/Contact")
    assert contact.entity_id == lead.entity_id


def test_practice_3_3_a_conversion_of_unknown_fate_is_read_before_it_is_tried(
    three: Three,
) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.profiles.lost_answers = 1
    three.profiles.lagging = three.profiles.position()
    contact = three.sales.convert("Lead", number)
    three.cycle()
    three.sales.update("Contact", contact, title="Buyer")
    three.cycle(Kind.CUSTOMER)  # decided anew before leads have their turn
    three.settle()
    assert three.written()["profiles"]["convert"] == 1


def test_state_3_nothing_is_created_on_a_side_that_is_not_listed(three: Three) -> None:
    everything = three.world.sources
    three.world.sources = [one for one in everything if one.instance != "service"]
    three.sales.create("Lead", **ANN)
    three.settle()
    three.world.sources = everything
    leads = three.source("service/lead")
    real = leads.connector
    leads.connector = _Lagging(real)  # type: ignore[assignment]
    three.sales.update("Lead", only(three.sales.alive("Lead")).id, title="Buyer")
    three.settle()
    assert three.service.alive("lead") == []
    leads.connector = real
    three.settle()
    assert len(three.service.alive("lead")) == 1


def test_practice_3_1_a_contact_is_not_new_where_a_lead_became_it(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    (lead,) = three.links("sales/Lead")
    three.sales.convert("Lead", number)
    three.cycle(Kind.CUSTOMER)  # leads have a schedule of their own
    (contact,) = three.links("sales/Contact")
    assert contact.entity_id == lead.entity_id


@pytest.mark.parametrize("converts", ["sales", "service"])
def test_what_was_entered_in_a_lead_elsewhere_until_a_conversion_goes_to_the_customer(
    three: Three, converts: str
) -> None:
    three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    names = {"sales": ("Lead", "Contact"), "service": ("lead", "contact")}
    lead, contact = names[converts]
    (other,) = names.keys() - {converts}
    there = only(three.systems[other].alive(names[other][0]))
    three.systems[other].update(names[other][0], there.id, title="Chief", noemail=True)
    three.systems[converts].convert(lead, only(three.systems[converts].alive(lead)).id)
    three.settle()
    shown = only(three.systems[converts].alive(contact)).values
    assert (shown["title"], shown["noemail"]) == ("Chief", True)


def test_a_field_that_a_conversion_leaves_out_clears_nothing(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    contact = three.sales.convert("Lead", number)
    three.sales.update("Contact", contact, title=None)
    three.settle()
    assert only(three.service.alive("contact")).values["title"] == "Buyer"


def test_a_conversion_is_followed_everywhere(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, mobile="091 555 0104")
    three.settle()
    three.sales.convert("Lead", number)
    three.settle()
    assert three.sales.alive("Lead") == []
    assert only(three.sales.alive("Contact")).values["last"] == "Horvat"
    assert only(three.service.alive("contact")).values["mobile"] == "+385915550104"
    assert len(three.service.alive("lead")) == 1  # left as the past, and said so
    profile = only(three.profiles.alive("person"))
    assert profile.values["type"] == "CUSTOMER"
    assert "lead left as past" in three.whats()
    past = only(three.service.alive("lead"))
    contact = only(three.sales.alive("Contact"))
    three.sales.update("Contact", contact.id, title="Buyer")
    three.settle()
    assert past.values["title"] is None
    assert only(three.profiles.alive("person")).values["title"] == "Buyer"
