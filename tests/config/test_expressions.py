"""Conditions: what they tell of people, and which are refused at load."""

from typing import Any

import pytest

from config.catalogue import CATALOGUE
from config.expressions import LONGEST, expression

FIELDS = CATALOGUE["lead"]
REACHABLE = "last_name != null && (email != null || mobile != null || phone != null)"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (REACHABLE, {"last_name": "Horvat", "email": "a@b.example"}, True),
        (REACHABLE, {"last_name": "Horvat"}, False),
        (REACHABLE, {"email": "a@b.example"}, False),
        ('address.country == "HR"', {"address": {"country": "HR"}}, True),
        ('address.country == "HR"', {"address": None}, False),  # cannot be told: false
        ("email_opt_out != true", {}, True),
        ("last_name", {"last_name": "Horvat"}, False),  # text is not a truth
    ],
)
def test_what_a_condition_tells(text: str, values: dict[str, Any], expected: bool) -> None:
    assert expression(text, FIELDS).holds(values) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last_name !=", "is no CEL expression: 1:13"),
        ("surname != null", "names surname, which is no field"),
        ("[1, 2].map(email, [3].exists(email, true)).size() > 0", "uses map"),
        ("true || " * LONGEST + "true", f"at most {LONGEST} characters"),
    ],
)
def test_a_condition_that_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        expression(text, FIELDS)
