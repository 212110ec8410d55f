"""Rows 90 to 96: what is true and easily taken for something else, over HTTP."""

import json
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors import (
    Action,
    ConnectorError,
    CursorExpiredError,
    ResponseError,
    Result,
    TransientError,
    Upserted,
    Write,
)
from tests.connectors.front import wire
from tests.connectors.processes import Server
from tests.connectors.replies.place import Place, ids, placed


def test_row_90_fewer_answers_than_writes_leave_all_of_them_unknown(sales: Place) -> None:
    sales.front.alter(sales.bench.creates, lambda told: told[:-1])
    with pytest.raises(TransientError):
        sales.create(1, 2, 3)
    outcomes = sales.create(1, 2, 3)
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert len(ids(sales.listing())) == 3


def test_row_90_more_answers_than_writes_leave_all_of_them_unknown(sales: Place) -> None:
    sales.front.alter(sales.bench.creates, lambda told: [*told, told[0]])
    with pytest.raises(TransientError):
        sales.create(1, 2)


def test_row_90_deletes_answered_in_another_order_are_unknown(sales: Place) -> None:
    numbers = [sales.bench.create(n) for n in (1, 2)]
    sales.front.alter(("DELETE", "/composite"), lambda told: told[::-1])
    wishes = [Write(Action.DELETE, UUID(int=1), number) for number in numbers]
    outcomes = sales.bench.connector.write("Lead", wishes)
    assert [outcome.result for outcome in outcomes] == [Result.RETRY] * 2


@pytest.mark.parametrize(
    ("row", "result"),
    [
        ({"success": True, "errors": []}, Result.RETRY),
        ({"success": False, "errors": []}, Result.REJECTED),
        ({"success": False}, Result.REJECTED),
        ({}, Result.REJECTED),
    ],
    ids=["no id", "no error", "no errors", "nothing"],
)
def test_row_90_a_row_that_tells_half(sales: Place, row: dict[str, Any], result: Result) -> None:
    sales.front.answer(sales.bench.creates, wire(200, json.dumps([row]).encode()))
    (outcome,) = sales.create(1)
    assert (outcome.result, outcome.id) == (result, None)
    assert outcome.reason


@pytest.mark.parametrize("entry", [{"index": 7}, {"index": -1}, {}], ids=["7", "-1", "none"])
def test_row_90_refusals_of_entries_that_nobody_sent_leave_all_unknown(
    own: Place, entry: dict[str, int]
) -> None:
    refused = [{"status": 409, "errors": [{"message": "no"}], **entry}]
    body = json.dumps({"results": refused}).encode()
    own.front.answer(("POST", "/persons/batch"), wire(207, body))
    with pytest.raises(ResponseError):
        own.create(1, 2)
    own.front.answer(
        ("POST", "/companies/batch"), wire(200, b'{"results": [{"id": 1, "index": 9}]}')
    )
    wishes = [Write(Action.CREATE, UUID(int=n), values={"name": f"N{n}"}) for n in (1, 2)]
    with pytest.raises(ResponseError):
        own.bench.connector.write("company", wishes)


def test_row_90_refusals_stand_by_their_index_whatever_their_order(own: Place) -> None:
    refused = [
        {"status": 409, "index": n, "errors": [{"message": "Email address is invalid"}]}
        for n in (2, 0)
    ]

    def change(_told: Any) -> Any:
        return {"results": refused}

    own.front.alter(("POST", "/persons/batch"), change)
    results = [outcome.result for outcome in own.create(1, 2, 3)]
    assert results[1] is Result.DONE


def test_row_91_a_page_that_leads_to_itself_ends_the_read(place: Place) -> None:
    for n in range(7):
        place.bench.create(n)
    pages: list[Any] = []

    def keep(told: Any) -> Any:
        pages.append(told)
        return told

    place.front.alter(place.bench.lists, keep, skip=place.bench.first_page)
    place.front.alter(place.bench.lists, lambda _: pages[0], skip=place.bench.first_page, times=999)
    # Customer Profiles has no links: there it shows by the length that was not asked for
    with pytest.raises(ResponseError, match=r"leads to itself|gives pages of"):
        place.listing()


@pytest.mark.parametrize(
    "where",
    ["https://elsewhere.example/x", "@elsewhere.example/x", "//elsewhere.example/x", ".evil/x", 1],
)
def test_row_91_a_link_to_another_host_is_not_followed(sales: Place, where: Any) -> None:
    for n in range(4):
        sales.bench.create(n)
    sales.front.alter(sales.bench.lists, lambda told: told | {"nextRecordsUrl": where})
    with pytest.raises(ConnectorError) as caught:
        sales.listing()
    assert "elsewhere" not in str(caught.value)


def test_row_91_an_empty_page_with_a_link_is_no_end(service: Place) -> None:
    for n in range(7):
        service.bench.create(n)
    service.front.alter(service.bench.lists, lambda told: told | {"value": []}, skip=1)
    pages = service.bench.connector.changes(service.bench.selection, None)
    first, second, third = next(pages), next(pages), next(pages)
    assert (len(ids([first])), ids([second]), len(ids([third]))) == (3, [], 1)


def test_row_91_pages_without_end_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.replies.MOST_PAGES", 2)
    monkeypatch.setattr("connectors.infobip.paging.MOST_PAGES", 2)
    for n in range(10):
        place.bench.create(n)
    with pytest.raises(ResponseError, match="more than 2 pages"):
        place.listing()


def test_row_93_a_listing_that_tells_less_than_it_counted_does_not_end(sales: Place) -> None:
    numbers = {sales.bench.create(n) for n in range(7)}
    sales.front.alter(sales.bench.lists, lambda told: told | {"records": []}, skip=2)
    pages = sales.bench.connector.changes(sales.bench.selection, None)
    read = [next(pages), next(pages)]
    with pytest.raises(TransientError, match="counted 7 rows and told 6"):
        next(pages)
    rest = list(sales.bench.connector.changes(sales.bench.selection, read[-1].cursor))
    assert set(ids([*read, *rest])) == numbers
    assert rest[-1].listed_all


def test_row_93_a_listing_without_its_last_link_does_not_end(service: Place) -> None:
    service.bench.create(1)

    def change(told: Any) -> Any:
        return {name: value for name, value in told.items() if name != "@odata.deltaLink"}

    service.front.alter(service.bench.lists, change)
    with pytest.raises(ResponseError, match="delta link"):
        service.listing()


@pytest.mark.parametrize("told", [None, "soon", "Wed, 31 Feb 2026 25:00:00 GMT"])
@pytest.mark.parametrize("name", ["salesforce", "dataverse"])
def test_row_95_a_server_that_tells_no_time_gives_no_cursor(
    name: str, told: str | None, servers: dict[str, Server], tmp_path: Path
) -> None:
    for place in placed(name, servers, tmp_path):
        place.bench.create(1)
        place.front.headers["date"] = told
        with pytest.raises(ResponseError):
            place.listing()


@pytest.mark.parametrize("off", [timedelta(days=365), timedelta(days=-365)])
def test_row_95_a_cursor_is_not_advanced_by_a_clock_that_is_a_year_off(
    sales: Place, off: timedelta
) -> None:
    connector, selection = sales.bench.connector, sales.bench.selection
    first = sales.bench.create(1)
    cursor = sales.listing()[-1].cursor
    sales.front.headers["date"] = format_datetime(sales.clock.now() + off, usegmt=True)
    try:
        later = list(connector.changes(selection, cursor))[-1].cursor
    except CursorExpiredError:  # by that clock the bin was emptied: everything is read again
        later = sales.listing()[-1].cursor
    del sales.front.headers["date"]
    if off < timedelta():
        assert later["stamp"] >= cursor["stamp"]
    sales.bench.edit(first, "afterwards")
    assert first in ids(list(connector.changes(selection, later)))


def test_row_95_a_listing_is_not_shortened_by_a_clock_that_is_a_year_ahead(service: Place) -> None:
    numbers = [service.bench.create(n) for n in range(7)]
    ahead = service.clock.now() + timedelta(days=365)
    service.front.headers["date"] = format_datetime(ahead, usegmt=True)
    pages = service.bench.connector.changes(service.bench.selection, None)
    read = [next(pages)]
    edited = ids(read)[0]
    assert edited in numbers
    service.bench.server.post("clock", advance=60)
    service.bench.edit(edited, "meanwhile")
    read += list(pages)
    texts = [
        change.record.values[service.bench.text]
        for page in read
        for change in page.changes
        if isinstance(change, Upserted) and change.record.id == edited
    ]
    assert texts[-1] == "meanwhile"


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("salesforce", {"Status": "Never heard of", "LeadSource": 7}),
        ("dataverse", {"statecode": 9, "statuscode": -1}),
        ("profiles", {"type": "PROSPECT", "gender": 3}),
    ],
)
def test_row_96_a_record_of_an_unknown_state_is_told_like_any_other(
    name: str, odd: dict[str, Any], servers: dict[str, Server], tmp_path: Path
) -> None:
    def change(told: Any) -> Any:
        (rows,) = [value for value in told.values() if isinstance(value, list)]
        rows[0] |= odd
        return told

    for place in placed(name, servers, tmp_path):
        numbers = {place.bench.create(n) for n in range(2)}
        place.front.alter(place.bench.lists, change, skip=place.bench.first_page)
        assert set(ids(place.listing())) == numbers
