"""The Salesforce simulator takes and refuses writes as Salesforce does, asked by plain HTTP.

Pinned by recorded answers (tests/fixtures/salesforce) and by the REST API Developer Guide,
whose pages are named where they rule.
"""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.connectors.processes import Server
from tests.simulators.salesforce.api import (
    ANN,
    KEY,
    RECORDED,
    ROOT,
    collection,
    found,
    insert,
    refusal,
    shape,
)

# rows


def test_recorded_answers_of_writes(api: httpx.Client) -> None:
    made = api.post("sobjects/Account/", json={"Name": "xyzzy", "AccountNumber": "420"})
    assert (made.status_code, shape(made.json())) == (201, shape(RECORDED["insert"]["body"]))
    assert made.headers["Location"] == f"{ROOT}/sobjects/Account/{made.json()['id']}"
    number, account = made.json()["id"], {"attributes": {"type": "Account"}}
    row = account | {"Id": number, "NumberOfEmployees": "10000"}
    changed = api.patch("composite/sobjects", json={"allOrNone": False, "records": [row]})
    assert shape(changed.json()) == shape(RECORDED["update"]["body"])
    assert api.get(f"sobjects/Account/{number}").json()["NumberOfEmployees"] == 10000
    row = account | {"Name": "Plavi", KEY: "k-1"}
    upserted = api.patch(f"composite/sobjects/Account/{KEY}", json={"records": [row]})
    assert shape(upserted.json()) == shape(RECORDED["upsert"]["body"])
    answer, expected = api.get("sobjects/Foo/001000000000001AAA"), RECORDED["no such resource"]
    assert (answer.status_code, answer.json()) == (expected["status"], expected["body"])


def test_a_row_lives_and_dies(api: httpx.Client) -> None:
    number = insert(api, FirstName=" Ann ", Title="")
    assert len(number) == 18
    row = api.get(f"sobjects/Lead/{number[:15]}").json()
    assert (row["Id"], row["FirstName"], row["Title"], row["Name"]) == (
        number,
        "Ann",
        None,
        "Ann Horvat",
    )
    assert (row["Status"], row["IsConverted"]) == ("Open - Not Contacted", False)
    changed = api.patch(f"sobjects/Lead/{number}", json={"FirstName": None})
    assert (changed.status_code, changed.content) == (204, b"")
    assert (
        api.get(f"sobjects/Lead/{number}", params={"fields": "FirstName"}).json()["FirstName"]
        is None
    )
    assert api.delete(f"sobjects/Lead/{number}").status_code == 204
    for answer in (api.get(f"sobjects/Lead/{number}"), api.delete(f"sobjects/Lead/{number}")):
        assert refusal(answer) == (404, "ENTITY_IS_DELETED")
    assert refusal(api.get("sobjects/Lead/00Q000000000001AAA")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", "LastName"),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG", "FirstName"),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS", "Email"),
        ({"CleanStatus": "x"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "CleanStatus"),
        ({"Name": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"),
    ],
)
def test_a_row_that_is_refused(
    api: httpx.Client, values: dict[str, Any], code: str, field: str
) -> None:
    answer = api.post("sobjects/Lead", json=ANN | values)
    assert refusal(answer) == (400, code)
    assert answer.json()[0]["fields"] == [field]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"NumberOfEmployees": "many"}, "instance of int from VALUE_STRING value many"),
        ({"LastName": 7}, "instance of string from VALUE_NUMBER_INT value 7"),
        ({"DoNotCall": "yes"}, "instance of boolean from VALUE_STRING value yes"),
        ({"LastName": ["x"]}, "instance of string from START_ARRAY"),
    ],
)
def test_a_body_that_is_not_well_formed(
    api: httpx.Client, values: dict[str, Any], words: str
) -> None:
    answer = api.post("sobjects/Lead", json=ANN | values)
    assert refusal(answer) == (400, "JSON_PARSER_ERROR")
    assert words in answer.json()[0]["message"]
    assert refusal(api.post("sobjects/Lead", content=b"{")) == (400, "JSON_PARSER_ERROR")


def test_a_body_may_come_in_chunks(api: httpx.Client) -> None:
    body = json.dumps(ANN).encode()
    answer = api.post("sobjects/Lead", content=iter([body[:9], body[9:]]))
    assert answer.status_code == 201


def test_a_change_under_a_condition(org: Server, api: httpx.Client) -> None:
    """intro_rest_conditional_requests; Last-Modified follows SystemModstamp, as recorded."""
    number = insert(api)
    place = f"sobjects/Lead/{number}"
    before = api.get(place)
    stamp = datetime.fromisoformat(before.json()["SystemModstamp"])
    assert parsedate_to_datetime(before.headers["Last-Modified"]) == stamp
    unless = {"If-Unmodified-Since": before.headers["Last-Modified"]}
    assert api.patch(place, json={"Title": "a"}, headers=unless).status_code == 204
    org.post("clock", advance=2)
    org.act("touch", "Lead", id=number)
    assert api.patch(place, json={"Title": "b"}, headers=unless).status_code == 412
    after = api.get(place).json()
    assert (after["Title"], after["LastModifiedDate"] < after["SystemModstamp"]) == ("a", True)
    bad = {"If-Unmodified-Since": "yesterday"}
    assert api.patch(place, json={"Title": "c"}, headers=bad).status_code == 400


def test_assignment_rules_run_unless_told_not_to(org: Server, api: httpx.Client) -> None:
    """headers-autoassign: the default is TRUE."""
    org.post("switches", assignment_rule=True)
    silent = {"Sforce-Auto-Assign": "FALSE"}
    owners = []
    for headers in ({}, silent):
        number = api.post("sobjects/Lead", json=ANN, headers=headers).json()["id"]
        owners.append(api.get(f"sobjects/Lead/{number}").json()["OwnerId"][:3])
    assert owners == ["00G", "005"]
    for headers, owner in ((silent, "005"), ({}, "00G")):
        api.patch(f"sobjects/Lead/{number}", json={"Title": "x"}, headers=headers)
        assert api.get(f"sobjects/Lead/{number}").json()["OwnerId"][:3] == owner


# external ids


def test_an_upsert_by_external_id(api: httpx.Client) -> None:
    place = f"sobjects/Lead/{KEY}/a%20key%2F1"
    made = api.patch(place, json=ANN)
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = api.patch(place, json={"Title": "Boss"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert api.get(place).json()["Title"] == "Boss"
    assert refusal(api.get(f"sobjects/Lead/{KEY}/other"))[0] == 404
    assert refusal(api.patch("sobjects/Lead/Title/x", json=ANN))[0] == 404
    twins = [insert(api, Email="ann@x.example") for _ in range(2)]
    several = api.patch("sobjects/Lead/Email/ann@x.example", json={"Title": "x"})
    assert several.status_code == 300
    assert several.json() == [f"{ROOT}/sobjects/Lead/{number}" for number in twins]


def test_a_unique_value_is_unique_among_what_is_there(api: httpx.Client) -> None:
    first = insert(api, **{KEY: "k-1"})
    insert(api, "Contact", LastName="Horvat", **{KEY: "k-1"})  # of another object
    assert refusal(api.post("sobjects/Lead", json=ANN | {KEY: "k-1"})) == (400, "DUPLICATE_VALUE")
    api.delete(f"sobjects/Lead/{first}")
    again = api.patch(f"sobjects/Lead/{KEY}/k-1", json=ANN)
    assert again.status_code == 201
    assert again.json()["id"] != first


# collections


def test_rows_of_a_collection_fail_alone_and_stand_in_order(api: httpx.Client) -> None:
    lead = {"attributes": {"type": "Lead"}}
    insert(api, LastName="No key")
    rows = [lead | ANN | {KEY: "a"}, lead | {KEY: "b"}, lead | ANN, lead | {KEY: "a", "Title": "x"}]
    answer = api.patch(f"composite/sobjects/Lead/{KEY}", json={"records": rows})
    expected = ["created", "REQUIRED_FIELD_MISSING", "MISSING_ARGUMENT", "done"]
    assert collection(answer) == expected
    assert answer.json()[1] == {
        "success": False,
        "created": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }


def test_a_malformed_row_refuses_the_collection(api: httpx.Client) -> None:
    """resources_composite_sobjects_collections_upsert: 400 if the request is not well formed."""
    lead = {"attributes": {"type": "Lead"}}
    rows = [lead | ANN, lead | ANN | {"NumberOfEmployees": "many"}]
    assert refusal(api.post("composite/sobjects", json={"records": rows})) == (
        400,
        "JSON_PARSER_ERROR",
    )
    assert refusal(api.post("composite/sobjects", json={"records": [ANN]}))[0] == 400
    assert found(api, "SELECT Id FROM Lead") == []


def test_all_or_none(api: httpx.Client) -> None:
    lead = {"attributes": {"type": "Lead"}}
    body = {"allOrNone": True, "records": [lead | ANN, lead]}
    expected = ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert collection(api.post("composite/sobjects", json=body)) == expected
    assert found(api, "SELECT Id FROM Lead") == []


def test_a_collection_has_200_rows(api: httpx.Client) -> None:
    rows = [{"attributes": {"type": "Lead"}, **ANN}] * 201
    answer = api.post("composite/sobjects", json={"records": rows})
    assert refusal(answer) == (400, "EXCEEDED_MAX_SIZE_REQUEST")
    numbers = ",".join(["00Q000000000001AAA"] * 201)
    answer = api.delete("composite/sobjects", params={"ids": numbers})
    assert refusal(answer) == (400, "EXCEEDED_MAX_SIZE_REQUEST")


def test_updates_and_deletes_of_what_is_not_there(api: httpx.Client) -> None:
    here, gone, never = insert(api), insert(api), "00Q000000000001AAA"
    api.delete(f"sobjects/Lead/{gone}")
    rows = [{"attributes": {"type": "Lead"}, "Id": n, "Title": "x"} for n in (gone, never, here)]
    expected = ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "done"]
    assert collection(api.patch("composite/sobjects", json={"records": rows})) == expected
    numbers = {"ids": ",".join((gone, never, here))}
    assert collection(api.delete("composite/sobjects", params=numbers)) == expected
