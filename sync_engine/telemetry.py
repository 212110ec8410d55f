"""Traces for OpenTelemetry: cycles, calls to the systems, SQL statements.

Silent unless the extra ``telemetry`` is installed and the environment says where spans go
(``OTEL_EXPORTER_OTLP_ENDPOINT`` or ``OTEL_TRACES_EXPORTER``). Spans are made here, of chosen
attributes: ready-made instrumentation records whole addresses and what errors say, and a
query or an error text of these systems holds people's values.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

LONGEST_STATEMENT = 500  #: characters that are kept; what follows are placeholders

Tell = Callable[[str, str | int], None]

_tracer: Any = None  #: set while ``tracing``


def _nobody(_name: str, _told: str | int) -> None:
    """What is told while nothing is traced."""


@contextmanager
def span(
    name: str, attributes: Mapping[str, str | int], *, is_call: bool = False
) -> Iterator[Tell]:
    """A span around some work; gives what takes further attributes."""
    if _tracer is None:
        yield _nobody
        return
    with _tracer.start_as_current_span(
        name,
        kind=_kind(is_call),
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current.set_attribute
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            raise


@contextmanager
def tracing(environment: Mapping[str, str] = os.environ, exporter: Any = None) -> Iterator[None]:
    """Send spans while it is open: to ``exporter``, or as the environment says."""
    global _tracer
    processor = _processor(environment, exporter)
    if processor is None:
        yield
        return
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("crm_sync")
    for moment, listener in _LISTENERS.items():
        event.listen(Engine, moment, listener)
    try:
        yield
    finally:
        for moment, listener in _LISTENERS.items():
            event.remove(Engine, moment, listener)
        _tracer = None
        provider.shutdown()


def _processor(environment: Mapping[str, str], exporter: Any) -> Any:
    """What spans are handed to; None where nobody wants them or the extra is not installed."""
    wanted = environment.get("OTEL_TRACES_EXPORTER", "")
    endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT" in environment
    if exporter is None and (wanted == "none" or not (wanted or endpoint)):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            ConsoleSpanExporter,
            SimpleSpanProcessor,
        )
    except ImportError:
        return None
    if exporter is not None:
        return SimpleSpanProcessor(exporter)
    if wanted == "console":
        return BatchSpanProcessor(ConsoleSpanExporter())
    return BatchSpanProcessor(OTLPSpanExporter())


def _kind(is_call: bool) -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind.CLIENT if is_call else SpanKind.INTERNAL


def _begin(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
    """A statement of a traced piece of work; its parameters are not looked at."""
    from opentelemetry.trace import get_current_span

    if get_current_span().is_recording():
        word = statement.split(maxsplit=1)[0].upper()
        told = {"db.system.name": connection.dialect.name, "db.operation.name": word}
        told["db.query.text"] = statement[:LONGEST_STATEMENT]
        connection.info["span"] = _tracer.start_span(word, kind=_kind(True), attributes=told)


def _end(connection: Any, *_more: Any) -> None:
    if current := connection.info.pop("span", None):
        current.end()


def _fail(context: Any) -> None:
    if context.connection is None:
        return
    if current := context.connection.info.pop("span", None):
        current.set_attribute("error.type", type(context.original_exception).__name__)
        current.end()


_LISTENERS: dict[str, Callable[..., None]] = {
    "before_cursor_execute": _begin,
    "after_cursor_execute": _end,
    "handle_error": _fail,
}
