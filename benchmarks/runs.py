"""Runs workloads and their floors in turn, each in a process of its own, and keeps the medians."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.meter import Cost
from benchmarks.orgs import CHANGING, running
from benchmarks.people import creations

LONG = 50_000  #: records from which a load is run once
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """A workload of some size: what it cost each time, and what its floor did."""

    name: str
    size: int
    ours: list[Cost]
    floor: list[Cost]

    @property
    def records(self) -> int:
        return self.ours[0].records

    @property
    def ratio(self) -> float:
        return self.cpu(self.ours) / self.cpu(self.floor)

    @property
    def per_record(self) -> float:
        """Our CPU seconds for one record, or one cycle."""
        return self.cpu(self.ours) / self.records

    @staticmethod
    def cpu(costs: list[Cost]) -> float:
        return median(cost.cpu for cost in costs)

    def middle(self, of: Callable[[Cost], float]) -> float:
        return median(of(cost) for cost in self.ours)

    def stage(self, name: str) -> float:
        return self.middle(lambda cost: cost.stages.get(name, 0.0))


def run(folder: Path, small: int, large: int, times: int, tell: Tell) -> Iterator[Result]:
    """Every workload, the small size first."""
    for size in (small, large):
        home = folder / str(size)
        home.mkdir()
        with running(home) as orgs:
            orgs.enter("sales", creations(size), home / CHANGING)
            for name in ("load", "quiet", "changed"):
                tell(f"{name} {size:,}")
                # a long one is its own mean
                once = name == "load" and size >= LONG
                yield _repeated(home, name, size, 1 if once else times)
            if size == small:
                tell(f"match {size:,}")
                orgs.act("service", creations(size))
                yield _repeated(home, "match", size, times)


def _repeated(home: Path, name: str, size: int, times: int) -> Result:
    result = Result(name, size, [], [])
    for _ in range(times):
        result.ours.append(_once(home, "ours", name, size))
        result.floor.append(_once(home, "floor", name, size))
    return result


def _once(home: Path, program: str, name: str, size: int) -> Cost:
    arguments = ["-m", "benchmarks.work", program, name, str(home), str(size)]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program} {name} failed:\n{done.stderr}")
    return Cost.read(done.stdout)
