"""What a terminal shows of values that were meant to do something to it."""

import pytest

from sync_engine import show
from sync_engine.operations.shapes import FieldChange, Line, Plan

NASTY = {
    "markup": ("[/b] [red]Ann", "[/b] [red]Ann"),
    "escape": ("Ann\x1b[2J\x1b[31m", r"Ann\x1b[2J\x1b[31m"),
    "return": ("Ann\rBob", r"Ann\rBob"),
    "C1": ("Ann\x9b1m", r"Ann\x9b1m"),
    "bidi": ("Ann\u202ebob", r"Ann\u202ebob"),
    "ordinary": ("Žužić 李 \U0001f600", "Žužić 李 \U0001f600"),
}


@pytest.mark.parametrize("name", NASTY)
def test_111_a_value_is_shown_as_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    value, seen = NASTY[name]
    change = FieldChange(field="first_name", old=None, new=value, rule="one claim", by="sales")
    line = Line(
        does="update", side="sales/Lead", record=f"sales/Lead:{value}", entity="1", fields=[change]
    )
    show.show_plan(Plan(sync="leads", lines=[line], calls={}, stopped_by_guard={}, down={}))
    told = capsys.readouterr().out
    assert told.count(seen) == 2  # in its heading and in its row
    assert seen == value or value not in told
