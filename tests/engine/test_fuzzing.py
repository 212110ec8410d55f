"""check tries each pair of mappings with made-up records and refuses what oscillates or loses."""

from itertools import product
from typing import Any

import pytest

from config.catalogue import CATALOGUE, extended
from connectors import FieldType, Level, registry
from sync_engine.fuzzing import Flaw, flaws
from sync_engine.mapping import Mapping
from sync_engine.operations import check
from sync_engine.parsing import parse
from tests.engine.remapping import offer, remap
from tests.engine.three import Three

SHIPPED = [
    (f"{connector}/{name}", parse(name, tree, CATALOGUE, "HR"))
    for connector in registry.names()
    for name, tree in registry.load(connector).Mappings.items()
]
PAIRS = [
    pytest.param(kind, left, right, id=f"{kind} {name} to {other}")
    for (name, left), (other, right) in product(SHIPPED, SHIPPED)
    for kind in CATALOGUE
    if kind in left.kinds.values() and kind in right.kinds.values()
]


@pytest.mark.parametrize(("kind", "left", "right"), PAIRS)
def test_no_shipped_pair_oscillates_or_loses(kind: str, left: Mapping, right: Mapping) -> None:
    assert list(flaws(kind, left, right)) == []


def refusals(three: Three) -> list[str]:
    return [
        finding.what
        for one in check(three.face())
        for finding in one.findings
        if finding.level == Level.ERROR
    ]


#: reads as another value where the company is not known, which is not written there
DEPENDING = {
    "company_name": {"field": "firm", "direction": "from"},
    "job_title": {"field": "title", "read": "company_name == null ? 'nobody' : value"},
}


@pytest.mark.parametrize(
    ("change", "sort"),
    [
        ({"job_title": {"field": "title", "write": "value.lower()"}}, "loses"),
        ({"job_title": {"field": "title", "read": "value + '!'"}}, "loses"),
        ({"job_title": {"field": "title", "read": "'same'"}}, "loses"),
        (DEPENDING, "oscillates"),
    ],
)
def test_peers_60_a_pair_that_does_not_bring_values_back_is_refused(
    three: Three, change: dict[str, Any], sort: str
) -> None:
    remap(three, change, "service/lead")
    told = [what for what in refusals(three) if what.startswith(f"lead.job_title {sort}")]
    assert told
    assert " from sales/Lead would be " in " ".join(told)
    (one,) = [one for one in check(three.face()) if one.instance == "service"]
    assert not one.well
    assert refusals(three) == refusals(three)  # the same counter-example each time


def test_peers_60_what_is_declared_lossy_is_allowed(three: Three) -> None:
    entry = {"field": "title", "write": "value == null ? null : value.lower()", "lossy": True}
    remap(three, {"job_title": entry}, "service/lead")
    assert refusals(three) == []


def test_peers_60_what_oscillates_is_refused_though_it_is_declared_lossy(three: Three) -> None:
    entry = DEPENDING["job_title"] | {"lossy": True}
    remap(three, DEPENDING | {"job_title": entry}, "service/lead")
    assert any("oscillates" in what for what in refusals(three))


def test_peers_60_two_choices_under_one_word_lose(three: Three) -> None:
    own = {"origin": "choice"}
    values = {"web": "Web", "fair": "Fair", "event": "Fair"}
    remap(
        three,
        {"origin": {"field": "title", "values": {n: n for n in values}}},
        "sales/Lead",
        own=own,
    )
    remap(three, {"origin": {"field": "title", "values": values}}, "service/lead", own=own)
    assert any("lead.origin loses: 'fair'" in what for what in refusals(three))


def test_peers_60_the_live_schema_is_tried_too(three: Three) -> None:
    offer(three, "service/lead", title=FieldType("string", 20, forbidden=frozenset("&")))
    assert refusals(three) == []  # what does not fit is held, so nothing is lost
    remap(three, {"job_title": {"field": "title", "repair": ["truncate", "strip"]}}, "service/lead")
    assert refusals(three) == []  # chosen, and it never flows back


def test_the_mapping_of_a_flaw_is_told_once_for_each_field() -> None:
    catalogue = extended([("score", "number", ["lead"])])
    tree: dict[str, Any] = {"kind": "lead", "fields": {"score": {"field": "s"}}}
    left = parse("L", tree, catalogue, None)
    assert [f for f in flaws("lead", left, left) if isinstance(f, Flaw)] == []
