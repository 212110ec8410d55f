"""Deletes: what proves them, where they travel, what saves a record, and blanking a person."""

from datetime import timedelta

import pytest

from connectors import Action, TransientError
from sync_engine.guard import Limit
from sync_engine.models import Kind, LinkState, Table
from sync_engine.store import blank_entity
from tests.engine.faults import Failing, crowd, links, only, replaced
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PROFILE = {"type": "LEAD", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}


def of_one(three: Three) -> None:
    """A listing may lack one record, though that is everybody."""
    three.guard(Kind.LEAD, emptied=Limit(1, 0.5))


def a_day_later(three: Three) -> None:
    three.clock.time += timedelta(hours=25)
    three.cycle()


def test_state_12_a_source_without_a_delete_feed_is_swept(three: Three) -> None:
    of_one(three)
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.profiles.delete("person", only(three.profiles.alive("person")).id)
    three.cycle()
    assert only(links(three, "profiles/person")).state is LinkState.LIVE
    for _ in range(2):
        a_day_later(three)
    assert three.sales.row("Lead", number).deleted


def test_i_38_a_clock_that_was_set_back_puts_off_no_sweep(three: Three) -> None:
    of_one(three)
    three.settle()
    before = three.profiles.create("person", **PROFILE)
    three.clock.time += timedelta(days=9)
    three.settle()  # listed by a clock that is far ahead
    three.clock.time -= timedelta(days=9)
    three.profiles.delete("person", before)
    for _ in range(3):
        a_day_later(three)
    assert only(links(three, "profiles/person")).state is LinkState.GONE


def test_state_12_a_sweep_is_due_once_a_day(three: Three) -> None:
    of_one(three)
    three.settle()
    three.clock.time += timedelta(hours=23)
    before = three.profiles.create("person", **PROFILE)
    three.settle()
    three.profiles.delete("person", before)
    three.cycle()
    three.cycle()
    assert only(links(three, "profiles/person")).missing_at is None
    three.clock.time += timedelta(hours=1)
    three.cycle()
    assert only(links(three, "profiles/person")).missing_at is not None


def test_state_12_who_was_missing_once_is_not_gone(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.delete("person", profile.id)
    a_day_later(three)
    three.profiles.undelete("person", profile.id)
    a_day_later(three)
    a_day_later(three)
    assert not three.sales.row("Lead", number).deleted
    assert only(links(three, "profiles/person")).missing_at is None


def test_state_12_a_listing_that_lacks_many_stops(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    crowd(three, 15)
    three.settle()
    for row in three.profiles.alive("person")[:11]:
        three.profiles.delete("person", row.id)
    for _ in range(3):
        a_day_later(three)
    assert three.whats() == ["guard"]
    assert len(three.sales.alive("Lead")) == 15
    three.face().release("leads")
    for _ in range(3):
        three.cycle()
    assert {k.state for k in links(three, "profiles/person")} == {LinkState.LIVE, LinkState.GONE}


def test_i_20_an_edit_that_saved_a_record_saves_it_for_good(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    service = only(three.service.alive("lead"))
    three.sales.delete("Lead", number)
    three.service.update("lead", service.id, title="Seller")
    three.settle()
    assert not service.deleted
    assert three.whats() == ["deleted here, edited there"]
    three.service.update("lead", service.id, title="Buyer")
    three.settle()
    assert not service.deleted


def test_i_20_an_edit_saves_a_record_while_the_delete_waits(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    numbers = crowd(three, 11)
    three.settle()
    for number in numbers:
        three.sales.delete("Lead", number)
    three.cycle()  # eleven are too many
    saved = three.service.alive("lead")[0]
    three.service.update("lead", saved.id, title="Seller")
    three.settle()
    assert three.service.alive("lead") == [saved]
    assert only(three.profiles.alive("person")).values["title"] == "Seller"


def test_i_20_a_record_that_is_back_saves_the_others(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    numbers = crowd(three, 11)
    three.settle()
    for number in numbers:
        three.sales.delete("Lead", number)
    three.cycle()
    three.sales.undelete("Lead", numbers[0])
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1


def test_i_20_another_policy_does_not_act_on_what_was_deleted_before(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", number)
    three.settle()
    three.deletes(Kind.LEAD, "propagate")
    service = only(three.service.alive("lead"))
    three.service.update("lead", service.id, title="Buyer")
    three.service.update("lead", service.id, title=None)
    three.settle()
    assert not service.deleted


def test_state_6_a_side_that_holds_a_field_has_accepted_the_rest(three: Three) -> None:
    """Its own form of a value, and one that it refused, keep no record alive."""
    three.deletes(Kind.LEAD, "propagate")
    three.service.rejects = {"title": "Buyer"}
    three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert three.sales.alive("Lead") == []


def test_state_8_the_delete_of_a_surplus_record_goes_nowhere(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    surplus = next(k for k in links(three, "service/lead") if k.state is LinkState.SURPLUS)
    # now it agrees in everything
    three.sales.update("Lead", ann, first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.service.delete("lead", surplus.record_id or "")
    three.settle()
    assert only(three.sales.alive("Lead")).id == ann
    assert len(three.service.alive("lead")) == 1


def test_state_5_a_delete_whose_answer_was_lost_is_tried_again(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    with replaced(three, "service/lead", Failing, TransientError("no answer")):
        three.sales.delete("Lead", number)
        three.cycle()
    three.settle()
    assert three.service.alive("lead") == []


def test_state_12_a_create_that_waits_is_not_made_once_its_person_is_deleted(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    three.cycle()
    number = three.sales.create("Lead", **ANN)
    with replaced(three, "profiles/person", Failing, TransientError("no answer")):
        three.cycle()
        three.sales.delete("Lead", number)
        three.cycle()
    counts = three.cycle().counts
    assert [name for name in counts if name.startswith("leads profiles/person")] == []
    assert three.service.alive("lead") == []
    assert three.profiles.alive("person") == []


def test_state_6_a_deactivated_record_is_told_once(three: Three) -> None:
    three.deletes(Kind.LEAD, "deactivate")
    three.profiles.actions = three.profiles.actions | {Action.DEACTIVATE}
    three.sales.actions = three.sales.actions | {Action.DEACTIVATE}
    three.describe()
    number = three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert three.written()["profiles"] == {"create": 1, "deactivate": 1}
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert three.written()["profiles"].get("deactivate") == 1
    assert profile.values["title"] == "Buyer"


@pytest.mark.parametrize("table", ["entity", "link", "history", "issue", "sent"])
def test_practice_8_2_a_merged_person_is_blanked_too(three: Three, table: str) -> None:
    other = {"first": "Gertruda", "last": "Vukasovic", "mail": "g@b.example", "firm": "Zub"}
    numbers = [three.sales.create("Lead", **person) for person in (ANN, other, other)]
    for n, number in enumerate(numbers):
        three.sales.update("Lead", number, mail=f"g{n}@b.example", firm=f"Zub{n}")
    three.settle()
    three.sales.merge("Lead", numbers[1], numbers[2])
    three.settle()
    three.sales.merge("Lead", numbers[0], numbers[1])
    three.settle()
    entity = links(three, "sales/Lead")[0].entity_id or 0
    with three.store.transaction() as connection:
        blank_entity(connection, entity)
        stored = connection.execute(Table.metadata.tables[table].select()).all()
    assert [row for row in stored if "Vukasovic" in str(row)] == []


def test_a_deleted_record_is_unlinked_and_never_comes_back(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", number)
    three.settle()
    assert three.sales.alive("Lead") == []
    assert len(three.service.alive("lead")) == 1
    service = only(three.service.alive("lead"))
    three.service.update("lead", service.id, title="Buyer")
    three.settle()
    assert three.sales.alive("Lead") == []
    three.sales.undelete("Lead", number)
    three.settle()
    assert only(three.sales.alive("Lead")).values["title"] == "Buyer"


def test_a_delete_is_propagated_where_that_is_asked_for(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", number)
    three.settle()
    assert three.service.alive("lead") == []
    assert three.profiles.alive("person") == []


def test_what_a_listing_lacks_is_gone_only_when_missing_twice(three: Three) -> None:
    number = three.profiles.create(
        "person", type="LEAD", first="Ann", last="Horvat", mails=["ann@plavi.example"]
    )
    three.sales.create("Lead", **ANN)
    three.settle()
    three.profiles.delete("person", number)
    three.profiles.expired = 10_000
    three.cycle()
    three.profiles.expired = 0
    three.settle()
    three.cycle()
    assert len(three.sales.alive("Lead")) == 1
    assert three.profiles.alive("person") == []  # its place is kept: it does not come back


@pytest.mark.parametrize("policy", ["unlink", "propagate"])
@pytest.mark.parametrize("source", ["service/lead", "profiles/person"])
def test_a_second_record_carries_on_where_the_first_is_gone(
    three: Three, source: str, policy: str
) -> None:
    three.deletes(Kind.LEAD, policy)
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    system, name = source.split("/")
    states = {link.state: link.record_id or "" for link in three.links(source)}
    three.systems[system].delete(name, states[LinkState.LIVE])
    for _ in range(3):
        a_day_later(three)
    three.sales.update("Lead", ann, title="Buyer")
    three.settle()
    assert three.systems[system].row(name, states[LinkState.SURPLUS]).values["title"] == "Buyer"
    assert not three.sales.row("Lead", ann).deleted
    assert three.whats().count("surplus record") == 1  # that of the third system
