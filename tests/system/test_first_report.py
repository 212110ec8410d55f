"""What a person reads before the first write: enough to say yes, and how."""

import io
from contextlib import redirect_stdout

import pytest

from sync_engine import operations, show
from sync_engine.engine import new_run
from sync_engine.operations.shapes import SideRow, Status, SyncStatus
from sync_engine.show.tables import plain_table, show_sides
from sync_engine.show.terminal import Terminal
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
EVE = {"first": "Eve", "last": "Novak", "mail": "eve@plavi.example", "firm": "Plavi"}


def told(three: Three) -> str:
    run = three.cycle()
    out = io.StringIO()
    with redirect_stdout(out):
        show.show_run(operations.of_run(three.face(), run, None))
    return out.getvalue()


def line(text: str, start: str) -> str:
    return next(one.strip() for one in text.splitlines() if one.strip().startswith(start))


def test_practice_1_3_the_report_tells_what_the_systems_share_and_what_a_yes_does() -> None:
    three = Three(released=False)
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN, title="Boss")
    three.sales.create("Lead", **EVE)
    text = told(three)
    assert line(text, "in several systems").endswith("1 people and companies")
    assert line(text, "records linked by").endswith("email_name 2")
    assert line(text, "in one system only").endswith("1")
    assert line(text, "would be created").endswith("3 records")
    assert line(text, "would be changed").endswith(" 1 record")
    assert line(text, "crm-sync release leads")
    assert "No record was found on two sides" not in text
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
    three.close()


def test_practice_1_3_systems_that_share_nobody_are_warned_of() -> None:
    three = Three(released=False)
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **EVE)
    assert "No record was found on two sides" in told(three)
    three.release()
    assert "No record was found" not in told(three)
    three.close()


def test_a_report_of_a_later_run_has_no_handshake() -> None:
    three = Three()
    three.sales.create("Lead", **ANN)
    three.cycle()
    assert operations.of_run(three.face(), new_run(three.world, "all"), None).first is None
    three.close()


def test_status_tells_what_is_held_and_the_conflicts_of_the_day() -> None:
    sync = SyncStatus(
        name="leads", kind="lead", state="active", schedule="every 60 s", last_run=None,
        next_run=None, backlog=0, oldest_unsent=None, held=7, parked=0, conflicts_today=5,
    )  # fmt: skip
    status = Status(
        well=True, summary="all is well", instances=[], syncs=[sync], sources=[], sides=[],
        issues={},
    )  # fmt: skip
    out = io.StringIO()
    with redirect_stdout(out):
        show.show_status(status)
    assert line(out.getvalue(), "leads").split()[-2:] == ["7", "5"]


def test_a_pipe_gets_every_id_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    record = "service/contact:08259303-70cf-46fa-aef0-c041aae7e47d"
    table = plain_table("", "side", "record", "fields")
    table.add_row("service/contact", f"a new one, like {record}", "email, first_name, last_name")
    out = io.StringIO()
    with redirect_stdout(out):
        Terminal().print(table)
    assert record in out.getvalue()


def test_no_heading_is_cut_off_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = SideRow(
        sync="customers", kind="customer", instance="profiles", object="person", linked=1,
        past=1, asked=1, to_create=1, to_update=1, created=0, updated=0, deleted=0,
        possible_duplicates=1, held=1,
    )  # fmt: skip
    out = io.StringIO()
    with redirect_stdout(out):
        show_sides(Terminal(), [row, row.model_copy(update={"kind": "lead"})])
    text = out.getvalue()
    assert "…" not in text
    for word in ("linked", "past", "asked", "create", "update", "alike", "held"):
        assert f" {word}" in text
