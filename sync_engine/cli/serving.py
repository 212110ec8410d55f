"""Commands that stay, and those that ask whoever stays: run, health, demo."""

from typing import Annotated

import typer

from sync_engine.cli.common import ConfigOption, Exit, app, complain


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the service: every sync on its schedule, until SIGTERM; SIGHUP reads the file anew.

    Listens at CRM_SYNC_LISTEN (127.0.0.1:8470) for health, metrics and the admin API.
    Example: crm-sync run --config /etc/crm-sync/crm-sync.yaml
    """
    from config import find, load, service_settings
    from sync_engine.logs import set_up_logging
    from sync_engine.service import Daemon, build, stopping
    from sync_engine.telemetry import tracing
    from sync_engine.web import listening

    settings = service_settings()
    set_up_logging(settings.log_level, settings.log_format)
    path = find(config or settings.config)
    service = build(load(path))
    daemon = Daemon(service, lambda clock: build(load(path), clock))
    with (
        service.store.sole(),
        tracing(),
        stopping(daemon.clock, daemon.reload),
        listening(daemon, settings),
    ):
        daemon.start()
        daemon.wait()


@app.command()
def health() -> None:
    """Ask the running service whether it is well; for a container's HEALTHCHECK.

    Example: crm-sync health
    """
    import httpx

    from config import service_settings

    settings = service_settings()
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # read
    try:
        answer = httpx.get(f"http://{host}:{settings.port}/healthz", timeout=5, trust_env=False)
    except httpx.HTTPError:
        complain(f"nobody answers at {host}:{settings.port}", "start it with crm-sync run")
        raise typer.Exit(Exit.FAILED) from None
    typer.echo(answer.text)
    if answer.status_code != 200:
        raise typer.Exit(Exit.FAILED)


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Keep the systems up to try.")] = False,
) -> None:
    """Play a day in three systems on this machine and show what crm-sync makes of it.

    Example: crm-sync demo --serve
    """
    from sync_engine.demo import play
    from sync_engine.logs import set_up_logging

    set_up_logging("warning")  # the day is told as it is played
    raise typer.Exit(play(serve=serve))
