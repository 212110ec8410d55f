"""Logs for a person on a terminal, JSON for a machine; never a secret, never a personal value.

What is logged is an event's name with counts, instances, objects and ids of runs: callers
pass nothing else. Lines go to standard error, so that output can be piped.
"""

import logging
import sys

import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up_logging(level: str = "info", form: str = "auto") -> None:
    """``form``: ``json``, ``console``, or ``auto`` for whichever suits standard error."""
    is_terminal = sys.stderr.isatty()
    as_json = form == "json" or (form == "auto" and not is_terminal)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=is_terminal)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # libraries tell of addresses and bodies when asked for more
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
