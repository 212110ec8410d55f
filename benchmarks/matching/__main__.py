"""``python -m benchmarks.matching``: crm-sync and two linkage libraries over the same two lists.

The libraries run in throw-away environments that uv makes. Prints a table for README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.matching.data import write

PEERS = Path(__file__).with_name("peers")
ROOT = Path(__file__).parents[2]
_UV = ROOT / ".tools" / "bin" / "uv"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching")
    parser.add_argument("--records", type=int, default=100_000, help="of each list")
    size: int = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), size)
        module = (sys.executable, "-m", "benchmarks.matching.ours")
        found = {"crm-sync": _run(*module, folder)}
        for name in ("splink", "recordlinkage"):
            given = ("run", "--quiet", "--no-project", "--isolated", "--with", name)
            script = str(PEERS / f"with_{name}.py")
            found[name] = _run(str(_UV), *given, "python", script, folder)
    sys.stdout.write("\n".join(_table(size, found)) + "\n")


def _run(*command: str) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _table(size: int, found: dict[str, dict[str, Any]]) -> Sequence[str]:
    lines = [
        f"| {size:,} x {size:,} | CPU s | read, matched, decided | wall s | MiB | linked right | "
        "linked wrong | asked about | left apart |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in found.items():
        stages = ", ".join(f"{seconds:.1f}" for seconds in one.get("stages", {}).values())
        asked, twice = one.get("asked", 0), one.get("twice", size - one["right"])
        lines.append(
            f"| {name} | {one['cpu']:.1f} | {stages} | {one['wall']:.1f} | "
            f"{one['rss']:.0f} | {one['right']:,} | {one['wrong']:,} | {asked:,} | {twice:,} |"
        )
    return lines


main()
