"""What keys are made of: a record whose other fields change keeps them, unread."""

from typing import Any

import pytest

from config.catalogue import CATALOGUE
from sync_engine.engine.keys import UNKEYED, Employers
from sync_engine.models import Kind, LinkState
from sync_engine.store import LinkRow

ANN = {
    "first_name": "Ann",
    "last_name": "Baker",
    "email": "ann@baker.example",
    "mobile": "+385915550104",
    "birth_date": "1980-02-03",
    "company_name": "Plavi",
    "name": "Plavi",
    "vat": "HR12345678903",
    "website": "plavi.example",
    "address": {"street": "Ilica 1", "city": "Zagreb", "postcode": "10000", "country": "HR"},
}


def digests(kind: Kind, **more: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    link = LinkRow(1, 1, 1, kind, LinkState.NEW, seen=ANN | more)
    Employers().rekey(link)
    assert link.match_keys
    return link.match_keys, link.alike


@pytest.mark.parametrize("name", sorted(UNKEYED))
def test_no_key_is_made_of_a_field_that_is_said_to_be_in_none(name: str) -> None:
    for kind in Kind:
        for value in ("Zora", "+385915550999", "else@where.example", 7, True):
            assert digests(kind, **{name: value}) == digests(kind)


def test_every_field_of_which_no_key_is_made_exists() -> None:
    assert {name for fields in CATALOGUE.values() for name in fields} >= UNKEYED
