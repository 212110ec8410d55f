"""The configuration file: what is accepted, and what each mistake is told as."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import config
from config import field_maps, reference, schema, settings
from tests.config.files import SMALL, faults, load

ROOT = Path(config.__file__).parent


def test_a_small_file_loads(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL)
    assert [source.object for source in loaded.sources] == ["person", "person"]
    assert loaded.settings.syncs["leads"].every == 60
    assert loaded.instances["one"].settings.api_key.get_secret_value() == "k"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "kind: lead",
            "kind: laed",
            r"12:5: syncs.leads.kind: must be lead, .*; did you mean lead\?",
        ),
        ("every: 1m", "evry: 1m", r"13:5: .*unknown key evry; did you mean every\?"),
        ("every: 1m", "every: 5", r"13:5: .*write a number and a unit"),
        ("every: 1m", "every: 2s", r"13:5: .*must be from 10s to 7d"),
        ("    every: 1m\n", "", r"11:3: says not when it runs; give every"),
        (
            "two: person}",
            "two: {object: person, fields: {phnoe: phones}}}",
            r"14:\d+: there is no golden field phnoe; did you mean phone\?",
        ),
        (
            "two: person}",
            "two: {object: person, fields: {address: city}}}",
            r"14:\d+: an address is mapped by its parts; parts are: street",
        ),
        (
            "two: person}",
            "two: {object: person, fields: {address: {parts: {town: city}}}}}",
            r"14:\d+: an address has no part town",
        ),
        (
            "two: person}",
            "two: {object: person, fields: {phone: {field: x, ref: company}}}}",
            r"14:\d+: ref belongs to a field that refers to a record",
        ),
        (
            "two: person}",
            "two: {object: person, required: [nme]}}",
            r"14:\d+: there is no such golden field",
        ),
        (
            "two: person}",
            "two: person}\n    fields: {phnoe: {policy: newest}}",
            r"15:14: there is no golden field phnoe",
        ),
        (
            "two: person}",
            "two: person}\n    fields: {phone: {prefer: [three]}}",
            r"15:31: prefer names no side here; there are: one, two",
        ),
        (
            "two: person}",
            "three: person}",
            r"14:26: there is no instance three; there are: one, two",
        ),
        (
            "two: person}",
            "two: persn}",
            r"14:26: the connector maps no such object; did you mean person\?",
        ),
        (
            "kind: lead",
            "kind: company",
            r"14:13: this object holds .* customer and lead, this sync is of comp",
        ),
        (
            "two: person}",
            "two: company}",
            r"14:26: this object holds records of kind company, this sync is of",
        ),
        (
            "connector: infobip",
            "connector: sap",
            r"3:5: no such connector is installed; there are: dynamics",
        ),
        ("${KEY}", "${MISSING}", r"5:14: the environment variable MISSING is not set"),
        ("${KEY}", "in-the-file", r"5:5: a secret must not stand in the file; use \$\{VARIABLE\}"),
        ("api_key: ${KEY}", "api_kye: ${KEY}", r"5:5: .*unknown key api_kye; did you mean api_key"),
        ("https://xyz.api", "http://xyz.api", r"4:5: .*must start with https://"),
        ("xyz.api.infobip.com", "evil.example", r"4:5: .*add it to allow_host"),
        ("  two:", "  one:", r"6:3: the key one stands here twice"),
        ("  two:", "  Two Three:", r"6:3: .*a name is 1 to 63 lower-case letters"),
        ("instances:", "instances: {", r"3:14: a bracket or brace is not closed"),
        ("connector: infobip", "connector: !!python/object:os.system x", r"3:\d+: tags are not"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in SMALL
    told = faults(tmp_path, SMALL.replace(old, new, 1))
    assert any(re.search(expected, line) for line in told), told


def test_a_variable_is_replaced_once_and_only_in_values(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL, KEY="a${KEY}: b # c\n")
    assert loaded.instances["one"].settings.api_key.get_secret_value() == "a${KEY}: b # c\n"


def test_two_syncs_of_one_kind_are_refused(tmp_path: Path) -> None:
    twice = SMALL + "  more: {kind: lead, every: 1m, sides: {one: person, two: person}}\n"
    assert "one sync keeps a kind equal" in faults(tmp_path, twice)[0]


def test_the_place_of_the_file(tmp_path: Path) -> None:
    given = tmp_path / "a.yaml"
    assert config.find(given, {"CRM_SYNC_CONFIG": "b.yaml"}) == given
    assert config.find(None, {"CRM_SYNC_CONFIG": "b.yaml"}) == Path("b.yaml")


def test_the_schema_is_current() -> None:
    assert schema.PATH.read_text() == schema.text(), "run python -m config.schema"


def _keys(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_the_readme_lists_every_setting() -> None:
    readme = (ROOT / "README.md").read_text()
    models: list[Any] = [
        settings.Settings,
        settings.SyncSettings,
        settings.SideSettings,
        field_maps.FieldMapSettings,
        settings.OwnFieldSettings,
        settings.FieldSettings,
        settings.GuardSettings,
    ]
    listed = set(re.findall(r"`([a-z_]+)`", readme))
    missing = {key for model in models for key in _keys(model)} - listed
    assert not missing


def test_the_readme_lists_fields_and_mappings_as_they_are() -> None:
    readme = reference.PATH.read_text()
    assert "| `first_name` | FirstName | FirstName |" in readme
    assert reference.renewed(readme) == readme, "run python -m config.reference"


def test_the_readme_tells_the_guard_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text()
    guard = settings.GuardSettings()
    for name in settings.GuardSettings.model_fields:
        limit = getattr(guard, name)
        assert re.search(rf"\| `{name}` \| .* \| {limit.count} \| {limit.share} \|", readme), name


def test_the_longer_example_loads(tmp_path: Path) -> None:
    text = (ROOT / "example.yaml").read_text()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "dynamics").write_text("s")
    given = {"SF_CLIENT_ID": "a", "SF_CLIENT_SECRET": "b", "INFOBIP_API_KEY": "c"}
    assert set(load(tmp_path, text, **given).settings.syncs) == {"companies", "leads", "customers"}
