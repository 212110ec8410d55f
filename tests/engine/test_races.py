"""What went wrong in simulated histories, told plainly."""

import contextlib

from sync_engine.models import Kind, LinkState
from tests.engine.faults import Failing, Meddler, links, replaced
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
PROFILE = {"type": "LEAD", "first": "Ann", "last": "Horvat", "mails": ["ann@plavi.example"]}


def test_i_5_an_edit_that_is_read_with_a_conversion_is_not_written_over(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN, title="Buyer")
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.down = True
    three.sales.update("Lead", lead, title="Owner")
    three.cycle()  # the profile owes it
    three.profiles.update("person", profile.id, title="Engineer")
    three.profiles.down = False
    three.sales.convert("Lead", lead)
    three.settle()
    entity = three.links("profiles/person")[0].entity_id or 0
    with three.store.reading() as connection:
        told = three.store.entities.history(connection, entity)
    lost = [row.lost for row in told if row.field_name == "job_title" and row.lost]
    assert [value["value"] for one in lost for value in one.values()] == ["Engineer"]


def test_practice_4_1_a_record_that_we_created_hides_no_opt_out(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN)
    three.cycle()  # created in the other systems, and not read there since
    three.service.convert("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert three.sales.row("Lead", lead).values["noemail"] is None
    assert not only(three.profiles.alive("person")).values["noemail"]


def test_i_21_a_deleted_profile_does_not_come_back_with_the_customer(three: Three) -> None:
    lead = three.service.create("lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.service.convert("lead", lead)
    three.profiles.delete("person", profile.id)
    three.settle()
    assert three.profiles.alive("person") == []


def test_i_27_who_waits_for_a_system_is_woken_whatever_sync_runs_next(three: Three) -> None:
    three.settle()
    three.sales.create("Contact", first="Bob", last="Novak", mail="bob@x.example")
    three.profiles.down = True
    three.cycle()
    three.profiles.down = False
    three.cycle(Kind.LEAD)
    three.settle()
    assert len(three.profiles.alive("person")) == 1


def test_practice_5_2_who_turns_up_takes_the_place_of_a_create_that_is_due(three: Three) -> None:
    three.settle()
    three.sales.create("Lead", **ANN, title="Buyer")
    with (
        replaced(three, "profiles/person", Failing, RuntimeError("killed")),
        contextlib.suppress(RuntimeError),
    ):
        three.cycle()
    three.clock.wait(3600)  # what may have landed would have
    three.profiles.create("person", **PROFILE)
    three.settle()
    row = only(three.profiles.alive("person"))
    assert (row.key, row.values["title"]) == (None, "Buyer")
    assert only(links(three, "profiles/person")).state is LinkState.LIVE


def test_practice_5_2_nobody_is_created_without_an_address_that_is_somebody_else_s(
    three: Three,
) -> None:
    three.settle()
    three.sales.create("Lead", **ANN, title="Buyer")
    late: list[str] = []

    def somebody_enters_her() -> None:
        if not late:
            late.append(three.profiles.create("person", **PROFILE))

    three.profiles.rejects = {}
    service = replaced(three, "service/lead", Meddler, somebody_enters_her)
    with service:
        three.cycle()
    three.settle()
    assert len(three.profiles.alive("person")) == 1
    assert only(three.profiles.alive("person")).values["title"] == "Buyer"


def test_i_6_a_merge_tells_what_it_fills(three: Three) -> None:
    one = three.sales.create("Lead", **ANN)
    other = {"first": "Bob", "last": "Novak", "mail": "bob@crveni.example", "firm": "Crveni"}
    two = three.sales.create("Lead", **other, title="Buyer")
    three.settle()
    three.sales.merge("Lead", one, two)
    three.settle()
    link = next(k for k in three.links("sales/Lead") if k.record_id == one)
    with three.store.reading() as connection:
        entity = three.store.entities.by_id(connection, [link.entity_id or 0])[link.entity_id or 0]
        told = three.store.entities.history(connection, entity.id)
    now = {row.field_name: row.new for row in told if row.field_name}
    assert entity.golden["job_title"] == "Buyer"
    assert now["job_title"] == "Buyer"
