"""One simulator per file, reset before each test, and a connector to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.processes import Server, simulator
from tests.connectors.salesforce_org import opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def sales(org: Server) -> Iterator[Any]:
    connector = opened(org)
    yield connector
    connector.close()
