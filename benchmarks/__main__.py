"""``sh scripts/bench [--records N] [--quick]``: run the workloads, show the tables.

A run of the full size writes them into README.md; any other only prints them.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.runs import run
from benchmarks.table import README, keep, tables
from sync_engine.service import SystemClock

FULL, QUICK = 100_000, 200
TIMES = 3  #: each workload and its floor, in turn


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--records", type=int, default=FULL, help="of the large size; the small "
                        "one is a tenth")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} records, once")
    given = parser.parse_args()
    large, times = (QUICK, 1) if given.quick else (given.records, TIMES)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        results = list(run(Path(folder), large // 10, large, times, _say))
    head, told = _circumstances(large, load), tables(results)
    if large == FULL:
        keep(head, told)
    sys.stdout.write(f"{head}\n\n{told}\n")


def _circumstances(large: int, load: float) -> str:
    version = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  # whichever git is there
        capture_output=True,
        text=True,
        cwd=README.parent,
    )
    return (
        f"`sh scripts/bench --records {large}`, {SystemClock().now():%d %b %Y}, commit "
        f"{version.stdout.strip() or 'unknown'}: {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, load {load:.1f} at the start, "
        f"{os.getloadavg()[0]:.1f} at the end."
    )


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


main()
