"""What we write into a system under its shipped mapping is what we read there (I-3)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import CATALOGUE
from sync_engine.mapping import Mapping
from sync_engine.parsing import parse
from tests.config.files import load

FILE = """\
instances:
  sales: {connector: salesforce, domain: acme.my.salesforce.com, auth: {flow: client_credentials,
    client_id: a, client_secret: "${KEY}"}}
  service: {connector: dynamics, url: "https://acme.crm4.dynamics.com", tenant_id: t, client_id: a,
    client_secret: "${KEY}"}
  profiles: {connector: infobip, base_url: "https://xyz.api.infobip.com", api_key: "${KEY}"}
syncs:
  leads: {kind: lead, every: 1m, sides: {sales: Lead, service: lead, profiles: person}}
  customers: {kind: customer, every: 1m, sides: {sales: Contact, service: contact,
    profiles: person}}
  companies: {kind: company, every: 1m, sides: {sales: Account, service: account,
    profiles: company}}
"""
_WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)
_PARTS = ("street", "city", "postcode")
_FORMS: dict[str, st.SearchStrategy[Any]] = {
    "text": _WORDS,
    "multiline": _WORDS,
    "email": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
    "phone": st.integers(0, 99999).map(lambda n: f"+3851555{n:05}"),
    "boolean": st.booleans(),
    "integer": st.integers(1, 10**6),
    "date": st.dates().map(str),
    "domain": st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True),
    "address": st.fixed_dictionaries(
        dict.fromkeys(_PARTS, _WORDS), optional={"country": st.just("HR")}
    ),
}


Side = tuple[str, str, Mapping]  #: instance and object, kind, mapping


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> list[Side]:
    """Every side of the shipped mappings."""
    found = []
    for source in load(tmp_path_factory.mktemp("shipped"), FILE).sources:
        mapping = parse(source.object, source.mapping, CATALOGUE, source.region)
        found += [(f"{source.instance}/{source.object}", kind, mapping) for kind in source.kinds]
    return found


@pytest.mark.timeout(400)
@settings(derandomize=True, max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(sides: list[Side], data: st.DataObject) -> None:
    place, kind, mapping = sides[data.draw(st.integers(0, len(sides) - 1))]
    drawn = {
        name: data.draw(_FORMS[form], label=f"{place} {name}")
        for name, form in CATALOGUE[kind].items()
        if form in _FORMS and name in mapping.readable(kind)
    }
    written = mapping.create_values(kind, drawn, drawn)
    native = dict.fromkeys(mapping.native_fields([kind])) | {
        name: value["add"] if isinstance(value, dict) and "add" in value else value
        for name, value in written.items()
    }
    seen = mapping.golden_of(kind, native)
    shown = mapping.complete(kind, seen, {}, drawn, [drawn])
    for name, value in drawn.items():
        assert mapping.same(kind, name, shown[name], value), (place, name, value, shown[name])


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_every_form_of_the_catalogue_but_choices_and_references_is_drawn(kind: str) -> None:
    undrawn = set(CATALOGUE[kind].values()) - set(_FORMS)
    assert undrawn <= {"choice", "reference", "language", "owner"}
