"""What is refused or fails: sorted, told with a remedy, tried a bounded number of times."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from connectors import AuthError, Checked, Connector, Outcome, Refusal, Result, Selection, Write
from sync_engine.models import Kind
from sync_engine.operations import grouped
from sync_engine.operations.meanings import REFUSALS
from sync_engine.service.service import failed_writes
from tests.engine.faults import Busy, Fault, crowd, only, replaced
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}


class Duplicates(Fault):
    """A duplicate rule that meets two records with whatever is created."""

    def write(self, _name: str, writes: Sequence[Write]) -> list[Outcome]:
        return [
            Outcome(
                Result.REJECTED,
                reason="DUPLICATES_DETECTED",
                refusal=Refusal.DUPLICATE,
                found=("lea-7", "lea-8"),
            )
            for _ in writes
        ]


class Revoked(Fault):
    """Its credentials are refused; counts how often they were tried."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.tried = 0

    def check(self, _selections: Sequence[Selection]) -> Checked:
        self.tried += 1
        raise AuthError("refuses the credentials (401)", remedy="give new ones")


@pytest.mark.parametrize("sort", [one for one in Refusal if one is not Refusal.OTHER])
def test_peers_66_each_sort_of_refusal_has_a_remedy_of_its_own(three: Three, sort: Refusal) -> None:
    three.service.rejects, three.service.refusal = {"title": "bad"}, sort
    three.sales.create("Lead", **ANN, title="bad")
    three.settle()
    (group,) = grouped(three.face())
    assert (group.what, group.count) == ("rejected", 1)
    assert (group.meaning, group.remedy) == REFUSALS[sort.value]
    others = {remedy for name, (_, remedy) in REFUSALS.items() if name != sort.value}
    assert group.remedy not in others or sort is Refusal.FORM


def test_peers_24_the_record_that_a_duplicate_rule_has_met_is_named(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    with replaced(three, "service/lead", Duplicates):
        three.cycle()
    (group,) = grouped(three.face())
    assert group.meaning.endswith("(met lea-7, lea-8)")


def test_peers_61_one_bad_record_does_not_stop_the_batch(three: Three) -> None:
    numbers = crowd(three, 60)
    three.service.rejects = {"last": "Pname30"}
    three.settle()
    assert len(three.service.alive("lead")) == 59
    assert len(three.profiles.alive("person")) == 60
    (issue,) = three.issues()
    assert (issue.what, issue.detail["sort"]) == ("rejected", "other")
    three.service.rejects = {}
    three.sales.update("Lead", numbers[30], last="Kos")
    three.settle()
    assert len(three.service.alive("lead")) == 60
    assert three.whats() == []


def test_peers_62_what_fails_is_tried_again_ever_later_and_then_parked(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    moments = []
    with replaced(three, "service/lead", Busy) as busy:
        for _ in range(60):
            three.clock.time += timedelta(minutes=4)
            before = busy.asked
            three.cycle()
            if busy.asked > before:
                moments.append(three.clock.now())
    pauses = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert (len(moments), three.whats()) == (8, ["parked"])


@pytest.mark.parametrize("state", ["create", "update"])
def test_peers_63_what_was_refused_goes_when_the_mapping_changes(three: Three, state: str) -> None:
    """A retry that nobody has to ask for: under another mapping it may be acceptable."""
    title = {"title": "bad"}
    if state == "update":
        number = three.sales.create("Lead", **ANN)
        three.settle()
    three.service.rejects = title if state == "update" else {"last": "Horvat"}
    if state == "update":
        three.sales.update("Lead", number, **title)
    else:
        three.sales.create("Lead", **ANN, **title)
    three.settle()
    assert three.whats() == ["rejected"]
    elsewhere: dict[str, Any] = {}
    elsewhere |= {"last_name": "description", "description": "last"} if state == "create" else {}
    elsewhere |= {"job_title": "description", "description": None} if state == "update" else {}
    three.remap(elsewhere, "service/lead")
    three.settle()
    assert only(three.service.alive("lead")).values["description"] in ("bad", "Horvat")
    assert three.whats() == []


def test_peers_63_what_was_parked_goes_when_the_mapping_changes(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    three.sales.update("Lead", number, title="Chief")
    with replaced(three, "service/lead", Busy):
        for _ in range(12):
            three.clock.time += timedelta(hours=2)
            three.cycle()
    assert three.whats() == ["parked"]
    three.remap({"description": None}, "service/lead")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Chief"
    assert three.whats() == []


def test_peers_70_a_run_of_which_a_part_failed_is_not_green(three: Three) -> None:
    ends: list[str] = []
    face = three.face()
    face.listeners.append(lambda _syncs, _run, ended: ends.append(ended))
    leads = three.world.syncs[Kind.LEAD]
    three.service.rejects = {"title": "bad"}
    three.sales.create("Lead", **ANN, title="bad")
    run = face.sync("leads")
    assert (ends, failed_writes(run)) == (["partly"], 1)
    assert [leads.name] == [run.sync]
    with replaced(three, "profiles/person", Busy):
        three.sales.create("Lead", **ANN | {"first": "Bob", "last": "Novak", "mail": "b@n.example"})
        face.sync("leads")
    assert ends == ["partly", "partly"]


def test_peers_71_dead_credentials_are_a_state_and_no_loop(three: Three) -> None:
    face = three.face()
    revoked = Revoked(face.connectors["service"])
    face.connectors = {**face.connectors, "service": cast(Connector, revoked)}
    for _ in range(24 * 12):
        three.clock.time += timedelta(minutes=5)
        face.prepare()
    assert 90 < revoked.tried < 110  # ever less often, four times an hour at last
    assert three.world.down == {"service": "refuses the credentials (401) (remedy: give new ones)"}
    with three.store.reading() as connection:
        health = three.store.registry.instances(connection)["service"].health
    assert health is not None
    assert (health["failure"], health["remedy"]) == (
        "refuses the credentials (401)",
        "give new ones",
    )
