"""Commands that stay: demo."""

from typing import Annotated

import typer

from sync_engine.cli.common import app


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Keep the systems up to try.")] = False,
) -> None:
    """Play a day in three systems on this machine and show what crm-sync makes of it.

    Example: crm-sync demo --serve
    """
    from sync_engine.demo import play

    raise typer.Exit(play(serve=serve))
