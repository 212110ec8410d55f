"""Logs for a person on a terminal, JSON for a machine; never a secret, never a personal value.

What is logged is an event's name with counts, instances, objects and ids of runs. That
no value slips in does not rest on the callers: a line keeps the keys of ``KEYS`` alone, of
a library's line only its template, and of an error where it happened, never what it says.
Lines go to standard error, so that output can be piped.
"""

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

#: what a line may tell; the value of any other key is withheld
KEYS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "library",
        "where",
        "run",
        "sync",
        "syncs",
        "instance",
        "source",
        "seconds",
        "counts",
        "why",
        "faults",
        "method",
        "route",
        "status",
        "listen",
        "record",
        "entity",
        "issue",
        "what",
        "field",
        "fields",
        "action",
        "result",
        "rule",
        "by",
        "lost",
        "ended",
    }
)
_DEEPEST = 6  #: frames of an error that are told, innermost first


def set_up_logging(level: str = "info", form: str = "auto") -> None:
    """``form``: ``json``, ``console``, or ``auto`` for whichever suits standard error."""
    is_terminal = sys.stderr.isatty()
    as_json = form == "json" or (form == "auto" and not is_terminal)
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=is_terminal)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        # standard error as it is when a line is written: it may be another one by then
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # libraries tell of addresses and bodies when asked for more
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)


def where(error: BaseException) -> str:
    """What sort of error, and where it was raised; what it says may hold people's values."""
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    told = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} in {told}"


def _only_known(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    if line.pop("exc_info", None) and (error := sys.exception()):
        line["where"] = where(error)
    return {key: told if key in KEYS else "withheld" for key, told in line.items()}


class _Libraries(logging.Handler):
    """Lines of libraries among ours: templates, without what would be filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        told = {"library": record.name}
        if record.exc_info and record.exc_info[1]:
            told["where"] = where(record.exc_info[1])
        structlog.get_logger("crm_sync").log(record.levelno, text, **told)
