"""Log lines: what they keep, and what no caller can make them tell."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from sync_engine.logs import set_up_logging

CANARY = "Zanzibara"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def fail() -> None:
    raise ValueError(CANARY)


def caught(tell: Callable[..., object], *arguments: object, **more: object) -> None:
    try:
        fail()
    except ValueError:
        tell(*arguments, **more)


def test_a_line_keeps_known_keys_only(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json")
    structlog.get_logger("crm_sync").info("run", run=7, email=CANARY)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["run"], line["email"]) == ("run", 7, "withheld")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_library_tells_templates_only(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", form)
    library = logging.getLogger("some.library")
    library.warning("Job %s of 100% has %s", CANARY, CANARY)
    library.error(ValueError(CANARY))
    library.info("quiet")
    caught(library.exception, "Job %s raised", CANARY)
    caught(structlog.get_logger("crm_sync").exception, "ours")
    out, err = capsys.readouterr()
    assert out == ""
    assert CANARY not in err
    assert "quiet" not in err
    for expected in ("Job %s of 100% has %s", "some.library", "ValueError in fail", "ours"):
        assert expected in err


def test_a_value_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json")
    structlog.get_logger("crm_sync").warning("down", why='x\n{"event": "forged"}\x1b[31m')
    assert len(capsys.readouterr().err.splitlines()) == 1
