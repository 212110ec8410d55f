"""What the guard counts before it lets a push go (practice 8.1)."""

from datetime import timedelta

import pytest

from connectors import TransientError
from sync_engine.models import Kind
from tests.engine.faults import Failing, crowd, replaced
from tests.engine.three import Three


def later(three: Three) -> None:
    """After the day that follows a release."""
    three.clock.time += timedelta(hours=25)


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
    three.deletes(Kind.LEAD, "propagate")
    numbers = crowd(three, 40)
    three.settle()
    for number in numbers[:15]:
        three.sales.delete("Lead", number)
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
    three.deletes(Kind.LEAD, "propagate")
    numbers = crowd(three, 20)
    three.settle()
    for number in numbers[:15]:
        three.sales.delete("Lead", number)
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
