"""An organization changes under a running sync: the field is paused, not the object (I-37)."""

from datetime import timedelta
from typing import Any

import pytest

from connectors import FieldType
from connectors.testing.memory import MemoryObject
from sync_engine.models import Kind
from tests.engine.three import Three, only

ANN = {
    "first": "Ann",
    "last": "Horvat",
    "mail": "ann@plavi.example",
    "firm": "Plavi",
    "title": "Buyer",
    "city": "Zagreb",
    "zip": "10000",
}


def known(three: Three) -> MemoryObject:
    return three.service.objects["lead"]


def lose(three: Three, *names: str) -> dict[str, FieldType]:
    """The organization has no such fields any more, and shows nothing of them."""
    one = known(three)
    lost = {name: one.fields[name] for name in names}
    one.fields = {name: type for name, type in one.fields.items() if name not in names}
    return lost


def cycle(three: Three, most: int = 5) -> None:
    """As the service runs: checked first, an hour after the last time."""
    for _ in range(most):
        three.clock.time += timedelta(hours=2)
        before = three.written()
        three.face().prepare()
        three.cycle()
        if three.written() == before:
            return
    raise AssertionError("still writing")


def there(three: Three) -> dict[str, Any]:
    values: dict[str, Any] = only(three.service.alive("lead")).values
    return values


def test_i_37_a_field_that_is_lost_is_paused_and_the_rest_goes_on(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    cycle(three)
    lost = lose(three, "title", "zip")
    kept = {name: there(three).pop(name) for name in lost}
    assert kept == {"title": "Buyer", "zip": "10000"}
    three.sales.update("Lead", ann, first="Anna", title="Owner")
    cycle(three)
    assert there(three)["first"] == "Anna"
    assert not set(there(three)) & set(lost)
    assert three.sales.row("Lead", ann).values["title"] == "Owner"
    assert three.sales.row("Lead", ann).values["zip"] == "10000"  # nothing is cleared
    paused = {(issue.what, issue.field_name) for issue in three.issues()}
    # an address is one value: without its postcode it is paused whole
    assert paused == {("field paused", "job_title"), ("field paused", "address")}


def test_i_37_what_changed_meanwhile_arrives_once_the_field_is_back(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    cycle(three)
    lost = lose(three, "title")
    there(three).pop("title")
    three.sales.update("Lead", ann, title="Owner")
    cycle(three)
    known(three).fields = {**known(three).fields, **lost}
    there(three)["title"] = "Buyer"  # as it was, behind the permission that was missing
    cycle(three)
    assert there(three)["title"] == "Owner"
    assert three.issues() == []


def test_i_37_an_edit_made_behind_the_lost_permission_counts(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    cycle(three)
    lost = lose(three, "title")
    there(three).pop("title")
    cycle(three)
    known(three).fields = {**known(three).fields, **lost}
    there(three)["title"] = "Engineer"
    cycle(three)
    assert three.sales.row("Lead", ann).values["title"] == "Engineer"


def test_i_37_people_created_meanwhile_get_the_field_later(three: Three) -> None:
    cycle(three)
    lost = lose(three, "title")
    three.sales.create("Lead", **ANN)
    cycle(three)
    assert there(three).get("title") is None
    known(three).fields = {**known(three).fields, **lost}
    cycle(three)
    assert there(three)["title"] == "Buyer"


def test_practice_4_1_an_opt_out_that_is_lost_counts_as_set_where_messages_go_out(
    three: Three,
) -> None:
    three.sales.create("Lead", **ANN, noemail=False)
    cycle(three)
    lose(three, "noemail")
    there(three).pop("noemail")
    cycle(three)
    assert only(three.profiles.alive("person")).values["noemail"] is True
    assert only(three.sales.alive("Lead")).values["noemail"] is False


@pytest.mark.parametrize("name", ["title", "zip"])
def test_a_field_that_was_never_there_stops_the_side(three: Three, name: str) -> None:
    lose(three, name)
    found = {health.instance: health.why for health in three.face().prepare()}
    assert found == {"sales": "", "profiles": "", "service": f"lead.{name} does not exist"}
    assert set(three.world.down) == {"service"}


def test_the_company_goes_on_where_a_lead_lost_a_field(three: Three) -> None:
    three.sales.create("Account", name="Plavi", vat="HR1")
    cycle(three)
    lose(three, "title")
    three.sales.create("Account", name="Crveni", vat="HR2")
    cycle(three)
    assert len(three.service.alive("account")) == 2
    assert three.world.syncs[Kind.COMPANY].name == "companies"
