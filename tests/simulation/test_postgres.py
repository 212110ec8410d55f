"""The same histories on PostgreSQL. States are put back on SQLite only."""

import itertools
import os
import time

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
    def fresh() -> Engine:
        return open_database(copy_of_migrated(postgres_server))

    start = time.process_time()
    for seed in itertools.count(100_000):
        used = time.process_time() - start
        if used > float(SECONDS) if SECONDS else seed >= 100_000 + PLAYED:
            break
        history = script(seed)
        if "F15" in history.setup.faults:
            continue
        assert not run(history, fresh).signature, tell(history)
