"""A state that cannot be written: told, nothing lost, and no write without a durable intent."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from sync_engine.store import Store, migrate, open_database, unusable
from sync_engine.store.backups import StateInUseError
from tests.engine.three import Three, VirtualClock

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def test_i_33_a_full_disk_loses_nothing_and_goes_on_by_itself(engine: Engine) -> None:
    three = Three(engine)
    three.settle()
    with engine.connect() as connection:
        pages = connection.execute(text("pragma page_count")).scalar_one()
    full = [True]

    def bounded(connection: object, *_: object) -> None:
        limit = pages if full[0] else 2**30
        connection.execute(f"pragma max_page_count = {limit}")  # type: ignore[attr-defined]

    event.listen(engine, "checkout", bounded)
    for n in range(60):
        values = ANN | {"last": f"Horvat{n}", "mail": f"a{n}@plavi.example"}
        three.sales.create("Lead", **values, description="x" * 900)
    with pytest.raises(OperationalError) as caught:
        three.cycle()
    told = unusable(caught.value)
    assert told.what == "the state database cannot be used: database or disk is full"
    assert "Horvat" not in str(told)
    assert three.written()["service"] == {}
    full[0] = False
    three.settle()
    assert len(three.service.alive("lead")) == 60
    assert three.service.writes["create"] == 60


def test_i_33_a_full_disk_between_write_and_record_doubles_nobody(engine: Engine) -> None:
    three = Three(engine)
    three.settle()
    three.sales.create("Lead", **ANN)
    armed = [True]

    def fail(_connection: object) -> None:
        if armed[0] and three.service.writes["create"]:
            armed[0] = False
            raise OSError(errno.ENOSPC, "no space left")

    event.listen(engine, "commit", fail)
    with pytest.raises(OSError, match="no space"):
        three.cycle()
    assert three.service.writes["create"] == 1
    three.settle()
    assert len(three.service.alive("lead")) == 1


def test_28_a_second_service_on_one_state_is_refused(database: Engine) -> None:
    clock = VirtualClock()
    one, two = (Store(database, clock.now, f"host:{n}") for n in (1, 2))
    with one.transaction() as connection:
        one.registry.installation(connection, 7)
    with one.sole(), pytest.raises(StateInUseError, match="runs with this state"), two.sole():
        raise AssertionError("there are two")
    with two.sole():
        pass  # the first one has left
