"""A state older than the systems: noticed, and nothing is created, deleted or lost by it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_engine.engine.restored import begin
from sync_engine.models import Kind
from sync_engine.service.witness import watch
from sync_engine.store import StateError, epoch, is_restoring, migrate, open_database
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
BOB = {"first": "Bob", "last": "Novak", "mail": "bob@crveni.example", "firm": "Crveni"}


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate(engine)
    three = Three(engine)
    yield three
    three.close()


def copy(three: Three, source: Path, target: Path) -> None:
    """A file copied behind the product's back."""
    three.store.truncate_log()
    three.engine.dispose()
    with sqlite3.connect(source) as given, sqlite3.connect(target) as taken:
        given.backup(taken)


def set_back(three: Three, tmp_path: Path, since: Any) -> None:
    """Do something, then put yesterday's state in the place of today's."""
    copy(three, tmp_path / "state.db", tmp_path / "yesterday.db")
    since()
    three.settle()
    copy(three, tmp_path / "yesterday.db", tmp_path / "state.db")


def people(three: Three) -> dict[str, int]:
    return {
        "sales": len(three.sales.alive("Lead")),
        "service": len(three.service.alive("lead")),
        "profiles": len(three.profiles.alive("person")),
    }


def test_i_24_people_created_since_are_recognised_and_not_created_again(
    three: Three, tmp_path: Path
) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    set_back(three, tmp_path, lambda: three.sales.create("Lead", **BOB))
    assert people(three) == {"sales": 2, "service": 2, "profiles": 2}
    written = three.written()
    three.cycle()
    three.cycle()
    assert three.written() == written
    assert "state restored" in three.whats()
    with three.store.reading() as connection:
        assert not is_restoring(connection)  # all has been listed
    three.release()
    three.settle()
    assert people(three) == {"sales": 2, "service": 2, "profiles": 2}
    assert three.written() == written
    three.service.update("lead", three.links("service/lead")[1].record_id or "", title="Buyer")
    three.settle()
    assert [row.values.get("title") for row in three.sales.alive("Lead")] == [None, "Buyer"]


def test_i_24_a_side_that_lists_late_gets_nobody_twice_whom_only_a_key_tells(
    three: Three, tmp_path: Path
) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    set_back(three, tmp_path, lambda: three.sales.create("Lead", **BOB))
    there = three.service.alive("lead")[1].id
    three.service.update("lead", there, first="Robert Ivan", last="Kralj", mail="rk@x.example")
    three.world.paused = {"service"}
    three.cycle()
    three.release()
    three.cycle()
    three.world.paused = set()
    three.settle()
    assert people(three) == {"sales": 2, "service": 2, "profiles": 2}
    assert "surplus record" not in three.whats()
    shown = {row.values["mail"] for row in three.sales.alive("Lead")}
    assert shown == {"ann@plavi.example", "bob@crveni.example"}  # which is right is asked


def test_i_24_creates_that_were_due_wait_too(three: Three) -> None:
    leads = three.world.syncs[Kind.LEAD].name
    with three.store.transaction() as connection:
        three.store.registry.save_sync(connection, leads, state="paused")
    three.sales.create("Lead", **ANN)
    three.cycle()
    with three.store.transaction() as connection:
        three.store.registry.save_sync(connection, leads, state="active")
    begin(three.world, "a test says so")
    three.release()
    three.world.paused = {"profiles"}
    three.cycle()
    assert three.service.alive("lead") == []
    three.world.paused = set()
    three.settle()
    assert len(three.service.alive("lead")) == 1


def test_i_24_nothing_is_created_or_deleted_until_all_has_been_listed(
    three: Three, tmp_path: Path
) -> None:
    ann = three.sales.create("Lead", **ANN)
    three.settle()
    for kind in Kind:
        three.deletes(kind, "propagate")
    begin(three.world, "a test says so")
    three.release()
    three.world.paused = {"service"}  # cannot be listed
    three.sales.delete("Lead", ann)
    three.sales.create("Lead", **BOB)
    before = three.written()
    for _ in range(3):
        three.cycle()
    assert three.written() == before
    three.world.paused = set()
    three.settle()
    assert len(three.service.alive("lead")) == 2  # Bob is created; Ann was not deleted there
    assert "deleted here, edited there" in three.whats()


def test_i_24_what_differs_is_asked_and_stays_asked(three: Three, tmp_path: Path) -> None:
    ann = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    begin(three.world, "a test says so")
    three.release()
    there = only(three.service.alive("lead")).id
    three.sales.update("Lead", ann, title="Owner")
    three.service.update("lead", there, title="Engineer")
    three.settle()
    three.sales.update("Lead", ann, description="decided anew")
    three.settle()
    assert only(three.sales.alive("Lead")).values["title"] == "Owner"
    assert only(three.service.alive("lead")).values["title"] == "Engineer"
    assert "conflict" in three.whats()


def test_i_24_the_epoch_grows_before_a_run_writes_and_its_witness_hears_of_it(
    three: Three,
) -> None:
    heard = []

    def witness(reached: Any) -> None:
        with three.store.reading() as connection:
            assert epoch(connection) == reached  # the database first
        heard.append((reached.number, sum(sum(w.values()) for w in three.written().values())))

    three.world.witness = witness
    three.cycle()
    assert heard == []
    three.sales.create("Lead", **ANN)
    three.settle()
    assert heard == [(1, 0)]  # once for a run that writes to two systems


def test_i_24_the_epoch_file_tells_before_anything_is_read(three: Three, tmp_path: Path) -> None:
    file = tmp_path / "epoch"
    watch(three.world, file)
    three.sales.create("Lead", **ANN)
    three.settle()
    watch(three.world, file)  # started again: all is well
    assert three.whats() == []
    set_back(three, tmp_path, lambda: three.sales.create("Lead", **BOB))
    watch(three.world, file)
    assert three.whats() == ["state restored"]
    with three.store.transaction() as connection:
        three.store.issues.close(connection, three.clock.now(), [only(three.issues()).id])
    watch(three.world, file)  # once for one loss
    assert three.whats() == []


def test_i_24_another_state_under_the_same_epoch_file_is_noticed(
    three: Three, tmp_path: Path
) -> None:
    file = tmp_path / "epoch"
    file.write_text('{"installation": 1, "number": 0}')
    watch(three.world, file)
    assert only(three.issues()).cause == "the epoch file was written for another state"


def test_i_33_nothing_is_written_to_a_system_where_the_epoch_file_cannot_be(
    three: Three, tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    folder.mkdir()
    watch(three.world, folder / "epoch")
    (folder / "epoch").unlink()
    folder.rmdir()
    ann = three.sales.create("Lead", **ANN)
    with pytest.raises(StateError, match="cannot be written; nothing is written to any system"):
        three.cycle()
    assert three.written()["service"] == {}
    folder.mkdir()
    three.settle()
    assert people(three) == {"sales": 1, "service": 1, "profiles": 1}
    assert three.sales.row("Lead", ann).values["mail"] == "ann@plavi.example"


def test_i_24_a_damaged_epoch_file_is_refused(three: Three, tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("{}")
    with pytest.raises(StateError, match="cannot be read"):
        watch(three.world, tmp_path / "epoch")
