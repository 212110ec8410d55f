"""Several instances of one system in one file are different worlds (practice 8.3)."""

from connectors import Action
from sync_engine.models import Kind, LinkState
from tests.engine.faults import links, only
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
BOB = {"first": "Bob", "last": "Novak", "mail": "bob@crveni.example", "firm": "Crveni"}


def test_practice_8_3_one_id_in_two_organizations_is_two_records(three: Three) -> None:
    ann, bob = three.sales.create("Lead", **ANN), three.service.create("lead", **BOB)
    assert ann == bob  # as two Salesforce organizations may give the same 18 characters
    three.settle()
    assert {row.values["last"] for row in three.sales.alive("Lead")} == {"Horvat", "Novak"}
    assert {row.values["last"] for row in three.service.alive("lead")} == {"Horvat", "Novak"}
    assert len(three.profiles.alive("person")) == 2
    three.deletes(Kind.LEAD, "propagate")
    three.sales.delete("Lead", ann)
    three.settle()
    assert only(three.service.alive("lead")).id == bob
    assert [row.values["last"] for row in three.profiles.alive("person")] == ["Novak"]
    states = {link.record_id: link.state for link in links(three, "service/lead")}
    assert states[bob] is LinkState.LIVE


def test_practice_8_3_an_edit_in_one_reaches_the_others_once(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    before = three.written()
    three.sales.update("Lead", number, title="Chief")
    three.settle()
    three.settle()
    added = {
        name: counts.get(Action.UPDATE, 0) - before[name].get(Action.UPDATE, 0)
        for name, counts in three.written().items()
    }
    assert added == {"sales": 0, "service": 1, "profiles": 1}


def test_practice_8_3_one_down_keeps_no_edit_from_the_others(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.service.down = True
    three.sales.update("Lead", number, title="Chief")
    three.cycle()
    assert only(three.profiles.alive("person")).values["title"] == "Chief"
    assert "service" in three.world.down
    three.service.down = False
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Chief"
