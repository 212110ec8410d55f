"""What a value is: sets without labels, flags, renditions, loops, references, look-ups."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sync_engine.models import Kind
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PROFILE = {"type": "LEAD", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}


@pytest.fixture
def three() -> Iterator[Three]:
    found = Three()
    yield found
    found.close()


def only(rows: list[Any]) -> Any:
    assert len(rows) == 1, rows
    return rows[0]


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
