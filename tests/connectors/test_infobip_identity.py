"""Whose a profile is: external ids, addresses, and writes that may touch one profile only."""

import copy
from collections.abc import Iterator

import pytest

from connectors.errors import TransientError
from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Action, Result, Write
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_writes import adding, change, jane, key, lose, only


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account)
    yield connector
    connector.close()


def test_practice_5_2_an_entry_whose_identifiers_are_three_persons_touches_none(
    account: Account,
) -> None:
    account.attributes["crm key"] = "STRING"
    account.add(externalId="K-7")
    account.add(contactInformation={"email": [{"address": "jane1@acme.com"}]})
    account.add(contactInformation={"phone": [{"number": "41793026727"}]})
    before = copy.deepcopy(account.persons)
    crm = connect(account, key_attribute="crm key")
    three = jane(phones=adding("+41793026727"), externalId="K-7")
    for writes in ([three], [three, jane(2)]):
        outcome = crm.write("person", writes)[0]
        assert outcome.result is Result.REJECTED
        assert outcome.faults.keys() == {"emails", "phones", "externalId"}
    assert {id: account.persons[id] for id in before} == before
    crm.close()


def test_practice_5_1_the_external_id_of_an_app_is_left_alone_and_the_profile_named_by_its_id(
    crm: InfobipConnector, account: Account
) -> None:
    mail = {"email": [{"address": "app@acme.com"}]}
    ids = [
        str(account.add(type="LEAD", externalId="app-1", contactInformation=mail)),
        str(account.add(type="LEAD", externalId="app-2")),
    ]
    emails = {"add": ["b@acme.com"], "remove": ["app@acme.com"]}
    crm.write("person", [change(ids[0], emails=emails)])
    crm.write("person", [change(id, city="Zug") for id in ids])
    crm.write("person", [Write(Action.CONVERT, key(1), id=ids[0])])
    row = account.persons[int(ids[0])]
    assert (row["externalId"], row["city"], row["type"]) == ("app-1", "Zug", "CUSTOMER")
    queries = [call.params for call in account.calls if call.method != "GET" and call.params]
    for call in account.calls:
        assert "externalId" not in str(call.body)
        if isinstance(call.body, dict):
            queries += [entry["query"] for entry in call.body.get("people", [])]
    assert {query["type"] for query in queries} == {"ID"}


def test_practice_5_1_a_business_id_is_the_external_id_where_our_key_stands_elsewhere(
    account: Account,
) -> None:
    account.attributes["crm key"] = "STRING"
    crm = connect(account, key_attribute="crm key")
    field = crm.describe()[0].fields["externalId"]
    assert (field.createable, field.updateable) == (True, False)
    values = {"type": "LEAD", "lastName": "Doe", "externalId": "K-7"}
    lose(account, "POST")
    with pytest.raises(TransientError):
        crm.write("person", [Write(Action.CREATE, key(1), values=values)])
    outcome = only(crm.write("person", [Write(Action.CREATE, key(1), values=values)]))
    assert (outcome.result, outcome.id) == (Result.DONE, "1")
    assert account.persons[1]["externalId"] == "K-7"
    changed = only(crm.write("person", [change("1", externalId="K-8")]))
    assert (changed.result, set(changed.faults)) == (Result.REJECTED, {"externalId"})
    crm.close()
