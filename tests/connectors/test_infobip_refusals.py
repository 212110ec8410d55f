"""What the People API refuses, and what that means for a write."""

from collections.abc import Iterator

import httpx
import pytest

from connectors.errors import AuthError
from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Action, Result, Write
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_writes import adding, change, created, jane, key, only, refuse

BATCH = "/people/2/persons/batch"


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account)
    yield connector
    connector.close()


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (httpx.Response(409, json={"errorCode": 40902, "errorMessage": "lock"}), Result.RETRY),
        (httpx.Response(409, json={"errorCode": 40901, "errorMessage": "merge"}), Result.RETRY),
        (httpx.Response(405, json={"errorCode": 40500, "errorMessage": "x"}), Result.REJECTED),
        (httpx.Response(400, json={"code": 400100, "message": "x"}), Result.REJECTED),
        (
            httpx.Response(
                404, json={"requestError": {"serviceException": {"messageId": "NOT_FOUND"}}}
            ),
            Result.GONE,
        ),
    ],
)
def test_refusals_in_every_shape_become_outcomes(
    crm: InfobipConnector, account: Account, answer: httpx.Response, result: Result
) -> None:
    record = created(crm, jane())
    refuse(account, "PATCH", "/people/2/persons", answer)
    outcome = only(crm.write("person", [change(record.id, city="Zug")]))
    assert outcome.result is result


@pytest.mark.parametrize(
    "message",
    ["Tag VIP does not exist", "Custom attribute with name 'job_title' does not exist"],
)
def test_what_a_record_refers_to_may_be_missing_without_the_record_being_gone(
    crm: InfobipConnector, account: Account, message: str
) -> None:
    ids = [created(crm, jane(n)).id for n in (1, 2)]
    results = [
        {"status": 409, "query": {"type": "ID", "identifier": id}, "errors": [{"message": message}]}
        for id in ids
    ]
    refuse(account, "PATCH", BATCH, httpx.Response(207, json={"results": results}))
    outcomes = crm.write("person", [change(id, city="Zug") for id in ids])
    assert [outcome.result for outcome in outcomes] == [Result.REJECTED] * 2


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("Email address is invalid", {"emails"}),
        ("Phone number is invalid", {"phones"}),
        ("preferredLanguage: wrong type", {"preferredLanguage"}),
        ("address: too long", {"address"}),
        ("value of wrong type", set()),
    ],
)
def test_a_refusal_in_words_only_is_about_the_field_it_names(
    crm: InfobipConnector, account: Account, message: str, fields: set[str]
) -> None:
    results = [{"status": 409, "index": n, "errors": [{"message": message}]} for n in (0, 1)]
    refuse(account, "POST", BATCH, httpx.Response(207, json={"results": results}))
    told = {"address": "Main Street 1", "preferredLanguage": "en"}
    writes = [jane(n, phones=adding(f"+4179302672{n}"), **told) for n in (1, 2)]
    for outcome in crm.write("person", writes):
        assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, fields)


def test_a_tag_that_is_not_defined_or_no_more_is_defined_again(
    crm: InfobipConnector, account: Account
) -> None:
    lock = [httpx.Response(409, json={"errorCode": 40902, "errorMessage": "lock"})]
    account.before.append(
        lambda _, request: lock.pop() if request.url.path.endswith("/tags") and lock else None
    )
    assert only(crm.write("person", [jane(tags=adding("VIP"))])).result is Result.REJECTED
    assert only(crm.write("person", [jane(tags=adding("VIP"))])).result is Result.DONE
    account.tags.clear()  # a person deletes it in the portal
    assert only(crm.write("person", [jane(2, tags=adding("VIP"))])).result is Result.DONE


@pytest.mark.parametrize(
    ("status", "code"), [(403, 0), (405, 40501), (405, 40502)], ids=["scope", "read-only", "no API"]
)
def test_where_nothing_may_be_written_a_person_must_act(
    crm: InfobipConnector, account: Account, status: int, code: int
) -> None:
    body = {"errorCode": code, "errorMessage": ""} if code else {}
    refuse(account, "POST", "/people/2/persons", httpx.Response(status, json=body))
    with pytest.raises(AuthError) as caught:
        crm.write("person", [jane()])
    assert caught.value.remedy


def test_what_cannot_be_done_is_rejected(crm: InfobipConnector) -> None:
    for action in (Action.MERGE, Action.DEACTIVATE, Action.UNDELETE):
        outcome = only(crm.write("person", [Write(action, key(1), id="1")]))
        assert outcome.result is Result.REJECTED
