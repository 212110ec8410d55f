"""Improbable numbers stop (practice 8.1)."""

import pytest

from sync_engine.guard import Limits, Load, stopped

LIMITS = Limits()


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (Load(links=100, planned={"delete": 10}), {}),
        (Load(links=100, planned={"delete": 11}), {"delete": 11}),
        (Load(links=1000, planned={"delete": 20}), {}),
        (Load(links=1000, planned={"delete": 21}), {"delete": 21}),
        (Load(links=100, planned={"delete": 6}, done={"delete": 5}), {"delete": 6}),
        (Load(links=100, planned={"create": 51}), {"create": 51}),
        (Load(links=100, planned={"create": 500}, first=True), {}),
        (Load(links=100, planned={"clear:email": 21, "clear:phone": 20}), {"clear:email": 21}),
        (Load(links=100, planned={"delete": 30}, released={"delete": 30}), {}),
        (Load(links=100, planned={"delete": 31}, released={"delete": 30}), {"delete": 31}),
    ],
    ids=[
        "at the limit",
        "over the count",
        "within the share",
        "over the share",
        "counted over a day",
        "creates",
        "a first sync creates what it must",
        "clears are counted per field",
        "released",
        "more than was released",
    ],
)
def test_practice_8_1_what_stops(load: Load, expected: dict[str, int]) -> None:
    assert stopped(load, LIMITS) == expected
