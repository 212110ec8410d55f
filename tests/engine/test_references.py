"""References between records: resolved once the other one is known, on every side."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync_engine.models import Kind
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


@pytest.fixture
def three() -> Iterator[Three]:
    found = Three()
    yield found
    found.close()


def only(rows: list[Any]) -> Any:
    assert len(rows) == 1, rows
    return rows[0]


def test_state_10_a_contact_read_before_its_company_gets_it(three: Three) -> None:
    three.cycle()
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    for _ in range(3):
        three.cycle(Kind.CUSTOMER)
    three.settle()
    three.cycle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_that_was_asked_about_reaches_its_people(three: Three) -> None:
    account = three.sales.create("Account", name="Plavi", vat="HR1")
    double = three.sales.create("Account", name="Plavi", vat="HR1")
    three.sales.create("Contact", **PERSON, account=account)
    three.settle()
    assert only(three.service.alive("contact")).values["account"] is None
    three.sales.update("Account", double, vat="HR2", name="Zeleni")
    three.sales.update("Account", account, name="Plavi d.o.o.")
    three.settle()
    created = next(r for r in three.service.alive("account") if r.values["vat"] == "HR1")
    assert only(three.service.alive("contact")).values["account"] == created.id


def test_state_10_a_company_created_later_reaches_its_people(three: Three) -> None:
    three.cycle()
    person = {"type": "CUSTOMER", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}
    company = three.profiles.create("company", vat="HR1")
    three.profiles.create("person", **person, company=company)
    three.settle()  # a company without a name is created nowhere
    assert only(three.service.alive("contact")).values["account"] is None
    three.profiles.update("company", company, name="Plavi")
    three.settle()
    created = only(three.service.alive("account"))
    assert only(three.service.alive("contact")).values["account"] == created.id
