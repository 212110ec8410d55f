"""The full counts, before a release: ``scripts/histories [--long N] [--first N]``.

After them ``crm-sync run`` is killed 75 times over real HTTP (``tests/system/test_kill.py``).
``--boxes`` plays what each change must pass, so many CPU seconds for each of two processes.

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
from tests.simulation.search import box, wanting
from tests.simulation.shrink import shrink
from tests.simulation.tell import tell

COUNTS = {"safety": 10_000, "liveness": 1_000, "workers": 1_500, "restore": 1_000}
#: mode -> CPU seconds of a box, and how many seeds it may use up: it plays the same ones each time
BOXES = {"safety": (360, 3_200), "liveness": (60, 300), "workers": (60, 300), "restore": (60, 300)}


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/histories", description=__doc__)
    parser.add_argument("--long", type=int, default=1, help="times the usual counts")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--boxes", action="store_true", help="what each change must pass")
    parser.add_argument("--replay", nargs=2, metavar=("MODE", "SEED"))
    parser.add_argument("--keep", nargs=3, metavar=("MODE", "SEED", "FILE"))
    args = parser.parse_args(given)
    if args.replay:
        _say(tell(MODES[args.replay[0]](int(args.replay[1]))))
        return 0
    if args.keep:
        return _keep(*args.keep)
    if args.boxes:
        return max([_play(mode, *BOXES[mode], gate=mode == "safety") for mode in BOXES])
    counts = {mode: number * args.long for mode, number in COUNTS.items()}
    failed = max([_play(mode, float("inf"), counts[mode], args.first) for mode in COUNTS])
    return failed or _kill(args.first)


def _play(mode: str, seconds: float, most: int, first: int = 0, *, gate: bool = False) -> int:
    """Play and tell; 1 where a history fails, or where the gate lacks something."""
    start = time.perf_counter()
    found = box(mode, seconds, most, first)
    _say(f"{mode}, {time.perf_counter() - start:.0f} s: {found.told()}")
    lacking = wanting(found) if gate else []
    if lacking:
        _say(f"FAILED, tried too little: {', '.join(lacking)}")
    return int(bool(found.failures or lacking))


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
