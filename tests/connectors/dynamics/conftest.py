"""One simulator per file, reset before each test, and a connector to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.dynamics_org import opened
from tests.connectors.processes import Server, simulator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("dataverse", tmp_path_factory.mktemp("dataverse")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def service(org: Server) -> Iterator[Any]:
    connector = opened(org)
    yield connector
    connector.close()
