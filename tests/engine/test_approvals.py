"""Deletes that wait for a person's approval (``approve_deletes``), record by record."""

from pathlib import Path

import pytest

from connectors import Action
from sync_engine import operations
from sync_engine.models import Kind
from sync_engine.operations.deciding import Verdict
from sync_engine.operations.shapes import Resolution
from sync_engine.service import build
from tests.config.files import changed, load
from tests.engine.faults import crowd, only
from tests.engine.three import ORDER, Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
WAITS = "delete waits for approval"
APPROVE, REFUSE = Verdict("approve"), Verdict("refuse")


@pytest.fixture
def lead(three: Three) -> str:
    """A lead of the first system, known everywhere; its delete is propagated if approved."""
    three.deletes(Kind.LEAD, "propagate", approved_on=ORDER)
    number = three.sales.create("Lead", **ANN)
    three.settle()
    return number


def answer(three: Three, verdict: Verdict) -> Resolution:
    return operations.resolve(three.face(), only(three.issues()).id, verdict, "Eva")


def all_alike(three: Three, verdict: Verdict, *, carry_out: bool) -> list[Resolution]:
    return operations.resolve_group(three.face(), WAITS, None, verdict, "Eva", carry_out=carry_out)


def alive(three: Three) -> tuple[int, int]:
    return len(three.service.alive("lead")), len(three.profiles.alive("person"))


def test_a_delete_waits_until_a_person_approves_it(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    three.settle()
    (group,) = operations.grouped(three.face())
    assert (group.what, group.cause, group.count) == (WAITS, "sales/Lead: propagate", 1)
    there = only(three.service.alive("lead"))
    assert set(group.issues[0].records) == {
        f"sales/Lead:{lead}",
        f"service/lead:{there.id}",
        f"profiles/person:{only(three.profiles.alive('person')).id}",
    }
    told = operations.explain(three.face(), f"service:{there.id}")
    assert ["waits for approval" in place.why for place in told.places] == [True, False, False]
    assert answer(three, APPROVE).carried_out
    assert alive(three) == (1, 1)  # nobody is called outside a cycle
    three.settle()
    assert alive(three) == (0, 0)
    assert three.whats() == []
    events = operations.history(three.face(), f"sales/Lead:{lead}").events
    assert [(one.rule, one.by) for one in events if one.by == "Eva"] == [("delete approved", "Eva")]


def test_a_delete_that_is_refused_is_followed_nowhere(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    answer(three, REFUSE)
    three.settle()
    three.service.update("lead", only(three.service.alive("lead")).id, title="Chief")
    three.settle()
    assert alive(three) == (1, 1)
    assert three.whats() == []
    assert three.sales.alive("Lead") == []  # nor does it come back


def test_a_record_that_is_back_leaves_the_queue(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    assert three.whats() == [WAITS]
    three.sales.undelete("Lead", lead)
    three.settle()
    assert three.whats() == []
    three.sales.update("Lead", lead, title="Chief")
    three.settle()
    assert only(three.service.alive("lead")).values["title"] == "Chief"


def test_a_record_that_is_back_is_not_ended_for_another_that_is_gone(
    three: Three, lead: str
) -> None:
    three.sales.delete("Lead", lead)
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    three.sales.undelete("Lead", lead)
    three.settle()
    assert len(three.sales.alive("Lead")) == 1
    assert three.whats() == [WAITS]


def test_an_edit_elsewhere_leaves_the_queue(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    three.service.update("lead", only(three.service.alive("lead")).id, title="Chief")
    three.settle()
    assert three.whats() == ["deleted here, edited there"]
    assert alive(three) == (1, 1)


def test_an_edit_after_the_approval_saves_the_person(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    answer(three, APPROVE)
    three.service.update("lead", only(three.service.alive("lead")).id, title="Chief")
    three.settle()
    assert alive(three) == (1, 1)
    assert three.whats() == ["deleted here, edited there"]


def test_whoever_is_deleted_everywhere_leaves_the_queue(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert three.whats() == [WAITS, WAITS]  # either may be approved for the third
    all_alike(three, APPROVE, carry_out=True)
    three.settle()
    assert alive(three) == (0, 0)
    assert three.whats() == []


def test_deletes_are_approved_in_bulk_once_they_were_shown(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate", approved_on=ORDER)
    numbers = crowd(three, 4)
    three.settle()
    for number in numbers[:3]:
        three.sales.delete("Lead", number)
    three.settle()
    shown = all_alike(three, APPROVE, carry_out=False)
    assert [one.carried_out for one in shown] == [False] * 3
    three.settle()
    assert alive(three) == (4, 4)
    all_alike(three, APPROVE, carry_out=True)
    three.settle()
    assert alive(three) == (1, 1)


def test_approved_deletes_are_held_to_the_guard(three: Three) -> None:
    three.deletes(Kind.LEAD, "propagate", approved_on=ORDER)
    numbers = crowd(three, 11)
    three.settle()
    for number in numbers:
        three.sales.delete("Lead", number)
    three.settle()
    all_alike(three, APPROVE, carry_out=True)
    three.settle()
    assert alive(three) == (11, 11)
    assert three.whats() == ["guard", "guard"]


def test_a_side_that_needs_no_approval_is_followed_at_once(three: Three, lead: str) -> None:
    three.deletes(Kind.LEAD, "propagate", approved_on=("service",))
    three.sales.delete("Lead", lead)
    three.settle()
    assert alive(three) == (0, 0)


def test_a_deactivation_waits_too(three: Three) -> None:
    three.profiles.actions = three.profiles.actions | {Action.DEACTIVATE}
    three.sales.actions = three.sales.actions | {Action.DEACTIVATE}
    three.describe()
    three.deletes(Kind.LEAD, "deactivate", approved_on=ORDER)
    three.sales.create("Lead", **ANN)
    three.settle()
    three.service.delete("lead", only(three.service.alive("lead")).id)
    three.settle()
    assert "deactivate" not in three.written()["profiles"]
    answer(three, APPROVE)
    three.settle()
    assert three.written()["profiles"]["deactivate"] == 1
    assert three.written()["sales"]["deactivate"] == 1


def test_a_plan_shows_what_will_be_asked(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    plan = operations.plan(three.face(), "leads")
    (line,) = plan.lines
    assert (line.does, line.side, line.record) == ("ask", "sales/Lead", f"sales/Lead:{lead}")
    assert (line.rule or "").startswith(WAITS)
    assert len(line.like) == len(ORDER) - 1
    three.cycle()
    answer(three, APPROVE)
    plan = operations.plan(three.face(), "leads")
    assert sorted((line.does, line.side) for line in plan.lines) == [
        ("delete", "profiles/person"),
        ("delete", "service/lead"),
    ]


def test_only_a_delete_is_approved(three: Three, lead: str) -> None:
    three.sales.delete("Lead", lead)
    three.settle()
    with pytest.raises(operations.WrongUseError, match="--same does not answer"):
        answer(three, Verdict("same"))


@pytest.mark.parametrize(
    ("sync", "side", "expected"),
    [
        ("", "", set()),
        ("approve_deletes: true", "", {"one", "two"}),
        ("", "approve_deletes: true", {"two"}),
        ("approve_deletes: true", "approve_deletes: false", {"one"}),
    ],
)
def test_approval_is_set_for_a_sync_or_a_side(
    tmp_path: Path, sync: str, side: str, expected: set[str]
) -> None:
    text = changed("two: person}", f"two: {{object: person, {side}}}}}\n    {sync}")
    service = build(load(tmp_path, text))
    assert service.world.syncs[Kind.LEAD].approvals == expected
    service.close()
