"""Backup and restore of a state, on SQLite and on PostgreSQL alike, beside a busy writer."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from config import Config, load
from sync_engine import operations
from sync_engine.models import Kind, LinkState
from sync_engine.operations import WrongUseError
from sync_engine.service import SystemClock, build
from sync_engine.store import (
    DecisionRow,
    EntityRow,
    LeaseTakenError,
    LinkRow,
    StateError,
    Store,
    migrate,
    open_database,
)
from sync_engine.store.backups import StateInUseError

CONFIGURATION = """\
state: {state}
instances:
  one: {{connector: infobip, base_url: "https://one.api.infobip.com", api_key_file: key}}
  two: {{connector: infobip, base_url: "https://two.api.infobip.com", api_key_file: key}}
syncs:
  leads: {{kind: lead, every: 1m, sides: {{one: person, two: person}}}}
"""
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def configured(folder: Path, state: str) -> Config:
    (folder / "key").write_text("a-key-for-tests")
    path = folder / "crm-sync.yaml"
    path.write_text(CONFIGURATION.format(state=state.replace("+psycopg", "")))
    return load(path)


@pytest.fixture
def config(database: Engine, tmp_path: Path) -> Config:
    """A configuration of this state, whose tables a service has filled."""
    found = configured(tmp_path, database.url.render_as_string(hide_password=False))
    build(found).close()
    return found


@pytest.fixture
def state(database: Engine, config: Config) -> Store:
    store = Store(database, lambda: NOW, "somewhere:1")
    store.open([SHOWN])
    return store


SHOWN = {"email": b"email"}  #: what a side shows, and how it is read


def add_person(store: Store, number: int) -> None:
    with store.transaction() as connection:
        store.entities.insert(connection, [EntityRow(number, Kind.LEAD, {"email": "a@x.example"})])
        store.links.insert(connection, [person(store, number)])


def person(store: Store, number: int) -> LinkRow:
    return LinkRow(
        id=number,
        layout=store.layouts.of(SHOWN),
        source_id=1,
        instance_id=1,
        kind=Kind.LEAD,
        state=LinkState.LIVE,
        record_id=f"r{number}",
        entity_id=number,
        seen={"email": "a@x.example"},
    )


def known(config: Config) -> list[int]:
    """The people that the configured state knows."""
    service = build(config)
    try:
        with service.store.reading() as connection:
            found = service.store.entities.by_id(connection, range(100))
            links = service.store.links.by_id(connection, range(100))
    finally:
        service.close()
    assert sorted(found) == sorted(links)
    return sorted(found)


def rows(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def test_a_backup_is_one_private_file(config: Config, state: Store, tmp_path: Path) -> None:
    add_person(state, 1)
    before = set(tmp_path.iterdir())
    operations.backup(config, tmp_path / "backup.db")
    made = [path.name for path in tmp_path.iterdir() if path not in before]
    assert [name for name in made if not name.startswith("state.db-")] == ["backup.db"]
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    assert rows(tmp_path / "backup.db", "PRAGMA journal_mode") == [("delete",)]
    assert rows(tmp_path / "backup.db", "SELECT id FROM link") == [(1,)]


def test_a_backup_holds_what_was_committed(config: Config, state: Store, tmp_path: Path) -> None:
    add_person(state, 1)
    with state.transaction() as connection:
        state.entities.insert(connection, [EntityRow(2, Kind.LEAD, {})])
        operations.backup(config, tmp_path / "backup.db")
    assert rows(tmp_path / "backup.db", "SELECT id FROM entity") == [(1,)]


def test_a_backup_beside_a_busy_writer_is_of_one_moment(
    config: Config, state: Store, tmp_path: Path
) -> None:
    stop, going = threading.Event(), threading.Event()

    def write() -> None:
        for number in range(1, 100_000):
            add_person(state, number)
            if number == 20:
                going.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert going.wait(60)
        operations.backup(config, tmp_path / "backup.db")
    finally:
        stop.set()
        writer.join()
    people = rows(tmp_path / "backup.db", "SELECT id FROM entity ORDER BY id")
    assert len(people) >= 20
    assert people == rows(tmp_path / "backup.db", "SELECT id FROM link ORDER BY id")


def test_a_backup_replaces_no_file(config: Config, tmp_path: Path) -> None:
    (tmp_path / "backup.db").write_text("something else")
    with pytest.raises(WrongUseError, match="there already"):
        operations.backup(config, tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "something else"


def test_there_is_nothing_to_back_up_before_the_first_run(tmp_path: Path) -> None:
    config = configured(tmp_path, "sqlite:///none.db")
    with pytest.raises(WrongUseError, match="no state yet"):
        operations.backup(config, tmp_path / "backup.db")
    assert not (tmp_path / "none.db").exists()


def test_a_state_of_another_version_is_backed_up_whole_or_not_at_all(
    config: Config, database: Engine, tmp_path: Path
) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    if database.dialect.name == "sqlite":  # copied byte by byte: tables unknown here come along
        operations.backup(config, tmp_path / "backup.db")
        assert rows(tmp_path / "backup.db", "SELECT * FROM alembic_version") == [
            ("from the future",)
        ]
        return
    with pytest.raises(StateError, match="another version"):
        operations.backup(config, tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


@pytest.fixture
def backup(config: Config, state: Store, database: Engine, tmp_path: Path) -> Path:
    """A backup that knows person 1; the state has come to know person 2 and nobody uses it."""
    add_person(state, 1)
    with state.transaction() as connection:
        state.registry.save_sync(connection, "leads", released_at=NOW, due_at=NOW)
        state.registry.save_source(
            connection, 1, cursor={"at": 1}, listed_at=NOW, guard={"leads": {}}
        )
        state.issues.decide(connection, [decision("a")], "somebody", NOW)
    with state.lease("pull:1"):
        operations.backup(config, tmp_path / "backup.db")
    add_person(state, 2)
    database.dispose()
    return tmp_path / "backup.db"


def decision(record: str) -> DecisionRow:
    return DecisionRow("same", (1, record), (2, record))


def test_a_restored_state_is_the_one_backed_up(config: Config, backup: Path) -> None:
    operations.restore(config, backup, force=True)
    assert known(config) == [1]


def test_a_restored_state_believes_nothing_of_the_systems(
    config: Config, backup: Path, database: Engine
) -> None:
    operations.restore(config, backup, force=True)
    with database.begin() as connection:
        one = connection.execute(text("SELECT * FROM source WHERE id = 1")).one()
        assert (one.cursor, one.listing, one.listed_at, one.guard) == (None, None, None, None)
        assert connection.scalar(text("SELECT restoring FROM meta")) == 1
        assert connection.scalar(text("SELECT count(*) FROM lease WHERE holder IS NOT NULL")) == 0
        sync = connection.execute(text("SELECT released_at, due_at FROM sync")).one()
        assert tuple(sync) == (None, None)


def test_a_restored_state_goes_on_counting(
    config: Config, backup: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """PostgreSQL numbers decisions by a sequence, which a copied row does not move."""
    moved = elsewhere(config, request, tmp_path)
    operations.restore(moved, backup, force=False)
    service = build(moved)
    with service.store.transaction() as connection:
        service.store.issues.decide(connection, [decision("b")], "somebody", NOW)
        assert len(service.store.issues.all_decisions(connection)) == 2
    service.close()


def test_only_an_empty_state_is_replaced_unasked(config: Config, backup: Path) -> None:
    with pytest.raises(StateError, match="already knows") as caught:
        operations.restore(config, backup, force=False)
    assert "--force" in caught.value.remedy
    assert known(config) == [1, 2]


def test_an_empty_state_is_replaced(
    config: Config, backup: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    moved = elsewhere(config, request, tmp_path)
    build(moved).close()
    operations.restore(moved, backup, force=False)
    assert known(moved) == [1]


def elsewhere(config: Config, request: pytest.FixtureRequest, folder: Path) -> Config:
    """A fresh state of the other family."""
    if config.settings.state.startswith("sqlite"):
        return configured(folder, request.getfixturevalue("postgres"))
    return configured(folder, "sqlite:///moved.db")


def test_a_state_that_is_not_there_is_made(config: Config, backup: Path, tmp_path: Path) -> None:
    fresh = configured(tmp_path, "sqlite:///fresh.db")
    left = open_database(f"sqlite:///{tmp_path / 'left.db'}")
    migrate(left)  # whose file somebody has removed, and not its log
    (tmp_path / "fresh.db-wal").write_bytes((tmp_path / "left.db-wal").read_bytes())
    left.dispose()
    operations.restore(fresh, backup, force=False)
    assert (tmp_path / "fresh.db").stat().st_mode & 0o777 == 0o600
    assert known(fresh) == [1]


def test_an_idle_service_keeps_its_state(config: Config, backup: Path) -> None:
    service = build(config)
    try:
        with pytest.raises(StateInUseError):
            operations.restore(config, backup, force=True)
        with service.store.transaction() as connection:
            service.store.entities.mark(connection, [2])
    finally:
        service.close()
    assert known(config) == [1, 2]


def test_a_worker_at_work_keeps_the_state(
    config: Config, backup: Path, database: Engine, state: Store
) -> None:
    with state.lease("pull:1"), pytest.raises((StateInUseError, LeaseTakenError)):
        operations.restore(config, backup, force=True)
    database.dispose()
    assert known(config) == [1, 2]


def test_a_lease_of_another_machine_is_honoured(
    config: Config, backup: Path, postgres: str, tmp_path: Path
) -> None:
    """There its connection may come through a pooler, under another role."""
    engine = open_database(postgres)
    now = SystemClock().now() + timedelta(minutes=1)
    with Store(engine, lambda: now, "elsewhere:1").transaction() as connection:
        Store(engine, lambda: now, "").registry.take_lease(
            connection, "pull:1", "elsewhere:1", now, 60, lambda _holder: False
        )
    engine.dispose()
    with pytest.raises(LeaseTakenError, match="elsewhere:1"):
        operations.restore(configured(tmp_path, postgres), backup, force=True)


@pytest.mark.parametrize(
    "what", ["text", "empty", "other database", "newer", "damaged", "loose ends", "broken rule"]
)
def test_what_is_no_backup_is_refused(
    config: Config, backup: Path, tmp_path: Path, what: str
) -> None:
    spoil(backup, what)
    with pytest.raises(StateError) as caught:
        operations.restore(config, backup, force=True)
    assert caught.value.remedy
    assert known(config) == [1, 2]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".crm-sync")]


def spoil(backup: Path, what: str) -> None:
    if what == "text":
        backup.write_text("no database at all, but long enough to be looked at " * 40)
    elif what == "empty":
        backup.write_bytes(b"")
    elif what == "damaged":
        content = bytearray(backup.read_bytes())
        content[8192:] = bytes(len(content) - 8192)
        backup.write_bytes(content)
    else:
        with closing(sqlite3.connect(backup)) as connection:
            if what == "loose ends":
                connection.execute("INSERT INTO waiting (link_id, entity_id) VALUES (98, 99)")
            elif what == "broken rule":
                connection.execute("PRAGMA ignore_check_constraints=ON")
                connection.execute("UPDATE link SET entity_id = NULL")
            elif what == "newer":
                connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
            else:
                connection.execute("DROP TABLE alembic_version")
            connection.commit()


def test_a_damaged_state_is_replaced_only_by_force(
    config: Config, backup: Path, tmp_path: Path, database: Engine
) -> None:
    spoiled = configured(tmp_path, "sqlite:///spoiled.db")
    (tmp_path / "spoiled.db").write_text("the disk had other plans for this file " * 40)
    with pytest.raises(StateError, match="cannot be read"):
        operations.restore(spoiled, backup, force=False)
    operations.restore(spoiled, backup, force=True)
    assert known(spoiled) == [1]


def test_a_restore_that_fails_midway_changes_nothing(
    config: Config, backup: Path, postgres: str, tmp_path: Path
) -> None:
    """PostgreSQL keeps no NUL in a text; SQLite does."""
    target = configured(tmp_path, postgres)
    build(target).close()
    engine = open_database(postgres)
    other = Store(engine, lambda: NOW, "somewhere:1")
    other.open([SHOWN])
    add_person(other, 3)
    engine.dispose()
    before = known(target)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE link SET record_id = char(0)")
        connection.commit()
    with pytest.raises(StateError, match="refused"):
        operations.restore(target, backup, force=True)
    assert known(target) == before
    assert 3 in before
