"""Where the state is kept: folders that cannot serve, disks of other machines, clocks."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import config
from sync_engine.service import SystemClock
from tests.config.files import SMALL, Run, faults, load, write


def test_27_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # for root every folder is writable, so that the mode is asked here
    monkeypatch.setattr(os, "access", lambda path, _: bool(Path(path).stat().st_mode & 0o200))
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    (told,) = faults(tmp_path, f"state: sqlite:///state/x.db\n{SMALL}")
    assert told.startswith("1:1: the state file or its folder cannot be written; check owner")
    folder.chmod(0o700)
    (folder / "x.db").touch(mode=0o400)
    assert "cannot be written" in faults(tmp_path, f"state: sqlite:///state/x.db\n{SMALL}")[0]


def test_27_a_server_that_does_not_answer_is_told_without_the_password(run: Run) -> None:
    pytest.importorskip("psycopg")
    write("state: postgresql://u:${KEY}@127.0.0.1:1/x\n" + SMALL)
    code, out, err = run("status")
    assert (code, out) == (1, "")
    assert err.startswith("the state database cannot be opened\n  remedy: check the URL")


@pytest.mark.parametrize(
    ("sort", "warned"),
    [("nfs4", True), ("cifs", True), ("9p", True), ("fuse.sshfs", True), ("ext4", False)],
)
def test_28_a_network_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: str, warned: bool
) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    mounts = tmp_path / "mounts"
    escaped = str(folder).replace(" ", r"\040")
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\nhost:/x {escaped} {sort} rw 0 0\nb /proc proc rw 0 0\n"
    )
    monkeypatch.setattr(config.state, "MOUNTS", mounts)
    loaded = load(folder, f"state: sqlite:///x.db\n{SMALL}")
    told = [one.text("f") for one in loaded.warnings]
    assert [f"network file system ({sort})" in one and ":1:1:" in one for one in told] == (
        [True] if warned else []
    )
    assert load(tmp_path, SMALL).warnings == ()  # its neighbour is on the disk
    mounts.unlink()
    assert load(folder, SMALL).warnings == ()  # where nobody tells, nothing is said


@pytest.mark.parametrize("year", [1970, 2100])
def test_112_a_clock_that_cannot_be_right(
    run: Run, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    write()
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime(year, 1, 2, tzinfo=UTC))
    code, _, err = run("status")
    assert (code, f"clock stands at {year}-01-02" in err) == (1, True)
    assert not Path("crm-sync.db").exists()
