"""Serves an application on a local port until standard input closes."""

import asyncio
import os
import socket
import sys
import threading
from typing import Any

import uvicorn


def serve(app: Any, port: int, certificate: str | None) -> None:
    """Print the address, serve, and end with our parent, however it ends.

    ``certificate`` is a PEM file with private key and chain; without it http is spoken.
    """
    listener = socket.create_server(("127.0.0.1", port))
    # connections inherit it: else an answer sent as head and body waits 40 ms for the
    # client's acknowledgement (Nagle), which no vendor's server makes one do
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    scheme = "https" if certificate else "http"
    config = uvicorn.Config(
        app,
        log_level="critical",  # a planned dropped connection is no news
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,  # the server's own clock tells the date
        ssl_certfile=certificate,
        ssl_keyfile=certificate,
        h11_max_incomplete_event_size=64 * 1024,  # the vendors' own limits on a head are told by us
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201  # its starter reads it
    asyncio.run(server.serve(sockets=[listener]))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # nothing is worth saving: the world is in memory
