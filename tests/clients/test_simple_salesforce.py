"""A stranger's client gets along with the Salesforce simulator."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from tests.connectors.processes import Server, simulator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    server.post("reset")
    with requests.Session() as session:
        session.verify = server.ca_file
        session.trust_env = False
        grant = {"grant_type": "client_credentials", "client_id": "demo-client"}
        answer = session.post(
            f"{server.address}/services/oauth2/token",
            data=grant | {"client_secret": "demo-secret-salesforce"},
        )
        told = answer.json()
        yield Salesforce(
            instance_url=told["instance_url"],
            session_id=told["access_token"],
            session=session,
            version="62.0",
        )


def error_code(caught: Any) -> str:
    return str(caught.value.content[0]["errorCode"])


def test_records_are_created_read_changed_and_deleted(client: Any) -> None:
    made = client.Lead.create({"LastName": "Horvat", "Company": "Plavi"})
    assert made["success"]
    assert client.Lead.update(made["id"], {"Title": "Buyer"}) == 204
    assert client.Lead.get(made["id"])["Title"] == "Buyer"
    assert client.Lead.upsert("CrmSync_Key__c/key-1", {"LastName": "N", "Company": "P"}) == 201
    assert client.Lead.upsert("CrmSync_Key__c/key-1", {"Title": "Boss"}) in (200, 204)
    assert client.Lead.get_by_custom_id("CrmSync_Key__c", "key-1")["Title"] == "Boss"
    assert client.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Lead.get(made["id"])


def test_queries_go_on_to_the_last_page(client: Any, server: Server) -> None:
    for n in range(7):
        client.Contact.create({"LastName": f"N{n}", "Email": f"n{n}@x.example"})
    gone = client.query("SELECT Id FROM Contact WHERE LastName = 'N3'")["records"][0]["Id"]
    client.Contact.delete(gone)
    server.post("switches", page_size=3)
    found: Any = client.query_all("SELECT LastName FROM Contact ORDER BY LastName")
    assert [row["LastName"] for row in found["records"]] == ["N0", "N1", "N2", "N4", "N5", "N6"]
    everything: Any = client.query_all(
        "SELECT Id, IsDeleted FROM Contact WHERE IsDeleted = true", include_deleted=True
    )
    assert [row["Id"] for row in everything["records"]] == [gone]


def test_what_is_offered_is_described(client: Any) -> None:
    assert {"Lead", "Contact", "Account"} <= {one["name"] for one in client.describe()["sobjects"]}
    email = next(f for f in client.Lead.describe()["fields"] if f["name"] == "Email")
    assert (email["type"], email["length"]) == ("email", 80)


def test_refusals_are_understood(client: Any, server: Server) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.Lead.create({"LastName": "Horvat"})
    assert error_code(caught) == "REQUIRED_FIELD_MISSING"
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.query("SELECT Nonsense FROM Lead")
    assert error_code(caught) == "INVALID_FIELD"
    server.post("tokens/expire")
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead")
