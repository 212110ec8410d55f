"""Each line of the decision table in sync_engine/README.md: a row, and the name it carries."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_engine.reconcile import Policy, Side, reconcile
from sync_engine.values import GOLDEN, UNSET, Author
from tests.engine.claims import ORDER, decide, side

README = (Path(__file__).parents[2] / "sync_engine" / "README.md").read_text()
EARLY, LATE = "2026-01-01T10:00:00+00:00", "2026-01-01T10:00:09+00:00"


@dataclass(frozen=True, slots=True)
class Row:
    golden: Any
    sides: dict[str, Side]
    ends: Any
    by: str | None
    lost: dict[str, Any] = field(default_factory=dict)
    policy: str = "prefer"
    author: Author | None = None


def differing(**more: Any) -> dict[str, Side]:
    return {"sales": side("a", "b", **more), "service": side("a", "cc")}


ROWS = {
    "no news": Row("a", {"sales": side("a", "a"), "service": side("a", "a")}, "a", None),
    "one claim": Row("a", {"sales": side("a", "b"), "service": side("a", "a")}, "b", "sales"),
    "equal claims": Row("a", {"sales": side("a", "b"), "service": side("a", "b")}, "b", "sales"),
    "resync": Row(
        "a",
        {"sales": side("a", "b"), "service": side("a", "c", insists={"mail"})},
        "c",
        "service",
        {"sales": "b"},
    ),
    "first contact": Row(
        UNSET,
        {"sales": side(UNSET, "b"), "service": side(UNSET, "c")},
        "b",
        "sales",
        {"service": "c"},
        policy="longest",
    ),
    "edit on an open write": Row(
        "b", {"service": side("a", "c", offered=({"mail": "b"},))}, "c", "service", {GOLDEN: "b"}
    ),
    "prefer": Row("a", differing(), "b", "sales", {"service": "cc"}),
    "newest": Row(
        "a",
        {
            "sales": side("a", "b", stamps={"mail": EARLY}),
            "service": side("a", "c", stamps={"mail": LATE}),
        },
        "c",
        "service",
        {"sales": "b"},
        policy="newest",
    ),
    "longest": Row("a", differing(), "cc", "service", {"sales": "b"}, policy="longest"),
    "manual": Row("a", differing(), "a", GOLDEN, {"sales": "b", "service": "cc"}, "manual"),
    "opt-out": Row(
        False,
        {"sales": side(False, True), "service": side(False, None)},
        True,
        "sales",
        {"service": None},
        policy="consent",
    ),
    "opt-out stands": Row(
        True,
        {"sales": side(True, False), "service": side(True, True)},
        True,
        GOLDEN,
        {"sales": False},
        policy="consent",
        author=Author("service"),
    ),
    "permission by its setter": Row(
        True,
        {"sales": side(True, True), "service": side(True, False)},
        False,
        "service",
        policy="consent",
        author=Author("service"),
    ),
    "put back": Row(
        "a",
        {"sales": replace(side("a", "b"), claims=(), yields=("mail",))},
        "a",
        GOLDEN,
        {"sales": "b"},
    ),
}


def documented() -> list[str]:
    """The first cell of each line: a name, in backquotes but for the line of no decision."""
    table = README.split("## Decision table")[1].split("## Decisions")[0]
    cells = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return [re.sub("`", "", cell) for cell in cells[1:]]


def test_each_line_of_the_table_has_its_row() -> None:
    assert documented() == list(dict.fromkeys(documented()))
    assert sorted(documented()) == sorted(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_line_of_the_table(name: str) -> None:
    row = ROWS[name]
    value, change = decide(row.golden, row.sides, row.policy, row.author)
    assert value == row.ends
    assert (change is None) == (name == "no news")
    if change is not None:
        assert (change.situation, change.by) == (name, row.by)
        assert {one: claim.value for one, claim in change.lost.items()} == row.lost


_VALUES = st.sampled_from([UNSET, None, False, True, "a", "bb"])
_SIDES = st.dictionaries(
    st.sampled_from(ORDER),
    st.builds(
        lambda base, seen, sent, insists, stamp: replace(
            side(base, seen),
            offered=[] if sent is UNSET else [{"mail": sent}],
            insists={"mail"} if insists else (),
            stamps={"mail": stamp},
        ),
        _VALUES,
        _VALUES,
        _VALUES,
        st.booleans(),
        st.sampled_from([EARLY, LATE]),
    ),
    min_size=1,
)


@settings(derandomize=True, max_examples=1000)
@given(
    golden=_VALUES,
    sides=_SIDES,
    policy=st.sampled_from(["prefer", "newest", "longest", "manual", "consent"]),
    setter=st.sampled_from([None, *ORDER]),
)
def test_every_decision_carries_a_name_of_the_table(
    golden: Any, sides: dict[str, Side], policy: str, setter: str | None
) -> None:
    decision = reconcile(
        {} if golden is UNSET else {"mail": golden},
        sides,
        {"mail": Policy(policy, ORDER)},
        {"mail": Author(setter)} if setter else {},
    )
    assert {change.situation for change in decision.changes} <= set(documented())
