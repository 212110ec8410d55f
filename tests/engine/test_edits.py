"""What counts as an edit: by whom, when, of a set, of a company, and what clears nothing."""

from typing import Any

import pytest

from connectors import Action, Outcome, Result
from sync_engine.models import Kind
from tests.engine.faults import Fault, replaced
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


def test_practice_3_1_leads_are_read_before_customers_and_each_source_once(three: Three) -> None:
    read: list[str] = []
    for source in three.world.sources:
        source.connector = Noting(source.connector, read)  # type: ignore[assignment]
    three.cycle()
    assert sorted(read) == sorted(source.object for source in three.world.sources)
    for lead, contact in (("Lead", "Contact"), ("lead", "contact")):
        assert read.index(lead) < read.index(contact)


class Noting(Fault):
    """Notes which objects are read."""

    def __init__(self, inner: Any, read: list[str]) -> None:
        super().__init__(inner)
        self._read = read

    def changes(self, selection: Any, since: Any) -> Any:
        self._read.append(selection.object)
        return self._inner.changes(selection, since)


def test_practice_3_1_a_conversion_without_a_customer_side_is_told_and_creates_nothing() -> None:
    three = Three(kinds={Kind.LEAD})
    lead = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.convert("Lead", lead)
    three.settle()
    assert "conversion without customer side" in three.whats()
    assert three.service.alive("contact") == []
    there = only(three.service.alive("lead"))
    three.service.update("lead", there.id, title="Buyer")
    three.settle()
    assert three.sales.row("Lead", lead).values["title"] is None  # never written again
    three.close()


def test_practice_4_1_permission_returns_by_an_edit_where_the_opt_out_was_set(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN, noemail=False)
    three.settle()
    there = only(three.service.alive("lead"))
    three.service.update("lead", there.id, noemail=True)
    three.settle()
    three.sales.update("Lead", lead, noemail=False)  # not the side that set it
    three.settle()
    assert three.sales.row("Lead", lead).values["noemail"] is True
    three.service.update("lead", there.id, noemail=False)
    three.settle()
    assert three.sales.row("Lead", lead).values["noemail"] is False
    assert only(three.profiles.alive("person")).values["noemail"] is False


def test_practice_4_3_a_touch_makes_no_value_newer(three: Three) -> None:
    """A touched record shows a later stamp; the edit of the other side is later all the same."""
    three.policy(Kind.LEAD, "job_title", "newest")
    lead = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    there = only(three.service.alive("lead"))
    three.sales.update("Lead", lead, title="Chief")
    three.service.clock = three.sales.clock
    three.service.update("lead", there.id, mobile="091 555 0104")
    for _ in range(30):  # the stamps of this system are far ahead now
        three.service.update("lead", there.id)
    three.settle()
    assert three.service.row("lead", there.id).values["title"] == "Chief"


def test_practice_4_3_edits_too_close_to_be_ordered_go_by_prefer(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "newest")
    lead = three.sales.create("Lead", **ANN)
    three.settle()
    there = only(three.service.alive("lead"))
    while three.sales.position() < three.service.position():
        three.sales.update("Lead", lead)
    while three.service.position() < three.sales.position():
        three.service.update("lead", there.id)
    three.settle()
    three.sales.update("Lead", lead, title="Chief")
    three.service.update("lead", there.id, title="Head")
    three.settle()
    assert three.service.row("lead", there.id).values["title"] == "Chief"


def test_practice_4_8_a_change_of_company_is_a_change_of_a_field(three: Three) -> None:
    plavi = three.sales.create("Account", name="Plavi", vat="HR1")
    crveni = three.sales.create("Account", name="Crveni", vat="HR2")
    ann = three.sales.create("Contact", **PERSON, account=plavi)
    alone = three.sales.create("Contact", first="Bob", last="Novak", mail="b@n.example")
    three.settle()
    assert three.written()["service"] == {"create": 4}  # Bob too: without a company is legal
    people = {row.values["last"]: row for row in three.service.alive("contact")}
    firms = {row.values["name"]: row.id for row in three.service.alive("account")}
    assert people["Horvat"].values["account"] == firms["Plavi"]
    assert people["Novak"].values["account"] is None
    three.sales.update("Contact", ann, account=crveni)
    three.sales.update("Contact", alone, account=plavi)
    three.settle()
    assert three.written()["service"] == {"create": 4, "update": 2}
    assert people["Horvat"].values["account"] == firms["Crveni"]
    assert people["Novak"].values["account"] == firms["Plavi"]


@pytest.mark.parametrize("emptied", ["sales", "profiles"])
def test_practice_4_8_membership_follows_both_ways_when_it_is_emptied(
    three: Three, emptied: str
) -> None:
    plavi = three.sales.create("Account", name="Plavi", vat="HR1")
    ann = three.sales.create("Contact", **PERSON, account=plavi)
    three.settle()
    profile = only(three.profiles.alive("person"))
    assert profile.values["company"] == only(three.profiles.alive("company")).id
    if emptied == "sales":
        three.sales.update("Contact", ann, account=None)
    else:
        three.profiles.update("person", profile.id, company=None)
    three.settle()
    assert profile.values["company"] is None
    assert three.sales.row("Contact", ann).values["account"] is None
    assert only(three.service.alive("contact")).values["account"] is None


class Keeping(Fault):
    """Ignores that a field is cleared, and says what it still holds (practice 4.12)."""

    def write(self, name: str, writes: Any) -> Any:
        outcomes = []
        for write, outcome in zip(writes, self._inner.write(name, writes), strict=True):
            if write.action is not Action.UPDATE or write.values.get("title", "") is not None:
                outcomes.append(outcome)
                continue
            row = self._inner._system.row(name, write.id)
            row.values["title"] = "Buyer"
            kept = Outcome(Result.DONE, outcome.id, outcome.version, values={"title": "Buyer"})
            outcomes.append(kept)
        return outcomes


def test_practice_4_12_a_clear_that_is_ignored_is_told_once_and_settled(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    with replaced(three, "profiles/person", Keeping):
        three.sales.update("Lead", lead, title=None)
        three.settle()
        written = three.written()
        for _ in range(3):
            three.cycle()
        assert three.written() == written
    profile = only(three.profiles.alive("person"))
    assert three.sales.row("Lead", lead).values["title"] is None  # the old value is no claim
    assert profile.values["title"] == "Buyer"
    assert [what for what in three.whats() if what != "flipping"] == ["cannot be cleared"]
    three.sales.update("Lead", lead, title="Chief")
    three.settle()
    assert profile.values["title"] == "Chief"
    assert three.whats() == []


def test_practice_4_13_what_automation_changes_after_our_write_travels(three: Three) -> None:
    """It runs as our own user, in the wake of our write, and changes another mapped field."""
    lead = three.sales.create("Lead", **ANN)
    three.settle()
    there = only(three.service.alive("lead"))

    def promote(field: str, value: Any) -> Any:
        if field == "title" and value:
            there.values["description"] = f"Was made {value} by rule"
        return value

    three.service.stored = promote
    three.sales.update("Lead", lead, title="Chief")
    three.settle()
    rule = "Was made Chief by rule"
    assert three.sales.row("Lead", lead).values["description"] == rule
    assert three.service.row("lead", there.id).values["description"] == rule
    assert three.whats() == []
