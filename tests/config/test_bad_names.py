"""Records named on the command line or in files: told by their place, never by their content."""

import io
import os
import sys
from pathlib import Path

import pytest

from tests.config.files import CANARY, Run, write


@pytest.mark.parametrize(
    "name",
    ["", "one", "one:", ":1", "one:\x00", "one:a\nb", "one:\x1b[2J", "one:\udcff", "one/x:1"],
)
def test_107_what_names_no_record(run: Run, name: str) -> None:
    write()
    for arguments in (("explain", name), ("resync", "leads", "--id", name)):
        code, _, err = run(*arguments)
        assert (code, "remedy: " in err) == (2, True), err
        assert all(letter.isprintable() or letter == "\n" for letter in err)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{CANARY}\n".encode(), "line 1 of names.txt names no record"),
        (f"# two\r\n\r\none:1\r\n{CANARY}:2\r\n".encode(), "line 4 of names.txt names no record"),
        (f"one:1\none:\x00{CANARY}\n".encode(), "line 2 of names.txt names no record"),
        (b"", "names.txt names no record"),
        (b"\xef\xbb\xbf\r\n  \r\n# none\r\n", "names.txt names no record"),
        ("one:1\n".encode("utf-16"), "names.txt is not UTF-8"),
        (b"one:1\n" * 3_000_000, "names.txt is larger than 16777216 bytes"),
    ],
    ids=["no name", "CRLF", "NUL", "empty", "BOM and comments", "UTF-16", "endless"],
)
def test_107_a_file_of_names(
    run: Run, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: str
) -> None:
    write()
    Path("names.txt").write_bytes(content)
    code, _, err = run("resync", "leads", "--file", "names.txt")
    assert (code, err.splitlines()[0]) == (2, expected)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, _, err = run("resync", "leads", "--file", "-")
    assert (code, err.splitlines()[0]) == (2, expected.replace("names.txt", "-"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("none.txt", "none.txt is not there"),
        (".", ". is no file"),
        ("/dev/zero", "/dev/zero is no file"),
        ("pipe", "pipe is no file"),
        ("/proc/self/environ", "line 1 of /proc/self/environ names no record"),
        ("link", "line 1 of link names no record"),
    ],
)
def test_110_a_file_that_is_not_meant(run: Run, path: str, expected: str) -> None:
    write()
    os.mkfifo("pipe")
    Path("secret").write_text(CANARY)
    Path("link").symlink_to("secret")
    code, _, err = run("resync", "leads", "--file", path)
    assert (code, err.splitlines()[0]) == (2, expected)


def test_110_values_are_written_to_a_file_of_ones_own_only(run: Run) -> None:
    write()
    Path("link").symlink_to("elsewhere")
    for path, why in (
        ("nowhere/x.csv", "No such file"),
        (".", "Is a directory"),
        ("link", "symbolic links"),
    ):
        code, _, err = run("issues", "export", path)
        assert (code, f"{path} cannot be written: " in err, why in err) == (2, True, True), err
    assert not Path("elsewhere").exists()
    Path("old.csv").write_text("old")
    Path("old.csv").chmod(0o644)
    assert run("issues", "export", "old.csv")[0] == 0
    assert Path("old.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--since", "2999-01-01"), "2999-01-01 lies in the future"),
        (("--since", "1900-01-01"), "1900-01-01 lies before 2000"),
        (("--since", "0001-01-01T00:00:00+14:00"), "lies before 2000"),
        (("--since", "2026-13-01"), "'2026-13-01' is no moment"),
        (("--since", "2024-02-01", "--until", "2024-01-01"), "2024-01-01 lies before 2024-02-01"),
        (("--id", "three:1"), "there is no instance three"),
    ],
)
def test_104_a_resync_of_what_cannot_be(
    run: Run, arguments: tuple[str, ...], expected: str
) -> None:
    write()
    code, _, err = run("resync", "leads", *arguments)
    assert (code, expected in err) == (2, True), err
