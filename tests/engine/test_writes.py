"""What becomes of writes: answers that are lost, late, stale or a refusal."""

from datetime import timedelta
from typing import Any

import pytest

from connectors import Action, AuthError, ConnectorError, TransientError
from sync_engine.engine import new_run
from sync_engine.engine.before import HORIZON
from sync_engine.engine.decide import decide
from sync_engine.engine.pull import pull
from sync_engine.models import Kind, LinkState, Owes
from tests.engine.faults import (
    Busy,
    Failing,
    Meddler,
    Unanswered,
    crowd,
    links,
    only,
    opened,
    replaced,
    source,
)
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def past_horizon(three: Three) -> None:
    three.clock.time += HORIZON


def test_state_5_only_rows_past_their_horizon_are_closed(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    with replaced(three, "profiles/person", Unanswered) as late:

        def edit(title: str, minutes: int, *, answered: bool) -> None:
            three.clock.time += timedelta(minutes=minutes)
            three.sales.update("Lead", number, title=title)
            late.silent = not answered
            three.cycle()
            late.silent = False

        edit("First", 0, answered=False)
        late.kept = []  # never lands
        edit("Second", 13, answered=False)
        three.clock.time += timedelta(minutes=2)
        three.cycle()  # the first is past its horizon, the second is not
        edit("Third", 0, answered=True)
        late.land()
        three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Third"


def test_state_5_a_row_that_nobody_answered_is_closed_by_a_reading_past_the_horizon(
    three: Three,
) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.lost_answers = 1
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert opened(three) == 1
    past_horizon(three)
    three.cycle()
    assert opened(three) == 0


def test_state_5_an_open_row_of_a_converted_lead_is_closed(three: Three) -> None:
    three.cycle()
    with replaced(three, "service/lead", Unanswered) as late:
        late.silent = True
        three.sales.create("Lead", **ANN)
        three.cycle()
        late.silent, late.kept = False, []
        three.settle()
    three.service.convert("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert opened(three) == 1
    past_horizon(three)
    three.cycle()
    assert opened(three) == 0
    (lead,) = [k for k in links(three, "service/lead") if k.state is LinkState.CONVERTED]
    assert (lead.owes, lead.missing_at) == (Owes.NOTHING, None)


def test_state_5_a_parked_create_that_landed_is_found_by_its_key(three: Three) -> None:
    three.cycle()
    three.service.lagging = three.service.position()  # no feed will tell
    with replaced(three, "service/lead", Busy) as busy:
        three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
        while "parked" not in three.whats():
            three.clock.time += timedelta(hours=2)
            three.cycle()
    three.settle()
    assert opened(three) == 1
    busy.land()
    past_horizon(three)
    three.settle()
    assert opened(three) == 0
    assert only(links(three, "service/lead")).state is LinkState.LIVE
    assert three.whats() == []


def test_state_5_a_create_whose_answer_was_lost_is_looked_up_by_its_key(three: Three) -> None:
    three.cycle()
    three.service.lagging = three.service.position()  # no feed will tell
    three.service.lost_answers = 1
    three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")  # nor an address
    three.settle()
    assert three.written()["service"] == {"create": 1}
    assert only(links(three, "service/lead")).state is LinkState.LIVE
    assert opened(three) == 0


def test_state_5_an_outcome_is_not_the_last_word_where_the_record_moved_on(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    service = only(three.service.alive("lead"))
    lead = source(three, "service/lead")

    def edit_and_read() -> None:
        three.service.update("lead", service.id, title="Seller")
        pull(three.world, lead, new_run(three.world, "all"))

    three.sales.update("Lead", number, title="Buyer")
    with replaced(three, "service/lead", Meddler, edit_and_read):
        three.cycle()
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Seller"
    assert service.values["title"] == "Seller"


def test_state_5_eight_tries_park_a_write(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Buyer")
    with replaced(three, "service/lead", Busy) as busy:
        for _ in range(12):
            three.clock.time += timedelta(hours=2)
            three.cycle()
        assert busy.asked == 8
    three.clock.time += timedelta(hours=2)
    three.settle()
    assert only(three.service.alive("lead")).values["title"] is None
    assert three.whats() == ["parked"]


def test_state_7_what_is_decided_while_a_write_is_on_its_way_is_still_owed(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()

    def edit_and_decide() -> None:
        if three.sales.row("Lead", number).values["title"] == "Buyer":
            three.sales.update("Lead", number, title="Chief")
            run = new_run(three.world, "all")
            pull(three.world, source(three, "sales/Lead"), run)
            decide(three.world, three.world.syncs[Kind.LEAD], run)

    three.sales.update("Lead", number, title="Buyer")
    with replaced(three, "service/lead", Meddler, edit_and_decide):
        three.cycle()
    assert only(three.service.alive("lead")).values["title"] == "Chief"


def test_state_7_what_owes_a_reading_is_read_before_it_is_written(three: Three) -> None:
    """A decision taken meanwhile does not forget it."""
    number = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    profile = only(three.profiles.alive("person"))
    with replaced(three, "profiles/person", Failing, TransientError("no answer")):
        three.sales.update("Lead", number, title="Buyer")
        three.cycle()
    three.profiles.lagging = three.profiles.position()  # no feed will tell
    three.profiles.update("person", profile.id, title="Seller")
    three.sales.update("Lead", number, mobile="091 555 0104")
    three.cycle()
    assert profile.values["title"] == "Seller"


@pytest.mark.parametrize("error", [TransientError("no answer"), AuthError("who are you?")])
def test_state_5_calls_that_were_never_made_leave_no_open_rows(
    three: Three, error: ConnectorError
) -> None:
    three.service.max_batch = 2
    three.describe()
    with replaced(three, "service/lead", Failing, error):
        crowd(three, 5)
        three.cycle()
    assert opened(three) == 2
    three.settle()
    assert len(three.service.alive("lead")) == 5


def test_state_5_after_any_failed_call_a_record_is_read_again(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    with replaced(three, "service/lead", Failing, AuthError("who are you?")):
        three.sales.update("Lead", number, title="Buyer")
        three.cycle()
    assert only(links(three, "service/lead")).owes is Owes.REREAD
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Buyer"


def test_practice_4_1_nobody_is_created_without_the_opt_out(three: Three) -> None:
    three.profiles.rejects = {"noemail": True}
    number = three.sales.create("Lead", **ANN, noemail=True)
    three.settle()
    assert three.profiles.alive("person") == []
    assert "rejected" in three.whats()
    three.sales.update("Lead", number, title="Buyer")  # another value is no other opt-out
    three.settle()
    assert three.profiles.alive("person") == []
    three.profiles.rejects = {}
    three.sales.update("Lead", number, title="Seller")
    three.settle()
    assert only(three.profiles.alive("person")).values["noemail"] is True
    assert three.whats() == []


def test_practice_4_1_a_contact_waits_for_its_opt_out(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, noemail=False)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.rejects = {"noemail": True}
    three.sales.update("Lead", number, noemail=True, mail="new@plavi.example", title="Buyer")
    three.settle()
    assert (profile.values["mails"], profile.values["title"]) == (["ann@plavi.example"], "Buyer")
    three.sales.update("Lead", number, mail="newer@plavi.example", mobile="091 555 0104")
    three.settle()
    assert profile.values["mails"] == ["ann@plavi.example"]
    assert profile.values["phones"] == ["385915550104"]
    three.profiles.rejects = {}
    three.sales.update("Lead", number, noemail=False)
    three.settle()
    assert profile.values["mails"] == ["newer@plavi.example"]


def test_i_28_a_refused_conversion_is_not_tried_for_ever(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.rejects = {"type": "CUSTOMER"}
    contact = three.sales.convert("Lead", number)
    counts = [three.cycle().counts for _ in range(5)]
    assert sum(n for one in counts for name, n in one.items() if "convert rejected" in name) == 1
    assert three.whats().count("lead left as past") == 2  # there, and in the other CRM
    # it keeps its address, of which there may be one owner (practice 2.5)
    three.profiles.rejects = {}
    three.sales.update("Contact", contact, title="Buyer")
    three.settle()
    assert three.profiles.alive("person") == [profile]


@pytest.mark.parametrize("offered", [True, False])
def test_state_8_where_a_conversion_is_refused_a_customer_is_created(
    three: Three, *, offered: bool
) -> None:
    three.profiles.unique_addresses = ()
    three.profiles.rejects = {"type": "CUSTOMER"} if offered else {}
    if not offered:
        three.profiles.objects["person"].kind_by = None
    three.describe()
    number = three.sales.create("Lead", first="Ann", last="Horvat", firm="Plavi")
    three.settle()
    contact = three.sales.convert("Lead", number)
    three.cycle()
    three.profiles.rejects = {}
    three.sales.update("Contact", contact, title="Buyer")
    three.settle()
    kinds = sorted(row.values["type"] for row in three.profiles.alive("person"))
    assert kinds == ["CUSTOMER", "LEAD"]
    assert "convert" not in three.written()["profiles"]


def test_i_7_nothing_is_asked_that_a_system_does_not_offer(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.actions = three.service.actions - {Action.DELETE}
    three.describe()
    three.sales.delete("Lead", number)
    three.settle()
    assert "delete" not in three.written()["service"]
    assert three.whats() == ["rejected"]
    assert three.profiles.alive("person") == []


def test_state_8_a_customer_that_became_a_lead_is_not_written(three: Three) -> None:
    person: dict[str, Any] = {k: v for k, v in ANN.items() if k != "firm"}
    contact = three.sales.create("Contact", **person)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="LEAD")
    three.settle()
    assert three.whats() == ["customer became lead"]
    three.sales.update("Contact", contact, title="Buyer")
    three.profiles.update("person", profile.id, first="Anna")
    three.settle()
    assert profile.values["title"] is None
    assert three.sales.row("Contact", contact).values["first"] == "Ann"
    assert three.profiles.alive("person") == [profile]
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    assert profile.values["title"] == "Buyer"
    assert three.sales.row("Contact", contact).values["first"] == "Anna"
    assert three.whats() == []


def test_state_3_a_side_that_lists_late_gets_everybody(three: Three) -> None:
    everything = three.world.sources
    three.world.sources = [one for one in everything if one.instance != "service"]
    three.sales.create("Lead", **ANN)
    three.settle()
    three.world.sources = everything
    three.settle()
    assert len(three.service.alive("lead")) == 1
