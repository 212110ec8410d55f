"""What goes without a token: alive, ready, metrics. It names instances and syncs, nobody else."""

from datetime import timedelta

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from sync_engine.operations.shapes import Shape
from sync_engine.service import Daemon

STUCK = timedelta(minutes=30)  #: a worker that was not heard of for so long does not work


class Alive(Shape):
    status: str  #: ok, stuck
    why: str | None = None


class Ready(Shape):
    """Whether the service does its work; each part says what is missing."""

    ready: bool
    state: str
    configuration: str
    instances: str


def health(daemon: Daemon, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", responses={503: {"model": Alive, "description": "stuck"}})
    def healthz(response: Response) -> Alive:
        """Whether the process works at all; if not, start it anew."""
        silent = daemon.clock.now() - daemon.heard_at
        if silent <= STUCK:
            return Alive(status="ok")
        response.status_code = 503
        minutes = int(silent.total_seconds() // 60)
        return Alive(status="stuck", why=f"the worker was not heard of for {minutes} minutes")

    @router.get("/readyz", responses={503: {"model": Ready, "description": "not yet"}})
    def readyz(response: Response) -> Ready:
        """Whether the service has begun to do its work."""
        found = _readiness(daemon)
        if not found.ready:
            response.status_code = 503
        return found

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """For Prometheus; sync_engine/web/README.md explains each."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _readiness(daemon: Daemon) -> Ready:
    service = daemon.service
    try:
        with service.store.reading() as connection:
            service.store.registry.syncs(connection)
        state = "ok"
    except SQLAlchemyError as error:
        state = f"does not answer ({type(error).__name__})"
    instances = "ok" if service.is_prepared else "have not been asked for the first time yet"
    refused = "refused when it was read anew; the one before is in force, see the log"
    return Ready(
        ready=state == instances == "ok",
        state=state,
        configuration=refused if daemon.is_refused else "ok",
        instances=instances,
    )
