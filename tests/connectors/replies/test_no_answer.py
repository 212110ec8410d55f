"""Rows 73 to 82: answers that are none, or of another shape, over HTTP for each vendor.

Nothing here may end in anything but an outcome or a ConnectorError, nor lose a record.
"""

import gzip
import json
from contextlib import suppress
from typing import Any

import pytest

from connectors import (
    ConnectorError,
    Outcome,
    ResponseError,
    Result,
    TransientError,
    Upserted,
)
from tests.connectors.front import wire
from tests.connectors.replies.place import Place, ids

#: of each vendor's listing, and whole
LAST_PAGE = b"""{"records": [], "done": true, "totalSize": 3, "value": [], "persons": [],
    "@odata.deltaLink": "https://x.example/?$deltatoken=1"}"""
LOGIN_PAGE = b"<html><title>Sign in</title> n1@x.example</html>"


@pytest.mark.parametrize(
    "planned",
    [
        wire(200, LOGIN_PAGE, Content_Type="text/html"),
        wire(502, LOGIN_PAGE, Content_Type="text/html"),
        wire(200),
        wire(204),
        wire(200, b'{"persons": [{"id": 1'),
        wire(200, b"{}", Content_Length=1000),
        wire(200, gzip.compress(LAST_PAGE)[:-8], Content_Encoding="gzip"),  # all but its trailer
        wire(200, '{"text": "Žuti"}'.encode("latin2")),
        wire(200, b'{"totalSize": NaN}'),
    ],
    ids=[
        "73-login page", "74-502 page", "74-empty", "74-204", "75-cut JSON", "75-cut body",
        "76-cut gzip", "79-latin", "63-NaN",
    ],
)  # fmt: skip
def test_rows_73_to_79_a_page_that_is_none_is_read_again_and_nothing_is_lost(
    place: Place, planned: bytes
) -> None:
    numbers = {place.bench.create(n) for n in range(7)}
    place.answer_page(planned, page=1)
    pages = place.bench.connector.changes(place.bench.selection, None)
    first = next(pages)
    with pytest.raises(TransientError) as caught:
        next(pages)
    assert "x.example" not in str(caught.value)
    rest = list(place.bench.connector.changes(place.bench.selection, first.cursor))
    assert set(ids([first, *rest])) == numbers
    assert rest[-1].listed_all


def test_row_73_a_login_page_is_no_answer_to_a_write(place: Place) -> None:
    number = place.bench.create(1)
    page = wire(200, LOGIN_PAGE, Content_Type="text/html")
    place.front.answer(place.bench.updates, page)
    with pytest.raises(TransientError):
        place.update(number)
    place.front.answer(place.bench.creates, page)
    with pytest.raises(TransientError):
        place.create(2)
    assert place.held(number) is None


def test_row_74_a_server_that_rests_is_asked_again_for_what_is_harmless(place: Place) -> None:
    numbers = {place.bench.create(n) for n in range(2)}
    place.answer_page(wire(503, LOGIN_PAGE, Content_Type="text/html"))
    assert set(ids(place.listing())) == numbers
    assert place.clock.waits == [1.0]


def test_row_79_a_byte_order_mark_is_no_fault(place: Place) -> None:
    number = place.bench.create(1)
    place.front.alter(
        place.bench.lists,
        lambda told: b"\xef\xbb\xbf" + json.dumps(told).encode(),
        skip=place.bench.first_page,
    )
    assert ids(place.listing()) == [number]


@pytest.mark.parametrize(
    "body",
    [b"null", b"[]", b"1", b'"text"', b"{}", b"[1]", b"[[]]",
     b'{"records": 1, "done": true, "totalSize": 1, "value": 1, "persons": 1}',
     b'{"records": [1], "done": true, "totalSize": 1, "value": [1], "persons": [1]}',
     b'{"records": [{}], "done": true, "totalSize": 1, "value": [{}], "persons": [{}]}',
     b"[" * 100_000],
    ids=["null", "list", "number", "text", "object", "numbers", "lists", "no rows", "row", "empty",
         "72-deep"],
)  # fmt: skip
def test_row_80_an_answer_of_another_shape_is_told_as_such(place: Place, body: bytes) -> None:
    number = place.bench.create(1)
    place.answer_page(wire(200, body))
    with pytest.raises(ConnectorError):
        place.listing()
    place.front.answer(place.bench.fetches, wire(200, body))
    with pytest.raises(ConnectorError):
        place.held(number)
    place.front.answer(place.bench.updates, wire(200, body))
    with pytest.raises(ConnectorError):
        place.update(number)
    place.front.answer(place.bench.creates, wire(200, body))
    outcomes: list[Outcome] = []
    with suppress(ConnectorError):
        outcomes = place.create(2)
    assert {outcome.result for outcome in outcomes} <= {Result.RETRY}
    assert ids(place.listing()) == [number]


def test_row_80_what_is_not_known_is_left_aside(place: Place) -> None:
    number = place.bench.create(1)
    place.front.alter(
        place.bench.lists, lambda told: told | {"new in 2031": {}}, skip=place.bench.first_page
    )
    assert ids(place.listing()) == [number]


@pytest.mark.parametrize(
    "where", ["https://elsewhere.example/", "/login?n1@x.example", "file:///etc/passwd"]
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_row_82_a_redirect_is_not_followed(place: Place, where: str, status: int) -> None:
    place.listing()
    before = len(place.front.asked)
    place.answer_page(wire(status, Location=where), times=2)
    with pytest.raises(ResponseError) as caught:
        place.listing()
    assert "127.0.0.1" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("elsewhere", "login", "etc", "x.example"))
    assert len(place.front.asked) - before <= 1 + place.bench.first_page + 1


def test_row_32_half_a_character_is_a_value_like_any_other(place: Place) -> None:
    number = place.bench.create(1)
    place.bench.edit(number, "Buyer")

    def change(told: Any) -> Any:
        return json.dumps(told).replace("Buyer", "Buyer\\ud800").encode()

    place.front.alter(place.bench.lists, change, skip=place.bench.first_page, times=2)
    texts = {
        change.record.values[place.bench.text]
        for page in place.listing()
        for change in page.changes
        if isinstance(change, Upserted)
    }
    assert texts == {"Buyer\ud800"}
