"""Errors as the API tells them: what, and the remedy; never a value, never a traceback."""

from collections.abc import Callable, Iterator
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from config import ConfigError
from connectors import ConnectorError
from sync_engine.operations import UnknownNameError, WrongUseError
from sync_engine.operations.shapes import Shape
from sync_engine.service import StoppingError
from sync_engine.store import LeaseLostError, LeaseTakenError, StateError

log = structlog.get_logger("crm_sync")

_SHAPES = "GET /api/openapi.json describes every request"
_REMEDIES = {
    404: _SHAPES,
    405: _SHAPES,
    413: "send less at once",
}


class Problem(Shape):
    """The body of every answer that is no success."""

    error: str
    remedy: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": why}
    for status, why in (
        (400, "cannot be carried out as it was given, or cannot be read"),
        (401, "no token, or another one"),
        (403, "no token is configured"),
        (404, "what was named does not exist"),
        (409, "another run is at that work"),
        (413, "the body is too large"),
        (422, "not as described here, or a configuration that cannot be used"),
        (503, "the state or a system cannot be used now"),
    )
}


def problem(status: int, error: str, remedy: str = "") -> JSONResponse:
    told = Problem(error=error, remedy=remedy)
    return JSONResponse(told.model_dump(), status)


def answer_errors(app: FastAPI) -> None:
    """Give every expected error its status."""
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, _handler(answer))


def _handler(answer: Callable[[Any], JSONResponse]) -> Callable[[Request, Exception], JSONResponse]:
    def handle(_request: Request, error: Exception) -> JSONResponse:
        return answer(error)

    return handle


def _of_http(error: HTTPException) -> JSONResponse:
    told = problem(error.status_code, str(error.detail), _REMEDIES.get(error.status_code, ""))
    told.headers.update(error.headers or {})
    return told


def _of_request(error: RequestValidationError) -> JSONResponse:
    return problem(422, "; ".join(dict.fromkeys(_faults(error))), _SHAPES)


def _faults(error: RequestValidationError) -> Iterator[str]:
    """Where and why; neither what was sent nor names that the caller made up."""
    for one in error.errors():
        place = [str(part) for part in one["loc"]]
        if one["type"] == "extra_forbidden":
            yield f"{place[0]}: a field that does not exist"
        elif one["type"] == "json_invalid":
            yield "body: no JSON"
        else:
            yield f"{'.'.join(place)}: {one['msg']}"


def _of_state(error: Exception) -> JSONResponse:
    log.error("state did not answer", why=type(error).__name__)
    return problem(503, "the state database did not answer", "try again; see the log")


_ANSWERS: dict[type[Exception], Callable[[Any], JSONResponse]] = {
    HTTPException: _of_http,
    RequestValidationError: _of_request,
    UnknownNameError: lambda error: problem(404, error.what, error.remedy),
    WrongUseError: lambda error: problem(400, error.what, error.remedy),
    LeaseTakenError: lambda error: problem(
        409, f"another run is active: {error}", "wait for it, or stop it"
    ),
    LeaseLostError: lambda error: problem(
        409, f"another run took {error} over", "ask again once it has ended"
    ),
    ConfigError: lambda error: problem(
        422, "the configuration is refused, the old one stays", str(error)
    ),
    ConnectorError: lambda error: problem(503, error.what, error.remedy),
    StateError: lambda error: problem(503, error.what, error.remedy),
    SQLAlchemyError: _of_state,
    StoppingError: lambda _error: problem(503, "the service ends", "ask it once it is up again"),
}
