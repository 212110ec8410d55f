"""The application: what the command line does, over HTTP.

Its OpenAPI document, served at ``/api/openapi.json`` and kept in ``openapi.json`` beside this
file, is the documentation of what it takes and gives.
"""

import json
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from config import ServiceSettings
from sync_engine.service import Daemon
from sync_engine.web.api import admin_api
from sync_engine.web.errors import answer_errors
from sync_engine.web.guard import Guard
from sync_engine.web.health import health
from sync_engine.web.metrics import metrics_of

DOCUMENT = Path(__file__).with_name("openapi.json")


def create_app(daemon: Daemon, settings: ServiceSettings) -> FastAPI:
    app = FastAPI(
        title="crm-sync",
        version=version("crm-sync"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(health(daemon, metrics_of(daemon)))
    app.include_router(admin_api(daemon))
    answer_errors(app)
    app.add_middleware(Guard, settings=settings)
    return app


def document_of(app: FastAPI) -> str:
    """The OpenAPI document as it is kept."""
    return json.dumps(app.openapi(), indent=2) + "\n"
