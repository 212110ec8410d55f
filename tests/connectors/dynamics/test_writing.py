"""The Dynamics connector against the simulator: what becomes of writes."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors import Action, AuthError, RateLimitError, Result, TransientError, Write
from tests.connectors.dynamics_org import ANN, CONTACT, lead, read
from tests.connectors.processes import Server

PARENT = "_parentcustomerid_value"


def account(org: Server) -> str:
    return str(org.act("create", "account", values={"name": "Plavi"})["id"])


def creates(count: int) -> list[Write]:
    return [Write(Action.CREATE, UUID(int=n + 1), values=ANN) for n in range(count)]


def update(number: str, **values: Any) -> Write:
    return Write(Action.UPDATE, uuid4(), number, values)


def test_outcomes_stand_in_order_with_a_bad_row_in_the_middle(org: Server, service: Any) -> None:
    values = [ANN, ANN | {"lastname": "x" * 51}, ANN]
    outcomes = service.write("lead", [Write(Action.CREATE, uuid4(), values=v) for v in values])
    assert [o.result for o in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]


def test_only_the_given_fields_are_written_and_the_version_is_told(
    org: Server, service: Any
) -> None:
    number = lead(org, jobtitle="Buyer")
    record = read(service, number)
    write = Write(Action.UPDATE, uuid4(), number, {"emailaddress1": None}, record.version)
    outcome = service.write("lead", [write])[0]
    after = read(service, number)
    assert (outcome.result, outcome.version) == (Result.DONE, after.version)
    assert after.values == ANN | {"emailaddress1": None, "jobtitle": "Buyer"}


def test_a_record_that_moved_on_is_stale_and_what_is_gone_is_gone(
    org: Server, service: Any
) -> None:
    number = lead(org)
    version = read(service, number).version
    org.act("update", "lead", id=number, values={"jobtitle": "Buyer"})
    edit = Write(Action.UPDATE, uuid4(), number, {"jobtitle": "Boss"}, version)
    delete = replace(edit, action=Action.DELETE)
    assert [o.result for o in service.write("lead", [edit, delete])] == [Result.STALE] * 2
    org.act("delete", "lead", id=number)
    assert [o.result for o in service.write("lead", [edit, delete])] == [Result.GONE] * 2


def test_a_token_that_expires_between_writes_is_renewed(org: Server, service: Any) -> None:
    service.write("lead", creates(1))
    org.post("tokens/expire")
    assert [o.result for o in service.write("lead", creates(2))] == [Result.DONE] * 2
    assert org.writes() == {"create": 2}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("lastname", "x" * 51),
        ("leadsourcecode", 77),
        ("statuscode", 4),  # a reason of another state than the row's
        ("numberofemployees", "many"),
    ],
)
def test_a_refused_value_is_told_of_its_field(
    org: Server, service: Any, column: str, value: Any
) -> None:
    number = lead(org)
    (outcome,) = service.write("lead", [update(number, jobtitle="x", **{column: value})])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {column})
    assert outcome.reason == f"{outcome.faults[column]}, {column}"  # a code, and no value


def test_practice_4_8_a_company_is_bound_cleared_and_told_from_a_parent_contact(
    org: Server, service: Any
) -> None:
    values = {"lastname": "Horvat", PARENT: account(org)}
    number = str(service.write("contact", [Write(Action.CREATE, uuid4(), values=values)])[0].id)
    assert read(service, number, CONTACT).values == values
    clear = Write(Action.UPDATE, uuid4(), number, {PARENT: None})
    assert service.write("contact", [clear])[0].result is Result.DONE
    parent = {"parentcustomerid_contact@odata.bind": f"/contacts({number})"}
    child = org.act("create", "contact", values={"lastname": "Kid", **parent})["id"]
    assert read(service, child, CONTACT).values[PARENT] is None


def test_practice_4_8_a_parent_that_is_a_contact_is_left_alone(org: Server, service: Any) -> None:
    company = account(org)
    parent = org.act("create", "contact", values={"lastname": "Old"})["id"]
    bound = {"parentcustomerid_contact@odata.bind": f"/contacts({parent})"}
    child = org.act("create", "contact", values={"lastname": "Kid", **bound})["id"]
    writes = [update(child, **{PARENT: company}), update(parent, **{PARENT: company})]
    kept, moved = service.write("contact", writes)
    assert (kept.result, set(kept.faults)) == (Result.REJECTED, {PARENT})
    assert moved.result is Result.DONE
    (row,) = [row for row in org.records("contact") if row["contactid"] == child]
    assert row[PARENT] == parent


def test_a_company_that_is_gone_does_not_make_its_people_gone(org: Server, service: Any) -> None:
    company = account(org)
    number = org.act("create", "contact", values={"lastname": "Horvat"})["id"]
    org.act("delete", "account", id=company)
    values = {"lastname": "Kos", PARENT: company}
    writes = [update(number, **values), Write(Action.CREATE, uuid4(), values=values)]
    for outcome in service.write("contact", writes):
        assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {PARENT})


def test_a_row_that_we_may_not_write_is_its_own_failure(org: Server, service: Any) -> None:
    locked, free = lead(org), lead(org)
    org.post("switches", locked=[locked])
    outcomes = service.write("lead", [update(n, jobtitle="x") for n in (locked, free)])
    assert [o.result for o in outcomes] == [Result.REJECTED, Result.DONE]


def test_a_secured_column_is_its_own_failure(org: Server, service: Any) -> None:
    number = lead(org)
    org.post("switches", secured=["lead.fax"])
    outcomes = service.write("lead", [update(number, fax="1"), update(number, jobtitle="x")])
    assert [o.result for o in outcomes] == [Result.REJECTED, Result.DONE]


def test_a_missing_privilege_ends_the_turn(org: Server, service: Any) -> None:
    number = lead(org)
    org.post("switches", denied=["Write lead"])
    with pytest.raises(AuthError, match="permission"):
        service.write("lead", [update(number, jobtitle="x")] * 3)
    assert len([c for c in org.get("journal")["calls"] if c["method"] == "PATCH"]) == 1


def test_a_row_that_always_fails_keeps_no_other_from_being_written(
    org: Server, service: Any
) -> None:
    writes = creates(4)
    body = {"error": {"code": "0x80040224", "message": "An unexpected error occurred"}}
    org.fault("PATCH", str(writes[0].key), status=500, body=body)
    outcomes = service.write("lead", writes)
    assert [o.result for o in outcomes] == [Result.RETRY, *[Result.DONE] * 3]


def test_a_server_that_is_down_is_left_after_two_calls(org: Server, service: Any) -> None:
    service.check([])
    fault = {"method": "PATCH", "times": 9, "effect": {"status": 502}}
    org.post("faults", **fault)
    with pytest.raises(TransientError):
        service.write("lead", creates(5))
    assert len([c for c in org.get("journal")["calls"] if c["method"] == "PATCH"]) == 2
    org.post("reset")
    service.check([])
    org.post("faults", **fault, skip=1)
    outcomes = service.write("lead", creates(5))
    assert [o.result for o in outcomes] == [Result.DONE, *[Result.RETRY] * 4]
    assert len([c for c in org.get("journal")["calls"] if c["method"] == "PATCH"]) == 3


def test_being_asked_for_patience_ends_the_batch(org: Server, service: Any) -> None:
    service.check([])
    effect = {"status": 429, "headers": {"Retry-After": "600"}}
    org.post("faults", method="PATCH", times=9, skip=1, effect=effect)
    outcomes = service.write("lead", creates(4))
    assert [o.result for o in outcomes] == [Result.DONE, *[Result.RETRY] * 3]
    assert len([c for c in org.get("journal")["calls"] if c["method"] == "PATCH"]) == 2
    with pytest.raises(RateLimitError):
        service.write("lead", creates(1))


def test_a_create_whose_answer_was_lost_changes_nothing_the_second_time(
    org: Server, service: Any
) -> None:
    service.check([])
    org.fault("PATCH", "", drop="after")
    (wish,) = creates(1)
    with pytest.raises(TransientError):
        service.write("lead", [wish])
    org.act("update", "lead", id=str(wish.key), values={"jobtitle": "Boss"})
    (outcome,) = service.write("lead", [wish])
    assert (outcome.result, outcome.id) == (Result.DONE, str(wish.key))
    assert read(service, str(wish.key)).values["jobtitle"] == "Boss"


def test_deactivating_closes_a_lead_and_rests_a_contact(org: Server, service: Any) -> None:
    number = lead(org)
    contact = org.act("create", "contact", values={"lastname": "Horvat"})["id"]
    for table, one, selection in (("lead", number, None), ("contact", contact, CONTACT)):
        wish = Write(Action.DEACTIVATE, uuid4(), one)
        assert service.write(table, [wish])[0].result is Result.DONE
        assert read(service, one, *([selection] if selection else [])).inactive
