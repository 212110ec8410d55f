"""Every rule from practice, and every pain of users of such tools, has a test named after it."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
#: the rules, by their number, each in a few words
LINES: Mapping[str, str] = {
    "1.1": "what shares no base wipes nothing",
    "1.2": "linking writes nothing",
    "1.3": "the first sync stops before its first write",
    "1.4": "who was converted before is the past",
    "1.5": "an instance is one organization",
    "1.6": "automation that creates meet is told",
    "2.1": "the rules of matching and their order",
    "2.2": "no link by an address alone",
    "2.3": "nobody is created who resembles somebody",
    "2.4": "duplicates of one system are one question",
    "2.5": "a lead whose person is a customer",
    "2.6": "companies that one side cannot tell apart",
    "2.7": "leads and customers in one sync are refused",
    "3.1": "reading is per source, leads first",
    "3.2": "who may cause what",
    "3.3": "conversions on behalf of another side",
    "3.4": "what exists in parts of a vendor's offer only",
    "4.1": "an opt-out wins",
    "4.2": "the default mapping, walked field by field",
    "4.3": "what newest compares",
    "4.4": "required values that are missing",
    "4.5": "owners",
    "4.6": "record types and choices",
    "4.7": "money with its currency",
    "4.8": "companies of people, memberships, tags",
    "4.9": "an address is one value",
    "4.10": "names with forbidden characters",
    "4.11": "numbers and addresses without labels",
    "4.12": "clears that are ignored",
    "4.13": "automation in the wake of our writes",
    "5.1": "the external id belongs to the app",
    "5.2": "no write that may hit somebody else",
    "5.3": "lists that move while they are read",
    "5.4": "no replacement of a profile",
    "5.5": "no call that clears what is left out",
    "6.1": "conditions on every write",
    "6.2": "business unit and depth of rights",
    "7.1": "person accounts",
    "7.2": "conditional updates",
    "7.3": "the field for our key",
    "7.4": "deletes are read before",
    "7.5": "fields that cannot be searched",
    "7.6": "versions near their end",
    "7.7": "the library runs on our transport",
    "8.1": "numbers that stop",
    "8.2": "values of people can be blanked",
    "8.3": "several instances of one system",
    "8.4": "commands beside the service",
    "8.5": "the end by SIGTERM",
    "8.6": "one line per thing that matters",
}
#: what a line asks for beyond its tests, and the product has not yet
BEYOND: Mapping[str, str] = {
    "5.4": "a replacement or a merge of profiles by setting; both are off",
    "6.1": "CreateMultiple and $batch",
    "7.1": "a side with the shapes Contact and PersonAccount",
    "7.2": "check --write-test, and conditions inside composite",
    "7.3": "creating the key field, and warning of lead field mapping that copies it",
}
PAINS: Mapping[int, str] = {
    1: "duplicates by the first sync",
    2: "changes missed",
    3: "good values overwritten",
    4: "conversions break links",
    5: "merges not followed",
    6: "deletes missing, or of masses",
    7: "errors hidden",
    8: "fields dropped in silence",
    9: "the API allowance eaten",
    10: "loops",
    11: "what empty means",
    12: "duplicates by a retry",
    13: "choices that block records",
    14: "a changed schema stops all",
    15: "credentials that die quietly",
    16: "ambiguous matches",
    17: "references that fail",
    18: "days and zones",
    19: "no preview",
    20: "no way back",
    21: "surprising scope",
    22: "mass updates",
    23: "rules of the CRM",
    24: "resync by hand",
    25: "moving a configuration, erasing a person",
}


@cache
def named() -> Mapping[str, list[str]]:
    """Line, or number of a pain -> the tests that are named after it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE):
            if line := re.match(r"test_practice_(\d+)_(\d+)_", name):
                found[f"{line[1]}.{line[2]}"].append(name)
            elif pain := re.match(r"test_pain_(\d\d)_", name):
                found[f"pain {int(pain[1])}"].append(name)
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_rule_from_practice_has_a_test_of_its_name(line: str) -> None:
    assert line in named(), LINES[line]


@pytest.mark.parametrize("number", PAINS)
def test_a_pain_has_a_test_of_its_name(number: int) -> None:
    assert f"pain {number}" in named(), PAINS[number]


def test_no_test_is_named_after_what_there_is_not() -> None:
    known = {*LINES, *(f"pain {number}" for number in PAINS)}
    assert set(named()) <= known
    assert set(BEYOND) <= set(LINES)
