"""Rows 84 to 89: what is refused, over HTTP for each vendor."""

import json
from typing import Any
from uuid import UUID

import pytest

from connectors import (
    Action,
    AuthError,
    RateLimitError,
    ResponseError,
    Result,
    Write,
)
from tests.connectors.front import wire
from tests.connectors.replies.place import Place, ids


def test_row_84_a_token_refused_once_in_mid_write_is_renewed_with_the_condition_kept(
    place: Place,
) -> None:
    number = place.bench.create(1)
    place.front.answer(place.bench.updates, wire(401, b"[]"))
    assert place.update(number).result is Result.DONE
    assert place.held(number) == "ours"
    sent = [a for a in place.front.asked if a.method == "PATCH"]
    assert len(sent) == 2
    if place.bench.condition:
        conditions = [one.headers[place.bench.condition] for one in sent]
        assert conditions[0] == conditions[1] != ""


def test_row_84_a_token_refused_for_ever_stops_the_instance_after_one_renewal(
    place: Place,
) -> None:
    place.listing()
    before = place.front.count(place.bench.lists)
    place.front.answer(place.bench.lists, wire(401, b"[]"), times=9)
    with pytest.raises(AuthError) as caught:
        place.listing()
    assert caught.value.remedy
    assert place.front.count(place.bench.lists) - before == 2


@pytest.mark.parametrize("life", [None, -5, 0, 10**9])
def test_row_84_a_token_of_any_life_is_used(service: Place, life: int | None) -> None:
    def change(told: Any) -> Any:
        told = {name: value for name, value in told.items() if name != "expires_in"}
        return told if life is None else told | {"expires_in": life}

    service.front.alter(("POST", "/token"), change, times=99)
    number = service.bench.create(1)
    assert ids(service.listing()) == [number]


def test_row_85_where_nothing_may_be_read_nothing_is_deleted(place: Place) -> None:
    place.bench.create(1)
    place.answer_page(wire(403, b'[{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]'))
    with pytest.raises(AuthError) as caught:
        place.listing()
    assert caught.value.remedy


def test_row_85_a_secured_column_is_named_and_the_other_fields_go(service: Place) -> None:
    number = service.bench.create(1)
    service.bench.server.post("switches", secured=["lead.jobtitle"])
    wish = Write(Action.UPDATE, UUID(int=1), number, {"jobtitle": "Buyer", "companyname": "Zeleni"})
    (outcome,) = service.bench.connector.write("lead", [wish])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"jobtitle"})
    (created,) = service.bench.connector.write(
        "lead", [Write(Action.CREATE, UUID(int=9), values={"lastname": "Horvat", "jobtitle": "x"})]
    )
    assert (created.result, set(created.faults)) == (Result.REJECTED, {"jobtitle"})


def test_row_85_a_field_that_may_not_be_written_is_named(sales: Place) -> None:
    number = sales.bench.create(1)
    refused = [
        {"errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "message": "x", "fields": ["Title"]}
    ]
    sales.front.answer(sales.bench.updates, wire(400, json.dumps(refused).encode()))
    outcome = sales.update(number)
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"Title"})


#: system -> the body of its 404; a 410 is documented by none of them
NOT_FOUND: dict[str, Any] = {
    "salesforce": [{"errorCode": "NOT_FOUND", "message": "x"}],
    "dynamics": {"error": {"code": "0x80040217", "message": "Does Not Exist"}},
    "infobip": {"errorCode": 40401, "errorMessage": "There is no person matching the query"},
}


@pytest.mark.parametrize("status", [404, 410])
def test_row_86_an_update_of_what_is_gone_goes_to_the_proof(place: Place, status: int) -> None:
    number = place.bench.create(1)
    body = NOT_FOUND[place.bench.plugin] if status == 404 else [{"message": "gone for good"}]
    place.front.answer(place.bench.updates, wire(status, json.dumps(body).encode()))
    assert place.update(number).result is Result.GONE
    assert place.held(number) is None  # and the proof finds it there


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("UNABLE_TO_LOCK_ROW", Result.RETRY),
        ("DUPLICATES_DETECTED", Result.REJECTED),
        ("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", Result.STALE),
        ("ENTITY_IS_DELETED", Result.GONE),
    ],
)
def test_row_87_what_salesforce_refuses_a_row_with(sales: Place, code: str, result: Result) -> None:
    number = sales.bench.create(1)
    body = json.dumps([{"errorCode": code, "message": "x", "fields": []}]).encode()
    sales.front.answer(sales.bench.updates, wire(400, body))
    assert sales.update(number).result is result


def test_row_87_a_duplicate_of_our_own_key_is_our_own_lost_create(sales: Place) -> None:
    (first,) = sales.create(1)
    error = {"statusCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}
    refused = [{"success": False, "errors": [error]}] * 2
    sales.front.answer(sales.bench.creates, wire(200, json.dumps(refused).encode()))
    again, other = sales.create(1, 2)
    assert (again.result, again.id) == (Result.DONE, first.id)
    assert other.result is Result.REJECTED


def test_row_88_several_rows_of_one_key_are_told_and_nothing_is_created(sales: Place) -> None:
    sales.front.answer(sales.bench.creates, wire(300, b'["/services/data/v60.0/x"]'))
    with pytest.raises(ResponseError):
        sales.create(1)


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("999999999", 3599, 3600),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3599, 3600),
        ("30", 29, 30),
    ],
)
def test_row_89_and_i_29_nobody_calls_before_the_time_that_was_named(
    place: Place, told: str, least: float, most: float
) -> None:
    place.listing()
    place.front.answer(place.bench.lists, wire(429, b"{}", Retry_After=told))
    with pytest.raises(RateLimitError):
        place.listing()
    before = len(place.front.asked)
    with pytest.raises(RateLimitError) as caught:
        place.listing()
    assert least <= (caught.value.retry_after or 0) <= most
    assert len(place.front.asked) == before


@pytest.mark.parametrize("told", ["-1", "abc", None])
def test_row_89_a_time_that_cannot_be_read_is_a_short_wait(place: Place, told: str | None) -> None:
    number = place.bench.create(1)
    headers = {} if told is None else {"Retry_After": told}
    place.answer_page(wire(429, b"{}", **headers))
    assert ids(place.listing()) == [number]
    assert place.clock.waits == [1.0]
