"""Companies, tags and custom attributes of the store answer as Infobip documents."""

import httpx

from tests.profiles.samples import COMPANIES, FIRM, NOBODY, PERSONS, by_id, jane

# companies


def test_a_company_is_answered_as_documented(http: httpx.Client) -> None:
    company = http.post(COMPANIES, json=FIRM).json()
    shown = {"id", "createdAt", "modifiedAt"}
    told = {name: value for name, value in company.items() if name not in shown}
    assert told == FIRM | {"origin": "API", "modifiedFrom": "API"}
    for query in ({"id": company["id"]}, {"name": "infobip"}, {"domain": "infobip.com"}):
        assert http.get(COMPANIES, params=query).json() == {"companies": [company]}
    page = http.get(COMPANIES, params={"includeTotalCount": "true"}).json()
    assert page["companies"] == [company]
    assert (page["limit"], page["page"], page["totalCount"]) == (20, 1, 1)
    answer = http.delete(COMPANIES, params={"name": "Infobip"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_company_batch_tells_ids_and_the_documented_words(http: httpx.Client) -> None:
    body = {"companies": [{"name": "Company name", "domains": ["domain.com"]}] * 2}
    answer = http.post(f"{COMPANIES}/batch", json=body)
    first, second = answer.json()["results"]
    assert answer.status_code == 207
    assert (first["status"], first["index"], type(first["id"])) == (200, 0, int)
    message = "Key (lower(name::text))=(Company name) already exists."
    assert second == {"errors": [{"message": message}], "status": 409, "index": 1}
    query = {"name": "Fancy company"}
    missing = {"message": 'Company with name "Fancy company" does not exist'}
    told = {"results": [{"errors": [missing], "status": 409, "query": query}]}
    changes = {"companies": [{"query": query, "update": {"segment": "First segment"}}]}
    answer = http.patch(f"{COMPANIES}/batch", json=changes)
    assert (answer.status_code, answer.json()) == (207, told)
    answer = http.request("DELETE", f"{COMPANIES}/batch", json={"companies": [{"query": query}]})
    assert (answer.status_code, answer.json()) == (207, told)


def test_domains_and_tags_of_a_company_are_added_or_replaced(http: httpx.Client) -> None:
    company = http.post(COMPANIES, json=FIRM).json()
    query, given = {"id": str(company["id"])}, {"domains": ["a.com"], "tags": ["VIP Customers"]}
    changed = http.patch(COMPANIES, params=query, json=given).json()
    assert (changed["domains"], changed["tags"]) == (
        ["infobip.com", "a.com"],
        ["Vip", "VIP Customers"],
    )
    whole = {"replaceDomains": "true", "replaceTags": "true"}
    changed = http.patch(COMPANIES, params=query | whole, json=given).json()
    assert (changed["domains"], changed["tags"]) == (["a.com"], ["VIP Customers"])
    answer = http.patch(COMPANIES, params=query, json={"name": None})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, 40001)


def test_persons_join_and_leave_a_company_by_any_identity(http: httpx.Client) -> None:
    jane(http)
    http.post(COMPANIES, json=FIRM)
    people = {"people": [{"query": NOBODY}, {"query": {"type": "EXTERNAL_ID", "identifier": "3"}}]}
    for method in ("PATCH", "DELETE"):
        answer = http.request(
            method, f"{COMPANIES}/persons", params={"name": "Infobip"}, json=people
        )
        assert (answer.status_code, answer.content) == (200, b"")
    answer = http.patch(f"{COMPANIES}/persons", params={"name": "None"}, json=people)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, 40405)


# tags and custom attributes


def test_a_tag_is_answered_as_documented(http: httpx.Client) -> None:
    tag = http.post("/people/2/tags", json={"name": "A/B? 50%"}).json()
    assert set(tag) == {"createdAt", "modifiedAt", "id", "name"}
    assert tag in http.get("/people/2/tags").json()
    answer = http.post("/people/2/tags", json={"name": "a/b? 50%"})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, 40006)
    person = jane(http)
    path, people = "/people/2/tags/A%2FB%3F%2050%25", {"people": [{"query": by_id(person)}]}
    assert http.get(path).json() == tag
    assert http.patch(f"{path}/persons", json=people).status_code == 200
    assert http.get(PERSONS, params=by_id(person)).json()["tags"] == ["VIP Customers", tag["name"]]
    assert http.request("DELETE", f"{path}/persons", json=people).status_code == 200
    assert http.get(PERSONS, params=by_id(person)).json()["tags"] == ["VIP Customers"]
    assert http.delete(path).status_code == 200
    answer = http.get(path)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, 40403)


def test_custom_attributes_are_listed_as_documented(http: httpx.Client) -> None:
    cart = {
        "name": "ShoppingCartList",
        "dataType": "LIST_OF_OBJECTS",
        "objectSchema": {"productName": "STRING", "productPrice": "DECIMAL"},
    }
    made = http.post("/people/2/customAttributes", json=cart).json()
    assert {name: made[name] for name in cart} == cart
    page = http.get("/people/2/customAttributes", params={"limit": "100"}).json()
    assert made in page["customAttributes"]
    assert (page["limit"], page["page"], page["orderBy"]) == (100, 1, "name:asc")
    answer = http.post("/people/2/customAttributes", json=cart | {"name": "SHOPPINGcartList"})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, 40006)
    answer = http.get("/people/2/customAttributes/nothing")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, 40404)
    sneakers = {"ShoppingCartList": [{"productName": "Sneakers", "productPrice": 25.33}]}
    assert jane(http, customAttributes=sneakers)["customAttributes"] == sneakers
