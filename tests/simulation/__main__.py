"""The full counts, before a release: ``scripts/histories [--long N] [--first N]``.

After them ``crm-sync run`` is killed 75 times over real HTTP (``tests/system/test_kill.py``).

``--replay MODE SEED`` tells one history as a table; ``--keep MODE SEED FILE`` makes one that fails
small and stores it as a script.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.simulation.generate import MODES
from tests.simulation.history import run
from tests.simulation.search import box
from tests.simulation.shrink import shrink
from tests.simulation.tell import tell

COUNTS = {"safety": 10_000, "liveness": 1_000, "workers": 1_500, "restore": 1_000}


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/histories", description=__doc__)
    parser.add_argument("--long", type=int, default=1, help="times the usual counts")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--replay", nargs=2, metavar=("MODE", "SEED"))
    parser.add_argument("--keep", nargs=3, metavar=("MODE", "SEED", "FILE"))
    args = parser.parse_args(given)
    if args.replay:
        _say(tell(MODES[args.replay[0]](int(args.replay[1]))))
        return 0
    if args.keep:
        return _keep(*args.keep)
    failed = False
    for mode, number in COUNTS.items():
        start = time.perf_counter()
        found = box(mode, float("inf"), number * args.long, args.first)
        failed = failed or bool(found.failures)
        _say(f"{mode}, {time.perf_counter() - start:.0f} s: {found.told()}")
    return int(failed) or _kill(args.first)


def _kill(seed: int) -> int:
    """Real processes, killed at fixed moments and at drawn ones; pytest's exit code."""
    kills = [sys.executable, "-m", "pytest", "-q", "tests/system/test_kill.py"]
    return subprocess.run(kills, env=os.environ | {"CRM_SYNC_KILLS": str(seed)}).returncode


def _keep(mode: str, seed: str, file: str) -> int:
    script = MODES[mode](int(seed))
    signature = run(script).signature
    if not signature:
        _say(f"{mode} history {seed} holds")
        return 1
    small = shrink(script, signature)
    Path(file).write_text(small.to_json())
    _say(tell(small))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
