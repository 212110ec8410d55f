"""Values that nobody should enter, row by row: what becomes of each, and that no run stops.

The numbers are those of a table: 31 to 72. What a system itself refuses is shown over HTTP in
tests/system/test_bad_values.py.
"""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_engine import matching
from sync_engine.converters import FORMS, LONGEST
from sync_engine.folding import fold
from sync_engine.operations.shapes import Issue, IssueDetail
from sync_engine.show import as_csv
from sync_engine.values import UNSET
from tests.engine.three import Three, only

FAMILY = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467"  #: one character to the eye, five to a machine
)
DEEP: Any = None
for _ in range(300):
    DEEP = [DEEP]

NORMAL: list[tuple[int, str, Any, Any]] = [
    (31, "text", "a\x00b", "ab"),
    (31, "multiline", "a\x00b", "ab"),
    (32, "text", "Ann\ud800", "Ann\ufffd"),
    (32, "multiline", "\udfff", "\ufffd"),
    (32, "email", "\ud800@x.example", "\ufffd@x.example"),
    (33, "text", "a\x01\x1f\x7fb\ufffe\uffff", "ab"),
    (33, "text", "\ue000", "\ue000"),
    (34, "text", "An\u200bn\ufeff\u00a0Lee", "Ann Lee"),
    (34, "text", "Do\u00adnau", "Do\u00adnau"),
    (35, "text", "\u202eAnn\u202c", "\u202eAnn\u202c"),
    (36, "text", f"{FAMILY} \U0001f1ed\U0001f1f7", f"{FAMILY} \U0001f1ed\U0001f1f7"),
    (37, "text", "Jose\u0301", "José"),
    (38, "email", "Ann\uff20x.example", "ann@x.example"),
    (40, "text", "x" * 32_001, "x" * 32_001),
    (41, "text", "x" * (LONGEST + 1), UNSET),
    (42, "text", " \u00a0\t", None),
    (42, "text", "N/A", "N/A"),
    (43, "text", "Robert'); DROP TABLE", "Robert'); DROP TABLE"),
    (43, "text", "{{7*7}} %s%n ${jndi:x}", "{{7*7}} %s%n ${jndi:x}"),
    (43, "domain", "javascript:alert(1)", "javascript:alert(1)"),
    (42, "domain", "N/A", "n/a"),
    (49, "text", "=1+1", "=1+1"),
    (50, "email", "two@@x.example", "two@@x.example"),
    (50, "email", "a@x.example, b@x.example", "a@x.example, b@x.example"),
    (50, "email", "ann@x.example\nBcc: b@x.example", "ann@x.example Bcc: b@x.example"),
    (51, "email", "Ann+News@BÜCHER.example", "ann+news@bücher.example"),
    (51, "email", "ann@xn--bcher-kva.example", "ann@bücher.example"),
    (51, "domain", "xn--bcher-kva.example", "bücher.example"),
    (52, "phone", "00385 1 555 0101", "+38515550101"),
    (52, "phone", "01 555 0101", "+38515550101"),
    (52, "phone", "\u0660\u0661 555 0101", "+38515550101"),
    (52, "phone", "+385 1 555 0101 ext. 12", "+385 1 555 0101 ext. 12"),
    (52, "phone", "3.85911E+11", "3.85911E+11"),
    (52, "phone", "+385 1 555 0101 / 0102", "+385 1 555 0101 / 0102"),
    (52, "phone", "9" * 300, "9" * 300),
    (52, "phone", "000000000", "000000000"),
    (58, "date", "0001-01-01", "0001-01-01"),
    (58, "date", "9999-12-31T23:59:59+14:00", "9999-12-31"),
    (58, "date", "2024-02-29", "2024-02-29"),
    (58, "date", "2023-02-29", UNSET),
    (58, "date", "1900-01-00", UNSET),
    (58, "date", "0000-00-00", UNSET),
    (58, "date", "10000-01-01", UNSET),
    (58, "date", "1980-02-031", UNSET),
    (59, "date", "2016-12-31T23:59:60Z", "2016-12-31"),
    (59, "date", "24:00", UNSET),
    (60, "date", "1980-02-03T23:30:00-08:00", "1980-02-03"),
    (63, "integer", "1,234.56", UNSET),
    (63, "integer", "1 234", UNSET),
    (63, "integer", "1_000", UNSET),
    (63, "integer", "\u0661\u0662\u0663", UNSET),
    (63, "integer", "²", UNSET),
    (63, "integer", "1e400", UNSET),
    (63, "integer", float("nan"), UNSET),
    (63, "integer", float("inf"), UNSET),
    (63, "integer", "NaN", UNSET),
    (63, "integer", 10**30, UNSET),
    (63, "integer", "9" * 5000, UNSET),
    (63, "integer", 2**53 + 1, UNSET),
    (63, "integer", 2**31 - 1, 2**31 - 1),
    (63, "integer", -(2**31), UNSET),
    (63, "integer", -0.0, 0),
    (63, "integer", "12.50", UNSET),
    (63, "integer", "12.00", 12),
    (63, "integer", 1e30, UNSET),
    (81, "integer", "12", 12),
    (81, "integer", 12.0, 12),
    (65, "boolean", "TRUE", True),
    (65, "boolean", 0, False),
    (65, "boolean", "Ja", UNSET),
    (65, "boolean", 2, UNSET),
    (66, "choice", 10**30, UNSET),
    (66, "choice", "Web\ud800", "Web\ufffd"),
    (68, "country", "HRV", "HR"),
    (68, "country", "Croatia", "HR"),
    (68, "country", "hr-HR", "hr-HR"),
    (68, "language", "hr_HR", "hr-hr"),
    (69, "multiline", "a\r\nb\rc", "a\nb\nc"),
    (69, "text", "<b>a</b> & c", "<b>a</b> & c"),
    (72, "text", {"a": 1}, UNSET),
    (72, "text", DEEP, UNSET),
]


@pytest.mark.parametrize(
    ("form", "native", "normal"),
    [row[1:] for row in NORMAL],
    ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(NORMAL)],
)
def test_rows_31_to_72_normal_forms(form: str, native: Any, normal: Any) -> None:
    found = FORMS[form].normal(native, "HR")
    assert found == normal
    assert type(found) is type(normal)
    if normal is not UNSET:  # it stays what it is
        assert FORMS[form].normal(found, "HR") == normal


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Do\u00adnau", "Donau", True),
        ("An\u200dn", "Ann", True),
        ("\u202eAnn\u202c", "Ann", True),
        ("José", "Jose\u0301", True),
        ("STRASSE", "straße", True),
        ("İvan", "ivan", True),
        ("ſmith", "Smith", True),  # noqa: RUF001  # a long s
        ("Ａｎｎ", "Ann", True),  # noqa: RUF001  # full-width
        ("Ivаn", "Ivan", False),  # noqa: RUF001  # a Cyrillic a
    ],
)
def test_rows_34_to_39_names_as_they_are_compared(left: str, right: str, same: bool) -> None:
    assert (fold(left) == fold(right)) is same


def keys(kind: str, **values: Any) -> list[str]:
    return [key.text for key in matching.keys(kind, values)]


@pytest.mark.parametrize(
    "email",
    [
        "none@none.com", "ann", "a@b", "two@@x.example", "a@x.example, b@x.example",
        "Ann <ann@x.example>", "mailto:ann@x.example", "ann@x.example.", "ann@[127.0.0.1]",
        "ann@x.example\nBcc: b@x.example", '"a b"@x.example',
    ],
)  # fmt: skip
def test_rows_42_50_an_address_that_is_none_is_no_key(email: str) -> None:
    normal = FORMS["email"].normal(email, None)
    assert keys("lead", last_name="Horvat", email=normal) == []


def test_row_39_an_address_in_look_alikes_is_another_one() -> None:
    latin, cyrillic = (FORMS["email"].normal(f"{a}nn@x.example", None) for a in "a\u0430")
    one, other = (keys("lead", last_name="Horvat", email=email) for email in (latin, cyrillic))
    assert len(one) == len(other) == 1
    assert one != other


@pytest.mark.parametrize("phone", ["000000000", "call me", "+385 1 555 0101 ext. 12", "3.8E+11"])
def test_rows_42_52_a_number_that_is_none_is_no_key(phone: str) -> None:
    normal = FORMS["phone"].normal(phone, "HR")
    assert keys("lead", last_name="Horvat", phone=normal) == []


@pytest.mark.parametrize("nothing", ["N/A", "-", "null", "undefined", "none", "?", "\u200b"])
def test_row_42_what_stands_for_nothing_is_no_key(nothing: str) -> None:
    place = {"country": "HR", "city": "Zagreb"}
    text = FORMS["text"].normal(nothing, None)
    born = {"birth_date": "1980-01-01", "company_name": "Plavi"}
    assert keys("lead", first_name=text, last_name=text, **born) == []
    assert keys("lead", first_name="Ann", last_name=text, **born) == []
    assert keys("company", name=text, address=place, vat=text) == []
    assert keys("company", website=FORMS["domain"].normal(nothing, None)) == []
    assert keys("lead", first_name="Ann", last_name="Horvat", company_name=text) == []


def test_row_43_somebody_called_null_is_kept_and_found_by_an_address() -> None:
    assert FORMS["text"].normal("Null", None) == "Null"
    assert len(keys("lead", first_name="Ann", last_name="Null", email="ann@x.example")) == 1


@pytest.mark.parametrize("start", [*"=+-@", "\t", "\r", "\uff1d"])
def test_row_49_a_spreadsheet_takes_nothing_for_a_formula(start: str) -> None:
    cause = f"{start}cmd|' /C calc'!A0"
    now = datetime(2026, 5, 1, tzinfo=UTC)
    issue = Issue(
        id="1", what="unknown choice", cause=cause, opened_at=now, records=[], sides=["sales"],
        field="lead_source", agree=[], differ=[],
    )  # fmt: skip
    text = as_csv([IssueDetail(issue=issue, meaning="", remedy="", detail={}, sides=[])])
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert row[2] == f"'{cause}"


# through the engine and its database, beside a record that is as it should be

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
BOB = {"first": "Bob", "last": "Novak", "mail": "bob@crveni.example", "firm": "Crveni"}

TITLES: list[tuple[int, Any, Any]] = [
    (31, "Bu\x00yer", "Buyer"),
    (32, "Buyer\ud83d", "Buyer\ufffd"),
    (33, "\x07Buyer\ufffe", "Buyer"),
    (35, "\u202eBuyer", "\u202eBuyer"),
    (36, FAMILY, FAMILY),
    (37, "Cafe\u0301", "Café"),
    (40, "x" * 32_001, "x" * 32_001),
    (41, "x" * 10_000_000, None),
    (43, "Robert'); DROP TABLE link; --", "Robert'); DROP TABLE link; --"),
    (49, "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    (63, 10**30, str(10**30)),
    (63, float("nan"), "nan"),
    (72, DEEP, None),
    (72, {str(n): n for n in range(10_000)}, None),
]


@pytest.mark.parametrize(
    ("native", "arrives"), [row[1:] for row in TITLES], ids=[str(row[0]) for row in TITLES]
)
def test_rows_31_to_72_whatever_stands_in_a_field_the_run_goes_on(
    three: Three, native: Any, arrives: Any
) -> None:
    ann = three.sales.create("Lead", **ANN, title=native)
    three.sales.create("Lead", **BOB, title="Buyer")
    three.settle()
    found = {row.values["last"]: row.values["title"] for row in three.service.alive("lead")}
    assert found == {"Horvat": arrives, "Novak": "Buyer"}
    assert three.whats() == (["unreadable value"] if arrives is None else [])
    held = three.sales.row("Lead", ann).values["title"]
    assert held is native  # what a person has entered is not written over
    before = three.written()
    three.sales.update("Lead", ann, mobile="091 555 0104")
    three.settle()
    assert three.sales.row("Lead", ann).values["title"] is native
    written = {name: sum(actions.values()) for name, actions in three.written().items()}
    assert written == {
        name: sum(actions.values()) + (name != "sales") for name, actions in before.items()
    }


@pytest.mark.parametrize("born", ["0000-00-00", "1900-01-00", "soon", {"year": 1980}])
def test_row_58_a_date_that_is_none_is_no_news(three: Three, born: Any) -> None:
    values = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example"}
    ann = three.sales.create("Contact", **values, birth="1980-02-03")
    three.settle()
    three.sales.update("Contact", ann, birth=born, title="Buyer")
    three.settle()
    there = only(three.service.alive("contact"))
    assert (there.values["birth"], there.values["title"]) == ("1980-02-03", "Buyer")
    assert three.sales.row("Contact", ann).values["birth"] == born
    assert three.whats() == ["unreadable value"]


def test_row_72_an_address_with_a_part_that_cannot_be_read_is_no_news(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN, city="Zagreb", street="Ilica 1")
    three.settle()
    three.sales.update("Lead", ann, street=["Ilica", "2"], title="Buyer")
    three.settle()
    there = only(three.service.alive("lead"))
    assert (there.values["street"], there.values["title"]) == ("Ilica 1", "Buyer")


def test_row_96_a_record_of_no_kind_that_is_known_is_left_alone(three: Three) -> None:
    three.profiles.create("person", type="PROSPECT", first="Eve", last="Kos", mails=["e@x.example"])
    three.sales.create("Lead", **ANN)
    three.settle()
    assert {row.values["last"] for row in three.service.alive("lead")} == {"Horvat"}
    assert {row.values["type"] for row in three.profiles.alive("person")} == {"PROSPECT", "LEAD"}
