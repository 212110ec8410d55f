"""``python -m profiles --database FILE --key-file FILE [--port N] [--control]``.

Prints its address, serves this machine only, and ends when standard input closes.
"""

import argparse
import asyncio
import os
import secrets
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from profiles.app import PeopleApi, application
from profiles.control import Control, Journal
from profiles.store import Store, StoreError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m profiles")
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--control", action="store_true", help="for tests and the demo")
    given = parser.parse_args()
    try:
        store = Store(given.database)
    except StoreError as error:
        raise SystemExit(f"{given.database}: {error}") from None
    journal = Journal(kept=given.control)
    api = PeopleApi(store, _key(given.key_file), journal)
    if given.control:
        control = Control(store, api, journal)
        app = control.wrap(application(api, control.routes))
    else:
        app = application(api, [])
    listener = socket.create_server(("127.0.0.1", given.port))
    # inherited by connections: asyncio leaves Nagle's delay on where a socket names no protocol,
    # and each answer, sent as head and body, then waits 40 ms for the client's acknowledgement
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201  # its starter reads it
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def _key(path: Path) -> str:
    """The API key; a new one, for its owner's eyes only, where the file does not exist yet."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32) + "\n")
    key = path.read_text().strip()
    if not key:
        raise SystemExit(f"{path} is empty: write an API key into it, or remove it")
    return key


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # every answered request is committed


main()
