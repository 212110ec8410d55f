"""One simulator per file, reset before each test, and a client that has signed in."""

from collections.abc import Iterator

import httpx
import pytest

from tests.connectors.processes import Server, simulator
from tests.simulators.salesforce.api import signed_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def api(org: Server) -> Iterator[httpx.Client]:
    with signed_in(org) as client:
        yield client
