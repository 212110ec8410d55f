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
        "31 people compared with what was written by hand",
        "One more cycle wrote nothing anywhere",
        "All three systems agree",
    ):
        assert told in done.stdout
    assert done.stderr == ""
