"""Writing companies, and the company of a person."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.errors import TransientError
from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Action, Result, Selection, Write
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_writes import (
    adding,
    change,
    created,
    jane,
    key,
    lose,
    only,
    read,
)

FIRMS = Selection("company", ("name", "country", "domains"))


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account)
    yield connector
    connector.close()


def test_practice_4_8_a_persons_company_is_a_membership_and_an_attribute(
    crm: InfobipConnector, account: Account
) -> None:
    first, second = account.add_company(name="First"), account.add_company(name="Second")
    record = created(crm, jane(company=str(first)))
    assert record.values["company"] == str(first)
    assert account.members == {first: {int(record.id)}}
    account.members[second] = {777}  # somebody else's doing stays
    assert only(crm.write("person", [change(record.id, company=str(second))])).result is Result.DONE
    assert account.members == {first: set(), second: {777, int(record.id)}}
    assert only(crm.write("person", [change(record.id, company=None)])).result is Result.DONE
    assert account.members == {first: set(), second: {777}}
    assert read(crm, record.id).values["company"] is None


def test_practice_4_8_what_we_did_not_set_of_a_person_stays(
    crm: InfobipConnector, account: Account
) -> None:
    ours, theirs = account.add_company(name="Ours"), account.add_company(name="Theirs")
    record = created(crm, jane(tags=adding("mapped")))
    number = int(record.id)
    account.members[theirs] = {number}
    account.persons[number]["tags"] += ["of marketing"]
    account.persons[number]["customAttributes"] = {"loyalty": 5}
    for company in (str(ours), None):
        taken = {"add": [], "remove": ["mapped"]}
        write = change(record.id, company=company, tags=taken, firstName="Jane")
        assert only(crm.write("person", [write])).result is Result.DONE
    assert number in account.members[theirs]
    assert account.persons[number]["tags"] == ["of marketing"]
    assert account.persons[number]["customAttributes"]["loyalty"] == 5


@pytest.mark.parametrize("leaving", [True, False])
def test_a_person_who_goes_meanwhile_keeps_nobody_else_from_moving(
    crm: InfobipConnector, account: Account, leaving: bool
) -> None:
    firm = account.add_company(name="First")
    company = {"company": str(firm)} if leaving else {}
    ids = [created(crm, jane(n, **company)).id for n in (1, 2, 3)]

    def goes(_: Account, request: httpx.Request) -> None:
        if request.url.path == "/people/2/companies/persons":
            account.persons.pop(int(ids[1]), None)

    account.before.append(goes)
    wanted = None if leaving else str(firm)
    outcomes = crm.write("person", [change(id, company=wanted) for id in ids])
    assert [o.result is Result.DONE for o in outcomes] == [True, False, True]
    assert outcomes[1].result in (Result.RETRY, Result.GONE)
    left = account.members[firm] - {int(ids[1])}
    assert left == (set() if leaving else {int(ids[0]), int(ids[2])})


def test_leaving_a_company_that_is_gone_is_no_call(crm: InfobipConnector, account: Account) -> None:
    firm = account.add_company(name="First")
    ids = [created(crm, jane(n, company=str(firm))).id for n in range(1, 9)]
    del account.companies[firm]
    outcomes = crm.write("person", [change(id, company=None) for id in ids])
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert account.count("DELETE", "/people/2/companies/persons") == 0


def test_the_membership_comes_before_the_attribute(crm: InfobipConnector, account: Account) -> None:
    firm = account.add_company(name="First")
    record = created(crm, jane())
    lose(account, "PATCH")
    with pytest.raises(TransientError):
        crm.write("person", [change(record.id, company=str(firm))])
    assert account.members == {firm: {int(record.id)}}
    assert read(crm, record.id).values["company"] is None


def test_a_company_that_is_not_there_is_a_fault_of_that_field(
    crm: InfobipConnector, account: Account
) -> None:
    born = only(crm.write("person", [jane(company="404")]))
    assert (born.result, dict(born.values)) == (Result.DONE, {"company": None})
    assert born.faults.keys() == {"company"}
    outcome = only(crm.write("person", [change(str(born.id), company="404", city="Zug")]))
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"company"})


def firm(number: int, name: str, **values: Any) -> Write:
    return Write(Action.CREATE, key(number), values={"name": name, **values})


@pytest.mark.parametrize("number", [1, 3])
def test_companies_are_created_once(crm: InfobipConnector, account: Account, number: int) -> None:
    writes = [firm(n, f"Firm {n}", domains=adding(f"{n}.com")) for n in range(1, number + 1)]
    lose(account, "POST")
    with pytest.raises(TransientError):
        crm.write("company", writes)
    outcomes = crm.write("company", writes)
    assert [outcome.result for outcome in outcomes] == [Result.DONE] * number
    assert [o.id for o in outcomes] == [str(id) for id in account.companies]
    [record] = crm.fetch(FIRMS, "key", [str(key(1))])
    assert record.values == {"name": "Firm 1", "country": None, "domains": ["1.com"]}


def test_names_and_domains_of_other_companies_are_faults(
    crm: InfobipConnector, account: Account
) -> None:
    account.add_company(name="Acme", domains=["acme.com"])
    same_name = firm(1, "ACME")
    same_domain = firm(2, "Other", domains=adding("acme.com"))
    outcomes = crm.write("company", [same_name, firm(3, "Fine"), same_domain])
    assert [o.result for o in outcomes] == [Result.REJECTED, Result.DONE, Result.REJECTED]
    assert outcomes[2].faults.keys() == {"domains"}
    assert only(crm.write("company", [firm(4, "X", domains=adding("acme.com"))])).faults


def test_a_company_is_updated_and_its_domains_replaced_by_what_is_left(
    crm: InfobipConnector, account: Account
) -> None:
    id = account.add_company(name="Acme", domains=["acme.com", "old.com"], country="CH")
    other = account.add_company(name="Beta", country="CH")
    [record] = crm.fetch(FIRMS, "id", [str(id)])
    domains = {"add": ["new.com"], "remove": ["old.com"]}
    writes = [
        change(record.id, record.version, domains=domains, country=None),
        change(str(other), country="DE"),
        change("999", country="DE"),
    ]
    outcomes = crm.write("company", writes)
    assert [o.result for o in outcomes] == [Result.DONE, Result.DONE, Result.GONE]
    [after] = crm.fetch(FIRMS, "id", [str(id)])
    assert after.values == {"name": "Acme", "country": None, "domains": ["acme.com", "new.com"]}
    assert account.companies[other]["country"] == "DE"
    stale = crm.write("company", [change(record.id, record.version, country="AT")])
    assert only(stale).result is Result.STALE
