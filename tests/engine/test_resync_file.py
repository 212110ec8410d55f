"""Records named by a file, as spreadsheets and other systems write one (reliability 107)."""

from pathlib import Path

import pytest

from sync_engine import operations
from sync_engine.operations import WrongUseError
from sync_engine.operations.resyncing import LONGEST_FILE
from sync_engine.operations.shapes import Plan
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


def resync(three: Three, file: Path) -> Plan:
    return operations.resync(three.face(), "leads", operations.Wanted(file=file))


def test_a_byte_order_mark_line_ends_blanks_and_repeats_are_no_fault(
    three: Three, tmp_path: Path
) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.row("Lead", number).values["title"] = "Buyer"  # no feed tells of it
    file = tmp_path / "ids.txt"
    name = f"sales/Lead:{number}"
    file.write_bytes(f"\ufeff{name}\r\n\r\n  {name} \r\n# the rest waits\r\n".encode())
    plan = resync(three, file)
    assert {(line.does, line.side) for line in plan.lines} == {
        ("update", "service/lead"),
        ("update", "profiles/person"),
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "names no record"),
        (b"# nothing\n", "names no record"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"sales/Lead:1\n" * (LONGEST_FILE // 13 + 1), "is larger than"),
        (b"nobody:1\n", "nobody"),
    ],
)
def test_a_file_that_cannot_be_meant(
    three: Three, tmp_path: Path, content: bytes, expected: str
) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(content)
    with pytest.raises(WrongUseError, match=expected):
        resync(three, file)


def test_a_device_and_a_folder_are_no_files(three: Three, tmp_path: Path) -> None:
    for place in (Path("/dev/zero"), tmp_path):
        with pytest.raises(WrongUseError, match="is no file"):
            resync(three, place)
