"""The one HTTP client: what it repeats, what it refuses, what it makes of answers."""

import gzip
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import (
    AuthError,
    RateLimitError,
    ResponseError,
    SetupError,
    TransientError,
)
from connectors.hosts import check_host
from connectors.http import MAX_BODY, GuardedTransport, HttpClient
from connectors.replies import json_of

ORIGIN = "https://org.example"


class StillClock:
    """Nothing waits; what was asked for is noted."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.waits)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return True


def answer(status: int, body: bytes = b"{}", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(body))


class IterStream(httpx.SyncByteStream):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


class Exchange:
    """A client over planned answers."""

    def __init__(
        self,
        *answers: httpx.Response | Exception,
        authorize: Callable[[bool], Mapping[str, str]] | None = None,
    ) -> None:
        self.clock = StillClock()
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        transport = httpx.MockTransport(self._answer)
        self.client = HttpClient(ORIGIN, transport, self.clock, authorize)

    def plan(self, *answers: httpx.Response) -> None:
        self._answers += answers

    def _answer(self, request: httpx.Request) -> httpx.Response:
        # a copy, since a repeated request is the same object
        self.requests.append(httpx.Request(request.method, request.url, headers=request.headers))
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def test_an_answer_comes_back_whole() -> None:
    exchange = Exchange(answer(200, b'{"a": 1}'))
    assert json_of(exchange.client.send("GET", "/x")) == {"a": 1}


def test_gzip_is_read_and_a_cut_stream_is_noticed() -> None:
    packed = gzip.compress(b'{"a": 1}')
    exchange = Exchange(
        answer(200, packed, Content_Encoding="gzip"),
        answer(200, packed[:-9], Content_Encoding="gzip"),
    )
    assert json_of(exchange.client.send("GET", "/x")) == {"a": 1}
    with pytest.raises(TransientError, match="cut short"):
        exchange.client.send("GET", "/x")


def test_row_76_a_damaged_stream_and_a_second_one_behind_the_first_are_noticed() -> None:
    packed = gzip.compress(b'{"a": 1}')
    damaged = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    exchange = Exchange(
        answer(200, damaged, Content_Encoding="gzip"),
        answer(200, packed + gzip.compress(b" "), Content_Encoding="gzip"),
        answer(200, b'{"a": 1}', Content_Encoding="gzip"),
    )
    for _ in range(3):
        with pytest.raises(TransientError, match=r"damaged|cut short"):
            exchange.client.send("GET", "/x")


def test_row_77_an_endless_body_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.http.MAX_BODY", 5000)
    told = []

    def endless() -> Iterator[bytes]:
        while True:
            told.append(1000)
            yield b" " * 1000

    exchange = Exchange(httpx.Response(200, stream=IterStream(endless())))
    with pytest.raises(ResponseError, match="more than 5000 bytes"):
        exchange.client.send("GET", "/x")
    assert sum(told) == 6000


def test_row_78_an_answer_that_drips_is_left_after_its_time() -> None:
    exchange = Exchange()

    def dripping() -> Iterator[bytes]:
        while True:
            exchange.clock.wait(50)  # each byte alone is in time
            yield b" "

    exchange.plan(httpx.Response(200, stream=IterStream(dripping())), answer(200))
    with pytest.raises(TransientError, match="takes over 120 s"):
        exchange.client.send("GET", "/x")
    assert exchange.clock.waits == [50, 50, 50]
    assert exchange.client.send("GET", "/x").status_code == 200


def test_a_bomb_is_refused() -> None:
    packed = gzip.compress(b"0" * (MAX_BODY + 10))
    exchange = Exchange(answer(200, packed, Content_Encoding="gzip"))
    with pytest.raises(ResponseError, match="more than"):
        exchange.client.send("GET", "/x")


def test_a_refused_token_is_renewed_once_and_the_condition_kept() -> None:
    asked: list[bool] = []

    def authorize(fresh: bool) -> Mapping[str, str]:
        asked.append(fresh)
        return {"Authorization": "new" if fresh else "old"}

    exchange = Exchange(answer(401), answer(204, b""), authorize=authorize)
    exchange.client.send("PATCH", "/x", headers={"If-Match": "7"}, json={})
    assert asked == [False, True]
    assert [r.headers["Authorization"] for r in exchange.requests] == ["old", "new"]
    assert [r.headers["If-Match"] for r in exchange.requests] == ["7", "7"]


def test_credentials_that_stay_refused_are_told() -> None:
    exchange = Exchange(answer(401), answer(401), authorize=lambda fresh: {})
    with pytest.raises(AuthError):
        exchange.client.send("GET", "/x")
    assert len(exchange.requests) == 2


@pytest.mark.parametrize(
    ("told", "waited"),
    [
        ("2", 2.0),
        ("0", 1.0),
        ("-1", 1.0),
        ("Fri, 01 May 2026 00:00:03 GMT", 3.0),
        ("abc", 1.0),
        ("nan", 1.0),
    ],
)
def test_retry_after_is_honoured(told: str, waited: float) -> None:
    exchange = Exchange(answer(429, Retry_After=told), answer(200))
    exchange.client.send("POST", "/x")
    assert exchange.clock.waits == [waited]


def test_a_long_wait_is_left_to_the_engine() -> None:
    exchange = Exchange(answer(429, Retry_After="999999999"))
    with pytest.raises(RateLimitError) as caught:
        exchange.client.send("GET", "/x")
    assert caught.value.retry_after == 3600
    assert exchange.clock.waits == []


def test_i_29_nothing_is_sent_before_the_time_that_was_named() -> None:
    exchange = Exchange(answer(429, Retry_After="600"), answer(503, Retry_After="20"), answer(200))
    for waited, left in ((0.0, 600), (599.0, 1), (1.0, 20), (19.5, 0.5)):
        exchange.clock.waits.append(waited)
        with pytest.raises(TransientError) as caught:
            exchange.client.send("POST", "/x")
        assert caught.value.retry_after == left
    assert len(exchange.requests) == 2
    exchange.clock.waits.append(0.5)
    assert exchange.client.send("POST", "/x").status_code == 200


def test_an_overloaded_server_is_asked_again_only_where_that_is_harmless() -> None:
    exchange = Exchange(answer(503), answer(200))
    assert exchange.client.send("GET", "/x").status_code == 200
    exchange = Exchange(answer(503), answer(200))
    with pytest.raises(TransientError):
        exchange.client.send("POST", "/x")
    assert len(exchange.requests) == 1


def test_a_refused_connection_is_tried_again() -> None:
    refused = httpx.ConnectError("refused")
    exchange = Exchange(refused, answer(200))
    assert exchange.client.send("POST", "/x").status_code == 200
    with pytest.raises(TransientError, match="cannot be reached"):
        Exchange(refused, refused, refused).client.send("POST", "/x")


def test_a_lost_answer_is_not_tried_again() -> None:
    exchange = Exchange(httpx.ReadError("reset"), answer(200))
    with pytest.raises(TransientError):
        exchange.client.send("POST", "/x")
    assert len(exchange.requests) == 1


def test_a_page_where_json_is_due_is_no_answer() -> None:
    exchange = Exchange(answer(200, b"<html>maintenance"))
    with pytest.raises(TransientError, match="without JSON"):
        json_of(exchange.client.send("GET", "/x"))


def test_another_host_never_gets_the_token() -> None:
    exchange = Exchange(authorize=lambda fresh: {"Authorization": "secret"})
    with pytest.raises(ResponseError, match="another host"):
        exchange.client.send("GET", "https://evil.example/x")
    redirect = Exchange(answer(302, Location="https://evil.example/"))
    with pytest.raises(ResponseError, match="redirects"):
        redirect.client.send("GET", "/x")


def test_calls_of_one_lane_keep_their_distance() -> None:
    exchange = Exchange(answer(200), answer(200), answer(200))
    for lane in ("a", "a", "b"):
        exchange.client.send("GET", "/x", lane=lane, paced=0.2)
    assert exchange.clock.waits == [0.2]


@pytest.mark.parametrize(
    ("url", "allowed", "expected"),
    [
        ("https://acme.my.salesforce.com", [], "https://acme.my.salesforce.com"),
        ("https://127.0.0.1:8443", ["127.0.0.1"], "https://127.0.0.1:8443"),
        ("http://127.0.0.1:8080", ["127.0.0.1"], "http://127.0.0.1:8080"),
        ("https://evil.example", [], None),
        ("https://evil-salesforce.com", [], None),
        ("https://salesforce.com.evil.example", [], None),
        ("http://acme.my.salesforce.com", [], None),
        ("http://crm.intern.example", ["crm.intern.example"], None),
        ("https://user:pass@acme.my.salesforce.com", [], None),
        ("https://acme.my.salesforce.com?x=1", [], None),
    ],
)
def test_where_a_secret_may_be_sent(url: str, allowed: list[str], expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"\w"):
            check_host(url, ["salesforce.com"], allowed)
    else:
        assert check_host(url, ["salesforce.com"], allowed) == expected


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "169.254.169.254",
        "10.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_a_private_address_is_refused_at_connect(host: str) -> None:
    transport = GuardedTransport(None)
    with pytest.raises(SetupError, match="private address"):
        transport.handle_request(httpx.Request("GET", f"https://{host}/"))
    transport.close()


def test_a_clock_that_stops_ends_the_wait() -> None:
    class Stopping(StillClock):
        def wait(self, seconds: float) -> bool:
            return False

    transport = httpx.MockTransport(lambda request: answer(429, Retry_After="1"))
    client = HttpClient(ORIGIN, transport, Stopping())
    with pytest.raises(TransientError, match="stopping"):
        client.send("GET", "/x")


@pytest.mark.parametrize("secret", ["a\nb", "a\r\nX-Forged: 1", "k\u00e9y", "a\x00b"])
def test_12_credentials_that_no_header_carries_are_told_without_them(secret: str) -> None:
    def never(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be sent")

    client = HttpClient(
        ORIGIN,
        httpx.MockTransport(never),
        StillClock(),
        lambda _: {"Authorization": f"App {secret}"},
    )
    with pytest.raises(AuthError, match="no request can carry") as caught:
        client.send("GET", "/x")
    assert secret not in str(caught.value) + caught.value.remedy
