"""Which records were one person at some time: ``crm-sync history RECORD --at DATE``."""

from datetime import timedelta

import pytest

from sync_engine import operations
from sync_engine.operations import WrongUseError
from tests.engine.three import Three, only

ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example", "firm": "Plavi"}
EVE = {"first": "Eve", "last": "Novak", "mail": "eve@zub.example", "firm": "Zub"}


def now(three: Three) -> str:
    """This moment; what happens next happens later."""
    moment = three.clock.time.isoformat()
    three.clock.time += timedelta(hours=1)
    return moment


def were(three: Three, record: str, at: str) -> dict[str, str]:
    """Record -> its state then."""
    told = operations.identity(three.face(), record, at)
    return {one.record: one.state for one in told.records}


def settled(three: Three) -> str:
    three.settle()
    return now(three)


def records(three: Three) -> dict[str, str]:
    """Where a person alone in the world has records: system -> name of the record."""
    return {
        "sales": f"sales/Lead:{only(three.sales.alive('Lead')).id}",
        "service": f"service/lead:{only(three.service.alive('lead')).id}",
        "profiles": f"profiles/person:{only(three.profiles.alive('person')).id}",
    }


def test_what_was_read_and_what_was_created_is_one_person(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    before = now(three)
    at = settled(three)
    found = records(three)
    told = operations.identity(three.face(), found["service"], at)
    assert (told.kind, told.record) == ("lead", found["service"])
    assert {(one.record, one.state, one.how) for one in told.records} == {
        (found["sales"], "live", "first record"),
        (found["service"], "live", "created"),
        (found["profiles"], "live", "created"),
    }
    with pytest.raises(WrongUseError, match="was nobody's at that time"):
        operations.identity(three.face(), f"sales:{number}", before)


def test_by_which_rule_a_record_was_linked(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    there = three.service.create("lead", **ANN)
    at = settled(three)
    told = operations.identity(three.face(), f"service:{there}", at)
    how = {one.record.split("/")[0]: one.how for one in told.records}
    rule = "email_name"
    assert how == {"sales": rule, "service": rule, "profiles": "created"}


def test_a_day_is_meant_to_its_end(three: Three) -> None:
    number = three.sales.create("Lead", **ANN)
    three.settle()
    day = f"{three.clock.time:%Y-%m-%d}"
    assert len(were(three, f"sales:{number}", day)) == 3
    with pytest.raises(WrongUseError, match="is no moment"):
        operations.identity(three.face(), f"sales:{number}", "yesterday")


def test_a_conversion(three: Three) -> None:
    lead = three.sales.create("Lead", **ANN)
    before = settled(three)
    found = records(three)
    three.sales.convert("Lead", lead)
    after = settled(three)
    contact = only(three.sales.alive("Contact")).id
    assert were(three, found["sales"], before) == dict.fromkeys(found.values(), "live")
    told = operations.identity(three.face(), found["sales"], after)
    (converted,) = [one for one in told.records if one.record == found["sales"]]
    assert (converted.state, converted.into) == ("converted", f"sales/Contact:{contact}")
    assert told.kind == "customer"
    assert were(three, f"sales/Contact:{contact}", after)[found["profiles"]] == "live"
    was = operations.identity(three.face(), found["profiles"], before)
    assert (was.kind, was.entity) == ("lead", told.entity)


def test_a_merge_in_a_system(three: Three) -> None:
    ann, eve = three.sales.create("Lead", **ANN), three.sales.create("Lead", **EVE)
    before = settled(three)
    three.sales.merge("Lead", ann, eve)
    after = settled(three)
    both = operations.identity(three.face(), f"sales:{ann}", after)
    states = sorted((one.record.split("/")[0], one.state) for one in both.records)
    assert states == [
        ("profiles", "live"),
        ("profiles", "surplus"),
        ("sales", "live"),
        ("sales", "merged"),
        ("service", "live"),
        ("service", "surplus"),
    ]
    (merged,) = [one for one in both.records if one.state == "merged"]
    assert merged.into == f"sales/Lead:{ann}"
    hers, theirs = were(three, f"sales:{ann}", before), were(three, f"sales:{eve}", before)
    assert set(hers.values()) == set(theirs.values()) == {"live"}
    assert (len(hers), len(theirs), hers.keys() & theirs.keys()) == (3, 3, set())


def test_a_person_joins_records_and_parts_them_again(three: Three) -> None:
    ann = three.sales.create("Lead", **ANN)
    eve = three.service.create("lead", **EVE)
    apart = settled(three)
    face = three.face()
    operations.link(face, f"sales:{ann}", f"service/lead:{eve}", "somebody")
    joined = settled(three)
    operations.keep_apart(face, f"sales:{ann}", f"service/lead:{eve}", "somebody")
    parted = settled(three)
    record = f"service/lead:{eve}"
    assert record not in were(three, f"sales:{ann}", apart)
    assert record in were(three, f"sales:{ann}", joined)
    assert record not in were(three, f"sales:{ann}", parted)
    assert (
        were(three, f"service:{eve}", joined).keys() == were(three, f"sales:{ann}", joined).keys()
    )
    assert f"sales/Lead:{ann}" not in were(three, record, parted)


def test_a_record_that_a_person_unlinked(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    before = settled(three)
    found = records(three)
    operations.unlink(three.face(), found["service"], "somebody")
    after = settled(three)
    assert were(three, found["sales"], before)[found["service"]] == "live"
    assert were(three, found["sales"], after)[found["service"]] == "unlinked"


def test_a_delete_and_its_undelete(three: Three) -> None:
    three.sales.create("Lead", **ANN)
    before = settled(three)
    found = records(three)
    number = found["service"].partition(":")[2]
    three.service.delete("lead", number)
    gone = settled(three)
    three.service.undelete("lead", number)
    back = settled(three)
    states = [were(three, found["sales"], at)[found["service"]] for at in (before, gone, back)]
    assert states == ["live", "gone", "live"]


def test_a_merged_record_that_is_restored_is_a_person_again(three: Three) -> None:
    ann, eve = three.sales.create("Lead", **ANN), three.sales.create("Lead", **EVE)
    three.settle()
    three.sales.merge("Lead", ann, eve)
    merged = settled(three)
    three.sales.undelete("Lead", eve)
    back = settled(three)
    assert were(three, f"sales:{ann}", merged)[f"sales/Lead:{eve}"] == "merged"
    assert were(three, f"sales:{eve}", back) == {f"sales/Lead:{eve}": "live"}
    assert f"sales/Lead:{eve}" not in were(three, f"sales:{ann}", back)
