"""The application: what the command line does, over HTTP. Paths without a token tell no names."""

from datetime import timedelta

from fastapi import FastAPI, Response

from config import ServiceSettings
from sync_engine.service import Daemon

STUCK = timedelta(minutes=30)  #: a worker that was not heard of for so long does not work


def create_app(daemon: Daemon, settings: ServiceSettings) -> FastAPI:
    app = FastAPI(title="crm-sync", docs_url=None, redoc_url=None)

    @app.get("/healthz")
    def healthz(response: Response) -> dict[str, str]:
        """Whether the process works at all."""
        if daemon.clock.now() - daemon.heard_at > STUCK:
            response.status_code = 503
            return {"status": "stuck"}
        return {"status": "ok"}

    return app
