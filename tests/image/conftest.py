"""These tests are there only for a built image: scripts/test builds one and names it."""

import os
from collections.abc import Iterator

import pytest

from tests.image.container import Image

collect_ignore_glob = [] if "CRM_SYNC_IMAGE" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    name, tool = os.environ["CRM_SYNC_IMAGE"], os.environ["CRM_SYNC_TOOL"]
    with Image.named(name, tool, tmp_path_factory.mktemp("image")) as found:
        yield found
