"""Infobip's sample records and acts on them.

From the People part of Infobip's platform specification 3.210.0,
https://www.infobip.com/docs/api/customer-engagement/people.
"""

from typing import Any

import httpx

PERSONS, COMPANIES = "/people/2/persons", "/people/2/companies"
JANE: dict[str, Any] = {
    "externalId": "3",
    "firstName": "Jane",
    "lastName": "Smith",
    "address": "67 Farringdon Road",
    "city": "London",
    "country": "United Kingdom",
    "gender": "FEMALE",
    "birthDate": "1966-01-15",
    "middleName": "Janie",
    "preferredLanguage": "en-gb",
    "profilePicture": "http://profile.com",
    "tags": ["VIP Customers"],
    "customAttributes": {"Contract Expiry": "2018-06-01"},
    "contactInformation": {
        "phone": [{"number": "41793026727"}],
        "email": [{"address": "janewilliams@acme.com"}],
    },
}
FIRM: dict[str, Any] = {
    "name": "Infobip",
    "notes": "notes example",
    "country": "Croatia",
    "region": "Europe",
    "accountManager": "Jane Smith",
    "customerStage": "Active",
    "industry": "IT",
    "vatNumber": "003212059",
    "customAttributes": {"Contract Expiry": "2018-06-01"},
    "domains": ["infobip.com"],
    "tags": ["Vip"],
}
NOBODY = {"type": "PHONE", "identifier": "41793026727"}


def jane(http: httpx.Client, **more: Any) -> dict[str, Any]:
    answer = http.post(PERSONS, json=JANE | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_id(row: dict[str, Any]) -> dict[str, str]:
    return {"type": "ID", "identifier": str(row["id"])}


def act(http: httpx.Client, **told: Any) -> dict[str, Any]:
    """As a person in the portal."""
    [result] = http.post("/_control/act", json={"acts": [told]}).json()["results"]
    assert "error" not in result, result
    found: dict[str, Any] = result
    return found
