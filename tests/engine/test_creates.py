"""Who gets a record where: the create policy of a side, and matching after the first run."""

import pytest

from sync_engine import operations
from sync_engine.models import Kind, LinkState
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
EVE = {"first": "Eve", "last": "Novak", "mail": "eve@plavi.example", "firm": "Plavi"}


def owners(three: Three, *names: str) -> set[int | None]:
    return {link.entity_id for name in names for link in three.links(name)}


def test_peers_20_who_is_entered_on_both_sides_between_runs_is_linked(three: Three) -> None:
    three.settle()  # the first run is over
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1
    assert len(owners(three, "sales/Lead", "service/lead", "profiles/person")) == 1


def test_peers_20_a_key_that_comes_later_links(three: Three) -> None:
    three.creates(Kind.LEAD, "service", "link-only")
    three.creates(Kind.LEAD, "sales", "link-only")
    three.sales.create("Lead", **ANN)
    there = three.service.create("lead", first="Ann", last="Horvat", firm="Zub")
    three.settle()
    assert len(owners(three, "sales/Lead", "service/lead")) == 2
    three.service.update("lead", there, mail=ANN["mail"])
    three.settle()
    assert three.whats() == ["identity"]  # both were persons of their own: links never move


def test_peers_23_link_only_creates_nothing_and_links_who_turns_up(three: Three) -> None:
    three.creates(Kind.LEAD, "service", "link-only")
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **EVE)
    three.settle()
    assert only(three.service.alive("lead")).values["last"] == "Novak"
    assert len(three.sales.alive("Lead")) == 2  # theirs still cause records elsewhere
    three.service.create("lead", **ANN, title="Boss")
    three.settle()
    assert len(three.service.alive("lead")) == len(three.sales.alive("Lead")) == 2
    assert [row.values["title"] for row in three.sales.alive("Lead")] == ["Boss", None]


def test_peers_23_never_links_nothing_and_causes_nothing(three: Three) -> None:
    three.creates(Kind.LEAD, "service", "never")
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.service.create("lead", **EVE)
    three.settle()
    assert [len(three.sales.alive("Lead")), len(three.service.alive("lead"))] == [1, 2]
    assert len(three.profiles.alive("person")) == 1
    assert owners(three, "service/lead") == {None}
    assert three.whats() == []
    assert sum(row.asked for row in operations.side_rows(three.face(), three.cycle().counts)) == 0


def test_peers_23_never_keeps_what_is_linked_and_takes_a_persons_word(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    three.creates(Kind.LEAD, "service", "never")
    three.sales.update("Lead", only(three.sales.alive("Lead")).id, title="Boss")
    eve = three.service.create("lead", **EVE, title="Head")
    here = three.sales.create("Lead", **EVE)
    three.settle()
    assert [row.values["title"] for row in three.service.alive("lead")] == ["Boss", "Head"]
    assert three.sales.row("Lead", here).values["title"] is None
    operations.link(three.face(), f"sales:{here}", f"service:{eve}", "somebody")
    three.settle()
    assert three.sales.row("Lead", here).values["title"] == "Head"


@pytest.mark.parametrize("policy", ["create", "link-only"])
def test_peers_23_after_never_who_was_left_alone_is_matched(three: Three, policy: str) -> None:
    three.creates(Kind.LEAD, "service", "never")
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    three.creates(Kind.LEAD, "service", policy)
    three.settle()
    assert len(owners(three, "sales/Lead", "service/lead")) == 1
    assert {link.state for link in three.links("service/lead")} == {LinkState.LIVE}
