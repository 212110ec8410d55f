"""A few histories of each run, and that a seed tells the whole of one."""

import os
import subprocess
import sys
from pathlib import Path

from tests.simulation.generate import script
from tests.simulation.history import run

ROOT = Path(__file__).parents[2]
_TRACES = """
from tests.simulation.generate import script
from tests.simulation.history import run
print([run(script(seed)).trace for seed in range(6)])
"""


def test_a_history_is_the_same_whenever_it_is_run() -> None:
    assert [run(script(7)).trace for _ in range(2)] == [run(script(7)).trace] * 2


def test_traces_are_equal_in_two_processes_with_different_hash_seeds() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", _TRACES],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
