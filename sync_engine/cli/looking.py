"""Commands that only look: status, runs, issues, history, explain."""

from typing import Annotated

import typer

from sync_engine.cli.common import ConfigOption, JsonOption, app, print_json, service_of

RecordName = Annotated[
    str, typer.Argument(help="INSTANCE:ID, or INSTANCE/OBJECT:ID.", metavar="RECORD")
]


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how things stand: systems, syncs, what is owed and what waits.

    Asks no system; the first line says whether all is well. Example: crm-sync status
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.status(service)
    if as_json:
        print_json(found)
    else:
        show.show_status(found)


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs that changed something. Example: crm-sync runs --limit 5"""
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.runs(service, limit)
    if as_json:
        print_json(found)
    else:
        show.show_runs(found)


@app.command()
def history(
    record: RecordName,
    at: Annotated[
        str | None,
        typer.Option(
            help="Which records were one with it then: ISO 8601, UTC; of a day its end.",
            metavar="DATE",
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell everything that happened to a person or company, by one of its records.

    Example: crm-sync history sales:00Q5g00000XYZ --at 2026-11-24
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        if at is None:
            found = operations.history(service, record)
        else:
            was = operations.identity(service, record, at)
    if as_json:
        print_json(found if at is None else was)
    elif at is None:
        show.show_history(found)
    else:
        show.show_identity(was)


@app.command()
def explain(
    record: RecordName,
    field: Annotated[str | None, typer.Argument(help="One golden field.", metavar="FIELD")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why each value is what it is, and why a record is, or is not, in each system.

    Example: crm-sync explain service:3f2a... job_title
    """
    from sync_engine import operations, show

    with service_of(config) as service:
        found = operations.explain(service, record, field)
    if as_json:
        print_json(found)
    else:
        show.show_explanation(found)
