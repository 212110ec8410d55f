"""What a person is asked, and what becomes of the answer."""

from typing import Any

import pytest

from sync_engine import operations
from sync_engine.models import Kind, LinkState
from sync_engine.operations import Verdict, WrongUseError
from sync_engine.operations.shapes import Issue
from tests.engine.three import Three

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
SAME, DIFFERENT = Verdict("same"), Verdict("different")


def asked(three: Three, what: str) -> list[Issue]:
    groups = operations.grouped(three.face())
    return [issue for group in groups if group.what == what for issue in group.issues]


def answer(three: Three, what: str, verdict: Verdict) -> None:
    while issues := asked(three, what):  # one answer may end several
        operations.resolve(three.face(), int(issues[0].id), verdict, "somebody")
    three.settle()


def titles(three: Three) -> list[Any]:
    rows = (*three.sales.alive("Lead"), *three.service.alive("lead"))
    return [row.values["title"] for row in (*rows, *three.profiles.alive("person"))]


def test_manual_waits_for_a_person_and_takes_the_answer(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "manual")
    here = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    (there,) = three.service.alive("lead")
    three.sales.update("Lead", here, title="Chief")
    three.service.update("lead", there.id, title="Head")
    three.settle()
    assert titles(three) == ["Chief", "Head", "Boss"]  # nobody is overwritten
    assert three.whats() == ["conflict"]
    answer(three, "conflict", Verdict("take", take="service"))
    assert titles(three) == ["Head", "Head", "Head"]
    assert three.whats() == []


def test_manual_ends_when_the_sides_agree_by_themselves(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "manual")
    here = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    (there,) = three.service.alive("lead")
    three.sales.update("Lead", here, title="Chief")
    three.service.update("lead", there.id, title="Head")
    three.settle()
    three.sales.update("Lead", here, title="Both")
    three.service.update("lead", there.id, title="Both")
    three.settle()
    assert titles(three) == ["Both", "Both", "Both"]
    assert three.whats() == []


def test_manual_may_keep_what_was(three: Three) -> None:
    three.policy(Kind.LEAD, "job_title", "manual")
    here = three.sales.create("Lead", **ANN, title="Boss")
    three.settle()
    (there,) = three.service.alive("lead")
    three.sales.update("Lead", here, title="Chief")
    three.service.update("lead", there.id, title="Head")
    three.settle()
    answer(three, "conflict", Verdict("take", take="golden"))
    assert titles(three) == ["Boss", "Boss", "Boss"]


def test_practice_2_4_duplicates_in_one_system_are_one_question(three: Three) -> None:
    for _ in range(2):
        three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    (question,) = asked(three, "identity")
    assert question.cause == "duplicate in one system"
    assert len(question.records) == 3
    answer(three, "identity", Verdict("same", keep="oldest"))
    assert asked(three, "identity") == []
    with three.store.reading() as connection:
        states = [
            k.state for k in three.store.links.by_record(connection, 1, ["lea-1", "lea-2"]).values()
        ]
    assert sorted(states) == [LinkState.LIVE, LinkState.SURPLUS]
    assert len(three.service.alive("lead")) == 1
    assert len(three.profiles.alive("person")) == 1


def test_a_question_is_asked_anew_when_one_of_its_records_leaves(three: Three) -> None:
    one = three.sales.create("Lead", **ANN)
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANN)
    three.settle()
    three.sales.update("Lead", one, last="Novak", mail="novak@x.example", first="Eve")
    three.settle()
    assert asked(three, "identity") == []
    assert len(three.service.alive("lead")) == 2


def test_who_is_called_different_is_created(three: Three) -> None:
    three.sales.create(
        "Lead", first="Ann", last="Horvat", firm="Plavi", zip="10000", mail="a@x.example"
    )
    three.service.create(
        "lead", first="Ana", last="Horwat", firm="Plavi", zip="10000", mail="b@x.example"
    )
    three.settle()
    assert len(asked(three, "possible duplicate")) > 0
    assert len(three.service.alive("lead")) == 1
    answer(three, "possible duplicate", DIFFERENT)
    assert len(three.service.alive("lead")) == len(three.sales.alive("Lead")) == 2
    assert three.whats() == []


def test_who_is_called_the_same_is_linked(three: Three) -> None:
    three.sales.create(
        "Lead", first="Ann", last="Horvat", firm="Plavi", zip="10000", mail="a@x.example"
    )
    three.service.create(
        "lead", first="Ana", last="Horwat", firm="Plavi", zip="10000", mail="b@x.example"
    )
    three.settle()
    answer(three, "possible duplicate", SAME)
    assert len(three.service.alive("lead")) == len(three.sales.alive("Lead")) == 1
    assert three.service.alive("lead")[0].values["last"] == "Horvat"
    assert three.whats() == []


def test_practice_1_4_a_lead_is_not_created_where_it_was_converted_before(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN)
    three.sales.convert("Lead", lead)
    three.service.create("lead", **ANN)
    three.settle()
    assert three.sales.alive("Lead") == []
    (question,) = asked(three, "converted before")
    assert [name.split(":")[0] for name in question.records] == ["service/lead", "sales/Contact"]
    answer(three, "converted before", DIFFERENT)
    assert len(three.sales.alive("Lead")) == 1


def test_practice_3_2_a_filter_keeps_its_side_from_causing_records(three: Three) -> None:
    three.filter(Kind.LEAD, "profiles", "last_name != null && email != null")
    nobody = three.profiles.create("person", type="LEAD", phones=["385915550101"])
    three.profiles.create("person", type="LEAD", last="Horvat", mails=["ann@plavi.example"])
    three.settle()
    assert [row.values["last"] for row in three.service.alive("lead")] == []  # no company yet
    three.filter(Kind.LEAD, "profiles", "last_name != null")
    (place, *_) = [
        place
        for place in operations.explain(three.face(), f"profiles:{nobody}").places
        if place.side == "sales"
    ]
    assert place.why == "the filter of the side it comes from keeps it away"


def test_link_and_keep_apart_last(three: Three) -> None:
    here = three.sales.create("Lead", first="Ann", last="Horvat", firm="A", mail="a@x.example")
    there = three.service.create("lead", first="Eve", last="Novak", firm="B", mail="b@x.example")
    three.cycle()
    names = (f"sales/Lead:{here}", f"service/lead:{there}")
    operations.keep_apart(three.face(), *names, "somebody")
    three.settle()
    three.sales.update("Lead", here, first="Eve", last="Novak", mail="b@x.example")
    three.settle()
    with three.store.reading() as connection:
        (one,) = three.store.links.by_record(connection, 1, [here]).values()
        (other,) = three.store.links.by_record(connection, 4, [there]).values()
    assert one.entity_id != other.entity_id
    operations.link(three.face(), *names, "somebody")
    with three.store.reading() as connection:
        (one,) = three.store.links.by_record(connection, 1, [here]).values()
        (other,) = three.store.links.by_record(connection, 4, [there]).values()
    assert one.entity_id == other.entity_id


def test_an_unlinked_record_is_left_alone_and_keeps_its_place(three: Three) -> None:
    here = three.sales.create("Lead", **ANN)
    three.settle()
    (there,) = three.service.alive("lead")
    operations.unlink(three.face(), f"service:{there.id}", "somebody")
    three.sales.update("Lead", here, title="Boss")
    three.settle()
    assert [row.values["title"] for row in three.service.alive("lead")] == [None]
    assert [row.values["title"] for row in three.profiles.alive("person")] == ["Boss"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda face: operations.resolve(face, 5, SAME, "x"), "there is no open issue 5"),
        (lambda face: operations.unlink(face, "nonsense", "x"), "names no record"),
        (lambda face: operations.unlink(face, "crm:1", "x"), "there is no instance crm"),
        (lambda face: operations.unlink(face, "sales/Foo:1", "x"), "sales has no object Foo"),
        (lambda face: operations.unlink(face, "sales:1", "x"), "sales:1 is not known here"),
        (lambda face: operations.explain(face, "sales:1"), "sales:1 is not known here"),
        (lambda face: operations.verdict_of(["same", "later"], None, None), "say one of"),
        (lambda face: operations.verdict_of(["later"], "newest", None), "--keep newest"),
        (
            lambda face: operations.resolve_group(face, "x", None, SAME, "y", carry_out=True),
            "nothing of that sort waits",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(three: Three, call: Any, expected: str) -> None:
    with pytest.raises(WrongUseError, match=expected):
        call(three.face())


def test_a_lead_and_a_customer_are_never_linked(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN)
    contact = three.service.create("contact", first="Ann", last="Horvat")
    three.cycle()
    with pytest.raises(WrongUseError, match="is a customer"):
        operations.link(three.face(), f"sales:{lead}", f"service:{contact}", "somebody")


def two_questions_in_one(three: Three) -> Issue:
    """Somebody in two systems, and who resembles them in the third: each lacks the other's."""
    three.sales.create("Lead", **ANN)
    mobile = {"first": "Ana", "last": "Horvat", "firm": "Plavi", "mobile": "+385915550177"}
    three.service.create("lead", **mobile)
    three.profiles.create("person", **mobile)
    three.settle()
    assert three.whats().count("possible duplicate") > 1
    (question,) = asked(three, "possible duplicate")
    return question


def test_one_answer_settles_a_question_however_many_sides_ask_it(three: Three) -> None:
    question = two_questions_in_one(three)
    operations.resolve(three.face(), int(question.id), DIFFERENT, "somebody")
    assert asked(three, "possible duplicate") == []  # at once, not with the next cycle
    three.settle()
    assert asked(three, "possible duplicate") == []
    assert [len(three.sales.alive("Lead")), len(three.service.alive("lead"))] == [2, 2]


def test_a_bulk_answer_shows_each_question_once_and_never_reverses_an_answer(three: Three) -> None:
    question = two_questions_in_one(three)
    face = three.face()
    said = operations.resolve_group(
        face, "possible duplicate", None, DIFFERENT, "somebody", carry_out=False
    )
    assert [sorted(one.records) for one in said] == [sorted(question.records)]
    assert [one.issue.id for one in operations.exported(face)] == [question.id]
    operations.resolve(face, int(question.id), SAME, "somebody")
    with pytest.raises(operations.UnknownNameError):
        operations.resolve_group(
            face, "possible duplicate", None, DIFFERENT, "somebody", carry_out=True
        )
    three.settle()
    assert [len(three.sales.alive("Lead")), len(three.service.alive("lead"))] == [1, 1]
