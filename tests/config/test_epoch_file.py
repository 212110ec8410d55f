"""Where the state's witness may be."""

from pathlib import Path

import pytest

from tests.config.files import SMALL, faults, load


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere/epoch", "the folder of the epoch file does not exist; create it"),
        (".", "the epoch file is no file"),
        ("crm-sync.db", "is the state file itself"),
        ("''", "epoch_file: must not be empty"),
    ],
)
def test_a_place_that_cannot_be(tmp_path: Path, name: str, expected: str) -> None:
    told = faults(tmp_path, f"epoch_file: {name}\n{SMALL}")
    assert len(told) == 1
    assert told[0].startswith("1:1: ")
    assert expected in told[0]


def test_one_beside_the_state_is_warned_of_and_one_elsewhere_is_not(tmp_path: Path) -> None:
    beside = load(tmp_path, f"epoch_file: epoch\n{SMALL}")
    assert [fault.what for fault in beside.warnings] == [
        "lies beside the state: who puts that folder back puts back both"
    ]
    (tmp_path / "other").mkdir()
    elsewhere = load(tmp_path, f"epoch_file: other/epoch\n{SMALL}")
    assert elsewhere.warnings == ()
    assert elsewhere.epoch_file == (tmp_path / "other" / "epoch").resolve()
