"""What all commands share: the application, options, exit codes, how errors are told."""

import json
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
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except typer.Exit as left:
        code = left.exit_code
    except BrokenPipeError:  # the reader of our output has seen enough
        code = Exit.DONE
    except Exception as error:
        code = _told(error)
    sys.exit(int(code or 0))


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


def complain(what: str, remedy: str = "") -> None:
    typer.echo(f"{what}\n  remedy: {remedy}" if remedy else what, err=True)


@contextmanager
def service_of(config: Path | None, *, wait: float = 0.0) -> Iterator["Service"]:
    """The configured service for one command; signals end its waits."""
    from config import find, load
    from sync_engine.logs import set_up_logging
    from sync_engine.service import build, stopping

    set_up_logging()
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
