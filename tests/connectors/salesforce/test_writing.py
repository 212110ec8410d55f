"""Writing to Salesforce: one outcome for each write, whatever the answers."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from connectors import (
    Action,
    AuthError,
    RateLimitError,
    ResponseError,
    Result,
    TransientError,
    Write,
)
from tests.connectors.processes import Server, simulator
from tests.connectors.salesforce_org import (
    ANN,
    CONTACT,
    creating,
    lead,
    opened,
    read,
    refuse,
    updating,
)

LOCKED = {
    "statusCode": "UNABLE_TO_LOCK_ROW",
    "message": "unable to obtain exclusive access to this record or 1 records: 001000000000001",
    "fields": [],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def sales(org: Server) -> Iterator[Any]:
    connector = opened(org)
    connector.check([])  # signed in
    yield connector
    connector.close()


def results(sales: Any, *writes: Write, name: str = "Lead") -> list[Result]:
    return [outcome.result for outcome in sales.write(name, writes)]


def test_outcomes_stand_in_order_with_a_bad_row_in_the_middle(org: Server, sales: Any) -> None:
    bad = {**ANN, "Email": "no address"}
    outcomes = sales.write("Lead", [creating(**ANN), creating(**bad), creating(**ANN)])
    assert [o.result for o in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert outcomes[1].faults == {"Email": "INVALID_EMAIL_ADDRESS"}
    assert "no address" not in outcomes[1].reason


def test_a_row_that_spoils_the_whole_call_is_found(org: Server, sales: Any) -> None:
    """A value of another type than its field's is refused for all 200 rows at once."""
    writes = [creating(LastName=f"N{n}", Birthdate="1980-02-01") for n in range(7)]
    writes[4] = creating(LastName="N4", Birthdate="long ago")
    outcomes = sales.write("Contact", writes)
    expected = [Result.DONE] * 4 + [Result.REJECTED] + [Result.DONE] * 2
    assert [outcome.result for outcome in outcomes] == expected
    assert outcomes[4].reason == "JSON_PARSER_ERROR"
    assert len(org.records("Contact")) == 6


def test_a_locked_row_does_not_hold_up_the_others(org: Server, sales: Any) -> None:
    number = lead(org)
    refused = {"success": False, "errors": [LOCKED], "created": False}
    refuse(org, "PATCH", "composite/sobjects", 200, refused)
    writes = [creating(**ANN), updating(number, {"Title": "Boss"})]
    assert results(sales, *writes) == [Result.RETRY, Result.DONE]


def test_after_a_lost_connection_the_rest_is_not_sent(org: Server, sales: Any) -> None:
    numbers = [lead(org, Email=f"n{n}@x.example") for n in range(3)]
    effect = {"drop": "before"}
    org.post("faults", method="PATCH", path="sobjects/Lead", skip=1, effect=effect)
    writes = [updating(number, {"Title": "Boss"}) for number in numbers]
    assert results(sales, *writes) == [Result.DONE, Result.RETRY, Result.RETRY]
    assert [read(sales, number).values["Title"] for number in numbers] == ["Boss", None, None]


def test_without_any_answer_nothing_is_known(org: Server, sales: Any) -> None:
    org.fault("PATCH", "sobjects/Lead", drop="after")
    with pytest.raises(TransientError):
        sales.write("Lead", [updating(lead(org), {"Title": "Boss"})])


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        (400, "UNABLE_TO_LOCK_ROW", Result.RETRY),
        (400, "STORAGE_LIMIT_EXCEEDED", Result.RETRY),
        (400, "SERVER_UNAVAILABLE", Result.RETRY),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", Result.REJECTED),
        (400, "ENTITY_IS_LOCKED", Result.REJECTED),
        (400, "CANNOT_UPDATE_CONVERTED_LEAD", Result.GONE),
        (400, "ENTITY_IS_DELETED", Result.GONE),
        (404, "ENTITY_IS_DELETED", Result.GONE),
        (404, "NOT_FOUND", Result.GONE),
        (412, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", Result.STALE),
        (400, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", Result.STALE),
        # one record that is not shared with our user, not the whole connection
        (403, "INSUFFICIENT_ACCESS_OR_READONLY", Result.REJECTED),
        (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Result.REJECTED),
    ],
)
def test_what_an_update_is_refused_with(
    org: Server, sales: Any, status: int, code: str, result: Result
) -> None:
    refuse(org, "PATCH", "sobjects/Lead", status, {"errorCode": code, "message": "Ann Horvat"})
    (outcome,) = sales.write("Lead", [updating(lead(org), {"Title": "Boss"})])
    assert outcome.result is result
    assert "Horvat" not in outcome.reason


def test_a_page_that_is_no_answer_of_the_api_says_nothing_of_a_record(
    org: Server, sales: Any
) -> None:
    org.fault("PATCH", "sobjects/Lead", status=404, body="<html>maintenance</html>")
    with pytest.raises(TransientError):
        sales.write("Lead", [updating(lead(org), {"Title": "Boss"})])


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("TotalRequests Limit exceeded.", 3600), ("ConcurrentRequests Limit exceeded.", 60)],
)
def test_a_limit_tells_when_to_come_back(
    org: Server, sales: Any, message: str, seconds: int
) -> None:
    error = {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": message}
    refuse(org, "PATCH", "sobjects/Lead", 403, error)
    with pytest.raises(RateLimitError) as caught:
        sales.write("Lead", [updating(lead(org), {"Title": "Boss"})])
    assert caught.value.retry_after == seconds


def test_a_closed_api_is_about_the_connection(org: Server, sales: Any) -> None:
    error = {"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}
    refuse(org, "PATCH", "sobjects/Lead", 403, error)
    with pytest.raises(AuthError, match="API_DISABLED_FOR_ORG"):
        sales.write("Lead", [updating(lead(org), {"Title": "Boss"})])


def test_a_company_that_is_gone_does_not_make_its_contact_gone(org: Server, sales: Any) -> None:
    contact = org.act("create", "Contact", values={"LastName": "Horvat"})["id"]
    company = org.act("create", "Account", values={"Name": "Plavi"})["id"]
    org.act("delete", "Account", id=company)
    values = {"AccountId": company}
    made, moved = (
        sales.write("Contact", [write])[0]
        for write in (creating(LastName="Novak", **values), updating(contact, values))
    )
    assert (made.result, moved.result) == (Result.REJECTED, Result.REJECTED)
    assert set(made.faults) == set(moved.faults) == {"AccountId"}
    # Salesforce does not always name the field
    error = {"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}
    refuse(org, "PATCH", "sobjects/Contact", 400, error)
    assert results(sales, updating(contact, values), name="Contact") == [Result.REJECTED]
    assert read(sales, contact, CONTACT).values["AccountId"] is None


def test_only_the_given_fields_are_written(org: Server, sales: Any) -> None:
    number = lead(org, Title="Buyer")
    record = read(sales, number)
    write = updating(number, {"Email": None}, record.version)
    assert results(sales, write) == [Result.DONE]
    assert read(sales, number).values == ANN | {"Email": None, "Title": "Buyer"}
    fields = [w["fields"] for w in org.get("journal")["writes"] if w["by"] == "api"]
    assert fields == [["Email"]]


def test_what_is_gone_is_gone(org: Server, sales: Any) -> None:
    gone, made = lead(org), lead(org, Email="b@x.example")
    org.act("delete", "Lead", id=gone)
    org.act("convert", "Lead", id=made)
    assert results(sales, *(updating(n, {"Title": "x"}) for n in (gone, made))) == [Result.GONE] * 2
    deletes = [Write(Action.DELETE, uuid4(), number) for number in (gone, made)]
    assert results(sales, *deletes) == [Result.GONE, Result.GONE]
    assert [row["IsDeleted"] for row in org.records("Lead")] == [True, False]


def test_deletes_are_answered_row_by_row(org: Server, sales: Any) -> None:
    numbers = [lead(org, Email=f"n{n}@x.example") for n in range(3)]
    answers = [
        {"success": False, "errors": [{"statusCode": code, "message": "", "fields": []}]}
        for code in ("DELETE_FAILED", "ENTITY_IS_DELETED", "UNABLE_TO_LOCK_ROW")
    ]
    refuse(org, "DELETE", "composite/sobjects", 200, *answers)
    deletes = [Write(Action.DELETE, uuid4(), number) for number in numbers]
    assert results(sales, *deletes) == [Result.REJECTED, Result.GONE, Result.RETRY]


def test_an_answer_of_another_length_is_no_answer(org: Server, sales: Any) -> None:
    refuse(org, "PATCH", "composite/sobjects", 200)
    with pytest.raises(TransientError):
        sales.write("Lead", [creating(**ANN)])


def test_a_refusal_that_nobody_knows_is_told_loudly(org: Server, sales: Any) -> None:
    refuse(org, "PATCH", "composite/sobjects", 415, {"errorCode": "UNSUPPORTED_MEDIA_TYPE"})
    with pytest.raises(ResponseError, match="UNSUPPORTED_MEDIA_TYPE"):
        sales.write("Lead", [creating(**ANN)])


def test_practice_7_2_an_assignment_rule_does_not_take_what_we_write(
    org: Server, sales: Any
) -> None:
    number = lead(org, Email="b@x.example")
    owner = org.records("Lead")[0]["OwnerId"]
    org.post("switches", assignment_rule=True)
    writes = [creating(**ANN), updating(number, {"Title": "Boss"})]
    assert results(sales, *writes) == [Result.DONE, Result.DONE]
    old, new = org.records("Lead")
    assert old["OwnerId"] == owner
    assert new["OwnerId"] == new["CreatedById"]


def test_practice_2_3_a_duplicate_rule_that_blocks_is_a_refusal(org: Server, sales: Any) -> None:
    lead(org)
    org.post("switches", duplicate_rule=True)
    outcome = sales.write("Lead", [creating(**ANN)])[0]
    assert (outcome.result, outcome.reason) == (Result.REJECTED, "DUPLICATES_DETECTED")


def test_an_expired_token_is_renewed_and_the_condition_kept(org: Server, sales: Any) -> None:
    number = lead(org)
    record = read(sales, number)
    org.post("clock", advance=3 * 3600)
    org.act("update", "Lead", id=number, values={"Title": "Buyer"})
    write = updating(number, {"Title": "Boss"}, record.version)
    assert results(sales, write) == [Result.STALE]


def test_practice_7_2_a_change_by_the_system_alone_is_stale_too(org: Server, sales: Any) -> None:
    """Last-Modified follows SystemModstamp: the record is read again, nothing is lost."""
    number = lead(org)
    record = read(sales, number)
    org.post("clock", advance=5)
    org.act("touch", "Lead", id=number)
    assert results(sales, updating(number, {"Title": "x"}, record.version)) == [Result.STALE]
    again = read(sales, number)
    assert again.modified_at == record.modified_at
    assert results(sales, updating(number, {"Title": "x"}, again.version)) == [Result.DONE]


def test_an_action_that_rest_does_not_know_is_refused(org: Server, sales: Any) -> None:
    number = lead(org)
    write = Write(Action.MERGE, uuid4(), number)
    assert results(sales, write, updating(number, {"Title": "x"})) == [Result.REJECTED, Result.DONE]


def test_practice_7_4_a_row_is_read_immediately_before_it_is_deleted(
    org: Server, sales: Any
) -> None:
    kept, gone = lead(org), lead(org, Email="b@x.example")
    versions = {number: read(sales, number).version for number in (kept, gone)}
    org.post("clock", advance=5)
    org.act("update", "Lead", id=kept, values={"Title": "Buyer"})
    deletes = [Write(Action.DELETE, uuid4(), n, version=versions[n]) for n in (kept, gone)]
    assert results(sales, *deletes) == [Result.STALE, Result.DONE]
    assert {row["Id"]: row["IsDeleted"] for row in org.records("Lead")} == {kept: False, gone: True}
    calls = [call["method"] for call in org.get("journal")["calls"]]
    assert calls[-2:] == ["GET", "DELETE"]
