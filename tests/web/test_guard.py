"""Who is let in, and what nobody is told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute

from connectors import AuthError
from sync_engine.store import LeaseTakenError
from tests.engine.three import Three
from tests.web.conftest import BEARER, TOKEN, Face, client_of, daemon_of, settings_of

CANARY = "Zanzibara-Quokkington"


def test_every_admin_path_takes_the_token(face: Face) -> None:
    document = face.get("/api/openapi.json").json()
    paths = [path for path in document["paths"] if path.startswith("/api/")]
    assert len(paths) > 20
    for path in [*paths, "/api/openapi.json", "/api/nothing", "/api"]:
        for method in ("GET", "POST"):
            told = face.http.request(method, path)
            assert told.status_code == 401, path
            assert told.headers["WWW-Authenticate"] == "Bearer"
            assert set(told.json()) == {"error", "remedy"}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer tökén".encode(),
    ],
)
def test_another_token_is_refused(face: Face, given: Any) -> None:
    assert face.http.get("/api/status", headers={"Authorization": given}).status_code == 401


def test_a_token_in_the_address_is_none(face: Face) -> None:
    assert face.http.get("/api/status", params={"token": TOKEN}).status_code == 401


def test_without_a_configured_token_the_api_is_closed(three: Three) -> None:
    http = client_of(daemon_of(three), settings_of(token=None))
    told = http.get("/api/status", headers=BEARER)
    assert told.status_code == 403
    assert "CRM_SYNC_ADMIN_TOKEN" in told.json()["remedy"]
    assert "crm_sync_admin_token" in told.json()["remedy"]
    assert http.get("/healthz").status_code == 200


def test_health_and_metrics_go_without(face: Face) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert face.http.get(path).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8470", ""]
)
def test_on_loopback_another_name_is_refused(face: Face, host: str) -> None:
    for path in ("/healthz", "/api/status"):
        assert face.http.get(path, headers={**BEARER, "Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "localhost", "LOCALHOST:1", "[::1]:8470"])
def test_on_loopback_its_own_names_are_known(face: Face, host: str) -> None:
    assert face.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_on_a_network_any_name_is_right(three: Three) -> None:
    http = client_of(daemon_of(three), settings_of(listen="0.0.0.0:8470"))
    assert http.get("/healthz", headers={"Host": "crm-sync.internal"}).status_code == 200


def test_a_body_has_a_bound(face: Face) -> None:
    big = json.dumps({"record": "x" * 1024 * 1024}).encode()
    assert face.http.post("/api/unlink", content=big, headers=BEARER).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    assert face.http.post("/api/unlink", content=chunks(), headers=BEARER).status_code == 413


def test_answers_are_not_for_browsers(face: Face) -> None:
    cross = {**BEARER, "Origin": "https://evil.example"}
    for path in ("/healthz", "/api/status", "/api/nothing"):
        headers = face.http.get(path, headers=cross).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b'{"record": NaN}',
        b'{"record": 1e999}',
        b'{"record": "\\ud800"}',
        b"[" * 100_000,
        b'{"record": "sales:1", "Zanzibara-Quokkington": 1}',
        b'{"record": ["Zanzibara-Quokkington"]}',
        b"record=Zanzibara-Quokkington",
    ],
)
def test_a_wrong_body_is_told_without_its_content(face: Face, body: bytes) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    told = face.http.post("/api/unlink", content=body, headers=headers)
    assert told.status_code in (400, 422)
    assert set(told.json()) == {"error", "remedy"}
    assert CANARY not in told.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/syncs/leads/run", {"yes": "0"}),
        ("/api/syncs/leads/run", {"yes": 1}),
        ("/api/syncs/leads/run", {"force": True}),
        ("/api/syncs/leads/resync", {"full": "true"}),
        ("/api/syncs/leads/resync", {"ids": "sales:1"}),
        ("/api/syncs/leads/resync", {"ids": ["sales:1"] * 10_001}),
        ("/api/link", {"left": "sales:1"}),
        ("/api/issues/1/resolve", {"says": "maybe"}),
        ("/api/issues/1/resolve", {"says": "take"}),
        ("/api/issues/1/resolve", {"says": "same", "take": "sales"}),
        ("/api/issues/1/resolve", {"says": "different", "keep": "newest"}),
        ("/api/issues/resolve", {"what": "identity", "says": "same", "carry_out": "yes"}),
        ("/api/issues/0/retry", {}),
        ("/api/issues/9223372036854775808/retry", {}),
    ],
)
def test_requests_are_strict(face: Face, path: str, body: dict[str, Any]) -> None:
    assert face.post(path, **body).status_code == 422


def test_unknown_paths_and_methods_are_json(face: Face) -> None:
    for answer, status in (
        (face.get("/api/nothing"), 404),
        (face.http.get("/nothing"), 404),
        (face.http.get("/docs"), 404),
        (face.get("/api/..%2fhealthz"), 404),
        (face.get("/api/%252e%252e/healthz"), 404),
        (face.get("/api//status"), 404),
        (face.http.request("BREW", "/healthz"), 405),
        (face.http.delete("/api/status", headers=BEARER), 405),
        (face.http.request("TRACE", "/healthz"), 405),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "remedy"}


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=-1",
        "limit=1000000000",
        "limit=ten",
        "sort=started_at;DROP",
        "cursor=x",
    ],
)
def test_103_pages_are_bounded_and_nothing_else_is_asked(face: Face, asked: str) -> None:
    told = face.http.get(f"/api/runs?{asked}", headers=BEARER)
    assert (told.status_code, set(told.json())) == (422, {"error", "remedy"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ids": ["crm:1"]}, 404),
        ({"ids": ["sales/Nothing:1"]}, 404),
        ({"ids": ["sales:a\u0000b"]}, 400),
        ({"since": "2999-01-01"}, 400),
        ({"since": "1900-01-01"}, 400),
        ({"full": True, "failed": True}, 400),
    ],
)
def test_104_a_resync_of_what_cannot_be(face: Face, body: dict[str, Any], status: int) -> None:
    assert face.post("/api/syncs/leads/resync", **body).status_code == status


def test_an_error_nobody_foresaw_tells_no_value(
    face: Face, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_service: object) -> None:
        raise KeyError(CANARY)

    monkeypatch.setattr("sync_engine.operations.status", fail)
    told = face.get("/api/status")
    assert told.status_code == 500
    assert set(told.json()) == {"error", "remedy"}
    out, err = capsys.readouterr()
    assert "KeyError" in out + err
    assert CANARY not in told.text + out + err


def test_what_cannot_be_done_now_has_its_status(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> None:
        raise LeaseTakenError("pull:1", "other:77", face.daemon.clock.now())

    def refused(*_: object) -> None:
        raise AuthError("sales refuses the credentials", remedy="check them")

    monkeypatch.setattr("sync_engine.operations.check", taken)
    told = face.post("/api/check")
    assert told.status_code == 409
    assert "other:77" in told.json()["error"]
    monkeypatch.setattr("sync_engine.operations.check", refused)
    told = face.post("/api/check")
    assert (told.status_code, told.json()["remedy"]) == (503, "check them")


def test_nobody_waits_for_a_service_that_ends(face: Face) -> None:
    face.daemon.clock.stop()
    told = face.post("/api/check")
    assert told.status_code == 503
    assert "ends" in told.json()["error"]


def test_every_route_says_what_it_gives(face: Face) -> None:
    routes: list[BaseRoute] = face.http.app.routes  # type: ignore[attr-defined]
    shown = [
        r for r in routes if getattr(r, "path", "").startswith("/api/") and hasattr(r, "endpoint")
    ]
    for route in shown:
        if getattr(route, "include_in_schema", False):
            assert getattr(route, "response_model", None) is not None, route
