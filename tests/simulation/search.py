"""Searches for histories that fail, boxed in CPU seconds, and counts what was tried.

``python -m tests.simulation.search MODE FIRST STEP SECONDS MOST`` prints its findings as JSON; a
box starts several of these, each with its own share of the seeds.
"""

import gc
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tests.simulation.faults import ALL
from tests.simulation.generate import MODES
from tests.simulation.history import run

ROOT = Path(__file__).parents[2]
PROCESSES = 2
_SELF = (sys.executable, "-m", "tests.simulation.search")
TOGETHER = 100  #: histories between two collections of garbage
LEAST = 3000  #: safety histories of a whole box
OFTEN = 50  #: how often each fault strikes in it, and each situation is met
README = ROOT / "sync_engine" / "README.md"


@dataclass(slots=True)
class Found:
    """What a search has tried, and what came of it."""

    histories: int = 0
    steps: int = 0
    systems: int = 0
    kinds: int = 0  #: of faults
    seconds: float = 0.0  #: of CPU
    fired: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[Any]] = field(default_factory=dict)  #: signature -> seed, violation

    def add(self, other: Mapping[str, Any]) -> None:
        for name in ("histories", "steps", "systems", "kinds", "seconds"):
            setattr(self, name, getattr(self, name) + other[name])
        self.fired.update(other["fired"])
        self.situations.update(other["situations"])
        self.failures = {**other["failures"], **self.failures}

    def told(self) -> str:
        """For people: how fast, how wide, and what failed."""
        number = max(1, self.histories)
        lines = [
            f"{self.histories} histories, {1000 * self.seconds / number:.0f} ms of CPU each; mean "
            f"{self.steps / number:.1f} steps, {self.systems / number:.2f} systems, "
            f"{self.kinds / number:.2f} kinds of faults",
            "faults: " + _listed(self.fired),
            "situations: " + _listed(self.situations),
        ]
        lines += [f"FAILED seed {seed}: {what}" for seed, what in self.failures.values()]
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))


def situations() -> set[str]:
    """The situations of the decision table, as it is written."""
    table = README.read_text().split("## Decision table")[1].split("## Decisions")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def wanting(found: Found) -> list[str]:
    """What a whole box of safety histories has not tried enough."""
    number = max(1, found.histories)
    short = [] if found.histories >= LEAST else [f"{found.histories} histories"]
    means = {"steps": (found.steps, 30), "systems": (found.systems, 2), "faults": (found.kinds, 3)}
    short += [
        f"{name}: {n / number:.2f}" for name, (n, least) in means.items() if n < least * number
    ]
    short += [f"{name}: {found.fired[name]}" for name in ALL if found.fired[name] < OFTEN]
    met = found.situations
    return short + [f"{name}: {met[name]}" for name in sorted(situations()) if met[name] < OFTEN]


def search(mode: str, first: int, step: int, seconds: float, most: int) -> Found:
    """Histories of a mode, until the CPU seconds or the seeds are used up."""
    found, start = Found(), time.process_time()
    gc.disable()
    for number in range(most):
        if time.process_time() - start >= seconds:
            break
        script = MODES[mode](first + number * step)
        verdict = run(script)
        found.histories += 1
        found.steps += verdict.steps
        found.systems += len(script.setup.systems)
        found.kinds += len(script.setup.faults)
        found.fired += verdict.fired
        found.situations += verdict.situations
        if verdict.violation is not None:
            told = [script.setup.seed, str(verdict.violation)]
            found.failures.setdefault(verdict.signature, told)
        if number % TOGETHER == 0:
            gc.collect()
    gc.enable()
    found.seconds = time.process_time() - start
    return found


def box(mode: str, seconds: float, most: int = 10**6, first: int = 0) -> Found:
    """The same in several processes at once, each with this many seconds."""
    share = -(-most // PROCESSES)
    running = [
        subprocess.Popen(
            [*_SELF, mode, *map(str, (first + n, PROCESSES, seconds, share))],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": str(n)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    whole = Found()
    for one in running:
        told, _ = one.communicate()
        if one.returncode:
            raise RuntimeError(f"the search of {mode} histories ended with {one.returncode}")
        whole.add(json.loads(told))
    return whole


if __name__ == "__main__":
    of, begin, every, cpu, seeds = sys.argv[1:]
    tried = search(of, int(begin), int(every), float(cpu), int(seeds))
    sys.stdout.write(json.dumps({one.name: getattr(tried, one.name) for one in fields(tried)}))
