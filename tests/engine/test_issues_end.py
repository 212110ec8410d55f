"""What a person was asked ends when its reason does."""

from datetime import timedelta

from sync_engine.models import Kind, LinkState
from tests.engine.faults import Busy, links, only, replaced
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def test_i_28_a_parked_issue_ends_when_the_write_succeeds(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Buyer")
    with replaced(three, "service/lead", Busy):
        for _ in range(12):
            three.clock.time += timedelta(hours=2)
            three.cycle()
    assert "parked" in three.whats()
    three.sales.update("Lead", number, title="Seller")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Seller"
    assert three.whats() == []


def test_state_8_an_issue_of_a_surplus_record_ends_with_its_merge(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    found = {link.state: link for link in links(three, "service/lead")}
    live, surplus = found[LinkState.LIVE].record_id, found[LinkState.SURPLUS].record_id
    three.service.merge("lead", live or "", surplus or "")
    three.settle()
    assert three.whats().count("surplus record") == 1  # that of profiles is left


def test_what_was_refused_is_asked_no_more_once_the_record_is_deleted(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects = {"title": "bad"}
    three.sales.update("Lead", number, title="bad")
    three.settle()
    assert three.whats() == ["rejected"]
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert three.whats() == []


def test_an_edit_that_saved_a_record_is_told_until_the_deleted_one_is_back(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", number)
    three.service.update("lead", only(three.service.alive("lead")).id, title="Seller")
    three.settle()
    assert three.whats() == ["deleted here, edited there"]
    three.sales.undelete("Lead", number)
    three.settle()
    assert three.whats() == []


def test_a_changed_type_is_told_until_its_lead_has_become_a_customer(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.profiles.update("person", only(three.profiles.alive("person")).id, type="CUSTOMER")
    three.settle()
    assert "type changed" in three.whats()
    three.sales.convert("Lead", number)
    three.settle()
    assert "type changed" not in three.whats()


def test_an_issue_ends_when_its_reason_does(three: Three) -> None:
    ann = three.service.create("lead", first="Ann", last="Horvat", mail="ann@x.example")
    three.settle()
    assert three.whats() == ["required value missing"]
    three.service.update("lead", ann, firm="Plavi")
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert three.whats() == []


def test_a_refused_create_is_tried_again_with_other_values(three: Three) -> None:
    three.sales.rejects = {"last": "Forbidden"}
    ann = three.service.create("lead", first="Ann", last="Forbidden", firm="F", mail="a@x.example")
    three.settle()
    assert three.sales.alive("Lead") == []
    assert three.whats() == ["rejected"]
    three.service.update("lead", ann, last="Allowed")
    three.settle()
    assert [row.values["last"] for row in three.sales.alive("Lead")] == ["Allowed"]
    assert three.whats() == []


def test_a_refused_field_is_tried_again_with_another_value(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects = {"title": "Forbidden"}
    three.sales.update("Lead", ann, title="Forbidden")
    three.settle()
    assert three.whats() == ["rejected"]
    three.sales.update("Lead", ann, title="Allowed")
    three.settle()
    assert [row.values["title"] for row in three.service.alive("lead")] == ["Allowed"]
    assert three.whats() == []
