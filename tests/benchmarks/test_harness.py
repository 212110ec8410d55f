"""The quick mode runs every workload beside its floor and tells what it found."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.meter import Cost
from benchmarks.runs import Result

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)  # fourteen processes, each of which starts anew
def test_the_quick_mode_gives_the_tables_and_leaves_the_kept_results_alone() -> None:
    before = table.README.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    found = {(row[0], row[1]): row for row in rows if len(row) == 11}
    for name in ("first load", "cycle without a change", "1 % changed"):
        assert {links for told, links in found if told == name} == {"20", "200"}
    assert ("two organizations, the same people", "40") in found
    # one query per organization: nothing else is asked when nothing has changed
    assert found["cycle without a change", "200"][8] == "2,000.0"
    assert {row[0] for row in rows if len(row) == 5} >= {"P1", "P5", "P6", "P10", "P11", "P12"}
    assert table.README.read_bytes() == before


def results(quiet: float) -> list[Result]:
    """Made-up results in which a quiet cycle of the large size costs ``quiet`` seconds."""
    return [
        Result(
            name,
            size,
            ours=[Cost(size, cpu=quiet if (name, size) == ("quiet", 1000) else 1.0)]
            if name != "match"
            else [Cost(size, cpu=1.0, stages={"matched": 1.0})],
            floor=[Cost(size, cpu=0.5)],
        )
        for size in (100, 1000)
        for name in ("load", "quiet", "changed", "match")
    ]


@pytest.mark.parametrize(("quiet", "met"), [(14.9, True), (15.1, False)])
def test_an_aim_is_met_or_not_by_ratios(quiet: float, met: bool) -> None:
    found = [aim for aim in table.aims(results(quiet)) if aim.name == "P5"]
    assert [aim.is_met for aim in found] == [met]


def test_results_replace_those_between_the_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"Before.\n{table.BEGIN}\nold\n{table.END}\nAfter.\n")
    monkeypatch.setattr(table, "README", page)
    table.keep("Where and when.", "| new |")
    assert page.read_text() == (
        f"Before.\n{table.BEGIN}\n\nWhere and when.\n\n| new |\n\n{table.END}\nAfter.\n"
    )
