"""What a mapped field may say: every refusal at its line, and what is said taken as it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.config.files import changed, faults, load

TWO = "two: person}"
OWN = "fields: {score: number, tier: {form: choice, kinds: [lead]}, budget: money}\nsyncs:"


def field(entry: str, own: bool = False) -> str:
    text = changed(TWO, f"two: {{object: person, fields: {{{entry}}}}}}}")
    return text.replace("syncs:", OWN, 1) if own else text


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("last_name: {field: a, constant: b}", "exactly one of field, parts"),
        ("address: {field: a}", "an address is mapped by its parts; parts are: street"),
        ("address: {parts: {planet: a}}", "address has no part planet; parts are: street"),
        ("job_title: {parts: {amount: a}}", "parts belong to address and money"),
        ("budget: {parts: {amount: a}}", "an amount is mapped with its currency; .*currency: EUR"),
        ("budget: {parts: {currency: a}}", "money has no amount here"),
        ("score: {field: a, currency: EUR}", "only money has a currency"),
        ("score: {field: a, part_of: b}", "exactly one of"),
        ("score: {part_of: b}", "only texts are part of a name"),
        ("score: {field: a, style: digits}", "number has no such style; leave it out"),
        ("phone: {field: a, style: commas}", "phone has no such style; there are: digits"),
        ("phone: {field: a, mask: hash, direction: to}", "phone has no such mask"),
        ("job_title: {field: a, mask: redact}", "what is masked there tells nothing; .*to"),
        ("job_title: {field: a, mask: hash, direction: to}", "a hash needs a secret; .*mask_key"),
        ("score: {field: a, repair: truncate}", "nothing is repaired in number"),
        ("job_title: {field: a, repair: [strip, replace]}", "strip and replace exclude each"),
        ("job_title: {field: a, repair: guess}", "repair"),
        ("tier: {field: a, unknown: pass}", "there is no value map"),
        ("tier: {field: a, values: {x: y}, unknown: default}", "there is no default"),
        ("tier: {field: a, values: {x: y}, default: z}", "no choice of the value map"),
        ("score: {field: a, default: many}", "this is no number"),
        ("birth_date: {field: a, default: soon}", "no golden field birth_date|this is no date"),
        ("email_opt_out: {field: a, nulls: ignore}", "an opt-out anywhere wins"),
        ("email: {member_of: emails, default: a@b.example}", "default does not go with a field"),
        ("job_title: {constant: a, direction: to}", "a constant is only read"),
        ("job_title: {field: a, read: surname}", "names surname, which is no field"),
        (
            "job_title: {field: a, write: value.shout()}",
            "calls shout, which is no function; .*trim",
        ),
        ("job_title: {field: a, write: value +}", "is no CEL expression"),
        ("job_title: {field: a, fallback: b}", "only an owner has a fallback"),
        ("owner: {field: a, default: b}", "default does not go with an owner"),
    ],
)
def test_a_mapped_field_that_is_refused(tmp_path: Path, entry: str, expected: str) -> None:
    told = faults(tmp_path, field(entry, own=True))
    assert any(re.search(expected, one) for one in told), told


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "last_name: {field: lastName, default: Unknown}",
            {"field": "lastName", "default": "Unknown"},
        ),
        ("first_name: {part_of: customAttributes.n}", {"part_of": "customAttributes.n"}),
        (
            "score: {field: customAttributes.s, direction: to, nulls: fill_only}",
            {"field": "customAttributes.s", "direction": "to", "nulls": "fill_only"},
        ),
        (
            "job_title: {field: customAttributes.t, repair: truncate}",
            {"field": "customAttributes.t", "repair": ["truncate"]},
        ),
        (
            "budget: {parts: {amount: customAttributes.a}, currency: EUR}",
            {"parts": {"amount": "customAttributes.a"}, "currency": "EUR"},
        ),
        ("tier: {constant: gold}", {"constant": "gold"}),
        ("tier: {read: 'job_title'}", {"read": "job_title"}),
    ],
)
def test_a_mapped_field_is_taken_as_it_is(
    tmp_path: Path, entry: str, expected: dict[str, Any]
) -> None:
    loaded = load(tmp_path, field(entry, own=True))
    (two,) = [one for one in loaded.sources if one.instance == "two"]
    name = entry.partition(":")[0]
    assert two.mapping["fields"][name] == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("{email: text}", "a golden field of this name already"),
        ("{value: text}", "a golden field of this name already"),
        ("{Score: number}", "Score"),
        ("{score: numeric}", "score"),
        ("{score: {form: number, kinds: []}}", "needs at least 1"),
    ],
)
def test_an_own_field_that_is_refused(tmp_path: Path, own: str, expected: str) -> None:
    told = faults(tmp_path, changed("syncs:", f"fields: {own}\nsyncs:"))
    assert any(expected in one for one in told), told


def test_an_own_field_may_be_given_a_policy_and_a_filter(tmp_path: Path) -> None:
    text = field("score: customAttributes.s", own=True)
    text += "    fields: {score: {policy: newest}}\n"
    loaded = load(tmp_path, text.replace("object: person,", "object: person, filter: score > 3.0,"))
    assert loaded.settings.catalogue["lead"]["score"] == "number"
    assert "tier" not in loaded.settings.catalogue["customer"]


def test_the_secret_of_masks_comes_from_outside(tmp_path: Path) -> None:
    text = field("job_title: {field: a, mask: hash, direction: to}")
    secret = "a secret of sixteen bytes"
    assert faults(tmp_path, f"mask_key: {'canary' * 4}\n{text}")[0].startswith("1:1: a secret")
    assert load(tmp_path, f"mask_key: ${{MASK}}\n{text}", MASK=secret).mask_key == secret.encode()
    (tmp_path / "mask").write_text(f"{secret}\n")
    assert load(tmp_path, f"mask_key_file: mask\n{text}").mask_key == secret.encode()


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ("accept: surname != null", "names surname, which is no field"),
        ("exit: pause", "neither filter nor accept"),
        ("filter: email != null, exit: forget", "exit"),
    ],
)
def test_conditions_of_a_side_that_are_refused(tmp_path: Path, details: str, expected: str) -> None:
    told = faults(tmp_path, changed(TWO, f"two: {{object: person, {details}}}}}"))
    assert any(expected in one for one in told), told


def test_conditions_of_a_side_are_taken(tmp_path: Path) -> None:
    details = "filter: email != null, accept: last_name != null, exit: pause"
    loaded = load(tmp_path, changed(TWO, f"two: {{object: person, {details}}}}}"))
    (side,) = loaded.settings.syncs["leads"].sides["two"]
    assert (side.accept, side.exit) == ("last_name != null", "pause")
