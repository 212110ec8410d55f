"""The three systems run once for all tests of this folder; each test finds them empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pains.site import Site
from tests.pains.site import site as opened
from tests.system.world import Running, running


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("systems")) as found:
        yield found


@pytest.fixture
def site(systems: Running, tmp_path: Path) -> Iterator[Site]:
    with opened(systems.systems, tmp_path, systems) as found:
        yield found
