"""A changed mapping is no edit: configuration claims nothing and clears nothing."""

from collections.abc import Iterator
from typing import Any

from connectors import TransientError
from connectors.protocol import Page
from sync_engine.engine import Source
from sync_engine.engine.rereading import reread_records
from sync_engine.models import Kind
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
#: the title of this side is a choice; what it calls buyer is Purchasing
CHOSEN = {"field": "title", "values": {"Purchasing": "buyer", "Sales": "seller"}}


def source(three: Three, name: str) -> Source:
    return next(one for one in three.world.sources if one.name == name)


def remap(three: Three, change: dict[str, Any], *names: str) -> None:
    """Change the mapping of objects, as an edit of the configuration and a restart do."""
    three.remap(change, *names)


class Broken:
    """A feed that fails; everything else works."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def changes(self, _selection: Any, _since: Any) -> Iterator[Page]:
        raise TransientError("out of order")


def test_practice_1_1_a_field_mapped_elsewhere_clears_nothing(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    remap(three, {"job_title": "description", "description": None}, "service/lead")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    assert only(three.service.alive("lead")).values["description"] == "Buyer"


def test_practice_1_1_a_field_that_is_mapped_again_clears_nothing(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    service = only(three.service.alive("lead"))
    remap(three, {"job_title": None}, "service/lead")
    three.settle()
    three.service.update("lead", service.id, title=None)
    three.settle()
    remap(three, {}, "service/lead")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "Buyer"
    assert service.values["title"] == "Buyer"


def test_practice_1_1_a_field_mapped_anew_is_filled_by_who_has_a_value(three: Three) -> None:
    remap(three, {"job_title": None}, "sales/Lead", "service/lead", "profiles/person")
    here = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    service = only(three.service.alive("lead"))
    three.sales.create("Lead", first="Ivo", last="Babic", mail="ivo@b.example", firm="Zub")
    three.settle()
    other = next(row for row in three.service.alive("lead") if row.id != service.id)
    three.service.update("lead", other.id, title="Seller")
    remap(three, {}, "sales/Lead", "service/lead", "profiles/person")
    three.settle()
    assert three.sales.row("Lead", here).values["title"] == service.values["title"] == "Buyer"
    assert sorted(row.values["title"] for row in three.sales.alive("Lead")) == ["Buyer", "Seller"]


def test_state_11_a_field_goes_and_another_comes(three: Three) -> None:
    three.sales.create("Lead", **ANN, title="Buyer", description="Likes blue")
    three.settle()
    people = ("sales/Lead", "service/lead", "sales/Contact", "service/contact")
    remap(three, {"description": None, "email2": "description"}, *people)
    three.settle()
    assert only(three.service.alive("lead")).values["description"] == "Likes blue"


def test_state_11_a_value_that_is_only_read_otherwise_is_no_claim(three: Three) -> None:
    three.sales.create("Lead", **ANN, title="buyer")
    three.settle()
    before = three.written()
    remap(three, {"job_title": CHOSEN}, "sales/Lead")  # the side that wins a first contact
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "buyer"
    assert three.written() == before


def test_state_11_an_edit_made_while_the_mapping_changed_is_still_an_edit(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="buyer")
    three.settle()
    three.sales.update("Lead", number, title="seller")
    remap(three, {"job_title": CHOSEN}, "sales/Lead")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Sales"


def test_state_11_a_mapping_change_whose_first_page_failed_is_no_claim(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="buyer")
    three.settle()
    remap(three, {"job_title": CHOSEN}, "service/lead")
    lead = source(three, "service/lead")
    real, lead.connector = lead.connector, Broken(lead.connector)  # type: ignore[assignment]
    three.cycle()
    lead.connector = real
    three.settle()
    service = only(three.service.alive("lead"))
    three.service.update("lead", service.id, mobile="091 555 0104")
    three.settle()
    assert three.sales.row("Lead", number).values["title"] == "buyer"


def test_state_11_a_record_read_directly_before_the_listing_claims_nothing(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="buyer")
    three.settle()
    remap(three, {"job_title": CHOSEN}, "sales/Lead")
    run = three.cycle(Kind.COMPANY)
    reread_records(three.world, source(three, "sales/Lead"), run, [number])
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "buyer"


def test_state_7_a_field_that_may_be_written_from_now_on_is_owed(three: Three) -> None:
    remap(three, {"job_title": {"field": "title", "direction": "from"}}, "service/lead")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] is None
    remap(three, {}, "service/lead")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Buyer"


def test_state_11_a_question_outlives_a_change_of_how_its_values_are_read(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "manual")
    number = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    service = only(three.service.alive("lead"))
    three.sales.update("Lead", number, title="chief")
    three.service.update("lead", service.id, title="head")
    three.settle()
    remap(three, {"job_title": {"field": "title", "values": {"Chief": "chief"}}}, "sales/Lead")
    three.policy(Kind.LEAD, "job_title", "manual")
    three.settle()
    assert "conflict" in three.whats()
    assert three.sales.row("Lead", number).values["title"] == "chief"
