"""Records that are merged, deleted and restored (state-model 8)."""

from sync_engine.models import LinkState
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PERSON = {name: value for name, value in ANN.items() if name != "firm"}


def test_state_8_undelete_after_the_person_was_entered_anew(three: Three) -> None:
    old = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", old)
    three.settle()
    three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.undelete("Lead", old)
    three.settle()  # IntegrityError: unique (entity_id, instance_id)
    assert len(three.service.alive("lead")) == 1


def test_state_8_undelete_after_a_merge_elsewhere(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    gone = next(r for r in three.service.alive("lead") if r.values["last"] == "Horvath")
    three.service.delete("lead", gone.id)
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    three.service.undelete("lead", gone.id)
    three.settle()
    assert len(three.service.alive("lead")) == 2


def test_state_8_a_merged_record_that_is_restored_is_a_record_again(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Ivo", last="Babic", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    three.sales.undelete("Lead", other)
    three.settle()
    back = next(link for link in three.links("sales/Lead") if link.record_id == other)
    assert back.state is not LinkState.MERGED


def test_state_9_a_surplus_record_merged_into_an_unlinked_one(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    surplus = next(link for link in three.links("service/lead") if link.state is LinkState.SURPLUS)
    third = three.service.create("lead", **ANN)
    three.settle()
    three.service.merge("lead", third, surplus.record_id or "")
    three.settle()


def test_state_8_the_live_record_is_merged_into_the_surplus_one(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    found = {link.state: link for link in three.links("service/lead")}
    live, surplus = found[LinkState.LIVE].record_id, found[LinkState.SURPLUS].record_id
    three.service.merge("lead", surplus or "", live or "")
    three.settle()
    assert only(three.service.alive("lead")).id == surplus
    three.sales.update("Lead", ann, title="Buyer")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Buyer"


def test_state_8_a_replaced_record_that_is_restored_is_surplus(three: Three) -> None:
    old = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.delete("Lead", old)
    three.settle()
    three.sales.create("Lead", **ANN)
    three.settle()
    states = [link.state for link in three.links("sales/Lead")]
    assert states == [LinkState.REPLACED, LinkState.LIVE]
    three.sales.undelete("Lead", old)
    three.settle()
    states = [link.state for link in three.links("sales/Lead")]
    assert states == [LinkState.SURPLUS, LinkState.LIVE]
    assert three.whats() == ["surplus record"]


def test_state_8_a_merge_fills_what_is_empty_and_keeps_what_lost(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN, mobile=None, title="Buyer")
    other = three.sales.create(
        "Lead", first="Ivo", last="Babic", firm="Zub", mobile="091 555 0104", title="Seller"
    )
    three.settle()
    three.sales.merge("Lead", ann, other)
    run = three.cycle()
    three.settle()
    row = three.sales.row("Lead", ann)
    assert (row.values["mobile"], row.values["title"]) == ("+385915550104", "Buyer")
    with three.store.reading() as connection:
        lost = three.store.entities.conflicts(connection, [run.id])
    assert {"merged": {"value": "Seller"}} in [one.lost for one in lost]


def test_state_8_an_issue_of_a_surplus_record_ends_with_its_merge(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    found = {link.state: link.record_id or "" for link in three.links("service/lead")}
    three.service.merge("lead", found[LinkState.LIVE], found[LinkState.SURPLUS])
    three.settle()
    assert three.whats().count("surplus record") == 1  # that of profiles is left


def test_a_merge_joins_two_people(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    other = three.sales.create("Lead", first="Anna", last="Horvath", mail="a@b.example", firm="Zub")
    three.settle()
    three.sales.merge("Lead", ann, other)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert len(three.service.alive("lead")) == 2  # the loser's delete is not propagated
    assert "surplus record" in three.whats()
