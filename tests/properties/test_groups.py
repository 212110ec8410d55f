"""Whoever was read first, the same records are one, and the same question is asked."""

from itertools import permutations
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sync_engine.matching import EMAIL, Group, Member, Settlement, settle

_PEOPLE = st.builds(
    lambda first, last: {"first_name": first, "last_name": last, "email": "a@plavi.example"},
    st.sampled_from(["Ann", "A.", "Bob", None]),
    st.sampled_from(["Horvat", "Novak", "Horvat-Novak", None]),
)
_MEMBERS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([None, None, 7, 8]), _PEOPLE),
    min_size=2,
    max_size=4,
)


def _told(settlement: Settlement) -> tuple[Any, Any]:
    return (
        sorted(sorted(one) for one in settlement.linked),
        sorted((doubt.why, sorted(doubt.links)) for doubt in settlement.doubts),
    )


@settings(derandomize=True, max_examples=500, deadline=None)
@given(drawn=_MEMBERS, apart=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=2))
def test_the_order_of_members_changes_nothing(
    drawn: list[tuple[int, int | None, Any]], apart: set[tuple[int, int]]
) -> None:
    seats = [(instance, entity) for instance, entity, _ in drawn if entity is not None]
    assume(len(set(seats)) == len(seats))  # an entity has one live record of an instance
    members = [Member(n, i, entity, values) for n, (i, entity, values) in enumerate(drawn)]
    places: dict[int, set[int]] = {}
    for member in members:
        if member.entity_id is not None:
            places.setdefault(member.entity_id, set()).add(member.instance_id)
    parted = frozenset(frozenset(pair) for pair in apart if len(set(pair)) == 2)
    told = [
        _told(settle(Group("lead", EMAIL, tuple(order), parted, places)))
        for order in permutations(members)
    ]
    assert all(one == told[0] for one in told)
    for cluster in told[0][0]:  # one record of an instance, one entity, nobody a person parted
        chosen = [members[n] for n in cluster]
        assert len({one.instance_id for one in chosen}) == len(chosen)
        assert len({one.entity_id for one in chosen} - {None}) <= 1
        assert not any({a, b} in parted for a in cluster for b in cluster if a != b)
