"""What the guard counts before it lets a push go (practice 8.1)."""

from datetime import timedelta

import pytest

from connectors import Owner, TransientError
from sync_engine.models import Kind
from tests.engine.faults import Failing, crowd, replaced
from tests.engine.three import Three


def later(three: Three) -> None:
    """After the day that follows a release."""
    three.clock.time += timedelta(hours=25)


def deleting(three: Three, some: int, number: int) -> list[str]:
    """So many leads of a crowd are deleted in Salesforce, where deletes are followed."""
    three.deletes(Kind.LEAD, "propagate")
    numbers = crowd(three, number)
    three.settle()
    for one in numbers[:some]:
        three.sales.delete("Lead", one)
    return numbers


def retitle(three: Three, numbers: list[str], title: str) -> None:
    for number in numbers:
        three.sales.update("Lead", number, title=title)


def called(three: Three, title: str) -> int:
    return len([r for r in three.service.alive("lead") if r.values["title"] == title])


def test_practice_8_1_one_same_value_is_counted_over_a_day(three: Three) -> None:
    numbers = crowd(three, 40)
    for n, number in enumerate(numbers):
        three.sales.update("Lead", number, title=f"T{n}")
    three.settle()
    later(three)
    for part in (numbers[:15], numbers[15:30]):
        retitle(three, part, "X")
        three.cycle()
    assert called(three, "X") == 15
    assert "guard" in three.whats()


def test_practice_8_1_different_values_are_no_mass_change(three: Three) -> None:
    numbers = crowd(three, 40)
    three.settle()
    later(three)
    for value, part in zip("XYZ", (numbers[:15], numbers[15:30], numbers[30:]), strict=True):
        retitle(three, part, value)
        three.cycle()
    assert [called(three, value) for value in "XYZ"] == [15, 15, 10]
    assert three.whats() == []


def test_practice_8_1_a_field_filled_with_one_value_counts(three: Three) -> None:
    numbers = crowd(three, 60)
    three.settle()
    later(three)
    retitle(three, numbers, "X")
    three.cycle()
    assert called(three, "X") == 0
    assert "guard" in three.whats()


def test_practice_8_1_tries_that_failed_are_not_creates(three: Three) -> None:
    crowd(three, 1)
    three.settle()
    later(three)
    with replaced(three, "service/lead", Failing, TransientError("out of order")):
        crowd(three, 30, "Q")
        for _ in range(3):
            three.cycle()
    three.settle()
    assert "guard" not in three.whats()
    assert len(three.service.alive("lead")) == 31


def test_practice_8_1_creates_are_counted_after_the_first_day(three: Three) -> None:
    crowd(three, 60)  # more than the limit: the first sync creates what it must
    three.settle()
    assert len(three.service.alive("lead")) == 60
    later(three)
    crowd(three, 30, "Q")
    three.settle()
    assert three.whats() == []
    crowd(three, 30, "R")
    three.settle()
    assert len(three.service.alive("lead")) == 90
    assert "guard" in three.whats()


def test_practice_8_1_a_release_lets_go_what_was_shown_once(three: Three) -> None:
    numbers = deleting(three, 15, 40)
    three.settle()
    assert len(three.service.alive("lead")) == 40
    let_go = three.face().release("leads")
    assert let_go == {"delete": 30}  # fifteen on each of the others
    three.settle()
    assert len(three.service.alive("lead")) == len(three.profiles.alive("person")) == 25
    assert three.whats() == []
    three.sales.delete("Lead", numbers[15])
    three.settle()
    assert len(three.service.alive("lead")) == 25
    assert set(three.whats()) == {"guard"}


def test_practice_8_1_one_same_value_that_was_released_goes_once(three: Three) -> None:
    numbers = crowd(three, 60)
    three.settle()
    later(three)
    retitle(three, numbers[:30], "X")
    three.settle()
    assert three.face().release("leads") == {"same:job_title": 60}
    three.settle()
    assert called(three, "X") == 30
    retitle(three, numbers[30:], "Y")
    three.settle()
    assert called(three, "Y") == 0


def test_practice_8_1_updates_go_on_while_deletes_wait(three: Three) -> None:
    numbers = deleting(three, 15, 20)
    retitle(three, numbers[15:], "X")
    three.settle()
    assert (len(three.service.alive("lead")), called(three, "X")) == (20, 5)


def test_practice_8_1_a_mass_delete_stops(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate")
    numbers = [
        three.sales.create("Lead", first=f"P{n}", last=f"Name{n}", mail=f"p{n}@x.example", firm="F")
        for n in range(15)
    ]
    three.settle()
    for number in numbers:
        three.sales.delete("Lead", number)
    three.cycle()
    assert len(three.service.alive("lead")) == 15
    assert "guard" in three.whats()


def test_practice_8_1_clears_are_counted_over_a_day(three: Three) -> None:
    numbers = [
        three.sales.create(
            "Lead", first=f"P{n}", last=f"Name{n}", mail=f"p{n}@x.example", firm="F", title="T"
        )
        for n in range(60)
    ]
    three.settle()
    for number in numbers[:15]:
        three.sales.update("Lead", number, title=None)
    three.cycle()
    cleared = [row for row in three.service.alive("lead") if row.values["title"] is None]
    assert len(cleared) == 15
    for number in numbers[15:30]:
        three.sales.update("Lead", number, title=None)
    three.cycle()
    cleared = [row for row in three.service.alive("lead") if row.values["title"] is None]
    assert len(cleared) == 15
    assert "guard" in three.whats()


@pytest.mark.parametrize("left", [0, 4])
def test_row_94_a_list_that_is_suddenly_empty_deletes_nobody(three: Three, left: int) -> None:
    three.deletes(Kind.LEAD, "propagate")
    crowd(three, 40)
    three.settle()
    leads = three.sales.objects["Lead"]
    everybody = leads.rows
    leads.rows = dict(list(everybody.items())[:left])  # our user lost its permission
    three.sales.expired = 10_000
    for _ in range(4):
        three.cycle()
    assert "guard" in three.whats()
    assert len(three.service.alive("lead")) == len(three.profiles.alive("person")) == 40
    leads.rows, three.sales.expired = everybody, 0
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 40


def risks(three: Three) -> list[str]:
    """What the guard has stopped, and where."""
    return sorted(f"{three.world.source(one.source_id or 0).name} {one.detail['risk']}"
                  for one in three.issues() if one.what == "guard")  # fmt: skip


def test_practice_8_1_a_stop_ends_when_the_values_are_put_back(three: Three) -> None:
    numbers = crowd(three, 60)
    three.settle()
    later(three)
    retitle(three, numbers, "X")
    three.cycle()
    assert risks(three) == ["profiles/person same:job_title", "service/lead same:job_title"]
    retitle(three, numbers, "")
    three.settle()
    assert three.whats() == []
    assert called(three, "X") == 0


def test_practice_8_1_a_stop_ends_when_the_records_are_back(three: Three) -> None:
    numbers = deleting(three, 15, 40)
    three.cycle()
    assert risks(three) == ["profiles/person delete", "service/lead delete"]
    for number in numbers[:10]:
        three.sales.undelete("Lead", number)
    three.settle()
    assert three.whats() == []
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 35


def test_practice_8_1_a_stop_tells_the_numbers_of_now(three: Three) -> None:
    numbers = deleting(three, 15, 40)
    three.cycle()
    before = {one.id for one in three.issues()}
    for number in numbers[15:20]:
        three.sales.delete("Lead", number)
    three.cycle()
    assert {one.id for one in three.issues()} == before
    assert {one.detail["planned"] for one in three.issues()} == {20}
    assert {one.detail["allowed"] for one in three.issues()} == {10}
    assert three.face().release("leads") == {"delete": 40}


@pytest.mark.parametrize("left", [5, 6])
def test_practice_8_1_a_side_may_not_lose_more_than_half(three: Three, left: int) -> None:
    """Few as they are: twelve less six may have been deleted, twelve less seven are doubted."""
    three.deletes(Kind.LEAD, "propagate")
    crowd(three, 12)
    three.settle()
    for row in three.profiles.alive("person")[left:]:
        three.profiles.delete("person", row.id)
    for _ in range(3):
        later(three)
        three.cycle()
    stopped = left == 5
    assert ("guard" in three.whats()) is stopped
    assert len(three.sales.alive("Lead")) == (12 if stopped else 6)


def test_practice_8_1_a_listing_is_asked_for_again_and_ends_its_stop(three: Three) -> None:
    """A system with a delete feed is listed seldom; what it does not show now it may show soon."""
    crowd(three, 40)
    three.settle()
    leads = three.sales.objects["Lead"]
    everybody = leads.rows
    leads.rows, three.sales.expired = {}, 10_000
    three.cycle()
    assert risks(three) == ["sales/Lead missing"]
    leads.rows, three.sales.expired = everybody, 0
    three.cycle()
    assert risks(three) == ["sales/Lead missing"]
    later(three)
    three.cycle()
    three.cycle()
    assert three.whats() == []


def test_practice_8_1_a_side_that_shows_all_again_ends_the_stop_of_its_listing(
    three: Three,
) -> None:
    crowd(three, 40)
    three.settle()
    lost = three.profiles.alive("person")[:20]
    for row in lost:
        row.deleted = True
    later(three)
    three.cycle()
    assert risks(three) == ["profiles/person missing"]
    for row in lost:
        row.deleted = False
    later(three)
    three.settle()
    assert three.whats() == []


def test_practice_8_1_conversions_are_counted(three: Three) -> None:
    numbers = crowd(three, 40)
    three.settle()
    later(three)
    for number in numbers[:15]:
        three.sales.convert("Lead", number)
    three.settle()
    assert "profiles/person convert" in risks(three)
    types = [row.values["type"] for row in three.profiles.alive("person")]
    assert types.count("CUSTOMER") == 0


def test_practice_8_1_a_first_sync_by_a_clock_that_was_ahead_lets_nothing_go(
    three: Three,
) -> None:
    """The day in which a first sync may create at will cannot begin in the future."""
    crowd(three, 60)
    three.clock.time += timedelta(days=400)
    three.release()
    three.settle()
    three.clock.time -= timedelta(days=390)
    crowd(three, 70, "Q")
    three.settle()
    assert len(three.service.alive("lead")) == 60
    assert "guard" in three.whats()


#: what is taken for the first name is the last one, and the reverse
SWAPPED = {"first_name": "last", "last_name": "first"}


def test_practice_8_1_a_mapping_that_reads_many_records_otherwise_is_stopped(three: Three) -> None:
    numbers = crowd(three, 60)
    three.settle()
    before = three.written()
    three.remap(SWAPPED, "sales/Lead")
    three.sales.update("Lead", numbers[0], title="Chief")
    crowd(three, 1, "Q")
    for _ in range(3):
        three.cycle()
    assert three.written() == before
    assert risks(three) == ["sales/Lead remapped:first_name", "sales/Lead remapped:last_name"]
    assert "put the mapping back" in three.world.down["sales"]
    three.remap({}, "sales/Lead")  # put back: what was done meanwhile travels, and nothing else
    three.settle()
    assert three.whats() == []
    assert {row.values["first"] for row in three.service.alive("lead")} == {"P", "Q"}
    assert called(three, "Chief") == 1
    written = three.written()["service"]
    assert (written["create"], written["update"]) == (61, 1)


def test_practice_8_1_a_mapping_that_is_meant_is_released(three: Three) -> None:
    numbers = crowd(three, 60)
    for number in numbers:
        three.sales.update("Lead", number, description=f"Chief {number}", title=f"Boss {number}")
    three.settle()
    three.remap({"job_title": "description", "description": None}, "service/lead")
    three.cycle()
    assert risks(three) == ["service/lead remapped:job_title"]
    three.face().release("leads")
    three.settle()
    assert three.whats() == []
    there = {row.values["description"] for row in three.service.alive("lead")}
    assert there == {f"Boss {number}" for number in numbers}


def test_practice_8_1_other_owners_are_counted_whoever_they_are(three: Three) -> None:
    everybody = tuple(Owner(f"user {n}", f"user{n}@plavi.example") for n in range(25))
    three.sales.owners = three.service.owners = everybody
    for side in ("sales/Lead", "service/lead"):
        three.remap({"owner": {"field": "description"}, "description": None}, side)
    numbers = crowd(three, 60)
    three.settle()
    later(three)
    for n, number in enumerate(numbers[:25]):
        three.sales.update("Lead", number, description=f"user {n}")
    three.cycle()
    assert risks(three) == ["service/lead owner"]
    assert {row.values["description"] for row in three.service.alive("lead")} == {None}
