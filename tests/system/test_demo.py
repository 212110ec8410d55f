"""The demo, as the README's first command runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_the_demo_ends_with_three_equal_systems(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("crm-sync"), "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "140"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "Conflicts of the day",
        "Nothing has been written yet for companies, leads, customers",
        "Compared with what was written by hand: 31 people",
        "differs, and is asked about: email of profiles/person:",
        "One more cycle wrote nothing anywhere",
        "Everybody who is linked is equal in all systems",
    ):
        assert told in done.stdout
    assert done.stderr == ""
