"""Leads converted on behalf of another side, and who may cause that."""

import pytest

from connectors import Action
from sync_engine import operations
from sync_engine.guard import Limit
from sync_engine.models import Kind, LinkState
from sync_engine.operations import Verdict
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}
STRANGE = PERSON | {"mail": "ann.horvat@posta.example", "city": "Zagreb"}  #: maybe the same


@pytest.fixture
def converting(three: Three) -> Three:
    """Both CRMs convert their leads on behalf of the other sides."""
    three.converts("sales", "service")
    return three


def convert(three: Three) -> str:
    """A person converts the lead in sales."""
    into = three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.settle()
    return into


def test_practice_3_3_a_lead_is_converted_on_behalf_of_another_side(converting: Three) -> None:
    converting.sales.create("Lead", **ANN, title="Buyer")
    converting.settle()
    lead = only(converting.service.alive("lead"))
    convert(converting)
    assert converting.service.alive("lead") == []
    contact = only(converting.service.alive("contact"))
    assert lead.converted_into == {"contact": contact.id}
    assert contact.values["title"] == "Buyer"
    assert converting.written()["service"] == {"create": 1, "convert": 1}
    assert converting.whats() == []
    links = (*converting.links("service/lead"), *converting.links("service/contact"))
    assert [link.state for link in links] == [LinkState.CONVERTED, LinkState.LIVE]
    assert len({link.entity_id for link in links}) == 1
    converting.sales.update("Contact", only(converting.sales.alive("Contact")).id, title="Chief")
    converting.settle()
    assert contact.values["title"] == "Chief"


def test_a_conversion_on_behalf_keeps_what_was_entered_elsewhere(converting: Three) -> None:
    """The lead still showed the old value when it was converted: that is no news."""
    converting.service.create("lead", **ANN, title="Buyer")
    converting.settle()
    profile = only(converting.profiles.alive("person"))
    converting.profiles.update("person", profile.id, title="Chief")
    converting.service.convert("lead", only(converting.service.alive("lead")).id)
    converting.settle()
    assert only(converting.sales.alive("Contact")).values["title"] == "Chief"
    assert only(converting.service.alive("contact")).values["title"] == "Chief"


def test_practice_3_3_the_company_that_is_linked_is_passed(converting: Three) -> None:
    account = converting.sales.create("Account", name="Plavi", vat="HR1")
    converting.sales.create("Lead", **ANN)
    converting.settle()
    into = converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.sales.update("Contact", into, account=account)
    converting.settle()
    contact = only(converting.service.alive("contact"))
    assert contact.values["account"] == only(converting.service.alive("account")).id
    assert converting.written()["service"]["convert"] == 1


def test_practice_3_3_a_conversion_waits_for_a_company_that_is_being_created(
    converting: Three,
) -> None:
    converting.sales.create("Lead", **ANN)
    converting.settle()
    converting.service.rejects = {"name": "Plavi"}
    account = converting.sales.create("Account", name="Plavi", vat="HR1")
    into = converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.sales.update("Contact", into, account=account)
    for _ in range(3):
        converting.cycle()
    assert len(converting.service.alive("lead")) == 1
    assert "lead left as past" not in converting.whats()
    converting.sales.update("Account", account, name="Plavi d.o.o.")
    converting.settle()
    contact = only(converting.service.alive("contact"))
    assert contact.values["account"] == only(converting.service.alive("account")).id


def test_practice_3_3_without_the_company_the_lead_is_left_as_past(converting: Three) -> None:
    """A conversion would make a second company; the customer is created without one."""
    converting.creates(Kind.COMPANY, "service", "link-only")
    account = converting.sales.create("Account", name="Plavi", vat="HR1")
    converting.sales.create("Lead", **ANN)
    converting.settle()
    into = converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.sales.update("Contact", into, account=account)
    converting.settle()
    assert len(converting.service.alive("lead")) == len(converting.service.alive("contact")) == 1
    (issue,) = [one for one in converting.issues() if one.what == "lead left as past"]
    assert issue.cause == "its company has no record there"


def test_practice_3_3_who_is_a_contact_there_gets_no_second_one(converting: Three) -> None:
    contact = converting.service.create("contact", **PERSON)
    converting.sales.create("Lead", **ANN, title="Buyer")
    converting.settle()
    lead = only(converting.service.alive("lead"))
    converting.sales.convert(
        "Lead", only(converting.sales.alive("Lead")).id, only_contact(converting)
    )
    converting.settle()
    assert lead.converted_into == {"contact": contact}
    assert only(converting.service.alive("contact")).values["title"] == "Buyer"
    assert converting.whats() == []


def only_contact(three: Three) -> str:
    return str(only(three.sales.alive("Contact")).id)


def test_practice_3_3_who_resembles_a_contact_there_is_asked_about_first(
    converting: Three,
) -> None:
    converting.sales.create("Lead", **ANN, city="Zagreb")
    converting.settle()
    strange = converting.service.create("contact", **STRANGE)
    convert(converting)
    assert len(converting.service.alive("lead")) == 1
    assert len(converting.service.alive("contact")) == 1
    question = next(one for one in converting.issues() if one.what == "possible duplicate")
    operations.resolve(converting.face(), question.id, Verdict("same"), "somebody")
    converting.settle()
    assert converting.service.alive("lead") == []
    assert only(converting.service.alive("contact")).id == strange
    assert converting.written()["service"]["convert"] == 1


def test_practice_3_3_an_answer_lost_after_the_commit_is_read_before_it_is_tried_again(
    converting: Three,
) -> None:
    converting.sales.create("Lead", **ANN)
    converting.settle()
    converting.service.lost_answers = 1
    converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.cycle()
    assert len(converting.service.alive("contact")) == 1
    converting.settle()
    assert len(converting.service.alive("contact")) == 1
    assert converting.written()["service"]["convert"] == 1
    assert converting.whats() == []


def test_practice_3_3_a_lead_that_a_user_converts_meanwhile_is_theirs(converting: Three) -> None:
    converting.sales.create("Lead", **ANN)
    converting.settle()
    converting.service.lagging = converting.service.position()
    theirs = converting.service.convert("lead", only(converting.service.alive("lead")).id)
    converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.cycle()
    converting.service.release()
    converting.settle()
    assert only(converting.service.alive("contact")).id == theirs
    assert len(converting.sales.alive("Contact")) == 1
    assert converting.whats() == []


def test_practice_3_3_a_refused_conversion_leaves_the_lead_as_past(converting: Three) -> None:
    converting.sales.create("Lead", **ANN)
    converting.settle()
    converting.service.converts_none = "no right to convert leads"
    convert(converting)
    assert len(converting.service.alive("lead")) == len(converting.service.alive("contact")) == 1
    (issue,) = [one for one in converting.issues() if one.what == "lead left as past"]
    assert issue.cause == "no right to convert leads"


def test_where_nothing_is_configured_the_lead_stays_and_the_customer_is_created(
    three: Three,
) -> None:
    three.service.actions |= {Action.CONVERT}
    three.describe()
    three.sales.create("Lead", **ANN)
    three.settle()
    convert(three)
    assert len(three.service.alive("lead")) == len(three.service.alive("contact")) == 1
    assert "convert" not in three.written()["service"]
    assert "lead left as past" in three.whats()


def test_a_conversion_counts_for_the_guard(converting: Three) -> None:
    converting.guard(Kind.LEAD, convert=Limit(0, 0.0))
    converting.sales.create("Lead", **ANN)
    converting.settle()
    convert(converting)
    lead = only(converting.service.alive("lead"))
    assert "guard" in converting.whats()
    (place,) = [
        one
        for one in operations.explain(converting.face(), f"service:{lead.id}").places
        if one.side == "service/lead"
    ]
    assert place.why.startswith("a lead of somebody who is a customer now; it is to be converted")


def test_a_lead_that_waits_for_its_conversion_is_heard_once(converting: Three) -> None:
    """What was entered in it before is agreed on, and not claimed again when others edit."""
    converting.sales.create("Lead", **ANN, city="Zagreb", title="Clerk")
    converting.settle()
    converting.service.create("contact", **STRANGE)  # a person is asked about it first
    lead = only(converting.service.alive("lead"))
    converting.service.update("lead", lead.id, title="Buyer")
    contact = convert(converting)
    assert converting.sales.row("Contact", contact).values["title"] == "Buyer"
    profile = only(converting.profiles.alive("person"))
    converting.profiles.update("person", profile.id, title="Chief")
    converting.settle()
    assert converting.sales.row("Contact", contact).values["title"] == "Chief"
    question = next(one for one in converting.issues() if one.what == "possible duplicate")
    operations.resolve(converting.face(), question.id, Verdict("different"), "somebody")
    converting.settle()
    assert converting.service.alive("lead") == []
    told = operations.history(converting.face(), f"sales:{contact}").events
    assert [one for one in told if one.what == "conflict"] == []
    titles = [row.values["title"] for row in converting.service.alive("contact")]
    assert sorted(titles, key=str) == ["Chief", None]


def test_a_contact_that_turns_up_while_the_lead_waits_takes_it_on(converting: Three) -> None:
    converting.guard(Kind.LEAD, convert=Limit(0, 0.0))
    converting.sales.create("Lead", **ANN)
    converting.settle()
    convert(converting)
    made = converting.service.create("contact", **PERSON)
    converting.settle()
    converting.guard(Kind.LEAD, convert=Limit(10, 0.02))
    converting.settle()
    assert only(converting.service.alive("contact")).id == made
    assert converting.service.alive("lead") == []
    assert converting.whats() == []


def turned(three: Three) -> str:
    """A profile of a lead turns customer by itself."""
    three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER", title="Buyer")
    three.settle()
    return str(profile.id)


@pytest.mark.parametrize("allowed_by", ["a rule", "a person"])
def test_practice_3_2_a_type_change_that_is_allowed_is_followed_everywhere(
    converting: Three, allowed_by: str
) -> None:
    if allowed_by == "a rule":
        converting.conversion_from("profiles")
    turned(converting)
    if allowed_by == "a person":
        assert converting.sales.alive("Contact") == []
        (issue,) = converting.issues()
        assert issue.what == "type changed"
        operations.resolve(converting.face(), issue.id, Verdict("convert"), "somebody")
        converting.settle()
    for system, lead, contact in (
        (converting.sales, "Lead", "Contact"),
        (converting.service, "lead", "contact"),
    ):
        assert system.alive(lead) == []
        assert only(system.alive(contact)).values["title"] == "Buyer"
    assert len(converting.profiles.alive("person")) == 1
    assert converting.whats() == []


def test_practice_3_2_an_allowed_type_change_creates_customers_where_leads_stay(
    three: Three,
) -> None:
    three.conversion_from("profiles")
    turned(three)
    assert len(three.sales.alive("Lead")) == len(three.sales.alive("Contact")) == 1
    assert three.whats() == ["lead left as past"] * 2


def test_practice_3_2_a_rule_for_another_side_allows_nothing(three: Three) -> None:
    three.conversion_from("sales", "service")
    turned(three)
    assert three.sales.alive("Contact") == []
    assert three.whats() == ["type changed"]


def test_practice_3_2_a_profile_that_turned_joins_who_is_a_customer_already(
    converting: Three,
) -> None:
    converting.conversion_from("profiles")
    contact = converting.service.create("contact", **PERSON)
    converting.sales.create("Lead", **ANN, mobile="0915550104")
    converting.settle()
    profile = only(converting.profiles.alive("person"))
    assert profile.values["type"] == "CUSTOMER"  # it covers the lead
    lead = only(converting.service.alive("lead"))
    operations.unlink(converting.face(), f"profiles:{profile.id}", "somebody")
    other = converting.profiles.create(
        "person", type="LEAD", first="Ann", last="Horvat", phones=["385915550104"]
    )
    converting.settle()
    converting.profiles.update("person", other, type="CUSTOMER", mails=[ANN["mail"]])
    converting.settle()
    assert lead.converted_into == {"contact": contact}
    assert len(converting.sales.alive("Contact")) == 1
    assert converting.whats() == []


def test_a_profile_that_is_not_to_be_turned_stays_a_lead(three: Three) -> None:
    three._replace(Kind.LEAD, converts={"profiles": False})
    three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.convert("Lead", only(three.sales.alive("Lead")).id)
    three.settle()
    assert [row.values["type"] for row in three.profiles.alive("person")] == ["LEAD"]


def test_a_lead_that_is_to_become_a_contact_there_is_no_surplus_record(converting: Three) -> None:
    converting.guard(Kind.LEAD, convert=Limit(0, 0.0))
    converting.service.create("contact", **PERSON)
    converting.sales.create("Lead", **ANN)
    converting.settle()
    lead, into = only(converting.sales.alive("Lead")), only(converting.sales.alive("Contact"))
    converting.sales.convert("Lead", lead.id, into.id)
    converting.settle()
    assert converting.whats() == ["guard"]


def test_a_contact_that_a_person_links_takes_on_the_lead_that_waits(converting: Three) -> None:
    converting.guard(Kind.LEAD, convert=Limit(0, 0.0))
    other = converting.service.create("contact", first="Zoe", last="Babic")
    converting.settle()
    operations.unlink(converting.face(), f"service:{other}", "somebody")
    converting.sales.create("Lead", **ANN)
    converting.settle()
    contact = convert(converting)
    operations.link(converting.face(), f"sales:{contact}", f"service:{other}", "somebody")
    converting.guard(Kind.LEAD, convert=Limit(10, 0.02))
    converting.settle()
    assert converting.service.alive("lead") == []
    assert only(converting.service.alive("contact")).id == other


def test_where_no_customers_are_created_a_lead_becomes_none(converting: Three) -> None:
    converting.creates(Kind.CUSTOMER, "service", "link-only")
    converting.sales.create("Lead", **ANN)
    converting.settle()
    convert(converting)
    assert converting.service.alive("contact") == []
    (issue,) = converting.issues()
    assert issue.what == "lead left as past"
    assert issue.cause == "nothing is created there (creates: link-only)"


def test_a_lead_whose_customer_is_gone_at_once_is_left_as_past(converting: Three) -> None:
    converting.sales.create("Lead", **ANN)
    converting.settle()
    contact = converting.sales.convert("Lead", only(converting.sales.alive("Lead")).id)
    converting.sales.delete("Contact", contact)
    converting.settle()
    (lead,) = converting.links("service/lead")
    assert lead.state is LinkState.CONVERTED
    assert "lead left as past" in converting.whats()
