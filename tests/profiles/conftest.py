"""One store for each module, emptied before each test, with what the documented samples name."""

from collections.abc import Iterator

import httpx
import pytest

from tests.profiles.stores import running

ATTRIBUTES = {
    "Contract Expiry": "DATE",
    "points": "INTEGER",
    "when": "DATE_TIME",
    "vip": "BOOLEAN",
    "word": "STRING",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tmp_path_factory.mktemp("profiles")) as client:
        for name, kind in ATTRIBUTES.items():
            client.post("/people/2/customAttributes", json={"name": name, "dataType": kind})
        yield client


@pytest.fixture
def http(server: httpx.Client) -> httpx.Client:
    server.post("/_control/reset", json={})
    for tag in ("VIP Customers", "Vip"):
        server.post("/people/2/tags", json={"name": tag})
    return server
