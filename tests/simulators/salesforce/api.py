"""A stranger's way to the Salesforce simulator: plain HTTP, and short ways to read answers."""

import json
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.connectors.processes import Server

RECORDED = json.loads(Path("tests/fixtures/salesforce/recorded.json").read_text())
ROOT = "/services/data/v62.0"
TOKEN = "/services/oauth2/token"
KEY = "CrmSync_Key__c"
CREDENTIALS = {"client_id": "demo-client", "client_secret": "demo-secret-salesforce"}
ANN = {"LastName": "Horvat", "Company": "Plavi"}
DAY = 86_400


@contextmanager
def nobody(org: Server) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    trust = ssl.create_default_context(cafile=org.ca_file)
    with httpx.Client(base_url=org.address, verify=trust, trust_env=False) as client:
        yield client


@contextmanager
def signed_in(org: Server) -> Iterator[httpx.Client]:
    """Somebody with a token; paths count from the root of the API's version."""
    with nobody(org) as client:
        sign_in(client)
        client.base_url = client.base_url.join(ROOT + "/")
        yield client


def at_root(api: httpx.Client, path: str) -> httpx.URL:
    """A path of the host, where others count from the API's version."""
    return api.base_url.join(path)


def sign_in(api: httpx.Client) -> None:
    grant = {"grant_type": "client_credentials", **CREDENTIALS}
    answer = api.post(at_root(api, TOKEN), data=grant)
    api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def insert(api: httpx.Client, name: str = "Lead", **values: Any) -> str:
    response = api.post(f"sobjects/{name}", json=(ANN if name == "Lead" else {}) | values)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def found(api: httpx.Client, soql: str, resource: str = "query") -> list[dict[str, Any]]:
    response = api.get(resource, params={"q": soql})
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["records"]
    return [{k: v for k, v in row.items() if k != "attributes"} for row in rows]


def values_of(api: httpx.Client, soql: str, resource: str = "query") -> list[Any]:
    return [next(iter(row.values())) for row in found(api, soql, resource)]


def refusal(response: httpx.Response) -> tuple[int, str]:
    (error,) = response.json()
    assert set(error) in ({"message", "errorCode"}, {"message", "errorCode", "fields"})
    return response.status_code, str(error["errorCode"])


def collection(response: httpx.Response) -> list[str]:
    """What became of each row: its code, or what was done."""
    assert response.status_code == 200, response.text
    answers: Iterable[dict[str, Any]] = response.json()
    return [
        ("created" if one.get("created") else "done")
        if one["success"]
        else str(one["errors"][0]["statusCode"])
        for one in answers
    ]


def shape(value: Any) -> Any:
    """A payload without its particulars."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__
