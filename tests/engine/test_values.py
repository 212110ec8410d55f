"""What a value is: sets without labels, flags, renditions, loops, references, look-ups."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sync_engine.models import Kind
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PROFILE = {"type": "LEAD", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}


def test_state_9_a_value_that_a_side_does_not_map_is_not_looked_up_there(three: Three) -> None:
    three.sales.create("Account", name="Plavi", vat="HR1", phone="01 555 0101")
    three.settle()
    assert len(three.profiles.alive("company")) == 1


def test_practice_8_1_colleagues_are_not_set_to_one_company(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    numbers = [
        three.sales.create(
            "Contact", first=f"P{n}", last=f"Name{n}", mail=f"p{n}@x.example", account=account
        )
        for n in range(30)
    ]
    three.settle()
    three.clock.time += timedelta(hours=25)  # after the day that follows a release
    for n, number in enumerate(numbers):
        three.sales.update("Contact", number, title=f"T{n}")
    three.cycle()
    assert three.whats() == []
    assert all(row.values["title"] for row in three.service.alive("contact"))


# --- sets without labels (Customer Profiles)


def linked_profile(three: Three, **more: Any) -> tuple[Any, Any]:
    """A lead of sales with two numbers, and its profile."""
    number = three.sales.create("Lead", **ANN, mobile="091 555 0104", phone="01 555 0101", **more)
    three.settle()
    return three.sales.row("Lead", number), only(three.profiles.alive("person"))


def test_practice_4_11_a_number_put_in_front_replaces_nothing(three: Three) -> None:
    lead, profile = linked_profile(three)
    three.profiles.update("person", profile.id, phones=["38512220000", *profile.values["phones"]])
    three.settle()
    assert (lead.values["mobile"], lead.values["phone"]) == ("091 555 0104", "01 555 0101")
    assert "38512220000" in profile.values["phones"]
    assert three.whats() == ["value without a place"]


def test_practice_4_11_a_number_without_a_place_takes_none_that_is_emptied(three: Three) -> None:
    lead, profile = linked_profile(three)
    three.profiles.update("person", profile.id, phones=["38512220000", *profile.values["phones"]])
    three.settle()
    three.sales.update("Lead", lead.id, mobile=None)
    three.settle()
    assert (lead.values["mobile"], lead.values["phone"]) == (None, "01 555 0101")
    assert sorted(profile.values["phones"]) == ["38512220000", "38515550101"]


def test_practice_4_11_an_address_that_we_did_not_put_there_stays(three: Three) -> None:
    mobile = "091 555 0104"
    lead = three.sales.create("Lead", **ANN, mobile=mobile)
    three.profiles.create(
        "person",
        **PROFILE | {"mails": ["own@x.example", "ann@plavi.example"]},
        phones=["385915550104"],
    )
    three.settle()
    profile = only(three.profiles.alive("person"))
    assert profile.values["mails"] == ["own@x.example", "ann@plavi.example"]
    three.sales.update("Lead", lead, mail="ann@other.example")
    three.settle()
    assert profile.values["mails"] == ["own@x.example", "ann@other.example"]


def test_practice_4_11_a_number_that_lost_a_conflict_stays(three: Three) -> None:
    lead, profile = linked_profile(three)
    three.sales.update("Lead", lead.id, mobile="091 555 0188")
    three.profiles.update("person", profile.id, phones=["385915550177", "38515550101"])
    three.settle()
    assert lead.values["mobile"] == "091 555 0188"
    assert sorted(profile.values["phones"]) == ["38515550101", "385915550177", "385915550188"]
    three.sales.update("Lead", lead.id, mobile=None)
    three.settle()
    assert lead.values["mobile"] is None  # the loser does not come back in its place


def test_practice_4_11_a_number_that_a_person_is_asked_about_is_not_forgotten(
    three: Three,
) -> None:
    three.policy(Kind.LEAD, "mobile", "manual")
    lead, profile = linked_profile(three)
    three.sales.update("Lead", lead.id, mobile="091 555 0188")
    three.profiles.update("person", profile.id, phones=["385915550177", "38515550101"])
    three.settle()
    three.sales.update("Lead", lead.id, title="Buyer")  # it is decided once more
    three.settle()
    assert three.whats() == ["conflict"]


# --- what a system stores otherwise than we wrote it


def cut(field: str, value: Any) -> Any:
    """A system that keeps twelve characters of a title."""
    return value[:12] if field == "title" and value else value


@pytest.mark.parametrize("lost_answers", [0, 1])
def test_state_6_what_a_create_stored_differently_is_no_edit(
    three: Three, lost_answers: int
) -> None:
    three.service.stored, three.service.lost_answers = cut, lost_answers
    number = three.sales.create("Lead", **ANN, title="Head of Logistics")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Head of Logistics"
    assert three.whats() == ["truncated"]


def test_state_6_only_what_we_wrote_last_is_stored_differently(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Head of Logistics")
    three.settle()
    service = only(three.service.alive("lead"))
    three.sales.update("Lead", number, mobile="091 555 0104")
    three.cycle()
    three.service.update("lead", service.id, title="HEAD OF LOGISTICS")  # before it is read again
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "HEAD OF LOGISTICS"
    assert three.whats() == []


# --- consent


def test_practice_4_1_an_unreadable_flag_counts_as_an_opt_out_where_messages_go_out(
    three: Three,
) -> None:
    number = three.sales.create("Lead", **ANN, noemail="unknown")
    three.settle()
    profile = only(three.profiles.alive("person"))
    assert profile.values["noemail"] is True
    assert only(three.service.alive("lead")).values["noemail"] is None  # nobody said it there
    three.sales.update("Lead", number, noemail=False)
    three.settle()
    assert profile.values["noemail"] is False
    three.sales.update("Lead", number, noemail="maybe")
    three.settle()
    assert profile.values["noemail"] is True
    assert only(three.service.alive("lead")).values["noemail"] is not True
    assert three.whats() == []


def test_practice_4_1_an_unreadable_flag_gives_no_permission(three: Three) -> None:
    three.sales.create("Lead", **ANN, noemail=False)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, noemail=True)
    three.settle()
    three.profiles.update("person", profile.id, noemail="unknown")
    three.settle()
    assert only(three.sales.alive("Lead")).values["noemail"] is True


def test_practice_4_1_the_opt_out_goes_with_the_contact_or_the_contact_waits(three: Three) -> None:
    three.profiles.rejects = {"noemail": True}
    number = three.sales.create("Lead", **ANN, noemail=True)
    three.settle()
    assert three.profiles.alive("person") == []
    three.sales.update("Lead", number, title="Buyer")  # it is tried again, as a whole
    three.settle()
    assert three.profiles.alive("person") == []
    three.profiles.rejects = {}
    three.sales.update("Lead", number, title="Seller")
    three.settle()
    assert only(three.profiles.alive("person")).values["noemail"] is True
    assert three.whats() == []


def test_practice_4_1_an_address_waits_for_an_opt_out_that_was_refused(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.rejects = {"noemail": True}
    three.sales.update("Lead", number, noemail=True, mail="new@plavi.example", title="Buyer")
    three.settle()
    assert profile.values["mails"] == ["ann@plavi.example"]
    assert profile.values["title"] == "Buyer"
    three.sales.update("Lead", number, noemail=False)
    three.settle()
    assert profile.values["mails"] == ["new@plavi.example"]


@pytest.mark.parametrize("here", [False, None])
def test_practice_4_1_a_merge_keeps_the_stricter(three: Three, here: bool | None) -> None:
    ann = three.sales.create("Lead", **ANN, noemail=here)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    rows = {row.values["last"]: row for row in three.service.alive("lead")}
    three.service.update("lead", rows["Horvath"].id, noemail=True)
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is True
    three.sales.update("Lead", ann, noemail=False)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is True  # it was set in service
    three.service.update("lead", rows["Horvat"].id, noemail=False)
    three.settle()
    assert three.sales.row("Lead", ann).values["noemail"] is False


# --- loops and stamps


def automation(mark: str) -> Callable[[str, Any], Any]:
    """A system that answers every title that we write with one of its own."""
    return lambda field, value: f"{value}{mark}" if field == "title" and value else value


def test_state_6_a_field_that_keeps_flipping_is_held(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.stored, three.service.stored = automation(" a"), automation(" b")
    three.sales.update("Lead", number, title="Buyer")
    for _ in range(12):
        three.cycle()
    before = three.written()
    assert "flipping" in three.whats()
    for _ in range(3):
        three.cycle()
    assert three.written() == before
    three.sales.update("Lead", number, mobile="091 555 0104")  # other fields still go
    three.settle()
    assert only(three.service.alive("lead")).values["mobile"] == "+385915550104"


def test_state_6_a_person_who_edits_again_and_again_is_no_loop(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    for n in range(12):
        three.sales.update("Lead", number, title=f"Title {n}")
        three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Title 11"
    assert three.whats() == []


def test_state_6_a_person_who_edits_in_every_run_is_no_loop(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    for n in range(12):
        three.sales.update("Lead", number, title=f"Title {n}")
        three.cycle()
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Title 11"
    assert three.whats() == []


def test_state_6_an_opt_out_that_a_system_takes_back_each_time_is_held(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.stored = lambda field, value: False if field == "noemail" else value
    three.sales.update("Lead", number, noemail=True)
    for _ in range(20):
        three.cycle()
    before = three.written()
    three.cycle()
    assert three.written() == before
    assert "not stored" in three.whats()
    assert three.sales.row("Lead", number).values["noemail"] is True


def test_practice_4_3_newest_goes_by_the_stamps_of_the_reads(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "newest")
    number = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    service = only(three.service.alive("lead"))
    three.sales.update("Lead", number, title="Older")
    for _ in range(30):  # other work of the system moves its clock on
        three.service.update("lead", service.id, firm="Plavi")
    three.service.update("lead", service.id, title="Newer")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Newer"
