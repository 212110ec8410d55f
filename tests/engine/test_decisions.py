"""What people have decided of records: kept for ever, exported, replayed; never asked twice."""

from pathlib import Path

import pytest

from sync_engine import operations
from sync_engine.models import LinkState
from sync_engine.operations import Verdict, WrongUseError
from sync_engine.operations.shapes import Issue
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
ANA = {"first": "Ana", "last": "Horvat", "firm": "Plavi d.o.o."}
LATER, SAME, DIFFERENT = Verdict("later"), Verdict("same"), Verdict("different")


def questions(three: Three, *, later: bool = False) -> list[Issue]:
    """About who is who."""
    groups = operations.grouped(three.face(), later=later)
    about = [group for group in groups if group.what in ("identity", "possible duplicate")]
    return [issue for group in about for issue in group.issues]


def answer(three: Three, verdict: Verdict) -> None:
    operations.resolve(three.face(), int(questions(three)[0].id), verdict, "somebody")
    three.settle()


def two_alike(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.service.create("lead", **ANA)
    three.settle()


def again(three: Three) -> Three:
    """The same systems, without our keys, under an empty state that was told the decisions."""
    found = Three()
    found.systems = three.systems
    for system in three.systems.values():
        for kind in system.objects.values():
            kind.by_key.clear()
            for row in kind.rows.values():
                row.key = None
    found.open()
    operations.replay(found.face(), operations.decisions(three.face()))
    found.settle()
    return found


def test_later_is_not_asked_again_and_changes_nothing(three: Three) -> None:
    two_alike(three)
    before = three.written()
    answer(three, LATER)
    assert questions(three) == []
    assert only(questions(three, later=True)).agree == ["name", "company"]
    three.service.update("lead", only(three.service.alive("lead")).id, title="Boss")
    three.settle()
    assert questions(three) == []
    assert three.written() == before


def test_later_is_asked_of_a_cluster_too(three: Three) -> None:
    for _ in range(2):
        three.sales.create("Lead", **ANN)
    three.settle()
    answer(three, LATER)
    assert questions(three) == []
    three.service.create("lead", **ANN)  # a further record is a further question
    three.settle()
    assert len(only(questions(three)).records) == 3


def test_what_was_put_off_can_still_be_decided(three: Three) -> None:
    two_alike(three)
    answer(three, LATER)
    number = int(only(questions(three, later=True)).id)
    operations.resolve(three.face(), number, SAME, "somebody")
    three.settle()
    assert len(three.sales.alive("Lead")) == len(three.service.alive("lead")) == 1
    assert questions(three) == questions(three, later=True) == []


@pytest.mark.parametrize(
    ("verdict", "leads", "put_off"), [(SAME, 1, 0), (DIFFERENT, 2, 0), (LATER, 1, 1)]
)
def test_decisions_are_replayed_into_an_empty_state(
    three: Three, verdict: Verdict, leads: int, put_off: int
) -> None:
    two_alike(three)
    answer(three, verdict)
    rebuilt = again(three)
    assert [len(rebuilt.sales.alive("Lead")), len(rebuilt.service.alive("lead"))] == [leads] * 2
    assert questions(rebuilt) == []
    assert len(questions(rebuilt, later=True)) == put_off
    assert operations.decisions(rebuilt.face()) == operations.decisions(three.face())
    rebuilt.close()


def test_an_unlinked_record_is_left_alone_in_an_empty_state_too(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    there = only(three.service.alive("lead"))
    operations.unlink(three.face(), f"service:{there.id}", "somebody")
    rebuilt = again(three)
    assert only(rebuilt.links("service/lead")).state is LinkState.IGNORED
    assert len(rebuilt.service.alive("lead")) == 1
    operations.link(
        rebuilt.face(), f"service:{there.id}", f"sales:{only(three.sales.alive('Lead')).id}", "x"
    )
    assert {one.verdict for one in operations.decisions(rebuilt.face())} == {"same"}
    rebuilt.close()


def test_practice_3_2_a_type_change_that_was_allowed_is_followed_in_an_empty_state_too(
    three: Three,
) -> None:
    three.sales.create("Lead", **ANN)
    three.settle()
    profile = only(three.profiles.alive("person"))
    three.profiles.update("person", profile.id, type="CUSTOMER")
    three.settle()
    operations.resolve(three.face(), only(three.issues()).id, Verdict("convert"), "somebody")
    said = operations.decisions(three.face())
    assert {frozenset((one.verdict, one.left, one.right)) for one in said} == {
        frozenset(("convert", f"{name}:{lead.id}", f"profiles/person:{profile.id}"))
        for name, lead in (
            ("sales/Lead", only(three.sales.alive("Lead"))),
            ("service/lead", only(three.service.alive("lead"))),
        )
    }
    rebuilt = again(three)
    leads = [only(rebuilt.links(name)) for name in ("sales/Lead", "service/lead")]
    assert [lead.state for lead in leads] == [LinkState.CONVERTED] * 2
    assert only(rebuilt.links("profiles/person")).entity_id == leads[0].entity_id
    assert operations.decisions(rebuilt.face()) == said
    rebuilt.close()


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_file_of_decisions_is_read_back(three: Three, tmp_path: Path, suffix: str) -> None:
    two_alike(three)
    answer(three, DIFFERENT)
    said = operations.decisions(three.face())
    file = tmp_path / f"decisions.{suffix}"
    file.write_text(operations.as_text(said, as_json=suffix == "json"))
    assert operations.read(file) == said
    told = operations.replay(three.face(), said)
    assert (told.decided, told.known) == (0, len(said))


def test_a_crosswalk_goes_before_every_rule(three: Three, tmp_path: Path) -> None:
    here = three.sales.create("Lead", **ANN)
    there = three.service.create("lead", first="Eve", last="Novak", mail="e@x.example", firm="B")
    file = tmp_path / "crosswalk.csv"
    row = f"same,sales/Lead:{here},service/lead:{there},migration,2026-05-01T10:00:00"
    file.write_text(f"verdict,left,right,by,at\n{row}\n")
    told = operations.replay(three.face(), operations.read(file))
    assert (told.decided, told.applied) == (1, 0)  # neither is read yet
    three.settle()
    owners = {link.entity_id for link in (*three.links("sales/Lead"), *three.links("service/lead"))}
    assert len(owners) == 1


def test_decisions_are_replayed_for_records_that_are_known(three: Three) -> None:
    two_alike(three)
    here, there = (only(three.links(name)) for name in ("sales/Lead", "service/lead"))
    names = (f"sales:{here.record_id}", f"service:{there.record_id}")
    operations.keep_apart(three.face(), *names, "x")
    said = [o.model_copy(update={"verdict": "same"}) for o in operations.decisions(three.face())]
    assert operations.replay(three.face(), said, carry_out=False).decided == 1
    assert operations.replay(three.face(), said).applied == 1
    three.settle()
    assert only(three.links("sales/Lead")).entity_id == only(three.links("service/lead")).entity_id


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("maybe,sales/Lead:1,service/lead:2,x,2026-05-01", "decision 1 is not valid: verdict"),
        ("same,sales/Lead:1,service/lead:2,x,monday", "decision 1 is not valid: at"),
        ("same,crm/Lead:1,service/lead:2,x,2026-05-01T10:00:00Z", "there is no instance crm"),
        ("same,sales:1,service/lead:2,x,2026-05-01T10:00:00Z", "sales:1 is ambiguous"),
        ("same,sales/Lead:1,sales/Lead:1,x,2026-05-01T10:00:00Z", "cannot be same"),
        ("unlink,sales/Lead:1,sales/Lead:2,x,2026-05-01T10:00:00Z", "cannot be unlink"),
    ],
)
def test_a_file_that_cannot_be_meant_decides_nothing(
    three: Three, tmp_path: Path, rows: str, expected: str
) -> None:
    file = tmp_path / "decisions.csv"
    good = "different,sales/Lead:8,service/lead:9,x,2026-05-01T10:00:00Z"
    file.write_text(f"verdict,left,right,by,at\n{rows}\n{good}\n")
    with pytest.raises(WrongUseError, match=expected):
        operations.replay(three.face(), operations.read(file))
    assert operations.decisions(three.face()) == []
