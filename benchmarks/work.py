"""``python -m benchmarks.work ours|floor WORKLOAD FOLDER RECORDS``: one workload, once.

A process of its own, so that memory, caches and compiled statements are those of this workload.
Prints its cost as JSON.
"""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.meter import Cost
from sync_engine.logs import set_up_logging


def main() -> None:
    set_up_logging("warning")
    program, workload, folder, records = sys.argv[1:]
    cost: Cost = getattr(import_module(f"benchmarks.{program}"), workload)(
        Path(folder), int(records)
    )
    sys.stdout.write(cost.told())


main()
