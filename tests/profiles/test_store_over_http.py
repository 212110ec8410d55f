"""The embedded Customer Profiles, over HTTP, as any client of the People API sees it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.profiles.stores import running

ANN = {
    "type": "LEAD",
    "firstName": "Ann",
    "lastName": "Horvat",
    "contactInformation": {
        "email": [{"address": "Ann@Plavi.example"}],
        "phone": [{"number": "+38515550101"}],
    },
}


def create(http: httpx.Client, **more: Any) -> dict[str, Any]:
    answer = http.post("/people/2/persons", json=ANN | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_id(person: dict[str, Any]) -> dict[str, str]:
    return {"type": "ID", "identifier": str(person["id"])}


def test_without_the_key_nobody_gets_in(http: httpx.Client) -> None:
    answer = http.get("/people/2/persons", headers={"Authorization": "App wrong"})
    assert answer.status_code == 401
    told = answer.json()["requestError"]["serviceException"]["messageId"]
    assert told == "UNAUTHORIZED"


def test_a_person_is_kept_and_found_by_every_identifier(http: httpx.Client) -> None:
    person = create(http, externalId="Key-1")
    assert person["contactInformation"]["email"] == [{"address": "ann@plavi.example"}]
    for type, identifier in (
        ("ID", str(person["id"])),
        ("EXTERNAL_ID", "Key-1"),
        ("EMAIL", "ANN@plavi.example"),
        ("PHONE", "38515550101"),
    ):
        query = {"type": type, "identifier": identifier}
        assert http.get("/people/2/persons", params=query).json()["id"] == person["id"]
    lower = {"type": "EXTERNAL_ID", "identifier": "key-1"}
    assert http.get("/people/2/persons", params=lower).json()["errorCode"] == 40401


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (ANN, 40005),
        (ANN | {"contactInformation": {"phone": [{"number": "38515550101"}]}}, 40004),
        (ANN | {"externalId": "taken", "contactInformation": {}}, 40003),
        ({"firstName": "Nobody"}, 40018),
        (ANN | {"type": "AGENT"}, 40001),
        (ANN | {"firstName": "A (nn)"}, 40001),
        (ANN | {"middleName": "x" * 51}, 40001),
        (ANN | {"shoeSize": 42}, 40015),
        (ANN | {"customAttributes": {"nope": 1}}, 40015),
        (ANN | {"customAttributes": {"email_opt_out": "yes"}}, 40007),
        (ANN | {"integrations": {}}, 40023),
        (ANN | {"contactInformation": {"push": []}}, 40013),
        (ANN | {"contactInformation": {"email": [{"address": "none"}]}}, 40001),
    ],
)
def test_a_person_that_breaks_a_rule_is_refused(
    http: httpx.Client, given: dict[str, Any], code: int
) -> None:
    create(http, externalId="taken")
    answer = http.post("/people/2/persons", json=given)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_the_default_type_is_customer(http: httpx.Client) -> None:
    given = {name: value for name, value in ANN.items() if name != "type"}
    assert http.post("/people/2/persons", json=given).json()["type"] == "CUSTOMER"


def test_a_partial_update_keeps_what_is_left_out_and_adds_contacts(http: httpx.Client) -> None:
    person = create(http)
    given = {"lastName": None, "contactInformation": {"phone": [{"number": "385915550104"}]}}
    changed = http.patch("/people/2/persons", params=by_id(person), json=given).json()
    assert changed["firstName"] == "Ann"
    assert "lastName" not in changed
    numbers = [phone["number"] for phone in changed["contactInformation"]["phone"]]
    assert numbers == ["38515550101", "385915550104"]


def test_put_empties_what_is_left_out(http: httpx.Client) -> None:
    person = create(http)
    changed = http.put("/people/2/persons", params=by_id(person), json={"externalId": "x"}).json()
    assert "firstName" not in changed
    assert changed["contactInformation"] == {}


def test_the_stamp_moves_on_a_real_change_only(http: httpx.Client) -> None:
    person = create(http)
    http.post("/_control/clock", json={"advance": 60})
    same = http.patch("/people/2/persons", params=by_id(person), json={"firstName": "Ann"}).json()
    assert same["modifiedAt"] == person["modifiedAt"]
    other = http.patch("/people/2/persons", params=by_id(person), json={"firstName": "Eve"}).json()
    assert other["modifiedAt"] > person["modifiedAt"]


def test_contacts_are_removed_by_their_own_call(http: httpx.Client) -> None:
    person = create(http)
    body = {"contactInformation": {"phone": [{"number": "38515550101"}]}}
    answer = http.request(
        "DELETE", "/people/2/persons/contactInformation", params=by_id(person), json=body
    )
    assert answer.json()["contactInformation"] == {"email": [{"address": "ann@plavi.example"}]}


def test_a_batch_tells_what_failed_and_keeps_the_rest(http: httpx.Client) -> None:
    create(http)
    other = {"externalId": "two", "type": "LEAD"}
    answer = http.post("/people/2/persons/batch", json={"people": [ANN, other]})
    assert answer.status_code == 207
    assert answer.json()["results"] == [
        {
            "status": 409,
            "index": 0,
            "errors": [{"message": "Destination(email) ann@plavi.example already exists."}],
        }
    ] or answer.json()["results"][0]["errors"][0]["message"].startswith("Destination(phone)")
    match = {"identities": [{"type": "EXTERNAL_ID", "identifier": "two"}]}
    assert len(http.post("/people/2/persons/match", json=match).json()["matches"]) == 1


def test_a_page_is_ordered_and_counted(http: httpx.Client) -> None:
    for number in range(3):
        http.post("/people/2/persons", json={"externalId": f"k{number}"})
    query = {"limit": "2", "page": "2", "orderBy": "createdAt:asc", "includeTotalCount": "true"}
    page = http.get("/people/2/persons", params=query).json()
    assert [person["externalId"] for person in page["persons"]] == ["k2"]
    assert page["totalCount"] == 3


def test_companies_have_unique_names_and_domains(http: httpx.Client) -> None:
    first = http.post("/people/2/companies", json={"name": "Plavi", "domains": ["plavi.example"]})
    assert first.status_code == 200
    for given, code in (
        ({"name": "PLAVI"}, 40006),
        ({"name": "Other", "domains": ["Plavi.example"]}, 40006),
    ):
        answer = http.post("/people/2/companies", json=given)
        assert answer.json()["errorCode"] == code
    query = {"domain": "plavi.example"}
    assert len(http.get("/people/2/companies", params=query).json()["companies"]) == 1


def test_members_are_not_shown_on_the_person(http: httpx.Client) -> None:
    person = create(http)
    company = http.post("/people/2/companies", json={"name": "Plavi"}).json()
    body = {"people": [{"query": by_id(person)}]}
    query = {"id": str(company["id"])}
    assert http.patch("/people/2/companies/persons", params=query, json=body).status_code == 200
    shown = http.get("/people/2/persons", params=by_id(person)).json()
    assert "company" not in shown


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as http:
        person = create(http, externalId="kept")
        account = http.get("/profiles/account").json()["accountId"]
    with running(tmp_path) as http:
        assert http.get("/people/2/persons", params=by_id(person)).json() == person
        assert http.get("/profiles/account").json()["accountId"] == account


def test_a_database_of_another_version_is_left_alone_with_a_reason(tmp_path: Path) -> None:
    with running(tmp_path) as http:
        create(http)
    database = tmp_path / "profiles.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("UPDATE account SET version = 0")
        db.commit()
    files = ["--database", str(database), "--key-file", str(tmp_path / "key")]
    ended = subprocess.run(
        [sys.executable, "-m", "profiles", *files], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "version 0" in ended.stderr
    assert "Traceback" not in ended.stderr
