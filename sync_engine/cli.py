"""The command line: parses, calls the service, prints. Heavy imports wait until a command runs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sync_engine.service import Health, Service

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Keeps people and companies equal in Salesforce, Dynamics 365 and Customer Profiles.",
)
issues_app = typer.Typer(no_args_is_help=True, help="What waits for a person.")
app.add_typer(issues_app, name="issues")


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


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file.", envvar="CRM_SYNC_CONFIG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def main() -> None:
    """The entry point; turns every expected error into a sentence and an exit code."""
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except typer.Exit as left:
        code = left.exit_code
    except Exception as error:
        code = _told(error)
    sys.exit(int(code or 0))


def _told(error: Exception) -> Exit:
    from config import ConfigError
    from connectors import ConnectorError
    from sync_engine.store import LeaseTakenError, StateError

    if show := getattr(error, "show", None):  # wrong use: typer keeps the class to itself
        show()
        return Exit.WRONG_USE
    if isinstance(error, ConfigError):
        _complain(str(error))
        return Exit.WRONG_USE
    if isinstance(error, LeaseTakenError):
        _complain(f"another run is active: {error}", "wait for it, or stop it first")
        return Exit.RUNNING_ELSEWHERE
    if isinstance(error, (StateError, ConnectorError)):
        _complain(str(error), error.remedy)
        return Exit.FAILED
    raise error


def _complain(what: str, remedy: str = "") -> None:
    typer.echo(f"{what}\n  remedy: {remedy}" if remedy else what, err=True)


@contextmanager
def _service(config: Path | None) -> Iterator["Service"]:
    from config import find, load
    from sync_engine.processes import stopping
    from sync_engine.service import build

    service = build(load(find(config)))
    try:
        with stopping(service.clock):
            yield service
    finally:
        service.close()


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@app.command()
def check(
    config: ConfigOption = None,
    offline: Annotated[bool, typer.Option(help="Only read the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, then ask every system whether it can work as configured.

    Example: crm-sync check --offline
    """
    from config import find, load

    path = find(config)
    load(path)
    if offline:
        typer.echo(f"{path}: fine (the systems were not asked)")
        return
    with _service(config) as service:
        found = service.check()
    if as_json:
        _print([_health(one) for one in found])
    else:
        for one in found:
            _show_health(one)
    if not all(one.is_well for one in found):
        raise typer.Exit(Exit.FAILED)


def _health(one: "Health") -> dict[str, Any]:
    checked = one.checked
    return {
        "instance": one.instance,
        "well": one.is_well,
        "organization": {"id": checked.identity, "name": checked.name} if checked else None,
        "failure": one.failure or None,
        "findings": [
            {"level": f.level, "what": f.what, "remedy": f.remedy}
            for f in (checked.findings if checked else ())
        ],
    }


def _show_health(one: "Health") -> None:
    if one.checked is None:
        typer.echo(f"{one.instance}: cannot be used: {one.failure}")
        if one.remedy:
            typer.echo(f"  remedy: {one.remedy}")
        return
    typer.echo(f"{one.instance}: {one.checked.name} ({one.checked.identity})")
    for finding in one.checked.findings:
        typer.echo(f"  {finding.level}: {finding.what}")
        if finding.remedy:
            typer.echo(f"    remedy: {finding.remedy}")


@app.command()
def sync(
    name: Annotated[str | None, typer.Argument(help="One sync; all without it.")] = None,
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not stop before the first write.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring one sync, or all, up to date once.

    The first sync stops before its first write and reports what it would do; let it go with
    crm-sync release NAME, or start it with --yes. Example: crm-sync sync leads
    """
    from sync_engine import report

    with _service(config) as service:
        _known(service, name)
        service.start()
        if yes:
            for waiting in report.unreleased(service, name):
                service.release(waiting)
        run = service.sync(name)
        summary = report.of_run(service, run, name)
    if as_json:
        _print(summary.as_json())
    else:
        summary.show()
    raise typer.Exit(summary.exit_code)


def _known(service: "Service", name: str | None) -> None:
    names = [one.name for one in service.world.syncs.values()]
    if name is not None and name not in names:
        _complain(f"there is no sync {name}", f"configured are: {', '.join(names)}")
        raise typer.Exit(Exit.WRONG_USE)


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="The sync to let go on.")],
    config: ConfigOption = None,
) -> None:
    """Let a sync write after its first report, or after the guard has stopped it.

    It holds once, for the numbers that were shown. Example: crm-sync release leads
    """
    with _service(config) as service:
        _known(service, name)
        let_go = service.release(name)
    shown = ", ".join(f"{number} x {what}" for what, number in sorted(let_go.items()))
    typer.echo(f"{name} may write from its next sync on" + (f": {shown}" if shown else ""))


@app.command()
def rebind(
    instance: Annotated[str, typer.Argument(help="The instance that has moved.")],
    config: ConfigOption = None,
) -> None:
    """Accept an instance's present organization for the one it was linked with.

    Links are kept where record and key are found again; nothing is deleted.
    Example: crm-sync rebind sales
    """
    with _service(config) as service:
        if instance not in service.connectors:
            _complain(
                f"there is no instance {instance}",
                f"configured are: {', '.join(service.connectors)}",
            )
            raise typer.Exit(Exit.WRONG_USE)
        checked = service.rebind(instance)
    typer.echo(f"{instance} is now {checked.name} ({checked.identity}); it will be listed anew")


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show what each system holds, what is owed and what waits. Example: crm-sync status"""
    from sync_engine import report

    with _service(config) as service:
        found = report.status(service)
    if as_json:
        _print(found.as_json())
    else:
        found.show()


@issues_app.command("list")
def list_issues(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what waits for a person, grouped by cause. Example: crm-sync issues list"""
    from sync_engine import report

    with _service(config) as service:
        found = report.issues(service)
    if as_json:
        _print(found.as_json())
    else:
        found.show()


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Keep the systems up to try.")] = False,
) -> None:
    """Play a day in three systems on this machine and show what crm-sync makes of it."""
    from sync_engine.demo import play

    raise typer.Exit(play(serve=serve))
