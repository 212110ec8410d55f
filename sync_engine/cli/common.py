"""What all commands share: the application, options, exit codes, how errors are told."""

import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sync_engine.service import Service

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Exit(IntEnum):
    """Exit codes; README lists them for scripts."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    PARTLY = 3
    WAITS_FOR_RELEASE = 4
    RUNNING_ELSEWHERE = 5
    LEFT_UNANSWERED = 6
    INTERRUPTED = 130


def _print_version(wanted: bool) -> None:
    if wanted:
        from connectors import PROTOCOL

        ours = f"crm-sync {version('crm-sync')}"
        typer.echo(f"{ours}, Python {platform.python_version()}, connector protocol {PROTOCOL}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print versions and exit."
        ),
    ] = False,
) -> None:
    """Keeps people and companies equal in Salesforce, Dynamics 365 and Customer Profiles."""


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file.", envvar="CRM_SYNC_CONFIG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0, help="Seconds to wait for work that another run is at."),
]
WAIT = 60.0


def main() -> None:
    """The entry point; turns every expected error into a sentence and an exit code."""
    code = _carried_out()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader of our output has seen enough; the interpreter flushes once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _carried_out() -> int:
    output = sys.stdout
    try:
        return int(app(prog_name="crm-sync", standalone_mode=False) or Exit.DONE)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except typer.Exit as left:
        return left.exit_code
    except BrokenPipeError:
        return Exit.DONE
    except SystemExit as left:
        # typer meets a closed pipe before us, leaves with 1 and puts a stand-in for the output
        return Exit.DONE if sys.stdout is not output else int(left.code or 0)
    except Exception as error:
        return _told(error)


def _told(error: Exception) -> Exit:
    from sqlalchemy.exc import SQLAlchemyError

    from config import ConfigError
    from connectors import ConnectorError
    from sync_engine.operations import WrongUseError
    from sync_engine.store import LeaseTakenError, StateError, unusable
    from sync_engine.store.backups import StateInUseError

    if show := getattr(error, "show", None):  # wrong use: typer keeps the class to itself
        show()
        return Exit.WRONG_USE
    if isinstance(error, ConfigError):
        complain(str(error))
        return Exit.WRONG_USE
    if isinstance(error, WrongUseError):
        complain(error.what, error.remedy)
        return Exit.WRONG_USE
    if isinstance(error, LeaseTakenError):
        complain(f"another run is active: {error}", "wait for it, give a longer --wait, or stop it")
        return Exit.RUNNING_ELSEWHERE
    if isinstance(error, StateInUseError):
        complain(error.what, error.remedy)
        return Exit.RUNNING_ELSEWHERE
    if isinstance(error, SQLAlchemyError):
        error = unusable(error)
    if isinstance(error, (StateError, ConnectorError)):
        complain(str(error), error.remedy)
        return Exit.FAILED
    raise error


def keep(path: Path, text: str) -> None:
    """Write a file that only its owner may read: it holds people's values. Follows no link."""
    from sync_engine.operations import WrongUseError

    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)  # one that was there may have been readable to all
            file.write(text)
    except OSError as error:
        raise WrongUseError(
            f"{path} cannot be written: {error.strerror}", remedy="name a file in a folder of yours"
        ) from error


def complain(what: str, remedy: str = "") -> None:
    typer.echo(f"{what}\n  remedy: {remedy}" if remedy else what, err=True)


@contextmanager
def service_of(config: Path | None, *, wait: float = 0.0) -> Iterator["Service"]:
    """The configured service for one command; signals end its waits."""
    from config import find, load
    from sync_engine.logs import set_up_logging
    from sync_engine.service import build, stopping

    set_up_logging("warning")  # a command tells by itself what it did
    service = build(load(find(config)))
    service.store.patience = wait
    try:
        with stopping(service.clock):
            yield service
        if service.clock.is_stopped:
            raise typer.Exit(Exit.INTERRUPTED)
    finally:
        service.close()


def print_json(value: "BaseModel | Sequence[BaseModel] | Any") -> None:
    """A shape, or several, as JSON; the forms stand in sync_engine/operations/README.md."""
    typer.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
