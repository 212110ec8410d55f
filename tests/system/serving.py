"""``crm-sync run`` as a process of its own, and waiting for what it does."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.world import PROGRAM

PATIENCE = 60.0  #: seconds to wait for another process


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``crm-sync run`` in a folder, and the address that it listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [PROGRAM, "run", "--config", str(folder / "crm-sync.yaml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CRM_SYNC_LISTEN": f"127.0.0.1:{port}",
            "CRM_SYNC_LOG_LEVEL": "debug",
            **more,
        },
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def until(look: Callable[[], bool]) -> None:
    """Look again and again until it is true; looking is a request, so nothing spins."""
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end, "it never came"
