"""What a person reads before the first write: enough to say yes, and how."""

import io
from contextlib import redirect_stdout

from sync_engine import operations, show
from sync_engine.engine import new_run
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
    assert line(text, "would be changed").endswith("1 records")
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
