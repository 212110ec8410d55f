"""How far a run is: a live line on a terminal, a plain one now and then in a pipe."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from sync_engine.service import Service

EVERY = 10.0  #: seconds between two lines in a pipe


@contextmanager
def progress(service: Service) -> Iterator[None]:
    """While it is open, standard error tells what the stages do."""
    world, counts = service.world, Counter[str]()
    console = Console(stderr=True)
    last = service.clock.monotonic()

    def line() -> str:
        return ", ".join(f"{number} {what}" for what, number in counts.items())

    if console.is_terminal:
        with console.status("starting ...") as shown:

            def live(stage: str, where: str, number: int) -> None:
                counts[stage] += number
                shown.update(f"{line()}  ({where})")

            world.watch = live
            yield
    else:

        def plain(stage: str, where: str, number: int) -> None:
            nonlocal last
            counts[stage] += number
            now = service.clock.monotonic()
            if now - last >= EVERY:
                last = now
                sys.stderr.write(f"{line()}  ({where})\n")

        world.watch = plain
        yield
    world.watch = None
