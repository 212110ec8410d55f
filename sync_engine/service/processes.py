"""This process and those it starts: its name, the signals that stop it, servers beside it."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

LEFT_AFTER = 8.0  #: seconds for calls to be answered once asked to stop
#: seconds in which a second signal is the first one's echo: a terminal and a wrapper both send it
SAME_WISH = 1.0
EXIT_UNANSWERED = 6
#: objects made, and not freed, between two searches for cycles. A batch makes this many and no
#: cycle; Python, which looks after 700, spent a third of a first load on it.
CYCLES_EVERY = 100_000


class Stoppable(Protocol):
    """A clock whose waits end when it is stopped."""

    def stop(self) -> None: ...

    def monotonic(self) -> float: ...


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


def look_for_cycles_seldom() -> None:
    gc.set_threshold(CYCLES_EVERY, *gc.get_threshold()[1:])


@contextmanager
def stopping(clock: Stoppable, reload: Callable[[], None] | None = None) -> Iterator[None]:
    """SIGINT and SIGTERM end the waits of the clock; work stops between pages and calls.

    A call that is not answered keeps nobody here: every state is good for kill -9, so the
    process leaves 8 s after it was asked to, at once when asked again. SIGHUP calls ``reload``.
    """
    leaving = threading.Timer(LEFT_AFTER, _leave)
    leaving.daemon = True
    asked_at: float | None = None

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_at
        now = clock.monotonic()
        if asked_at is None:
            asked_at = now
            leaving.start()  # first, so that nothing that holds the clock can keep us here
            clock.stop()
        elif now - asked_at > SAME_WISH:
            _leave()

    def take_anew(_number: int, _frame: FrameType | None) -> None:
        if reload is not None:
            reload()

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: take_anew}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        leaving.cancel()
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _leave() -> None:
    sys.stderr.write("left with calls unanswered; the next run goes on where this one stopped\n")
    sys.stderr.flush()
    os._exit(EXIT_UNANSWERED)


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
