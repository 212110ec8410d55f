"""Serves the application in a thread of its own, beside the service."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from config import ServiceSettings
from sync_engine.operations import WrongUseError
from sync_engine.service import Daemon
from sync_engine.web.app import create_app

log = structlog.get_logger("crm_sync")


@contextmanager
def listening(daemon: Daemon, settings: ServiceSettings) -> Iterator[None]:
    """Answer while it is open. Raises WrongUseError where it cannot listen there."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise WrongUseError(
                f"nobody can listen at {settings.listen}: {error.strerror}",
                remedy="give a free address of this machine in CRM_SYNC_LISTEN",
            ) from None
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(daemon, settings),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nobody is believed who says whom he speaks for
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        log.info("listening", listen=settings.listen)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(5)
