"""What stands for no value claims nothing before there is a base; afterwards it is a value."""

from pathlib import Path

import pytest

from sync_engine.models import Kind
from sync_engine.operations import explain
from sync_engine.placeholders import Placeholders
from sync_engine.service import build
from tests.config.files import SMALL, load
from tests.engine.remapping import remap
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PEOPLE = ("sales/Lead", "service/lead", "profiles/person")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("text", "n/a"), ("text", "N/A"), ("text", "[not provided]"), ("text", "[[Unknown]]"),
        ("text", "-"), ("text", "XXX"), ("text", "#N/A"), ("text", "Unbekannt"), ("text", "?"),
        ("multiline", "tbd"), ("email", "noemail@plavi.example"), ("email", "none@none.com"),
        ("email", "unknown"), ("email", "n/a"), ("phone", "0000000"), ("phone", "+11111111111"),
        ("phone", "n/a"), ("domain", "example.com"), ("date", "1900-01-01"),
        ("address", {"street": "-", "city": "n/a", "postcode": None}),
    ],
)  # fmt: skip
def test_it_stands_for_no_value(form: str, value: object) -> None:
    assert Placeholders(form).holds(value)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("text", "Na"), ("text", "No"), ("text", "Test"), ("text", "X"), ("text", "N-Able"),
        ("text", "Unknown Pleasures Ltd"), ("text", "[]"), ("email", "ann@plavi.example"),
        ("email", "info@plavi.example"), ("phone", "+38515550101"), ("phone", "112"),
        ("domain", "plavi.example"), ("date", "1970-01-01"), ("text", None), ("text", 0),
        ("address", {"street": "-", "city": "Zagreb"}), ("address", {}), ("address", None),
    ],
)  # fmt: skip
def test_it_is_a_value(form: str, value: object) -> None:
    assert not Placeholders(form).holds(value)


def test_practice_1_1_a_placeholder_gives_way_to_a_value(three: Three) -> None:
    sales = three.sales.create("Lead", **ANN, title="n/a", mobile="000000000")
    service = three.service.create("lead", **ANN, title="Buyer", mobile="091 555 0104")
    three.settle()
    here, there = three.sales.row("Lead", sales), three.service.row("lead", service)
    assert (here.values["title"], here.values["mobile"]) == ("Buyer", "+385915550104")
    assert (there.values["title"], there.values["mobile"]) == ("Buyer", "091 555 0104")


def test_practice_1_1_placeholders_alone_stay_where_they_are(three: Three) -> None:
    sales = three.sales.create("Lead", **ANN, title="n/a")
    service = three.service.create("lead", **ANN, title="unknown")
    three.settle()
    assert three.sales.row("Lead", sales).values["title"] == "n/a"
    assert three.service.row("lead", service).values["title"] == "unknown"
    assert only(three.profiles.alive("person")).values["title"] is None
    assert three.written() == {"sales": {}, "service": {}, "profiles": {"create": 1}}
    three.profiles.update("person", only(three.profiles.alive("person")).id, title="Buyer")
    three.settle()
    assert three.sales.row("Lead", sales).values["title"] == "Buyer"
    assert three.service.row("lead", service).values["title"] == "Buyer"


def test_explain_tells_that_it_stands_for_none(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="n/a")
    three.settle()
    told = only(explain(three.face(), f"sales:{number}", "job_title").fields)
    assert told.golden is None
    assert told.apart == "stands for no value here; left until somebody has one"


def test_practice_1_1_a_newcomer_with_a_placeholder_clears_and_overwrites_nothing(
    three: Three,
) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    other = only(three.service.alive("lead"))
    three.sales.update("Lead", number, title=None)
    three.settle()
    three.service.delete("lead", other.id)
    three.settle()
    newcomer = three.service.create("lead", **ANN, title="n/a", mobile="-")
    three.settle()
    three.sales.update("Lead", number, mobile="091 555 0104")
    three.settle()
    assert three.service.row("lead", newcomer).values["mobile"] == "+385915550104"
    assert three.service.row("lead", newcomer).values["title"] == "n/a"
    three.sales.update("Lead", number, title="Boss")
    three.settle()
    assert three.service.row("lead", newcomer).values["title"] == "Boss"


def test_practice_1_1_once_there_is_a_base_it_is_a_value_like_another(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.sales.update("Lead", number, title="n/a")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "n/a"
    three.service.update("lead", only(three.service.alive("lead")).id, title="-")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "-"


def test_practice_1_1_a_profile_is_read_without_their_light(three: Three) -> None:
    """A placeholder in a labelled slot must not take the place of the set's own number."""
    three.sales.create("Lead", **ANN, mobile="n/a")
    three.profiles.create(
        "person", type="LEAD", first="Ann", last="Horvat", mails=["ann@plavi.example"],
        phones=["385915550104"],
    )  # fmt: skip
    three.settle()
    assert only(three.sales.alive("Lead")).values["mobile"] == "+385915550104"
    assert only(three.profiles.alive("person")).values["phones"] == ["385915550104"]


def test_practice_1_1_a_field_mapped_on_a_thousand_pairs_wipes_nothing(three: Three) -> None:
    remap(three, {"job_title": None}, *PEOPLE)
    empty = (None, "n/a", "-", "unknown")
    pairs = []
    for n in range(1000):
        person = {"first": "Ann", "last": f"Horvat{n}", "mail": f"a{n}@plavi.example", "firm": "P"}
        real = f"Title {n}"
        titles = (empty[n // 2 % 4], real) if n % 2 else (real, empty[n // 2 % 4])
        here = three.sales.create("Lead", **person, title=titles[0])
        pairs.append((here, three.service.create("lead", **person, title=titles[1]), real))
    three.creates(Kind.LEAD, "profiles", "never")
    three.settle()
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
    remap(three, {}, *PEOPLE)
    three.creates(Kind.LEAD, "profiles", "never")
    three.settle()
    for here, there, real in pairs:
        assert three.sales.row("Lead", here).values["title"] == real
        assert three.service.row("lead", there).values["title"] == real
    assert three.written() == {
        "sales": {"update": 500},
        "service": {"update": 500},
        "profiles": {},
    }


def test_placeholders_are_settable_for_the_file_a_kind_and_a_field(tmp_path: Path) -> None:
    text = SMALL.replace("syncs:", "placeholders: {words: [Nema], without: [tbd]}\nsyncs:") + (
        "    placeholders: {words: ['(leer)']}\n"
        "    fields: {job_title: {placeholders: {words: [boss], without: [nema, '?']}}}\n"
    )
    service = build(load(tmp_path, f"state: sqlite:///{tmp_path}/s.db\n{text}"))
    leads = service.world.syncs[Kind.LEAD]
    service.close()
    told = ("nema", "TBD", "leer", "boss", "?", "n/a")
    assert [leads.is_placeholder("last_name", one) for one in told] == [
        True, False, True, False, True, True,
    ]  # fmt: skip
    assert [leads.is_placeholder("job_title", one) for one in told] == [
        False, False, True, True, False, True,
    ]  # fmt: skip
    assert not leads.is_placeholder("language", "no")


def test_a_filter_sees_the_placeholder_that_a_record_shows(three: Three) -> None:
    three.filter(Kind.LEAD, "sales", 'email == null || !email.endsWith("@example.com")')
    three.sales.create("Lead", **ANN | {"mail": "ann@example.com"})
    three.settle()
    assert three.written() == {"sales": {}, "service": {}, "profiles": {}}
