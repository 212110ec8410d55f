"""Commands that keep the state safe: state backup, state restore."""

from pathlib import Path
from typing import Annotated

import typer

from sync_engine.cli.common import ConfigOption, app

state_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Backup and restore of the state."
)
app.add_typer(state_app, name="state")


@state_app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")], config: ConfigOption = None
) -> None:
    """Copy the state, as it is at one moment, to a file that only you can read.

    Works beside the running service; the file is SQLite whatever the state is kept in.
    Example: crm-sync state backup /backups/monday.db
    """
    from config import find, load
    from sync_engine import operations

    operations.backup(load(find(config)), file)
    typer.echo(f"the state is kept in {file}; it holds people's values")


@state_app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Also where the state knows people already.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup in the place of the state, while no crm-sync uses it.

    Afterwards every source is listed anew and no sync writes before it is released.
    Example: crm-sync state restore /backups/monday.db
    """
    from config import find, load
    from sync_engine import operations

    operations.restore(load(find(config)), file, force=force)
    typer.echo(
        f"{file} is the state now. Every sync reads all records anew and waits: look at "
        "crm-sync plan NAME, then let it go with crm-sync release NAME"
    )
