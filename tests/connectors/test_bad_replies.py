"""Replies that no documentation promises, over HTTP, for each vendor's connector.

The rows are those of a table: 73 to 75, 79 to 82 are answers that are none; 76 to 78 are the
client's alone (test_http.py); 84 to 96 say something true that is easily taken for something
else. Nothing here may end in anything but an outcome or a ConnectorError, nor lose a record.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors import (
    Action,
    AuthError,
    ConnectorError,
    Outcome,
    Page,
    RateLimitError,
    ResponseError,
    Result,
    Runtime,
    TransientError,
    Upserted,
    Write,
)
from tests.connectors.benches import DynamicsBench, InfobipBench, SalesforceBench, ServerBench
from tests.connectors.front import Front, Unhurried, front, unhurried, wire
from tests.connectors.processes import Server, profiles, simulator

BENCHES: dict[str, Callable[[Server, Runtime], ServerBench]] = {
    "salesforce": SalesforceBench,
    "dataverse": DynamicsBench,
    "profiles": InfobipBench,
}
LOGIN_PAGE = b"<html><title>Sign in</title> n1@x.example</html>"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    folder = tmp_path_factory.mktemp("replies")
    with (
        simulator("salesforce", folder) as sales,
        simulator("dataverse", folder) as service,
        profiles(folder) as own,
    ):
        yield {"salesforce": sales, "dataverse": service, "profiles": own}


class Place:
    """A connector, and the front between it and its system."""

    def __init__(self, fronting: Front, bench: ServerBench, clock: Unhurried) -> None:
        self.front, self.bench, self.clock = fronting, bench, clock

    def listing(self) -> list[Page]:
        return list(self.bench.connector.changes(self.bench.selection, None))

    def update(self, number: str, text: str = "ours") -> Outcome:
        (record,) = self.bench.connector.fetch(self.bench.selection, "id", [number])
        wish = Write(Action.UPDATE, UUID(int=1), number, {self.bench.text: text}, record.version)
        (outcome,) = self.bench.connector.write(self.bench.selection.object, [wish])
        return outcome

    def create(self, *numbers: int) -> list[Outcome]:
        wishes = [
            Write(Action.CREATE, UUID(int=1000 + n), values=self.bench.values(n)) for n in numbers
        ]
        return list(self.bench.connector.write(self.bench.selection.object, wishes))

    def answer_page(self, planned: bytes, page: int = 0, times: int = 1) -> None:
        self.front.answer(self.bench.lists, planned, times=times, skip=self.bench.first_page + page)

    def held(self, number: str) -> Any:
        (record,) = self.bench.connector.fetch(self.bench.selection, "id", [number])
        return record.values[self.bench.text]


@pytest.fixture(params=list(BENCHES))
def place(
    request: pytest.FixtureRequest, servers: dict[str, Server], tmp_path: Path
) -> Iterator[Place]:
    yield from _placed(request.param, servers, tmp_path)


@pytest.fixture
def sales(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from _placed("salesforce", servers, tmp_path)


@pytest.fixture
def service(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from _placed("dataverse", servers, tmp_path)


@pytest.fixture
def own(servers: dict[str, Server], tmp_path: Path) -> Iterator[Place]:
    yield from _placed("profiles", servers, tmp_path)


def _placed(name: str, servers: dict[str, Server], folder: Path) -> Iterator[Place]:
    clock, given = unhurried()
    with front(servers[name], folder) as (fronting, seen):
        bench = BENCHES[name](seen, given)
        yield Place(fronting, bench, clock)
        bench.connector.close()


def ids(pages: list[Page]) -> list[str]:
    """Who was told of, each once: a listing may repeat itself."""
    changes = [change for page in pages for change in page.changes]
    return list(dict.fromkeys(c.record.id for c in changes if isinstance(c, Upserted)))


# answers that are none


@pytest.mark.parametrize(
    "planned",
    [
        wire(200, LOGIN_PAGE, Content_Type="text/html"),
        wire(502, LOGIN_PAGE, Content_Type="text/html"),
        wire(200),
        wire(204),
        wire(200, b'{"persons": [{"id": 1'),
        wire(200, b"{}", Content_Length=1000),
        wire(200, gzip.compress(b"[]" * 9999)[:-9], Content_Encoding="gzip"),
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


# what is refused


def test_row_84_a_token_refused_once_in_mid_write_is_renewed_with_the_condition_kept(
    place: Place,
) -> None:
    number = place.bench.create(1)
    place.front.answer(place.bench.updates, wire(401, b"[]"))
    assert place.update(number).result is Result.DONE
    assert place.held(number) == "ours"
    sent = [a for a in place.front.asked if a.method == "PATCH"]
    assert len(sent) == 2
    if place.bench.condition:
        conditions = [one.headers[place.bench.condition] for one in sent]
        assert conditions[0] == conditions[1] != ""


def test_row_84_a_token_refused_for_ever_stops_the_instance_after_one_renewal(
    place: Place,
) -> None:
    place.listing()
    before = place.front.count(place.bench.lists)
    place.front.answer(place.bench.lists, wire(401, b"[]"), times=9)
    with pytest.raises(AuthError) as caught:
        place.listing()
    assert caught.value.remedy
    assert place.front.count(place.bench.lists) - before == 2


@pytest.mark.parametrize("life", [None, -5, 0, 10**9])
def test_row_84_a_token_of_any_life_is_used(service: Place, life: int | None) -> None:
    def change(told: Any) -> Any:
        told = {name: value for name, value in told.items() if name != "expires_in"}
        return told if life is None else told | {"expires_in": life}

    service.front.alter(("POST", "/token"), change, times=99)
    number = service.bench.create(1)
    assert ids(service.listing()) == [number]


def test_row_85_where_nothing_may_be_read_nothing_is_deleted(place: Place) -> None:
    place.bench.create(1)
    place.answer_page(wire(403, b'[{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]'))
    with pytest.raises(AuthError) as caught:
        place.listing()
    assert caught.value.remedy


def test_row_85_a_secured_column_is_named_and_the_other_fields_go(service: Place) -> None:
    number = service.bench.create(1)
    service.bench.server.post("switches", secured=["lead.jobtitle"])
    wish = Write(Action.UPDATE, UUID(int=1), number, {"jobtitle": "Buyer", "companyname": "Zeleni"})
    (outcome,) = service.bench.connector.write("lead", [wish])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"jobtitle"})
    (created,) = service.bench.connector.write(
        "lead", [Write(Action.CREATE, UUID(int=9), values={"lastname": "Horvat", "jobtitle": "x"})]
    )
    assert (created.result, set(created.faults)) == (Result.REJECTED, {"jobtitle"})


def test_row_85_a_field_that_may_not_be_written_is_named(sales: Place) -> None:
    number = sales.bench.create(1)
    refused = [
        {"errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "message": "x", "fields": ["Title"]}
    ]
    sales.front.answer(sales.bench.updates, wire(400, json.dumps(refused).encode()))
    outcome = sales.update(number)
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"Title"})


@pytest.mark.parametrize("status", [404, 410])
def test_row_86_an_update_of_what_is_gone_goes_to_the_proof(place: Place, status: int) -> None:
    bodies: dict[type[ServerBench], Any] = {
        SalesforceBench: [{"errorCode": "NOT_FOUND", "message": "x"}],
        DynamicsBench: {"error": {"code": "0x80040217", "message": "Does Not Exist"}},
        InfobipBench: {"errorCode": 40401, "errorMessage": "There is no person matching"},
    }
    number = place.bench.create(1)
    body = json.dumps(bodies[type(place.bench)]).encode()
    place.front.answer(place.bench.updates, wire(status, body))
    assert place.update(number).result is Result.GONE
    assert place.held(number) is None  # and the proof finds it there


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("UNABLE_TO_LOCK_ROW", Result.RETRY),
        ("DUPLICATES_DETECTED", Result.REJECTED),
        ("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", Result.STALE),
        ("ENTITY_IS_DELETED", Result.GONE),
    ],
)
def test_row_87_what_salesforce_refuses_a_row_with(sales: Place, code: str, result: Result) -> None:
    number = sales.bench.create(1)
    body = json.dumps([{"errorCode": code, "message": "x", "fields": []}]).encode()
    sales.front.answer(sales.bench.updates, wire(400, body))
    assert sales.update(number).result is result


def test_row_87_a_duplicate_of_our_own_key_is_our_own_lost_create(sales: Place) -> None:
    (first,) = sales.create(1)
    error = {"statusCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}
    refused = [{"success": False, "errors": [error]}] * 2
    sales.front.answer(sales.bench.creates, wire(200, json.dumps(refused).encode()))
    again, other = sales.create(1, 2)
    assert (again.result, again.id) == (Result.DONE, first.id)
    assert other.result is Result.REJECTED


def test_row_88_several_rows_of_one_key_are_told_and_nothing_is_created(sales: Place) -> None:
    sales.front.answer(sales.bench.creates, wire(300, b'["/services/data/v60.0/x"]'))
    with pytest.raises(ResponseError):
        sales.create(1)


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("999999999", 3599, 3600),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3599, 3600),
        ("30", 29, 30),
    ],
)
def test_row_89_and_i_29_nobody_calls_before_the_time_that_was_named(
    place: Place, told: str, least: float, most: float
) -> None:
    place.listing()
    place.front.answer(place.bench.lists, wire(429, b"{}", Retry_After=told))
    with pytest.raises(RateLimitError):
        place.listing()
    before = len(place.front.asked)
    with pytest.raises(RateLimitError) as caught:
        place.listing()
    assert least <= (caught.value.retry_after or 0) <= most
    assert len(place.front.asked) == before


@pytest.mark.parametrize("told", ["-1", "abc", None])
def test_row_89_a_time_that_cannot_be_read_is_a_short_wait(place: Place, told: str | None) -> None:
    number = place.bench.create(1)
    headers = {} if told is None else {"Retry_After": told}
    place.answer_page(wire(429, b"{}", **headers))
    assert ids(place.listing()) == [number]
    assert place.clock.waits == [1.0]
