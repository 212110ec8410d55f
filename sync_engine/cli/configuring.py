"""Commands about the configuration and the systems: init, check, config show, rebind."""

from typing import Annotated

import typer

from sync_engine.cli.common import (
    ConfigOption,
    Exit,
    JsonOption,
    app,
    print_json,
    service_of,
)


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
    from sync_engine import operations, show

    path = find(config)
    load(path)
    if offline:
        if as_json:
            print_json([])
        else:
            typer.echo(f"{path}: fine (the systems were not asked)")
        return
    with service_of(config) as service:
        found = operations.check(service)
    if as_json:
        print_json(found)
    else:
        show.show_checks(found)
    if not all(one.well for one in found):
        raise typer.Exit(Exit.FAILED)


@app.command()
def rebind(
    instance: Annotated[str, typer.Argument(help="The instance that has moved.")],
    config: ConfigOption = None,
) -> None:
    """Accept an instance's present organization for the one it was linked with.

    Links are kept where record and key are found again; nothing is deleted.
    Example: crm-sync rebind sales
    """
    from sync_engine import operations

    with service_of(config) as service:
        operations.known_instance(service.connectors, instance)
        checked = service.rebind(instance)
    typer.echo(f"{instance} is now {checked.name} ({checked.identity}); it will be listed anew")
