"""A connection that does not come about is told by its cause, with what to do."""

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trustme

from connectors.errors import TransientError
from connectors.http import GuardedTransport, HttpClient
from tests.connectors.test_http import StillClock

HOST = "127.0.0.1"
Serve = Callable[..., str]


def failure(origin: str, transport: httpx.BaseTransport) -> tuple[TransientError, int]:
    """What a call is told, and how often the client waited to try again."""
    clock = StillClock()
    client = HttpClient(origin, transport, clock)
    try:
        with pytest.raises(TransientError) as caught:
            client.send("GET", "/x")
    finally:
        client.close()
    return caught.value, len(clock.waits)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Servers that shake hands with a certificate and say no more."""
    opened: list[socket.socket] = []

    def start(certificate: trustme.LeafCert, most: ssl.TLSVersion | None = None) -> str:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(trust)
        if most:
            trust.set_ciphers("DEFAULT@SECLEVEL=0")  # OpenSSL itself refuses to go so low
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                trust.minimum_version = trust.maximum_version = most
        listener = socket.create_server((HOST, 0))
        opened.append(listener)

        def shake_hands() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed by the fixture
                    return
                try:
                    trust.wrap_socket(connection, server_side=True).close()
                except OSError:  # the client left
                    connection.close()

        threading.Thread(target=shake_hands, daemon=True).start()
        return f"https://{HOST}:{listener.getsockname()[1]}"

    yield start
    for listener in opened:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_an_untrusted_certificate_names_ca_file(authority: trustme.CA, serve: Serve) -> None:
    origin = serve(authority.issue_cert(HOST))
    told, waits = failure(origin, GuardedTransport(None, [HOST]))
    assert told.what == f"the certificate of {origin} is not trusted"
    assert "ca_file" in told.remedy
    assert waits == 0  # a second try would change nothing


def test_a_certificate_of_another_host(authority: trustme.CA, serve: Serve, tmp_path: Path) -> None:
    origin = serve(authority.issue_cert("other.example"))
    told, _ = failure(origin, GuardedTransport(str(tmp_path / "ca.pem"), [HOST]))
    assert "was issued for another host" in told.what


def test_a_certificate_that_has_expired(
    authority: trustme.CA, serve: Serve, tmp_path: Path
) -> None:
    past = datetime(2001, 1, 2, tzinfo=UTC)
    expired = authority.issue_cert(
        HOST, not_before=datetime(2001, 1, 1, tzinfo=UTC), not_after=past
    )
    told, _ = failure(serve(expired), GuardedTransport(str(tmp_path / "ca.pem"), [HOST]))
    assert "has expired" in told.what


def test_112_a_certificate_of_the_future_points_to_the_clock(
    authority: trustme.CA, serve: Serve, tmp_path: Path
) -> None:
    late = authority.issue_cert(HOST, not_before=datetime(2999, 1, 1, tzinfo=UTC))
    told, _ = failure(serve(late), GuardedTransport(str(tmp_path / "ca.pem"), [HOST]))
    assert "is not valid yet" in told.what
    assert "this machine's clock" in told.remedy


def test_a_port_where_nothing_listens() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    told, waits = failure(f"https://{HOST}:{port}", GuardedTransport(None, [HOST]))
    assert "refuses the connection: nothing listens there" in told.what
    assert waits == 2


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    told, _ = failure("https://nowhere.example", GuardedTransport(None))
    assert told.what == "the name of https://nowhere.example is not found"
    assert "misspelling" in told.remedy


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectTimeout("late"), "did not answer in time"),
        (httpx.ConnectError("odd"), "cannot be reached"),
    ],
)
def test_what_else_may_happen(error: Exception, expected: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    told, waits = failure("https://org.example", httpx.MockTransport(fail))
    assert expected in told.what
    assert told.remedy
    assert waits == 2


def test_a_server_without_tls() -> None:
    with socket.create_server((HOST, 0)) as listener:

        def chat() -> None:
            for _ in range(3):
                connection, _address = listener.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        threading.Thread(target=chat, daemon=True).start()
        origin = f"https://{HOST}:{listener.getsockname()[1]}"
        told, _ = failure(origin, GuardedTransport(None, [HOST]))
    assert "speaks no TLS that we accept" in told.what


def test_row_83_a_server_of_yesterday_is_not_spoken_to(
    authority: trustme.CA, serve: Serve, tmp_path: Path
) -> None:
    origin = serve(authority.issue_cert(HOST), ssl.TLSVersion.TLSv1_1)
    told, _ = failure(origin, GuardedTransport(str(tmp_path / "ca.pem"), [HOST]))
    assert told.what == f"{origin} speaks no TLS that we accept"
