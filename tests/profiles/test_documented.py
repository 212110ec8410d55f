"""The store answers as Infobip documents: payloads, error bodies and status codes.

The samples are those of the People part of Infobip's platform specification 3.210.0,
https://www.infobip.com/docs/api/customer-engagement/people; the error codes are those of
https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes.
"""

import re
from typing import Any

import httpx
import pytest

from tests.profiles.samples import COMPANIES, FIRM, JANE, NOBODY, PERSONS, act, by_id, jane

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


# errors


def test_a_wrong_key_and_an_unknown_path_get_the_documented_envelope(http: httpx.Client) -> None:
    for path, key, status, id, words in (
        (PERSONS, "App wrong", 401, "UNAUTHORIZED", "Unauthorized"),
        ("/people/2/nothing", http.headers["Authorization"], 404, "NOT_FOUND", "Not found"),
    ):
        answer = http.get(path, headers={"Authorization": key})
        told = {"requestError": {"serviceException": {"messageId": id, "text": words}}}
        assert (answer.status_code, answer.json()) == (status, told)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"type": "AGENT"}, 40001),
        ({"type": None}, 40001),
        ({"externalId": "3"}, 40003),
        ({"contactInformation": {"phone": [{"number": "41793026727"}]}}, 40004),
        ({"contactInformation": {"email": [{"address": "JaneWilliams@acme.com"}]}}, 40005),
        ({"customAttributes": {"vip": "yes"}}, 40007),
        ({"customAttributes": {"points": True}}, 40007),
        ({"customAttributes": {"points": 9223372036854775808}}, 40010),
        ({"customAttributes": {"word": "x" * 4097}}, 40010),
        ({"contactInformation": {"push": []}}, 40013),
        ({"shoeSize": 42}, 40015),
        ({"customAttributes": {"unheard of": 1}}, 40015),
        ({"externalId": None}, 40018),
        ({"integrations": {}}, 40023),
        ({"tags": ["unheard of"]}, 40403),
        ({"customAttributes": {"Contract Expiry": "1 June"}}, 40407),
        ({"customAttributes": {"when": "noon"}}, 40407),
        ({"birthDate": "15.01.1966"}, 40001),
        ({"firstName": "A" * 256}, 40001),
        ({"externalId": "x" * 257}, 40001),
    ],
)
def test_a_refusal_has_the_published_code_and_its_status(
    http: httpx.Client, given: dict[str, Any], code: int
) -> None:
    jane(http)
    answer = http.post(PERSONS, json={"firstName": "Eve", "externalId": "other"} | given)
    assert (answer.status_code, answer.json()["errorCode"]) == (int(str(code)[:3]), code)
    assert answer.json()["errorMessage"]


def test_refusals_come_in_the_documented_envelope_too(http: httpx.Client) -> None:
    http.post("/_control/switches", json={"enveloped": True})
    answer = http.post(PERSONS, json={"firstName": "Eve"})
    assert answer.status_code == 400
    assert answer.json()["requestError"]["serviceException"]["messageId"] == "BAD_REQUEST"
    answer = http.get(PERSONS, params=NOBODY)
    assert answer.status_code == 404
    assert answer.json()["requestError"]["serviceException"]["messageId"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PERSONS, [1]),
        ("POST", PERSONS, JANE | {"tags": "VIP Customers"}),
        ("POST", PERSONS, JANE | {"tags": [{"id": 1}]}),
        ("POST", PERSONS, JANE | {"externalId": 3}),
        ("POST", PERSONS, JANE | {"customAttributes": []}),
        ("POST", PERSONS, JANE | {"contactInformation": {"phone": ["41793026727"]}}),
        ("POST", PERSONS, JANE | {"contactInformation": {"phone": [{"number": 41793026727}]}}),
        ("POST", f"{PERSONS}/batch", {}),
        ("POST", f"{PERSONS}/batch", {"people": [1]}),
        ("POST", f"{PERSONS}/batch", {"people": [JANE] * 1001}),
        ("POST", f"{PERSONS}/match", {"identities": [{"type": "PHONE"}]}),
        ("POST", COMPANIES, {"notes": "nameless"}),
        ("POST", COMPANIES, FIRM | {"domains": [1]}),
        ("POST", "/people/2/tags", {}),
        ("POST", "/people/2/customAttributes", {"name": "a", "dataType": "TEXT"}),
        ("POST", "/people/2/customAttributes", {"name": "a{b}", "dataType": "STRING"}),
        ("GET", f"{PERSONS}?limit=1001", None),
        ("GET", f"{PERSONS}?page=0", None),
        ("GET", f"{PERSONS}?orderBy=city:asc", None),
        ("GET", f"{PERSONS}?filter=%7B%7D", None),
        ("GET", f"{PERSONS}?identifier=1", None),
    ],
)
def test_what_is_malformed_is_a_bad_request(
    http: httpx.Client, method: str, path: str, body: Any
) -> None:
    answer = http.request(method, path, json=body)
    assert (answer.status_code, str(answer.json()["errorCode"])[:3]) == (400, "400")


# persons


def test_a_person_is_answered_as_documented(http: httpx.Client) -> None:
    person = jane(http)
    assert isinstance(person["id"], int)
    assert STAMP.fullmatch(person["createdAt"])
    assert person["modifiedAt"] == person["createdAt"]
    shown = {"id", "createdAt", "modifiedAt"}
    told = {name: value for name, value in person.items() if name not in shown}
    assert told == JANE | {"type": "CUSTOMER", "origin": "API", "modifiedFrom": "API"}
    for query in (
        by_id(person),
        {"type": "EXTERNAL_ID", "identifier": "3"},
        {"type": "PHONE", "identifier": "41793026727"},
        {"type": "EMAIL", "identifier": "janewilliams@acme.com"},
    ):
        assert http.get(PERSONS, params=query).json() == person


def test_a_deleted_person_does_not_exist(http: httpx.Client) -> None:
    person = jane(http)
    answer = http.delete(PERSONS, params=by_id(person))
    assert (answer.status_code, answer.content) == (200, b"")
    for method in ("GET", "DELETE"):
        answer = http.request(method, PERSONS, params=by_id(person))
        assert (answer.status_code, answer.json()["errorCode"]) == (404, 40401)


def test_a_page_has_20_rows_unless_told_and_counts_on_demand(http: httpx.Client) -> None:
    people = [{"externalId": f"{n:02}", "firstName": f"F{n:02}"} for n in range(25)]
    assert http.post(f"{PERSONS}/batch", json={"people": people}).json() == {"results": []}
    page = http.get(PERSONS).json()
    assert (len(page["persons"]), page["limit"], page["page"]) == (20, 20, 1)
    assert "totalCount" not in page
    query = {"page": "2", "orderBy": "firstName:desc", "includeTotalCount": "true"}
    page = http.get(PERSONS, params=query).json()
    assert [row["firstName"] for row in page["persons"]] == ["F04", "F03", "F02", "F01", "F00"]
    assert (page["totalCount"], page["orderBy"]) == (25, "firstName:desc")


def test_a_batch_lists_what_failed_in_the_documented_words(http: httpx.Client) -> None:
    mail = {"contactInformation": {"email": [{"address": "janewilliams@acme.com"}]}}
    assert http.post(f"{PERSONS}/batch", json={"people": [mail]}).status_code == 200
    answer = http.post(f"{PERSONS}/batch", json={"people": [mail, {"externalId": "x"}]})
    message = "Destination(email) janewilliams@acme.com already exists."
    told = {"errors": [{"message": message}], "status": 409, "index": 0}
    assert (answer.status_code, answer.json()) == (207, {"results": [told]})
    none = {"message": "There is no person matching the query"}
    told = {"errors": [none], "status": 409, "query": NOBODY}
    update = {"query": NOBODY, "update": {"firstName": "Jack"}}
    answer = http.patch(f"{PERSONS}/batch", json={"people": [update]})
    assert answer.status_code == 207
    assert answer.json() == {"results": [told | {"isModified": False}]}
    answer = http.request("DELETE", f"{PERSONS}/batch", json={"people": [{"query": NOBODY}]})
    assert (answer.status_code, answer.json()) == (207, {"results": [told]})


def test_match_leaves_strangers_out_and_answers_once(http: httpx.Client) -> None:
    person = jane(http)
    known = {"type": "EXTERNAL_ID", "identifier": "3"}
    asked = [known, {"type": "EMAIL", "identifier": "nobody@acme.com"}, known]
    answer = http.post(f"{PERSONS}/match", json={"identities": asked})
    assert answer.json() == {"matches": [known | {"personId": person["id"]}]}


def test_patch_adds_and_keeps_and_put_replaces(http: httpx.Client) -> None:
    person = jane(http)
    given = {
        "tags": ["vip"],
        "customAttributes": {"POINTS": 5},
        "contactInformation": {"email": [{"address": "second@acme.com"}]},
    }
    changed = http.patch(PERSONS, params=by_id(person), json=given).json()
    assert changed["tags"] == ["VIP Customers", "Vip"]
    assert changed["customAttributes"] == {"Contract Expiry": "2018-06-01", "points": 5}
    assert len(changed["contactInformation"]["email"]) == 2
    assert (changed["city"], changed["externalId"]) == ("London", "3")
    changed = http.put(PERSONS, params=by_id(person), json=given).json()
    assert (changed["tags"], changed["customAttributes"]) == (["Vip"], {"points": 5})
    assert changed["contactInformation"] == given["contactInformation"]
    assert not {"city", "externalId", "firstName"} & set(changed)


def test_contact_information_is_set_added_and_removed_by_calls_of_its_own(
    http: httpx.Client,
) -> None:
    person, path = jane(http, externalId=None), f"{PERSONS}/contactInformation"
    second = {"contactInformation": {"email": [{"address": "second@acme.com"}]}}
    added = http.patch(path, params=by_id(person), json=second).json()["contactInformation"]
    assert [one["address"] for one in added["email"]] == [
        "janewilliams@acme.com",
        "second@acme.com",
    ]
    left = http.put(path, params=by_id(person), json=second).json()["contactInformation"]
    assert left == second["contactInformation"]
    for method, body in (("DELETE", second), ("PUT", {"contactInformation": {}}), ("PATCH", {})):
        answer = http.request(method, path, params=by_id(person), json=body)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, 40018)
    assert http.get(PERSONS, params=by_id(person)).json()["contactInformation"] == left


def test_a_change_in_the_portal_says_so_and_nothing_changed_moves_no_stamp(
    http: httpx.Client,
) -> None:
    person = jane(http)
    http.post("/_control/clock", json={"advance": 60})
    same = {"firstName": "Jane", "tags": ["VIP Customers"], **{"contactInformation": {}}}
    assert http.patch(PERSONS, params=by_id(person), json=same).json() == person
    people = {"people": [{"query": by_id(person)}]}
    http.request("DELETE", "/people/2/tags/Vip/persons", json=people)
    assert http.get(PERSONS, params=by_id(person)).json() == person
    act(http, action="update", object="person", id=str(person["id"]), values={"city": "Bern"})
    edited = http.get(PERSONS, params=by_id(person)).json()
    assert edited["modifiedAt"] > person["modifiedAt"]
    assert (edited["origin"], edited["modifiedFrom"]) == ("API", "PORTAL")


def test_what_the_documents_leave_open_can_be_switched(http: httpx.Client) -> None:
    person = jane(http, type="LEAD")
    off = {"null_clears": False, "type_changes": False, "names_checked": False}
    http.post("/_control/switches", json=off)
    given = {"city": None, "customAttributes": {"Contract Expiry": None}, "lastName": "S (nee T)"}
    changed = http.patch(PERSONS, params=by_id(person), json=given).json()
    assert (changed["city"], changed["lastName"]) == ("London", "S (nee T)")
    assert changed["customAttributes"] == JANE["customAttributes"]
    answer = http.patch(PERSONS, params=by_id(person), json={"type": "CUSTOMER"})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, 40001)
    http.post("/_control/switches", json=dict.fromkeys(off, True))
    assert "city" not in http.patch(PERSONS, params=by_id(person), json={"city": None}).json()
    answer = http.patch(PERSONS, params=by_id(person), json={"type": "CUSTOMER"})
    assert answer.json()["type"] == "CUSTOMER"


def test_merged_duplicates_are_the_oldest_with_the_customers_values(http: httpx.Client) -> None:
    # https://www.infobip.com/docs/customer-profiles/persons/resolve-and-merge-duplicate-profiles
    lead = jane(http, type="LEAD", city=None, externalId=None)
    http.post("/_control/clock", json={"advance": 60})
    mail = {"email": [{"address": "second@acme.com"}]}
    told = {"lastName": "Doe", "city": "Bern", "externalId": "4", "contactInformation": mail}
    customer = http.post(PERSONS, json=told).json()
    http.post("/_control/clock", json={"advance": 60})
    http.patch(PERSONS, params=by_id(lead), json={"lastName": "Later", "tags": ["Vip"]})
    ids = {"id": str(customer["id"]), "losers": [str(lead["id"])]}
    assert act(http, action="merge", object="person", **ids)["id"] == str(lead["id"])
    merged = http.get(PERSONS, params=by_id(lead)).json()
    assert (merged["type"], merged["lastName"], merged["city"]) == ("CUSTOMER", "Doe", "Bern")
    assert (merged["firstName"], merged["externalId"]) == ("Jane", "4")
    assert merged["tags"] == ["VIP Customers", "Vip"]
    assert len(merged["contactInformation"]["email"]) == 2
    assert merged["createdAt"] == lead["createdAt"]
    assert http.get(PERSONS, params=by_id(customer)).status_code == 404


def test_ids_of_integrations_are_shown_and_kept_from_the_api(http: httpx.Client) -> None:
    person = jane(http)
    told = {"salesforce": {"contactId": "0035g00000ABCDEAA2", "leadId": "00Q5g00000ABCDEEA2"}}
    act(http, action="integrate", object="person", id=str(person["id"]), values=told)
    shown = http.get(PERSONS, params=by_id(person)).json()
    assert (shown["integrations"], shown["lastName"]) == (told, JANE["lastName"])
    for send in (http.patch, http.put):
        assert send(PERSONS, params=by_id(person), json=JANE | {"city": "Bern"}).status_code == 200
        assert http.get(PERSONS, params=by_id(person)).json()["integrations"] == told
        answer = send(PERSONS, params=by_id(person), json={"integrations": told})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, 40023)
