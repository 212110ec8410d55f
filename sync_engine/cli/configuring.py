"""Commands about the configuration and the systems: init, check, config, rebind."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync_engine.cli.common import (
    ConfigOption,
    Exit,
    JsonOption,
    app,
    complain,
    print_json,
    service_of,
)

if TYPE_CHECKING:
    from config import Config, Fault

config_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The configuration as it takes effect."
)
app.add_typer(config_app, name="config")


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")] = Path(
        "crm-sync.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a configuration to start from, with a comment on each line; asks nothing.

    Example: crm-sync init
    """
    from config import TEMPLATE
    from sync_engine.operations import WrongUseError

    try:
        with file.open("w" if force else "x", encoding="utf-8") as written:
            written.write(TEMPLATE.read_text(encoding="utf-8"))
    except FileExistsError:
        raise WrongUseError(
            f"{file} exists already", remedy="name another file, or overwrite it with --force"
        ) from None
    except OSError as error:
        raise WrongUseError(
            f"{file} cannot be written: {error.strerror}", remedy="name a file in a folder of yours"
        ) from error
    named = "" if file == Path("crm-sync.yaml") else f" --config {file}"
    typer.echo(f"{file} is written. Put your systems' addresses into it, set its variables, then:")
    for following in ("check --offline", "check", "sync"):
        typer.echo(f"  crm-sync {following}{named}")


@app.command()
def check(
    config: ConfigOption = None,
    offline: Annotated[bool, typer.Option(help="Only read the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, then ask every system whether it can work as configured.

    Example: crm-sync check --offline
    """
    from config import find
    from sync_engine import operations, show

    path = find(config)
    loaded = _loaded(path, as_json=as_json)
    for warning in loaded.warnings:
        complain(f"warning: {warning.text(str(path))}")
    if offline:
        if as_json:
            _print_faults(path, (), loaded.warnings)
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


def _loaded(path: Path, *, as_json: bool) -> "Config":
    """The configuration; with ``--json`` its faults go to standard output."""
    from config import ConfigError, load

    try:
        return load(path)
    except ConfigError as error:
        if not as_json:
            raise
        _print_faults(path, error.faults, ())
        raise typer.Exit(Exit.WRONG_USE) from error


def _print_faults(path: Path, faults: Sequence["Fault"], warnings: Sequence["Fault"]) -> None:
    print_json(
        {
            "file": str(path),
            "faults": [dataclasses.asdict(one) for one in faults],
            "warnings": [dataclasses.asdict(one) for one in warnings],
        }
    )


@config_app.command("show")
def show_config(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the configuration with every default filled in and every secret masked.

    Example: crm-sync config show --json
    """
    from config import as_yaml, effective, find

    shown = effective(_loaded(find(config), as_json=as_json))
    if as_json:
        print_json(shown)
    else:
        typer.echo(as_yaml(shown), nl=False)


@config_app.command("schema")
def show_schema() -> None:
    """Print the JSON schema by which editors complete and check a configuration.

    Example: crm-sync config schema > crm-sync.schema.json
    """
    from config import schema

    typer.echo(schema.text(), nl=False)


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
        before = service.organization(instance)
        checked = service.rebind(instance)
    if before == checked.identity:
        typer.echo(f"{instance} is bound to {checked.name} already; it will be listed anew")
        return
    typer.echo(f"{instance} is now {checked.name} ({checked.identity}); it will be listed anew")
