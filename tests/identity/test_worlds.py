"""Worlds of people whose truth is known: nobody linked wrongly, nobody made twice."""

import pytest

from sync_engine.models import Kind
from tests.identity.people import population, records
from tests.identity.running import judge, world


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("kind", [Kind.LEAD, Kind.CUSTOMER], ids=["leads", "customers"])
def test_practice_2_3_a_world_of_people(kind: Kind, seed: int) -> None:
    held = records(seed, population(seed, 1000), births=kind is Kind.CUSTOMER)
    with world(kind, held) as three:
        three.settle()
        found = judge(kind, held, three)
    assert found.wrong == []
    assert found.twice == []
    assert len(found.held) <= 2 * len(found.undecidable)
    assert found.linked >= 0.99 * found.both  # nothing is gained by asking about everybody
