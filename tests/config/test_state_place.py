"""Where the state database lies."""

from pathlib import Path

import pytest

from config import state
from tests.config.files import SMALL, load


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_28_a_network_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(state, "MOUNTS", mounts)
    told = load(tmp_path, f"state: sqlite:///x.db\n{SMALL}").warnings
    assert [fault.what for fault in told] == [
        f"lies on a network file system ({kind}), where SQLite's locks are not to be trusted"
    ]


def test_28_a_local_disk_below_a_network_mount_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/ / nfs rw 0 0\n/dev/sdb1 {tmp_path} xfs rw 0 0\n")
    monkeypatch.setattr(state, "MOUNTS", mounts)
    assert load(tmp_path, f"state: sqlite:///x.db\n{SMALL}").warnings == ()


def test_28_a_mount_point_with_a_blank_is_read() -> None:
    assert state.on_network(Path("/a b/c"), "s:/ /a\\040b nfs rw 0 0\n") == "nfs"
    assert state.on_network(Path("/a bc"), "s:/ /a\\040b nfs rw 0 0\n") is None
