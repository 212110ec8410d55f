"""What a system accepts and does not store is found by reading it back, and named."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors import Result
from sync_engine import operations
from sync_engine.models import Kind
from sync_engine.service import failed_writes
from tests.engine.faults import only
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
Habit = Callable[[Any], Any]


@pytest.fixture
def lead(three: Three) -> str:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    return number


def habit(three: Three, stores: Habit) -> None:
    """From now on the second system makes something of each title that it is given."""
    three.service.stored = lambda field, value: stores(value) if field == "title" else value


def titles(three: Three) -> tuple[Any, Any]:
    """In the first system and in the second."""
    return (
        only(three.sales.alive("Lead")).values["title"],
        only(three.service.alive("lead")).values["title"],
    )


def test_a_field_that_keeps_its_old_value_is_not_stored(three: Three, lead: str) -> None:
    habit(three, lambda _value: "Buyer")
    three.sales.update("Lead", lead, title="Chief")
    runs = [three.cycle() for _ in range(4)]
    assert titles(three) == ("Chief", "Buyer")  # the old value is no edit
    assert only(three.profiles.alive("person")).values["title"] == "Chief"
    issue = only(three.issues())
    assert (issue.what, issue.field_name) == ("not stored", "job_title")
    assert sum(failed_writes(run) for run in runs) == 1  # no such run is green
    assert sum(run.counts[f"leads service/lead update {Result.DONE}"] for run in runs) == 1
    told = operations.shown(three.face(), issue.id)
    assert "right to edit the field" in told.remedy
    habit(three, lambda value: value)  # the right is given
    operations.retry(three.face(), issue.id)
    three.settle()
    assert titles(three) == ("Chief", "Chief")
    assert three.whats() == []


def test_a_field_that_is_left_empty_on_creation_empties_no_other(three: Three) -> None:
    habit(three, lambda _value: None)
    three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    assert titles(three) == ("Buyer", None)
    assert three.whats() == ["not stored"]


def test_a_field_that_another_value_reaches_is_stored_again(three: Three, lead: str) -> None:
    habit(three, lambda value: "Buyer" if value == "Chief" else value)
    three.sales.update("Lead", lead, title="Chief")
    three.settle()
    three.sales.update("Lead", lead, title="Owner")
    three.settle()
    assert titles(three) == ("Owner", "Owner")
    assert three.whats() == []


def test_a_clear_that_is_ignored_is_found_by_reading(three: Three, lead: str) -> None:
    habit(three, lambda value: value or "Buyer")
    three.sales.update("Lead", lead, title=None)
    three.settle()
    assert titles(three) == (None, "Buyer")
    assert three.whats() == ["cannot be cleared"]


def test_the_beginning_of_a_value_is_truncated(three: Three, lead: str) -> None:
    habit(three, lambda value: value and value[:4])
    three.sales.update("Lead", lead, title="Head of Logistics")
    three.settle()
    assert titles(three) == ("Head of Logistics", "Head")
    assert three.whats() == ["truncated"]


def test_another_value_is_an_edit_that_is_told_once(three: Three, lead: str) -> None:
    habit(three, lambda value: "Mr. Chief" if value == "Chief" else value)
    three.sales.update("Lead", lead, title="Chief")
    three.settle()
    three.settle()
    assert titles(three) == ("Mr. Chief", "Mr. Chief")
    assert three.whats() == ["rewritten"]


def test_a_person_who_puts_the_old_value_back_is_heard(three: Three, lead: str) -> None:
    there = only(three.service.alive("lead"))
    three.sales.update("Lead", lead, title="Chief")
    three.cycle(Kind.LEAD)
    three.service.update("lead", there.id, title="Buyer")  # before our write is read again
    three.settle()
    assert titles(three) == ("Buyer", "Buyer")
    assert three.whats() == []


def test_a_form_of_ours_stays_no_edit_when_other_fields_are_written(
    three: Three, lead: str
) -> None:
    habit(three, lambda value: value and value.upper())
    three.sales.update("Lead", lead, title="Head of Logistics")
    three.settle()
    three.sales.update("Lead", lead, mobile="091 555 0104")
    three.settle()
    assert titles(three) == ("Head of Logistics", "HEAD OF LOGISTICS")
