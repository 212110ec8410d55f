"""The profile store in a process of its own, as a stranger's client meets it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

KEY = "a-key-for-tests"


@contextmanager
def running(folder: Path) -> Iterator[httpx.Client]:
    (folder / "key").write_text(KEY + "\n")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "profiles",
            "--control",
            "--database",
            str(folder / "profiles.db"),
            "--key-file",
            str(folder / "key"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        headers = {"Authorization": f"App {KEY}"}
        with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
            yield client
    finally:
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()
