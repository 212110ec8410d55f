"""A client of the Dataverse simulator that knows none of our connectors: httpx and msal."""

import json
import re
import ssl
from pathlib import Path
from typing import Any

import httpx
import msal

from tests.connectors.processes import Server

FIXTURES = Path("tests/fixtures/dataverse")
ERRORS = {one["name"]: one for one in json.loads((FIXTURES / "errors.json").read_text())}
ROOT = "/api/data/v9.2"
ANN = {"lastname": "Horvat", "companyname": "Plavi"}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def anyone(server: Server, path: str = "") -> httpx.Client:
    """A client that nobody has signed in."""
    trust = ssl.create_default_context(cafile=server.ca_file)
    return httpx.Client(base_url=server.address + path, verify=trust, trust_env=False)


def sign_in(server: Server) -> dict[str, Any]:
    with anyone(server) as client:
        application = msal.ConfidentialClientApplication(
            "demo-client",
            client_credential="demo-secret-dynamics",
            authority=f"{server.address}/tenant",
            instance_discovery=False,
            http_client=client,
        )
        found: dict[str, Any] = application.acquire_token_for_client([f"{server.address}/.default"])
    return found


def signed_in(server: Server) -> httpx.Client:
    client = anyone(server, ROOT)
    client.headers["Authorization"] = f"Bearer {sign_in(server)['access_token']}"
    return client


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    told = response.json()["error"]
    return response.status_code, told["code"], told["message"]


def created(api: httpx.Client, table: str = "leads", **values: Any) -> str:
    answer = api.post(f"/{table}", json=(ANN if table == "leads" else {}) | values)
    assert answer.status_code == 204, answer.text
    found = re.search(r"\(([0-9a-f-]{36})\)$", answer.headers["OData-EntityId"])
    assert found
    return found[1]


def listed(api: httpx.Client, url: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """An answer and those that its nextLink leads to."""
    pages = [api.get(url, headers=headers).json()]
    while "@odata.nextLink" in pages[-1]:
        pages.append(api.get(pages[-1]["@odata.nextLink"], headers=headers).json())
    return pages
