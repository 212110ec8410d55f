"""This process and those it starts: its name, the signals that stop it, servers beside it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """A clock whose waits end when it is stopped."""

    def stop(self) -> None: ...


def holder() -> str:
    """This process, as a lease names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(name: str) -> bool:
    """Whether a holder was a process of this host that has ended. Elsewhere nobody can tell."""
    host, _, pid = name.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def stopping(clock: Stoppable) -> Iterator[None]:
    """SIGINT and SIGTERM end the waits of the clock; work stops between pages and calls."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        clock.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def server(module: str, *arguments: str, folder: Path) -> Iterator[str]:
    """A server in a process of its own; gives its address. It ends with ours, however we end.

    Raises RuntimeError with what it said if it does not come up.
    """
    with (folder / f"{module.rsplit('.', 1)[-1]}.log").open("a") as said:
        process = subprocess.Popen(  # noqa: S603  # our own modules, named by us
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise RuntimeError(f"{module} did not start; see {said.name}")
        yield address
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
