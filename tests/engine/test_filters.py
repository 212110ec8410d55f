"""Who takes part: conditions in each direction, who leaves, opt-outs of a record."""

from typing import Any

from connectors import FieldType
from sync_engine.models import Kind
from sync_engine.operations import plan
from tests.engine.remapping import offer, remap
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
BUYERS = 'job_title == "Buyer"'


def lead(three: Three) -> Any:
    return only(three.service.alive("lead"))


def test_peers_39_each_direction_has_its_condition(three: Three) -> None:
    three.gate(Kind.LEAD, "service", accept=BUYERS)
    number = three.sales.create("Lead", **ANN, title="Seller")
    three.settle()
    assert three.service.alive("lead") == []
    assert len(three.profiles.alive("person")) == 1
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    assert lead(three).values["title"] == "Buyer"


def test_peers_40_who_leaves_is_kept_unless_said_otherwise(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.gate(Kind.LEAD, "service", accept=BUYERS)
    three.sales.update("Lead", number, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "Seller"


def test_peers_40_who_leaves_is_left_alone_and_comes_back(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    there = lead(three).id
    three.gate(Kind.LEAD, "service", accept=BUYERS, exit="pause")
    three.sales.update("Lead", number, title="Seller", mobile="+385915550104")
    three.settle()
    assert (lead(three).values["title"], lead(three).values["mobile"]) == ("Buyer", None)
    three.service.update("lead", there, city="Zagreb")
    three.settle()
    assert three.sales.row("Lead", number).values["city"] is None
    three.sales.update("Lead", number, title="Buyer")
    three.settle()
    row = lead(three)
    assert row.id == there
    assert row.values["mobile"] == "+385915550104"  # what was missed meanwhile is made up for
    assert three.sales.row("Lead", number).values["city"] == "Zagreb"


def test_peers_40_plan_tells_who_leaves_and_who_enters(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Seller")
    three.settle()
    three.gate(Kind.LEAD, "service", accept=BUYERS, exit="pause")
    told = [(line.does, line.side, line.rule) for line in plan(three.face(), "leads").lines]
    assert told == [("leave", "service/lead", "what its side accepts")]
    three.settle()
    assert plan(three.face(), "leads").lines == []
    three.sales.update("Lead", number, title="Buyer")
    does = [(line.does, line.side) for line in plan(three.face(), "leads").lines]
    assert ("update", "profiles/person") in does
    three.cycle()
    three.gate(Kind.LEAD, "service")  # the condition is taken away
    three.settle()
    assert lead(three).values["title"] == "Buyer"


def test_peers_40_a_record_that_leaves_by_its_own_values_can_come_back(three: Three) -> None:
    number = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    three.filter(Kind.LEAD, "sales", BUYERS)
    three.gate(Kind.LEAD, "sales", exit="pause")
    three.sales.update("Lead", number, title="Seller")
    three.settle()
    assert lead(three).values["title"] == "Buyer"
    three.sales.update("Lead", number, title="Buyer", city="Split")
    three.settle()
    assert lead(three).values["city"] == "Split"


def test_peers_41_a_record_opts_out_by_a_field_of_its_own(three: Three) -> None:
    offer(three, "sales/Lead", nosync=FieldType("boolean"))
    remap(three, {"sync_opt_out": "nosync"}, "sales/Lead")
    number = three.sales.create("Lead", **ANN, nosync=True)
    three.settle()
    assert three.service.alive("lead") == []  # it causes nothing
    three.sales.update("Lead", number, nosync=False)
    three.settle()
    three.sales.update("Lead", number, nosync=True, title="Boss")
    three.service.update("lead", lead(three).id, city="Zagreb")
    three.settle()
    assert lead(three).values["title"] is None
    assert three.sales.row("Lead", number).values["city"] is None
    three.sales.update("Lead", number, nosync=None)
    three.settle()
    assert lead(three).values["title"] == "Boss"
    assert three.sales.row("Lead", number).values["city"] == "Zagreb"


def test_peers_41_a_record_that_opted_out_is_not_deleted(three: Three) -> None:
    offer(three, "sales/Lead", nosync=FieldType("boolean"))
    remap(three, {"sync_opt_out": "nosync"}, "sales/Lead")
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.deletes(Kind.LEAD, "propagate")
    three.sales.update("Lead", number, nosync=True)
    three.settle()
    three.service.delete("lead", lead(three).id)
    three.settle()
    assert [row.id for row in three.sales.alive("Lead")] == [number]
