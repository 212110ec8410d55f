"""Commands that bring the systems up to date: sync, plan, release, resync, pause, resume, run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync_engine.cli.common import (
    WAIT,
    ConfigOption,
    Exit,
    JsonOption,
    WaitOption,
    app,
    keep,
    print_json,
    service_of,
)

if TYPE_CHECKING:
    from sync_engine.operations.shapes import RunReport

SyncName = Annotated[str, typer.Argument(help="The sync.", metavar="NAME")]


@app.command()
def sync(
    name: Annotated[str | None, typer.Argument(help="One sync; all without it.")] = None,
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not stop before the first write.")] = False,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Bring one sync, or all, up to date once.

    The first sync stops before its first write and reports what it would do; let it go with
    crm-sync release NAME, or start it with --yes. Example: crm-sync sync leads
    """
    from sync_engine import operations, show

    with service_of(config, wait=wait) as service:
        operations.known_sync(service.world, name)
        service.prepare()
        if yes:
            for waiting in operations.unreleased(service, name):
                service.release(waiting)
        with show.progress(service):
            run = service.sync(name)
        report = operations.of_run(service, run, name)
        if as_json:
            print_json(report)
        else:
            show.show_run(report)
        code = _exit_code(report, instances=len(service.connectors))
    raise typer.Exit(code)


def _exit_code(report: "RunReport", instances: int) -> Exit:
    if len(report.down) == instances:
        return Exit.FAILED
    if report.waiting_for_release or report.stopped_by_guard:
        return Exit.WAITS_FOR_RELEASE
    return Exit.PARTLY if report.failed or report.down else Exit.DONE


@app.command()
def plan(
    name: SyncName,
    config: ConfigOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also keep it, as JSON, in this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every write that a sync would make now, and why; nothing is written anywhere.

    Runs the real stages on a copy of the state; the systems are only read.
    Example: crm-sync plan leads --json
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        operations.known_sync(service.world, name)
        service.prepare()
        found = operations.plan(service, name)
    if as_json:
        print_json(found)
    else:
        show.show_plan(found)
    if output is not None:
        keep(output, found.model_dump_json(indent=2))
    if found.stopped_by_guard:
        raise typer.Exit(Exit.WAITS_FOR_RELEASE)


@app.command()
def release(name: SyncName, config: ConfigOption = None) -> None:
    """Let a sync write after its first report, or after the guard has stopped it.

    It holds once, for the numbers that were shown. Example: crm-sync release leads
    """
    from sync_engine import operations

    with service_of(config) as service:
        operations.known_sync(service.world, name)
        let_go = operations.release(service, name)
    if let_go is None:
        typer.echo(f"nothing of {name} waits for a release")
        return
    shown = ", ".join(f"{number} x {what}" for what, number in sorted(let_go.items()))
    typer.echo(f"{name} may write from its next sync on" + (f": {shown}" if shown else ""))


@app.command()
def resync(
    name: SyncName,
    full: Annotated[bool, typer.Option("--full", help="List everything anew.")] = False,
    record: Annotated[
        list[str] | None, typer.Option("--id", help="A record, INSTANCE:ID; may be repeated.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Our key of a record; may be repeated.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Records modified since then, ISO 8601, UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="And not after then.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Records named in a file, or - , one INSTANCE:ID a line.")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What was refused or parked, once more.")
    ] = False,
    unlinked: Annotated[
        bool, typer.Option("--unlinked", help="Records that belong to nobody yet.")
    ] = False,
    prefer: Annotated[
        str | None, typer.Option(metavar="SIDE", help="This side's values win where they differ.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    config: ConfigOption = None,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Read records again from the systems and put right what differs; prints each change.

    Say which: exactly one of --full, --id, --key, --since/--until, --file, --failed, --unlinked.
    Works beside the running service. Example: crm-sync resync leads --id sales:00Q5g00000XYZ
    """
    from sync_engine import operations, show

    with service_of(config, wait=wait) as service:
        operations.known_sync(service.world, name)
        operations.known_instance(service.connectors, prefer)
        wanted = operations.Wanted(
            full=full,
            records=tuple(record or ()),
            keys=tuple(key or ()),
            since=since,
            until=until,
            file=file,
            failed=failed,
            unlinked=unlinked,
        )
        with show.progress(service):
            found = operations.resync(service, name, wanted, prefer=prefer, dry_run=dry_run)
    if as_json:
        print_json(found)
    else:
        show.show_plan(found)
    if found.stopped_by_guard:
        raise typer.Exit(Exit.WAITS_FOR_RELEASE)
    if found.down or found.unknown or any(line.answer for line in found.lines):
        raise typer.Exit(Exit.PARTLY)


@app.command()
def pause(
    name: Annotated[str | None, typer.Argument(help="A sync: no writes for its kind.")] = None,
    instance: Annotated[
        str | None, typer.Option(help="An instance: no traffic with it at all.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Stop writing for a sync, or all traffic with an instance, until resumed.

    Reading goes on for a paused sync, so that nothing is lost. Example: crm-sync pause leads
    """
    _pause_or_resume(name, instance, config, paused=True)


@app.command()
def resume(
    name: Annotated[str | None, typer.Argument(help="A sync.")] = None,
    instance: Annotated[str | None, typer.Option(help="An instance.")] = None,
    config: ConfigOption = None,
) -> None:
    """Let a paused sync or instance go on. Example: crm-sync resume --instance sales"""
    _pause_or_resume(name, instance, config, paused=False)


def _pause_or_resume(
    name: str | None, instance: str | None, config: Path | None, *, paused: bool
) -> None:
    from sync_engine import operations

    if (name is None) == (instance is None):
        raise operations.WrongUseError(
            "say what: a sync or an instance", remedy="crm-sync pause NAME or --instance INSTANCE"
        )
    with service_of(config) as service:
        operations.known_sync(service.world, name)
        operations.known_instance(service.connectors, instance)
        if paused:
            service.pause(sync=name, instance=instance)
        else:
            service.resume(sync=name, instance=instance)
    typer.echo(f"{name or instance} is {'paused' if paused else 'active'}")
