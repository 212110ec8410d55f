"""Deciding field by field: claims, bases, policies; the table itself is in test_decision_table."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_engine.reconcile import Policy, Side, reconcile
from sync_engine.values import GOLDEN, UNSET, Author, Held, hash_of
from tests.engine.claims import ORDER, PREFER, decide, side

CASES: list[tuple[str, Any, dict[str, Side], Any, str | None, dict[str, Any]]] = [
    ("nothing moved", "a", {"sales": side("a", "a"), "service": side("a", "a")}, "a", None, {}),
    ("one edit", "a", {"sales": side("a", "b"), "service": side("a", "a")}, "b", "one claim", {}),
    ("cleared", "a", {"sales": side("a", None), "service": side("a", "a")}, None, "one claim", {}),
    (
        "the same edit twice",
        "a",
        {"sales": side("a", "b"), "service": side("a", "b")},
        "b",
        "equal claims",
        {},
    ),
    (
        "two edits differ",
        "a",
        {"sales": side("a", "b"), "service": side("a", "c")},
        "b",
        "prefer",
        {"service": "c"},
    ),
    (
        "an edit against a golden value not accepted",
        "b",
        {"sales": side("b", "b"), "service": side("a", "c")},
        "b",
        "prefer",
        {"service": "c"},
    ),
    (
        "golden is no rival of those who had it, whoever else has it",
        "b",
        {"sales": side("b", "b"), "service": side("b", "c"), "profiles": side("a", "d")},
        "c",
        "prefer",
        {"profiles": "d"},
    ),
    (
        "cleared where it was golden, and where it was not yet",
        "b",
        {"sales": side("b", "b"), "service": side("b", None), "profiles": side("a", None)},
        None,
        "equal claims",
        {},
    ),
    (
        "a preferred edit against a golden value not accepted",
        "b",
        {"sales": side("a", "c"), "service": side("b", "b")},
        "c",
        "prefer",
        {GOLDEN: "b"},
    ),
    ("our own write comes back", "b", {"sales": side("a", "b")}, "b", None, {}),
    (
        "an older write lands late",
        "c",
        {"sales": side("c", "b", offered=({"mail": "b"},))},
        "c",
        None,
        {},
    ),
    (
        "a person edits on top of our open write",
        "b",
        {"service": side("a", "c", offered=({"mail": "b"},))},
        "c",
        "edit on an open write",
        {GOLDEN: "b"},
    ),
    (
        "the rendition held for this side",
        "Ann",
        {"sales": side("Ann", "ANN", held={"mail": Held(hash_of("Ann"), "stored", "ANN")})},
        "Ann",
        None,
        {},
    ),
    (
        "first contact, one side empty",
        UNSET,
        {"sales": side(UNSET, None), "service": side(UNSET, "b")},
        "b",
        "one claim",
        {},
    ),
    (
        "first contact, both filled",
        UNSET,
        {"sales": side(UNSET, "a"), "service": side(UNSET, "b")},
        "a",
        "first contact",
        {"service": "b"},
    ),
    (
        "first contact with an empty golden value",
        None,
        {"sales": side(None, None), "service": side(UNSET, "b")},
        "b",
        "one claim",
        {},
    ),
    (
        "an empty newcomer",
        "a",
        {"sales": side("a", "a"), "service": side(UNSET, None)},
        "a",
        None,
        {},
    ),
    ("unset on a side", "a", {"sales": side("a"), "service": side("a", "a")}, "a", None, {}),
]


@pytest.mark.parametrize(
    ("golden", "sides", "expected", "situation", "lost"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_decision_table(
    golden: Any, sides: dict[str, Side], expected: Any, situation: str | None, lost: dict[str, Any]
) -> None:
    value, change = decide(golden, sides)
    assert value == expected
    assert (change.situation if change else None) == situation
    assert {s: c.value for s, c in change.lost.items()} == lost if change else not lost


def test_practice_1_1_an_empty_value_without_a_base_clears_nothing() -> None:
    filled, empty = side("a", "a"), side(UNSET, None)
    decision = reconcile({"mail": "a"}, {"sales": filled, "service": empty}, PREFER, {})
    assert decision.golden == {"mail": "a"}
    assert "mail" not in decision.bases["service"]


def test_a_claim_that_lost_is_not_heard_a_second_time() -> None:
    sides = {"sales": side("a", "b"), "service": side("a", "c")}
    first = reconcile({"mail": "a"}, sides, PREFER, {})
    again = {name: replace(s, base=first.bases[name]) for name, s in sides.items()}
    second = reconcile(first.golden, again, PREFER, {})
    assert second.changes == ()
    assert second.golden == {"mail": "b"}


def test_a_side_that_only_receives_claims_nothing() -> None:
    receiver = replace(side("a", "b"), claims=())
    decision = reconcile({"mail": "a"}, {"sales": receiver}, PREFER, {})
    assert decision.changes == ()


def test_a_side_that_insists_wins_over_edits_elsewhere() -> None:
    sides = {"sales": side("a", "a", insists={"mail"}), "service": side("a", "b")}
    decision = reconcile({"mail": "a"}, sides, PREFER, {})
    assert decision.golden == {"mail": "a"}
    assert decision.changes[0].lost["service"].value == "b"
    assert decision.bases["service"] == {"mail": "b"}  # heard, and written over
    sides = {"sales": side("b", "a", insists={"mail"}), "service": side("b", "b")}
    assert reconcile({"mail": "b"}, sides, PREFER, {}).golden == {"mail": "a"}


MANUALLY = {"mail": Policy("manual", ORDER)}


def test_manual_changes_nothing_until_a_person_answers() -> None:
    sides = {"sales": side("a", "b"), "service": side("a", "c")}
    asked = reconcile({"mail": "a"}, sides, MANUALLY, {})
    assert asked.golden == {"mail": "a"}
    assert {name: kept["mail"].shown for name, kept in asked.held.items()} == {
        "sales": "b",
        "service": "c",
    }
    assert asked.changes[0].lost.keys() == {"sales", "service"}
    assert asked.bases["sales"] == {"mail": "a"}  # not heard yet

    again = {name: replace(one, held=asked.held[name]) for name, one in sides.items()}
    assert reconcile({"mail": "a"}, again, MANUALLY, {}).changes == ()

    agreed = {name: replace(one, seen={"mail": "d"}) for name, one in again.items()}
    settled = reconcile({"mail": "a"}, agreed, MANUALLY, {})
    assert settled.golden == {"mail": "d"}
    assert settled.held == {"sales": {}, "service": {}}


def test_manual_first_contact_chooses_nothing() -> None:
    sides = {"sales": side(UNSET, "b"), "service": side(UNSET, "c")}
    asked = reconcile({}, sides, MANUALLY, {})
    assert asked.golden == {}
    taken = {
        name: replace(one, held=asked.held[name], insists={"mail"} if name == "service" else ())
        for name, one in sides.items()
    }
    settled = reconcile({}, taken, MANUALLY, {})
    assert settled.golden == {"mail": "c"}
    assert settled.changes[0].lost["sales"].value == "b"


@pytest.mark.parametrize(
    ("sales", "service", "expected"),
    [
        ("2026-01-01T10:00:00+00:00", "2026-01-01T10:00:09+00:00", "c"),
        ("2026-01-01T10:00:09+00:00", "2026-01-01T10:00:00+00:00", "b"),
        ("2026-01-01T10:00:00+00:00", "2026-01-01T10:00:01+00:00", "b"),  # a tie: prefer decides
    ],
)
def test_newest(sales: str, service: str, expected: str) -> None:
    value, _ = decide(
        "a",
        {
            "sales": side("a", "b", stamps={"mail": sales}),
            "service": side("a", "c", stamps={"mail": service}),
        },
        "newest",
    )
    assert value == expected


def test_longest() -> None:
    value, change = decide("a", {"sales": side("a", "b"), "service": side("a", "bb")}, "longest")
    assert value == "bb"
    assert change is not None
    assert change.situation == "longest"


@pytest.mark.parametrize(
    ("golden", "sides", "author", "expected"),
    [
        (False, {"sales": side(False, False), "profiles": side(False, True)}, None, True),
        (False, {"sales": side(False, True), "service": side(False, None)}, None, True),
        (UNSET, {"sales": side(UNSET, False), "profiles": side(UNSET, True)}, None, True),
        (True, {"sales": side(True, False), "service": side(True, True)}, Author("service"), True),
        (True, {"sales": side(True, True), "service": side(True, False)}, Author("service"), False),
        (True, {"sales": side(UNSET, False)}, Author("sales"), True),
    ],
    ids=[
        "an opt-out anywhere wins",
        "an opt-out wins over a clear",
        "first contact takes the stricter",
        "permission elsewhere does not bring it back",
        "its setter may take it back",
        "a newcomer's permission is no edit",
    ],
)
def test_practice_4_1_opt_outs_win(
    golden: Any, sides: dict[str, Side], author: Author | None, expected: bool
) -> None:
    value, _ = decide(golden, sides, "consent", author)
    assert value is expected


_VALUES = st.sampled_from([None, "a", "b", "c"])
_MAYBE = st.one_of(st.just(UNSET), _VALUES)
_SIDES = st.fixed_dictionaries({name: st.builds(side, _MAYBE, _MAYBE) for name in ORDER})


@settings(derandomize=True)
@given(golden=_MAYBE, sides=_SIDES)
def test_the_order_of_sides_changes_nothing(golden: Any, sides: dict[str, Side]) -> None:
    outcomes = {decide(golden, {n: sides[n] for n in order})[0] for order in permutations(ORDER)}
    assert len(outcomes) == 1


@settings(derandomize=True)
@given(golden=_MAYBE, sides=_SIDES)
def test_a_decision_is_stable_and_loses_no_claim_unrecorded(
    golden: Any, sides: dict[str, Side]
) -> None:
    values = {} if golden is UNSET else {"mail": golden}
    first = reconcile(values, sides, PREFER, {})
    again = {name: replace(s, base=first.bases[name]) for name, s in sides.items()}
    assert reconcile(first.golden, again, PREFER, {}).changes == ()
    final = first.golden.get("mail", UNSET)
    recorded = {c.value for change in first.changes for c in change.lost.values()}
    for each in sides.values():
        seen = each.seen.get("mail", UNSET)
        edited = seen is not UNSET and seen != each.base.get("mail", UNSET) and seen != golden
        if edited and not (seen is None and "mail" not in each.base):
            assert seen == final or seen in recorded


_POLICIES = {
    "city": Policy("manual", ORDER),
    "mail": Policy("prefer", ORDER),
    "no_mail": Policy("consent", ORDER),
    "note": Policy("longest", ORDER),
}
_SEEN = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from([None, True, False, "a"]) for name in _POLICIES}
)


@settings(derandomize=True)
@given(seen=_SEEN, claims=st.sets(st.sampled_from(sorted(_POLICIES))))
def test_a_first_record_is_decided_as_beside_one_that_shows_nothing(
    seen: dict[str, Any], claims: set[str]
) -> None:
    first = Side({}, seen, claims=claims, stamps=dict.fromkeys(seen, "2026-11-01T10:00:00+00:00"))
    alone = reconcile({}, {"sales": first}, _POLICIES, {})
    beside = reconcile({}, {"sales": first, "service": Side({}, {})}, _POLICIES, {})
    assert (alone.golden, alone.changes) == (beside.golden, beside.changes)
    assert (alone.bases["sales"], alone.held["sales"]) == (
        beside.bases["sales"],
        beside.held["sales"],
    )
