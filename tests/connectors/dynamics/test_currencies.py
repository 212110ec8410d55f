"""Amounts with their currency: a lookup in Dynamics, a code of ISO 4217 here."""

from typing import Any
from uuid import uuid4

import pytest

from connectors import Action, Level, Refusal, Result, Selection, Write
from tests.connectors.dynamics_org import lead, read
from tests.connectors.processes import Server

CURRENCY = "_transactioncurrencyid_value"
PAID = Selection("lead", ("budgetamount", CURRENCY))
EURO, DOLLAR = (f"00000000-0000-0000-0000-00000000000{n}" for n in (5, 6))


def several(org: Server) -> None:
    known = org.post("switches")["currencies"]
    dollar = {"transactioncurrencyid": DOLLAR, "isocurrencycode": "USD", "statecode": 0}
    old = {"transactioncurrencyid": str(uuid4()), "isocurrencycode": "HRK", "statecode": 1}
    org.post("switches", currencies=[*known, dollar, old])


def errors(service: Any, selection: Selection) -> list[str]:
    return [one.what for one in service.check([selection]).findings if one.level is Level.ERROR]


def test_practice_4_7_an_amount_alone_is_refused_where_there_are_several_currencies(
    org: Server, service: Any
) -> None:
    alone = Selection("lead", ("budgetamount",))
    assert errors(service, alone) == []
    several(org)
    assert errors(service, alone) == ["lead.budgetamount is an amount without its currency"]
    assert errors(service, PAID) == []


def test_practice_4_7_a_converted_amount_is_refused(service: Any) -> None:
    converted = Selection("account", ("revenue_base", CURRENCY))
    (what,) = errors(service, converted)
    assert what.startswith("account.revenue_base is converted")


@pytest.mark.parametrize("code", ["EUR", "USD"])
def test_practice_4_7_a_currency_is_written_and_read_by_its_code(
    org: Server, service: Any, code: str
) -> None:
    several(org)
    values = {"budgetamount": 100.5, CURRENCY: code}
    written = values | {"lastname": "Horvat"}
    (made,) = service.write("lead", [Write(Action.CREATE, uuid4(), values=written)])
    assert read(service, made.id, PAID).values == values
    number = lead(org)
    (done,) = service.write("lead", [Write(Action.UPDATE, uuid4(), number, values)])
    assert (done.result, read(service, number, PAID).values) == (Result.DONE, values)
    row = next(one for one in org.records("lead") if one["leadid"] == number)
    assert row[CURRENCY] == {"EUR": EURO, "USD": DOLLAR}[code]


def test_practice_4_7_a_currency_that_is_not_there_is_that_fields_fault(
    org: Server, service: Any
) -> None:
    values = {"budgetamount": 1, CURRENCY: "JPY"}
    (refused,) = service.write("lead", [Write(Action.UPDATE, uuid4(), lead(org), values)])
    assert (refused.result, refused.refusal) == (Result.REJECTED, Refusal.REFERENCE)
    assert refused.faults == {CURRENCY: "0x80040217"}
