"""Row ids grow and keys tell where they come from."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sync_engine.ids import Ids, KeyParts, key_parts

START = datetime(2026, 5, 1, tzinfo=UTC)


def test_row_ids_grow_even_when_the_clock_goes_back() -> None:
    moments = iter([START, START - timedelta(hours=1), START, START])
    ids = Ids(lambda: next(moments), random.Random(1))
    rows = [ids.row() for _ in range(4)]
    assert rows == sorted(set(rows))
    assert all(0 < row < 1 << 63 for row in rows)


def test_row_ids_go_on_where_another_process_has_ended_an_hour_ahead() -> None:
    before = Ids(lambda: START + timedelta(hours=1), random.Random(1)).row()
    ids = Ids(lambda: START, random.Random(2))
    ids.after(before)
    assert ids.row() > before


def test_a_clock_that_was_a_year_ahead_is_not_followed() -> None:
    before = Ids(lambda: START + timedelta(days=365), random.Random(1)).row()
    ids = Ids(lambda: START, random.Random(2))
    ids.after(before)
    assert ids.row() < ids.row_at(START + timedelta(days=1))


def test_row_at_separates_before_from_after() -> None:
    moments = [START]
    ids = Ids(lambda: moments[0], random.Random(1))
    early = ids.row()
    moments[0] = START + timedelta(seconds=2)
    assert early < ids.row_at(START + timedelta(seconds=1)) < ids.row()


@given(
    installation=st.integers(0, (1 << 32) - 1),
    entity=st.integers(0, (1 << 63) - 1),
    seed=st.integers(0, 1000),
)
def test_a_key_tells_its_installation_and_entity(installation: int, entity: int, seed: int) -> None:
    key = Ids(lambda: START, random.Random(seed)).key(installation, entity)
    assert key.version == 8
    assert key_parts(key) == KeyParts(installation, entity)


def test_keys_of_one_entity_differ() -> None:
    ids = Ids(lambda: START, random.Random(1))
    assert ids.key(1, 2) != ids.key(1, 2)


def test_a_foreign_uuid_is_no_key_of_ours() -> None:
    assert key_parts(UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")) is None
