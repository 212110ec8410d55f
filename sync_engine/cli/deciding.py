"""Commands by which a person decides: issues, link, unlink, keep-apart."""

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from sync_engine.cli.common import ConfigOption, JsonOption, app, keep, print_json, service_of
from sync_engine.cli.looking import RecordName

issues_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What waits for a person."
)
app.add_typer(issues_app, name="issues")
Number = Annotated[int, typer.Argument(help="The issue's number.", metavar="ID")]


@issues_app.command("list")
def list_issues(
    every: Annotated[bool, typer.Option("--all", help="Not only the first of each cause.")] = False,
    later: Annotated[bool, typer.Option("--later", help="What was put off instead.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person, grouped by cause. Example: crm-sync issues list"""
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.grouped(service, later=later)
    if as_json:
        print_json(found)
    else:
        show.show_groups(found, every=every)


@issues_app.command("show")
def show_issue(number: Number, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one issue with its records side by side. Example: crm-sync issues show 123"""
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.shown(service, number)
    if as_json:
        print_json(found)
    else:
        show.show_issue(found)


@issues_app.command("resolve")
def resolve_issue(
    number: Annotated[int | None, typer.Argument(help="The issue's number.", metavar="ID")] = None,
    what: Annotated[
        str | None, typer.Option("--what", help="All issues of this sort, e.g. identity.")
    ] = None,
    cause: Annotated[
        str | None, typer.Option("--cause", help="With --what: only those of this cause.")
    ] = None,
    same: Annotated[bool, typer.Option("--same", help="One person or company.")] = False,
    different: Annotated[bool, typer.Option("--different", help="Not the same.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Not now; ask no more.")] = False,
    seen: Annotated[bool, typer.Option("--seen", help="Read; nothing to do.")] = False,
    convert: Annotated[
        bool, typer.Option("--convert", help="Meant: a customer elsewhere too.")
    ] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="A delete is followed elsewhere.")
    ] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="A delete is not followed.")] = False,
    take: Annotated[
        str | None, typer.Option(metavar="INSTANCE", help="Whose value is right; or golden.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(help="Which of several stays: newest, oldest, most-complete.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Decide; else --what only shows.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer an issue, or all of one sort; decisions last and survive a resync.

    With --what they are shown first and carried out with --yes.
    Example: crm-sync issues resolve --what identity --same --keep newest
    """
    from sync_engine import operations, show

    given = {"same": same, "different": different, "later": later, "seen": seen}
    given |= {"convert": convert, "approve": approve, "refuse": refuse, "take": take is not None}
    verdict = operations.verdict_of([name for name, said in given.items() if said], keep, take)
    if (number is None) == (what is None):
        raise operations.WrongUseError(
            "say which: an issue's number or --what", remedy="see crm-sync issues list"
        )
    with service_of(config) as service:
        if number is not None:
            found = [operations.resolve(service, number, verdict, person())]
        else:
            found = operations.resolve_group(
                service, what or "", cause, verdict, person(), carry_out=yes
            )
    if as_json:
        print_json(found)
    else:
        show.show_resolutions(found)


@issues_app.command("retry")
def retry_issue(number: Number, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Try a refused or parked write once more, with the next cycle.

    Example: crm-sync issues retry 123
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.retry(service, number)
    if as_json:
        print_json(found)
    else:
        show.show_resolutions([found])


@issues_app.command("export")
def export_issues(
    file: Annotated[Path, typer.Argument(help="A new file; .json, else CSV.")],
    config: ConfigOption = None,
) -> None:
    """Write all open issues, with their records' values, to a file that only you can read.

    Example: crm-sync issues export issues.csv
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.exported(service)
    if file.suffix == ".json":
        text = json.dumps([one.model_dump(mode="json") for one in found], indent=2)
    else:
        text = show.as_csv(found)
    keep(file, text)
    typer.echo(f"{len(found)} issues written to {file}")


@app.command()
def link(
    left: RecordName, right: RecordName, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Say that two records are one person or company, for good.

    Example: crm-sync link sales:00Q5g00000XYZ service:3f2a...
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.link(service, left, right, person())
    if as_json:
        print_json(found)
    else:
        show.show_resolutions([found])


@app.command()
def unlink(record: RecordName, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Leave a record alone from now on; nothing is created in its place.

    Example: crm-sync unlink profiles:4711
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.unlink(service, record, person())
    if as_json:
        print_json(found)
    else:
        show.show_resolutions([found])


@app.command("keep-apart")
def keep_apart(
    left: RecordName, right: RecordName, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Say that two records are never one; they are parted if they were.

    Example: crm-sync keep-apart sales:00Q5g00000XYZ service:3f2a...
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.keep_apart(service, left, right, person())
    if as_json:
        print_json(found)
    else:
        show.show_resolutions([found])


decisions_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What people have decided of records."
)
app.add_typer(decisions_app, name="decisions")


@decisions_app.command("list")
def list_decisions(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List every decision, oldest first. Example: crm-sync decisions list"""
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.decisions(service)
    if as_json:
        print_json(found)
    else:
        show.show_decisions(found)


@decisions_app.command("export")
def export_decisions(
    file: Annotated[Path, typer.Argument(help="A new file; .json, else CSV.")],
    config: ConfigOption = None,
) -> None:
    """Write every decision to a file that decisions import takes; record ids, no values.

    Example: crm-sync decisions export decisions.csv
    """
    from sync_engine import operations

    with service_of(config) as service:
        found = operations.decisions(service)
    keep(file, operations.as_text(found, as_json=file.suffix == ".json"))
    typer.echo(f"{len(found)} decisions written to {file}")


@decisions_app.command("import")
def import_decisions(
    file: Annotated[Path, typer.Argument(help="Of decisions export; .json, else CSV.")],
    yes: Annotated[bool, typer.Option("--yes", help="Decide; else only counted.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide as a file says, all of it or nothing; also of records that are not read yet.

    Example: crm-sync decisions import decisions.csv --yes
    """
    from sync_engine import operations, show

    wanted = operations.read(file)
    with service_of(config) as service:
        found = operations.replay(service, wanted, carry_out=yes)
    if as_json:
        print_json(found)
    else:
        show.show_replayed(found)


def person() -> str:
    """Who decides, as the operating system knows them."""
    return getpass.getuser()
