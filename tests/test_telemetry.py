"""Traces: what a span tells, and that it tells no value."""

import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, get_current_span
from sqlalchemy.exc import IntegrityError

from sync_engine.operations import WrongUseError
from sync_engine.service.seams import CountingTransport, SystemClock
from sync_engine.store import migrate, open_database
from sync_engine.telemetry import span, tracing
from tests.engine.three import Three

CANARY = "Zanzibara"


def told(spans: tuple[ReadableSpan, ...]) -> str:
    return "".join(one.to_json() for one in spans)


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def test_a_cycle_is_a_span_with_its_statements(kept: InMemorySpanExporter, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    migrate(engine)
    three = Three(engine)
    three.sales.create("Contact", first=CANARY, last=CANARY, mail=f"{CANARY}@b.example")
    with tracing({}, kept):
        three.face().sync("customers")
    three.close()
    spans = kept.get_finished_spans()
    (cycle,) = [one for one in spans if one.name == "cycle"]
    inner = [one for one in spans if one.parent and one.parent.span_id == cycle.context.span_id]
    assert {"SELECT", "INSERT", "UPDATE"} <= {one.name for one in inner}
    assert any("INSERT INTO link" in str((one.attributes or {})["db.query.text"]) for one in inner)
    assert cycle.attributes is not None
    assert cycle.attributes["crm_sync.sync"] == "customers"
    assert three.written()["service"] == {"create": 1}
    assert CANARY not in told(spans)


def test_a_call_tells_no_address_and_no_body(kept: InMemorySpanExporter) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text=CANARY)

    transport = CountingTransport(httpx.MockTransport(answer), Counter(), "sales", SystemClock())
    with tracing({}, kept), httpx.Client(transport=transport) as client:
        client.post(f"https://crm.example/{CANARY}", params={"q": CANARY}, content=CANARY)
    (call,) = kept.get_finished_spans()
    assert (call.name, call.kind) == ("POST sales", SpanKind.CLIENT)
    assert dict(call.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "crm.example",
        "crm_sync.instance": "sales",
        "http.response.status_code": 404,
    }
    assert CANARY not in told((call,))


def test_an_error_is_told_by_its_sort(kept: InMemorySpanExporter, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    with tracing({}, kept):
        with pytest.raises(WrongUseError), span("work", {}):
            raise WrongUseError(CANARY)
        with span("state", {}), engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (name TEXT UNIQUE)")
            insert = "INSERT INTO t VALUES (?)"
            connection.exec_driver_sql(insert, (CANARY,))
            with pytest.raises(IntegrityError), span("again", {}):
                connection.exec_driver_sql(insert, (CANARY,))
    engine.dispose()
    spans = kept.get_finished_spans()
    sorts = {one.name: (one.attributes or {}).get("error.type") for one in spans}
    assert sorts["work"] == "WrongUseError"
    assert sorts["INSERT"] == sorts["again"] == "IntegrityError"
    assert sorts["state"] is None
    assert CANARY not in told(spans)


@pytest.mark.parametrize(
    ("environment", "traced"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_the_environment_says_whether(environment: dict[str, str], traced: bool) -> None:
    with tracing(environment), span("work", {}):
        assert get_current_span().is_recording() == traced


def test_without_the_extra_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with tracing({"OTEL_TRACES_EXPORTER": "console"}), span("work", {}) as tell:
        tell("more", 1)
        assert not get_current_span().is_recording()
