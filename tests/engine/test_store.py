"""The state database, on SQLite and on PostgreSQL alike."""

import random
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from sync_engine import store
from sync_engine.ids import Ids
from sync_engine.models import Happened, Kind, LinkState, Owes, SentResult
from sync_engine.store import (
    EntityRow,
    HistoryRow,
    IssueRow,
    LeaseHold,
    LeaseLostError,
    LeaseTakenError,
    LinkRow,
    SentRow,
    StateError,
    Store,
)
from sync_engine.values import Author, Held

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIDE = {"email": b"an email", "last_name": b"any text", "phone": b"a number"}


class Wall:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def state(database: Engine, wall: Wall) -> Store:
    found = Store(database, wall.now, "first:1")
    found.open([SIDE])
    with found.transaction() as connection:
        found.registry.add_instances(connection, ["sales", "service"])
        found.registry.add_sources(connection, [(1, "Lead"), (2, "lead")])
        found.registry.start_run(connection, 1, "leads", NOW, None)
    return found


def link(number: int, **more: object) -> LinkRow:
    row = LinkRow(
        id=number,
        source_id=1,
        instance_id=1,
        kind=Kind.LEAD,
        state=LinkState.NEW,
        record_id=f"r{number}",
        layout=2,  # the first side's: golden has the one before
        seen={"email": f"{number}@x.example", "last_name": None},
    )
    for name, value in more.items():
        setattr(row, name, value)
    return row


def test_the_migrations_are_the_models(database: Engine) -> None:
    with warnings.catch_warnings():
        # an index on expressions cannot be reflected; test_one_open_issue_per_cause proves it
        warnings.filterwarnings("ignore", message=".*expression-based index")
        command.check(store.alembic_config(database))


def test_a_database_of_a_newer_version_is_refused(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    with pytest.raises(StateError, match="newer version"):
        store.migrate(database)


@pytest.mark.parametrize("url", ["mysql://host/db", "nonsense", "sqlite:////no/such/folder/s.db"])
def test_an_unusable_url_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(StateError) as caught:
        store.open_database(url)
    assert caught.value.remedy


def test_the_file_is_private(tmp_path: Path) -> None:
    store.open_database(f"sqlite:///{tmp_path / 's.db'}").dispose()
    assert (tmp_path / "s.db").stat().st_mode & 0o777 == 0o600


def test_a_link_comes_back_as_it_was_stored(state: Store) -> None:
    stored = link(
        7,
        key=uuid4(),
        base={"email": "old"},
        held={"phone": Held("ab", "rejected", "1")},
        stamps={"email": "2026-05-01T00:00:00+00:00"},
        fingerprint=b"\x00\xff",
        modified_at=NOW,
        version='W/"1"',
        due_at=NOW,
        owes=Owes.REREAD,
        inactive=True,
    )
    with state.transaction() as connection:
        state.links.insert(connection, [stored])
        assert state.links.by_record(connection, 1, ["r7", "r8"]) == {"r7": stored}


def test_unset_is_not_null(state: Store) -> None:
    with state.transaction() as connection:
        state.links.insert(connection, [link(7, seen={"email": None}, base={})])
        found = state.links.by_id(connection, [7])[7]
    assert found.seen == {"email": None}
    assert found.base == {}


def test_one_record_is_one_link(state: Store) -> None:
    with pytest.raises(IntegrityError), state.transaction() as connection:
        state.links.insert(connection, [link(7), link(8, record_id="r7")])


def test_an_entity_has_one_live_record_per_instance(state: Store) -> None:
    def live(number: int) -> LinkRow:
        return link(number, state=LinkState.LIVE, entity_id=1)

    with state.transaction() as connection:
        state.entities.insert(connection, [EntityRow(1, Kind.LEAD, {})])
        state.links.insert(connection, [live(7)])
    with pytest.raises(IntegrityError), state.transaction() as connection:
        state.links.insert(connection, [live(8)])


def test_a_place_given_up_can_be_taken_in_one_save(state: Store) -> None:
    with state.transaction() as connection:
        state.entities.insert(connection, [EntityRow(1, Kind.LEAD, {})])
        old = link(9, state=LinkState.LIVE, entity_id=1)
        new = link(7)
        state.links.insert(connection, [old, new])
        old.state = LinkState.REPLACED
        new.state, new.entity_id = LinkState.LIVE, 1
        state.links.save(connection, [new, old])
        assert state.links.by_id(connection, [7])[7].state is LinkState.LIVE


def test_a_live_link_needs_an_entity(state: Store) -> None:
    with pytest.raises(IntegrityError), state.transaction() as connection:
        state.links.insert(connection, [link(7, state=LinkState.LIVE)])


def test_one_open_issue_per_cause(state: Store) -> None:
    issues = [IssueRow(n, "rejected", NOW, cause="x", link_id=5) for n in (1, 2)]
    with state.transaction() as connection:
        state.issues.open(connection, issues)
        assert state.issues.counts(connection) == {"rejected": 1}
        state.issues.close_about(connection, NOW, whats=("rejected",), links=(5,))
        state.issues.open(connection, issues[1:])
        assert state.issues.counts(connection) == {"rejected": 1}


def test_match_keys_are_replaced(state: Store) -> None:
    with state.transaction() as connection:
        state.links.insert(connection, [link(7), link(8)])
        state.links.replace_keys(connection, [], [(-5, 7), (-5, 8), (6, 7)])
        state.links.replace_keys(connection, [(6, 7), (-5, 7)], [(-5, 7), (9, 7)])
        assert state.links.sharing_keys(connection, [-5, 6, 9]) == {-5: [7, 8], 9: [7]}


def test_a_waiting_entity_is_told_once(state: Store) -> None:
    with state.transaction() as connection:
        state.links.insert(connection, [link(7)])
        state.entities.insert(connection, [EntityRow(1, Kind.CUSTOMER, {})])
        state.links.wait(connection, [(7, 1), (7, 1)])
        assert state.links.awaited(connection, [7]) == {1}
        assert state.links.awaited(connection, [7]) == set()


def test_what_a_listing_lacks(state: Store) -> None:
    with state.transaction() as connection:
        state.entities.insert(
            connection, [EntityRow(1, Kind.LEAD, {}), EntityRow(2, Kind.LEAD, {})]
        )
        state.links.insert(
            connection,
            [link(n, state=LinkState.LIVE, entity_id=n) for n in (1, 2)]
            + [link(3, state=LinkState.GONE)],
        )
        state.listings.show(connection, 1, 5, ["r1", "r1"])
        assert [row.id for row in state.listings.unlisted(connection, 1, 5)] == [2]


def test_golden_and_its_authors(state: Store) -> None:
    with state.transaction() as connection:
        state.entities.insert(connection, [EntityRow(1, Kind.LEAD, {"email": "a"})])
        told = [
            HistoryRow(n, 1, 1, Happened.VALUE, field_name="email", by=by, stamp=f"s{n}", new="a")
            for n, by in enumerate(["sales", "service", "golden"], start=1)
        ]
        state.entities.tell(connection, told)
        assert state.entities.authors(connection, [1]) == {1: {"email": Author("service", "s2")}}
        assert [row.new for row in state.entities.history(connection, 1)] == ["a", "a", "a"]


def test_first_values_of_one_side_are_one_row_told_field_by_field_and_walked_back(
    state: Store,
) -> None:
    def row(number: int, *names: str, **more: Any) -> HistoryRow:
        return HistoryRow(number, 1, 1, Happened.VALUE, fields=names, **more)

    with state.transaction() as connection:
        golden = {"email": "b", "phone": "1", "last_name": "n"}
        state.entities.insert(connection, [EntityRow(1, Kind.LEAD, golden)])
        first = [row(1, "email", "phone", by="sales"), row(2, "last_name", by="service")]
        state.entities.tell(connection, first)
        assert connection.execute(text("select count(*) from history")).scalar_one() == 2
        edit = HistoryRow(3, 1, 1, Happened.VALUE, field_name="email", by="service")
        edit.old, edit.new = "a", "b"
        state.entities.tell(connection, [edit])
        told = state.entities.history(connection, 1)
        assert [(one.field_name, one.new, one.by) for one in told] == [
            ("email", "a", "sales"),
            ("phone", "1", "sales"),
            ("last_name", "n", "service"),
            ("email", "b", "service"),
        ]
        authors = state.entities.authors(connection, [1])[1]
        assert {name: one.by for name, one in authors.items()} == {
            "email": "service",
            "phone": "sales",
            "last_name": "service",
        }
        assert state.entities.last_words(connection, [1])[1]["phone"].by == "sales"
        store.blank_entity(connection, 1)
        blanked = state.entities.history(connection, 1)[1]
        assert (blanked.field_name, blanked.new, blanked.by) == ("phone", None, "sales")


def test_merged_entities_are_followed_to_their_end(state: Store) -> None:
    with state.transaction() as connection:
        rows = [EntityRow(n, Kind.LEAD, {}) for n in (1, 2, 3)]
        state.entities.insert(connection, rows)
        for row, into in ((rows[0], 2), (rows[1], 3)):
            row.state, row.into_id = type(row.state).MERGED, into
        state.entities.save(connection, rows)
        assert state.entities.survivors(connection, [1, 2, 3]) == {1: 3, 2: 3, 3: 3}


def test_open_writes_are_found_until_they_are_answered(state: Store) -> None:
    row = SentRow(9, 1, 7, 1, "update", Owes.CLEAR, 0, 0, values={"email": None, "phone": "1"})
    with state.transaction() as connection:
        state.links.insert(connection, [link(7)])
        state.writes.insert(connection, [row])
        assert state.writes.open(connection, [7]) == {7: [row]}
        assert state.writes.overdue(connection, 1, 10) == [7]
        assert state.writes.overdue(connection, 1, 9) == []
        row.result, row.answered_at = SentResult.DONE, NOW
        state.writes.close(connection, [row])
        assert state.writes.open(connection, [7]) == {}
        assert state.writes.of_links(connection, [7])[-1].values == row.values
        assert state.writes.counted(connection, 1, 0) == {Owes.CLEAR: 1}
        assert list(state.writes.updates(connection, 1, 0)) == [(7, row.values)]


def test_a_lease_keeps_others_out_until_it_ends(state: Store, database: Engine, wall: Wall) -> None:
    other = Store(database, wall.now, "second:2")
    with state.lease("match"):
        with pytest.raises(LeaseTakenError, match="first:1"), other.lease("match"):
            pass
        wall.time += timedelta(minutes=10)
        with other.lease("match"):
            pass


def test_a_lease_of_a_dead_process_is_free(state: Store, database: Engine, wall: Wall) -> None:
    other = Store(database, wall.now, "second:2", lambda holder: holder == "first:1")
    with state.lease("match"), other.lease("match"):
        pass


def test_a_worker_that_lost_its_lease_stores_nothing(
    state: Store, database: Engine, wall: Wall
) -> None:
    other = Store(database, wall.now, "second:2")
    with state.lease("match") as mine:
        wall.time += timedelta(minutes=10)
        with (
            other.lease("match"),
            pytest.raises(LeaseLostError),
            state.transaction(mine) as connection,
        ):
            state.entities.mark(connection, [1])
    with pytest.raises(LeaseLostError), state.transaction(LeaseHold("match", 99)):
        pass


def test_reading_goes_on_beside_a_writer(state: Store) -> None:
    with state.transaction() as writer, state.reading() as reader:
        state.registry.add_instances(writer, ["third"])
        assert "third" not in state.registry.instances(reader)


def test_practice_8_2_a_blanked_person_leaves_no_byte(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-4711"
    path = tmp_path / "state.db"
    engine = store.open_database(f"sqlite:///{path}")
    store.migrate(engine)
    state = Store(engine, lambda: NOW, "first:1")
    state.open([SIDE])
    ids = Ids(lambda: NOW, random.Random(1))
    with state.transaction() as connection:
        state.registry.add_instances(connection, ["sales"])
        state.registry.add_sources(connection, [(1, "Lead")])
        state.registry.start_run(connection, 1, "leads", NOW, None)
        state.entities.insert(connection, [EntityRow(1, Kind.LEAD, {"email": canary})])
        person = link(
            7,
            entity_id=1,
            state=LinkState.LIVE,
            seen={"email": canary},
            held={"phone": Held("x", "rejected", canary)},
        )
        state.links.insert(connection, [person])
        state.writes.insert(
            connection, [SentRow(9, 1, 7, 1, "update", Owes.UPDATE, 0, 0, values={"email": canary})]
        )
        state.entities.tell(
            connection,
            [HistoryRow(ids.row(), 1, 1, Happened.VALUE, field_name="email", new=canary)],
        )
        state.issues.open(
            connection, [IssueRow(ids.row(), "x", NOW, link_id=7, detail={"was": canary})]
        )
    assert canary.encode() in b"".join(f.read_bytes() for f in tmp_path.iterdir())
    with state.transaction() as connection:
        store.blank_entity(connection, 1)
        assert len(state.entities.history(connection, 1)) == 1
    state.truncate_log()
    state.close()
    assert canary.encode() not in b"".join(f.read_bytes() for f in tmp_path.iterdir())
    assert canary not in "".join(capfd.readouterr())
