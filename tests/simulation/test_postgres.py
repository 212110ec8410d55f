"""The same histories on PostgreSQL. States are put back on SQLite only."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from sync_engine.store import open_database
from tests.engine.databases import copy_of_migrated, postgres_server
from tests.simulation.generate import script
from tests.simulation.history import run
from tests.simulation.tell import tell

__all__ = ["postgres_server"]
SECONDS = os.environ.get("CRM_SYNC_SIMULATION_SECONDS")
PLAYED = 10  #: histories, where no CPU seconds are given


@pytest.mark.timeout(600)
def test_histories_hold_on_postgresql(postgres_server: str) -> None:
    @contextmanager
    def fresh() -> Iterator[Engine]:
        engine = open_database(copy_of_migrated(postgres_server))
        yield engine
        engine.dispose()

    start = time.process_time()
    for seed in itertools.count(100_000):
        used = time.process_time() - start
        if used > float(SECONDS) if SECONDS else seed >= 100_000 + PLAYED:
            break
        history = script(seed)
        if "F15" in history.setup.faults:
            continue
        assert not run(history, fresh).signature, tell(history)
