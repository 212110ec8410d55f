"""Changes travel between three systems, and only once."""

from typing import Any

import pytest

from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def everywhere(three: Three) -> tuple[Any, Any, Any]:
    """The one lead of each system."""
    return (
        only(three.sales.alive("Lead")),
        only(three.service.alive("lead")),
        only(three.profiles.alive("person")),
    )


def test_a_lead_of_one_system_is_created_in_the_others(three: Three) -> None:
    three.sales.create("Lead", **ANN, phone="01 555 0101")
    three.settle()
    sales, service, profile = everywhere(three)
    assert service.values["mail"] == "ann@plavi.example"
    assert service.values["phone"] == "+38515550101"
    assert sales.values["phone"] == "01 555 0101"  # equal in its normal form: not rewritten
    assert profile.values["type"] == "LEAD"
    assert profile.values["mails"] == ["ann@plavi.example"]
    assert profile.values["phones"] == ["38515550101"]
    assert three.written() == {"sales": {}, "service": {"create": 1}, "profiles": {"create": 1}}


def test_practice_1_2_linking_equal_records_writes_nothing(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN | {"mail": "Ann@PLAVI.example"})
    three.profiles.create(
        "person", type="LEAD", first="Ann", last="Horvat", mails=["ann@plavi.example"]
    )
    three.settle()
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
    assert three.whats() == []


@pytest.mark.parametrize(
    ("who", "field", "value", "expected"),
    [
        ("sales", "title", "Buyer", ("Buyer", "Buyer", "Buyer")),
        ("service", "title", "Buyer", ("Buyer", "Buyer", "Buyer")),
        ("profiles", "title", "Buyer", ("Buyer", "Buyer", "Buyer")),
    ],
)
def test_an_edit_travels_from_anywhere(
    three: Three, who: str, field: str, value: str, expected: tuple[str, str, str]
) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    rows = dict(zip(("sales", "service", "profiles"), everywhere(three), strict=True))
    names = {"sales": "Lead", "service": "lead", "profiles": "person"}
    three.systems[who].update(names[who], rows[who].id, **{field: value})
    three.cycle()
    assert tuple(row.values[field] for row in everywhere(three)) == expected
    before = three.written()
    three.cycle()
    assert three.written() == before


def test_a_cleared_field_is_cleared_everywhere(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.sales.update("Lead", number, title=None)
    three.settle()
    assert [row.values["title"] for row in everywhere(three)] == [None, None, None]


def test_two_edits_of_one_field_are_a_conflict_with_the_loser_kept(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    sales, service, _ = everywhere(three)
    three.sales.update("Lead", sales.id, title="Buyer")
    run_at = three.clock.now()
    three.service.update("lead", service.id, title="Seller")
    run = three.cycle()
    assert run.started_at > run_at
    assert run.counts["conflicts"] == 1
    assert [row.values["title"] for row in everywhere(three)] == ["Buyer", "Buyer", "Buyer"]
    with three.store.reading() as connection:
        lost = only(three.store.entities.conflicts(connection, [run.id]))
    assert (lost.new, lost.lost["service"]["value"]) == ("Buyer", "Seller")


def test_edits_of_different_fields_both_stay(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    sales, service, _ = everywhere(three)
    three.sales.update("Lead", sales.id, title="Buyer")
    three.service.update("lead", service.id, mobile="091 555 0104")
    three.settle()
    rows = everywhere(three)
    assert [row.values["title"] for row in rows] == ["Buyer"] * 3
    assert rows[0].values["mobile"] == "+385915550104"
    assert rows[2].values["phones"] == ["385915550104"]


def test_practice_4_11_moving_a_number_writes_nothing_to_a_set(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, phone="01 555 0101")
    three.settle()
    before = three.written()["profiles"]
    three.sales.update("Lead", number, phone=None, mobile="01 555 0101")
    three.settle()
    assert three.written()["profiles"] == before
    assert everywhere(three)[1].values["mobile"] == "+38515550101"


def test_practice_4_11_an_unlabelled_number_is_what_the_others_call_it(three: Three) -> None:
    three.sales.create("Lead", **ANN, phone="01 555 0101")
    three.service.create("lead", **ANN, phone="01 555 0101")
    three.profiles.create(
        "person",
        type="LEAD",
        first="Ann",
        last="Horvat",
        mails=["ann@plavi.example"],
        phones=["38515550101"],
    )
    three.settle()
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
    sales, _, _ = everywhere(three)
    three.sales.update("Lead", sales.id, phone="01 555 0199")
    three.settle()
    assert everywhere(three)[2].values["phones"] == ["38515550199"]


def test_a_number_added_to_a_set_takes_a_free_slot(three: Three) -> None:
    three.sales.create("Lead", **ANN, mobile="091 555 0104")
    three.settle()
    profile = everywhere(three)[2]
    three.profiles.update("person", profile.id, phones=[*profile.values["phones"], "38515550101"])
    three.settle()
    sales, service, _ = everywhere(three)
    assert (sales.values["mobile"], sales.values["phone"]) == ("091 555 0104", "+38515550101")
    assert service.values["phone"] == "+38515550101"


def test_practice_4_9_a_side_with_less_address_never_shortens_it(three: Three) -> None:
    address = {"street": "Ilica 1", "city": "Zagreb", "zip": "10000", "country": "Croatia"}
    number = three.sales.create("Lead", **ANN, **address)
    three.settle()
    profile = everywhere(three)[2]
    assert profile.values["city"] == "Zagreb"
    three.profiles.update("person", profile.id, title="Buyer")
    three.settle()
    assert three.sales.row("Lead", number).values["zip"] == "10000"
    assert everywhere(three)[1].values["zip"] == "10000"


def test_practice_1_1_no_base_no_wipe(three: Three) -> None:
    three.sales.create("Lead", **ANN, title="Buyer", phone=None)
    three.service.create("lead", **ANN, title=None, phone="01 555 0101")
    three.settle()
    sales, service, _ = everywhere(three)
    assert (sales.values["title"], service.values["title"]) == ("Buyer", "Buyer")
    assert (sales.values["phone"], service.values["phone"]) == ("+38515550101", "01 555 0101")


def test_practice_1_3_the_first_sync_stops_before_its_first_write() -> None:
    three = Three(released=False)
    three.sales.create("Lead", **ANN)
    three.cycle()
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
    three.release()
    three.settle()
    assert three.written()["service"] == {"create": 1}
    three.close()


def test_practice_1_4_the_past_is_not_created_elsewhere(three: Three) -> None:
    converted = three.sales.create("Lead", **ANN)
    three.sales.convert("Lead", converted)
    old = three.service.create("lead", **ANN | {"last": "Weber", "mail": "weber@alt.example"})
    three.service.deactivate("lead", old)
    three.settle()
    assert three.sales.alive("Lead") == []
    assert len(three.service.alive("lead")) == 1
    customer = only(three.service.alive("contact"))
    assert customer.values["last"] == "Horvat"
    profile = only(three.profiles.alive("person"))
    assert profile.values["type"] == "CUSTOMER"


def test_practice_2_1_a_lead_never_links_to_a_customer(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    person = {k: v for k, v in ANN.items() if k != "firm"}
    three.service.create("contact", **person)
    three.settle()
    assert len(three.service.alive("lead")) == 1
    assert len(three.sales.alive("Contact")) == 1


def test_practice_2_2_a_couple_on_one_mailbox_stays_two(three: Three) -> None:
    for first in ("Stjepan", "Marija"):
        person = {"first": first, "last": "Filip", "mail": "obitelj@filip.example", "firm": "OPG"}
        three.sales.create("Lead", **person, mobile=f"091 555 01{len(first)}")
        three.service.create("lead", **person, mobile=f"091 555 01{len(first)}")
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 2
    assert {row.values["first"] for row in three.service.alive("lead")} == {"Stjepan", "Marija"}


def test_practice_2_3_who_resembles_somebody_there_is_not_created(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", first="Ana", last="Horvat", mail=None, firm="Plavi d.o.o.")
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1
    assert "possible duplicate" in three.whats()


def test_one_person_twice_in_one_system_is_asked(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    assert three.whats().count("identity") == 1  # practice 2.4: one question per cluster
    assert len(three.service.alive("lead")) == 1
    assert three.profiles.alive("person") == []


def test_practice_2_5_a_lead_whose_person_is_a_customer_is_covered(three: Three) -> None:
    person = {k: v for k, v in ANN.items() if k != "firm"}
    contact = three.sales.create("Contact", **person)
    three.settle()
    three.sales.create("Lead", **ANN)
    three.settle()
    assert only(three.profiles.alive("person")).values["type"] == "CUSTOMER"
    assert len(three.service.alive("lead")) == 1
    assert three.whats() == []
    three.sales.delete("Contact", contact)


def test_practice_4_1_an_opt_out_wins_and_travels(three: Three) -> None:
    three.sales.create("Lead", **ANN, noemail=False)
    three.service.create("lead", **ANN, noemail=True)
    three.settle()
    sales, service, profile = everywhere(three)
    assert [row.values["noemail"] for row in (sales, service, profile)] == [True, True, True]
    three.sales.update("Lead", sales.id, noemail=False)
    three.settle()
    assert [row.values["noemail"] for row in everywhere(three)] == [True, True, True]
    three.service.update("lead", service.id, noemail=False)
    three.settle()
    assert [row.values["noemail"] for row in everywhere(three)] == [False, False, False]


def test_a_lossy_system_settles_and_is_reported_once(three: Three) -> None:
    three.service.stored = lambda field, value: value[:12] if field == "title" and value else value
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Head of Logistics")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Head of Logistics"
    assert three.whats() == ["truncated"]
    service = only(three.service.alive("lead"))
    three.service.update("lead", service.id, title="Boss")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Boss"


def test_a_refused_field_is_held_and_the_others_go(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.rejects = {"title": "bad"}
    three.sales.update("Lead", number, title="bad", mobile="091 555 0104")
    three.settle()
    service = only(three.service.alive("lead"))
    assert (service.values["title"], service.values["mobile"]) == (None, "+385915550104")
    assert "rejected" in three.whats()
    three.sales.update("Lead", number, title="good")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "good"


def test_a_required_value_that_is_missing_holds_the_create(three: Three) -> None:
    three.profiles.create("person", type="LEAD", first="Ivana", last="Babić", mails=["i@b.example"])
    three.settle()
    assert three.sales.alive("Lead") == []
    assert "required value missing" in three.whats()


def test_one_system_down_does_not_stop_the_others(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.down = True
    three.sales.update("Lead", number, title="Buyer")
    three.cycle()
    assert only(three.profiles.alive("person")).values["title"] == "Buyer"
    three.service.down = False
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Buyer"


@pytest.mark.parametrize("who", ["service", "profiles"])
def test_a_lost_answer_creates_nobody_twice(three: Three, who: str) -> None:
    three.sales.create("Lead", **ANN)
    three.systems[who].lost_answers = 1
    three.settle()
    assert [len(rows) for rows in ([everywhere(three)[1]], [everywhere(three)[2]])] == [1, 1]


def test_a_lost_answer_to_an_update_is_settled(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.lost_answers = 1
    three.sales.update("Lead", number, title="Buyer")
    three.cycle()
    three.settle()
    assert [row.values["title"] for row in everywhere(three)] == ["Buyer"] * 3
    service = only(three.service.alive("lead"))
    three.service.update("lead", service.id, title="Boss")
    three.settle()
    assert [row.values["title"] for row in everywhere(three)] == ["Boss"] * 3


def test_a_lagging_feed_creates_nobody_twice(three: Three) -> None:
    three.cycle()
    three.service.lagging = three.service.position()
    three.service.create("lead", **ANN)
    three.sales.create("Lead", **ANN)
    three.settle()
    three.service.release()
    three.settle()
    assert len(three.service.alive("lead")) == 1
    assert len(three.sales.alive("Lead")) == 1


def test_an_expired_cursor_lists_anew_and_deletes_nothing(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.expired = 10_000
    three.settle()
    three.sales.expired = 0
    assert len(three.service.alive("lead")) == 1


def test_a_quiet_cycle_leaves_no_run_and_no_history(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    with three.store.reading() as connection:
        runs = three.store.registry.runs(connection, 20)
    quiet = three.cycle()
    assert not quiet.stored
    with three.store.reading() as connection:
        assert three.store.registry.runs(connection, 20) == runs
