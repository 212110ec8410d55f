"""The Salesforce simulator logs in, queries and describes as Salesforce does, asked by plain HTTP.

Pinned by recorded answers (tests/fixtures/salesforce) and by the REST API Developer Guide,
whose pages are named where they rule.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.connectors.processes import Server
from tests.simulators.salesforce.api import (
    ANN,
    CREDENTIALS,
    DAY,
    RECORDED,
    ROOT,
    TOKEN,
    at_root,
    found,
    insert,
    nobody,
    refusal,
    shape,
    sign_in,
    values_of,
)


@pytest.fixture
def stranger(org: Server) -> Iterator[httpx.Client]:
    with nobody(org) as client:
        yield client


# login


def test_a_token_by_basic_authentication_or_in_the_form(stranger: httpx.Client) -> None:
    grant = {"grant_type": "client_credentials"}
    basic = stranger.post(TOKEN, data=grant, auth=httpx.BasicAuth(*CREDENTIALS.values()))
    for answer in (basic, stranger.post(TOKEN, data=grant | CREDENTIALS)):
        told = answer.json()
        assert answer.status_code == 200
        assert told["token_type"] == "Bearer"
        assert told["access_token"].startswith("00D000000000001!")
        assert told["id"].split("/")[-2] == "00D000000000001AAA"
        assert told["instance_url"] == str(stranger.base_url).rstrip("/")
        assert "expires_in" not in told


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": "demo-client"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_login_is_refused_as_oauth_says(
    stranger: httpx.Client, form: dict[str, str], error: str
) -> None:
    answer = stranger.post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}


def test_a_token_ends_after_two_hours(org: Server, api: httpx.Client) -> None:
    assert api.get("limits").status_code == 200
    org.post("clock", advance=7300)
    answer = api.get("limits")
    expected = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert (answer.status_code, answer.json()) == (401, expected)


def test_versions_are_told_without_a_token(stranger: httpx.Client) -> None:
    versions = stranger.get("/services/data").json()
    assert {"label", "url", "version"} == set(versions[0])
    assert "62.0" in {one["version"] for one in versions}
    assert stranger.get(f"{ROOT}/limits").status_code == 401


def test_answers_tell_the_servers_time_and_the_usage(org: Server, api: httpx.Client) -> None:
    now = datetime.fromisoformat(org.post("clock", advance=1000)["now"])
    answers = [api.get("limits"), api.post(at_root(api, TOKEN)), api.get("limits")]
    for answer in answers:
        behind = now - parsedate_to_datetime(answer.headers["Date"])
        assert abs(behind.total_seconds()) < 1000
    usage = re.compile(r"api-usage=(\d+)/15000")
    first, second = (usage.fullmatch(answers[n].headers["Sforce-Limit-Info"]) for n in (0, 2))
    assert first is not None
    assert second is not None
    assert int(second[1]) == int(first[1]) + 1  # logins are not counted


# queries


def test_pages_of_a_query(api: httpx.Client) -> None:
    api.post(
        "composite/sobjects",
        json={"records": [{"attributes": {"type": "Lead"}, **ANN} for _ in range(200)]},
    )
    for n in range(5):
        insert(api, LastName=f"N{n}")
    options = {"Sforce-Query-Options": "batchSize=5"}  # at least 200 (headers-queryoptions)
    first = api.get("query", params={"q": "SELECT Id FROM Lead"}, headers=options).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (205, False, 200)
    assert re.fullmatch(rf"{ROOT}/query/0r8\w+-200", first["nextRecordsUrl"])
    second = api.get(at_root(api, first["nextRecordsUrl"])).json()
    assert (second["totalSize"], second["done"], len(second["records"])) == (205, True, 5)
    assert "nextRecordsUrl" not in second


def test_a_locator_lives_two_days(org: Server, api: httpx.Client) -> None:
    for n in range(3):
        insert(api, LastName=f"N{n}")
    org.post("switches", page_size=2)
    told = api.get("query", params={"q": "SELECT Id FROM Lead"}).json()["nextRecordsUrl"]
    org.post("clock", advance=3600)
    assert api.get(at_root(api, told)).status_code == 200
    org.post("clock", advance=2 * DAY)
    sign_in(api)
    assert refusal(api.get(at_root(api, told))) == (400, "INVALID_QUERY_LOCATOR")


def test_recorded_answers_of_queries(api: httpx.Client) -> None:
    def asked(soql: str) -> httpx.Response:
        return api.get("query/", params={"q": soql})

    assert asked("select Id,Name from Account").json() == RECORDED["nothing found"]["body"]
    insert(api, "Account", Name="Sitwell-Bluth", AccountNumber="420")
    one = asked("select Name from Account where AccountNumber='420'")
    expected = RECORDED["one found"]["body"]
    assert shape(one.json()) == shape(expected)
    assert one.json()["records"][0]["Name"] == expected["records"][0]["Name"]
    none = RECORDED["no such object"]
    answer = asked("select count() from XYZZY")
    assert (answer.status_code, answer.json()) == (none["status"], none["body"])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("LastName = 'horvat'", ["Horvat"]),  # capitals do not count
        ("LastName LIKE 'ho%'", ["Horvat"]),
        ("LastName != 'Horvat'", ["Novak", "O'Brien"]),
        ("Title = null", ["Horvat", "O'Brien"]),
        ("Title != null", ["Novak"]),
        ("LastName IN ('Novak', 'O\\'Brien')", ["Novak", "O'Brien"]),
        ("LastName NOT IN ('Novak')", ["Horvat", "O'Brien"]),
        ("NOT LastName = 'Novak' AND NumberOfEmployees >= 5", ["O'Brien"]),
        (
            "(LastName = 'Novak' OR NumberOfEmployees = 7) AND IsDeleted = false",
            ["Novak", "O'Brien"],
        ),
        ("CreatedDate > 2020-01-01T00:00:00Z", ["Horvat", "Novak", "O'Brien"]),
        ("CreatedDate > 2020-01-01T00:00:00+01:00 AND CreatedDate < 2021-01-01T00:00:00Z", []),
    ],
)
def test_conditions(api: httpx.Client, where: str, expected: list[str]) -> None:
    insert(api)
    insert(api, LastName="Novak", Title="Buyer")
    insert(api, LastName="O'Brien", NumberOfEmployees=7)
    asked = ("SELECT LastName FROM Lead WHERE", where, "ORDER BY LastName")
    assert values_of(api, " ".join(asked)) == expected


def test_nulls_come_first_unless_asked_otherwise(api: httpx.Client) -> None:
    for title in ("b", "A", None):
        insert(api, Title=title)
    ask = "SELECT Title FROM Lead ORDER BY Title"
    assert values_of(api, ask) == [None, "A", "b"]
    assert values_of(api, f"{ask} DESC NULLS LAST LIMIT 2") == ["b", "A"]
    assert values_of(api, f"{ask} LIMIT 1 OFFSET 1") == ["A"]


def test_fields_of_the_parent_come_nested(api: httpx.Client) -> None:
    account = insert(api, "Account", Name="Plavi")
    insert(api, "Contact", LastName="Horvat", AccountId=account)
    insert(api, "Contact", LastName="Novak")
    ask = "SELECT LastName, Account.Name FROM Contact ORDER BY LastName"
    horvat, novak = found(api, ask)
    assert (horvat["Account"]["Name"], novak["Account"]) == ("Plavi", None)


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity 'Lead'"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2020-01-01'",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Lead WHERE IsConverted = 'false'",
            "INVALID_FIELD",
            "must be of type boolean",
        ),
        ("SELECT Id FROM Lead WHERE LastName = 7", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT FROM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token"),
    ],
)
def test_queries_that_are_refused(api: httpx.Client, soql: str, code: str, words: str) -> None:
    answer = api.get("query", params={"q": soql})
    assert refusal(answer) == (400, code)
    assert words in answer.json()[0]["message"]


def test_an_address_has_16384_bytes(api: httpx.Client) -> None:
    answer = api.get("query", params={"q": "SELECT Id FROM Lead" + " " * 17_000})
    assert answer.status_code == 414


def test_metadata_and_fields_may_change(org: Server, api: httpx.Client) -> None:
    org.act("alter", "Lead", field="Title", to=None)
    names = {one["name"] for one in api.get("sobjects/Lead/describe").json()["fields"]}
    assert "Title" not in names
    assert "Title" not in api.get(f"sobjects/Lead/{insert(api)}").json()
    assert refusal(api.post("sobjects/Lead", json=ANN | {"Title": "x"})) == (400, "INVALID_FIELD")
    org.act("alter", "Contact", to=None)
    assert refusal(api.get("sobjects/Contact/describe")) == (404, "NOT_FOUND")
    assert {one["name"] for one in api.get("sobjects").json()["sobjects"]} == {"Lead", "Account"}


def test_setup_objects(org: Server, api: httpx.Client) -> None:
    ask = "SELECT Id, Name, IsSandbox FROM Organization"
    assert found(api, ask)[0]["IsSandbox"] is True
    rules = "SELECT Name FROM AssignmentRule WHERE SobjectType = 'Lead' AND Active = true"
    assert found(api, rules) == []
    org.post("switches", assignment_rule=True)
    assert values_of(api, rules) == ["Standard"]
