"""Worlds whose truth is known: nobody linked wrongly, nobody made twice."""

import pytest

from sync_engine.models import Kind
from tests.identity import companies, people
from tests.identity.running import Verdict, company_world, judge, world
from tests.identity.truth import undecidable


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("kind", [Kind.LEAD, Kind.CUSTOMER], ids=["leads", "customers"])
def test_practice_2_3_a_world_of_people(kind: Kind, seed: int) -> None:
    held = people.records(seed, people.population(seed, 1000), births=kind is Kind.CUSTOMER)
    with world(kind, held) as three:
        three.settle()
        found = judge(kind, held, undecidable(held), three)
    check(found)


@pytest.mark.parametrize("seed", range(1, 4))
def test_practice_2_3_a_world_of_companies(seed: int) -> None:
    held = companies.records(seed, companies.population(seed, 500))
    with company_world(held) as three:
        three.settle()
        found = judge(Kind.COMPANY, held, companies.undecidable(held), three)
    check(found)


def check(found: Verdict) -> None:
    assert found.wrong == []
    assert found.twice == []
    assert len(found.held) <= 2 * len(found.undecidable)
    assert found.linked >= 0.99 * found.both  # nothing is gained by asking about everybody
