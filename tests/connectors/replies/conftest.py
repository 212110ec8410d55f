"""A connector of each vendor, with a front between it and its system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.processes import Server, profiles, simulator
from tests.connectors.replies.place import BENCHES, Place, placed


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    folder = tmp_path_factory.mktemp("replies")
    with (
        simulator("salesforce", folder) as sales,
        simulator("dataverse", folder) as service,
        profiles(folder) as own,
    ):
        yield {"salesforce": sales, "dataverse": service, "profiles": own}


@pytest.fixture(params=list(BENCHES))
def place(
    request: pytest.FixtureRequest, servers: dict[str, Server], tmp_path: Path
) -> Iterator[Place]:
    yield from placed(request.param, servers, tmp_path)


@pytest.fixture
def sales(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from placed("salesforce", servers, tmp_path)


@pytest.fixture
def service(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from placed("dataverse", servers, tmp_path)


@pytest.fixture
def own(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from placed("profiles", servers, tmp_path)
