"""Plays history after history for as long as a box of CPU seconds allows, and counts."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import structlog

from tests.simulation.events import drawn
from tests.simulation.history import Verdict, run

FAILURES = 5  #: kept of one search


@dataclass(slots=True)
class Tally:
    histories: int = 0
    steps: int = 0
    systems: int = 0
    faults: int = 0  #: kinds of fault that fired, summed over the histories
    cpu: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)  #: seed and what was wrong

    def add(self, seed: int, verdict: Verdict) -> None:
        self.histories += 1
        self.steps += verdict.steps
        self.systems += verdict.systems
        self.faults += len(verdict.fired)
        self.fired += verdict.fired
        self.situations += verdict.situations
        if verdict.failure:
            self.failures.append((seed, verdict.failure))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def told(self) -> str:
        number = max(self.histories, 1)
        head = (
            f"{self.histories} histories, {self.cpu / number * 1000:.0f} ms of CPU each, mean "
            f"{self.steps / number:.1f} steps, {self.systems / number:.2f} systems, "
            f"{self.faults / number:.1f} kinds of fault; {len(self.failures)} violations"
        )
        fired = sorted(self.fired.items(), key=lambda one: int(one[0][1:]))
        lines = [head, "faults: " + " ".join(f"{name}={n}" for name, n in fired)]
        lines.append(
            "situations: " + ", ".join(f"{k} {n}" for k, n in sorted(self.situations.items()))
        )
        return "\n".join(lines)


def quietly() -> None:
    """No log lines: they cost more than the engine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def search(seeds: Iterator[int], seconds: float, most: int, focus: str = "") -> Tally:
    """Play until the CPU seconds or the histories are used up, or too much is wrong."""
    quietly()
    tally, start = Tally(), time.process_time()
    for seed in seeds:
        tally.cpu = time.process_time() - start
        if tally.cpu > seconds or tally.histories >= most or len(tally.failures) >= FAILURES:
            break
        tally.add(seed, run(drawn(seed, focus)))
    return tally


def shared(first: int, seconds: float, most: int, focus: str, processes: int) -> Tally:
    """The same, by several processes, each with its own seeds and so many CPU seconds."""
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.simulation.search", str(first + n), str(processes),
             str(seconds), str(-(-most // processes)), focus],
            stdout=subprocess.PIPE,
        )
        for n in range(processes)
    ]  # fmt: skip
    total = Tally()
    for part in parts:
        out, _ = part.communicate()
        if part.returncode:
            raise RuntimeError("a part of the search has failed")
        total += _read(json.loads(out))
    return total


def _read(told: dict[str, Any]) -> Tally:
    tally = Tally(**told)
    tally.fired, tally.situations = Counter(tally.fired), Counter(tally.situations)
    tally.failures = [(seed, what) for seed, what in tally.failures]
    return tally


def main() -> None:
    first, step, seconds, most, focus = sys.argv[1:]
    seeds = count(int(first), int(step))
    tally = search(seeds, float(seconds), int(most), focus)
    sys.stdout.write(json.dumps({name: getattr(tally, name) for name in tally.__slots__}))


if __name__ == "__main__":
    main()
