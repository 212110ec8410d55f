"""The Dynamics connector against the simulator: leads qualified on behalf of another side."""

from typing import Any
from uuid import uuid4

import pytest

from connectors import Action, Outcome, Refusal, Result, TransientError, Write
from tests.connectors.dynamics_org import CONTACT, LEAD, lead, opened, read
from tests.connectors.processes import Server, meanwhile

PARENT = "_parentcustomerid_value"
ORIGIN = "_originatingleadid_value"


def made(org: Server, table: str, **values: Any) -> str:
    return str(org.act("create", table, values=values)["id"])


def convert(service: Any, number: str, **into: str | None) -> Outcome:
    outcomes: list[Outcome] = service.write("lead", [wish(service, number, **into)])
    return outcomes[0]


def wish(service: Any, number: str, **into: str | None) -> Write:
    version = read(service, number).version
    return Write(Action.CONVERT, uuid4(), number, version=version, into={"contact": None} | into)


@pytest.mark.parametrize("joins", [True, False])
def test_practice_3_3_a_lead_of_a_company_makes_a_contact_and_no_second_company(
    org: Server, service: Any, joins: bool
) -> None:
    org.post("switches", qualified_joins=joins)
    account, number = made(org, "account", name="Plavi"), lead(org)
    outcome = convert(service, number, account=account)
    (contact,) = org.records("contact")
    assert (outcome.result, outcome.into["contact"]) == (Result.DONE, contact["contactid"])
    assert outcome.into["account"] == account
    assert contact[ORIGIN] == number
    assert contact[PARENT] == (account if joins else None)
    assert [row["accountid"] for row in org.records("account")] == [account]
    (row,) = org.records("lead")
    assert (row["statecode"], row["statuscode"]) == (1, 3)
    assert service.fetch(LEAD, "id", [number]) == []


def test_practice_3_3_a_lead_without_a_company_makes_no_company(org: Server, service: Any) -> None:
    assert convert(service, lead(org)).result is Result.DONE
    assert org.records("account") == []


def test_practice_3_3_who_is_a_contact_there_gets_no_second_one(org: Server, service: Any) -> None:
    contact, number = made(org, "contact", lastname="Horvat"), lead(org)
    outcome = convert(service, number, contact=contact)
    assert outcome.into == {"contact": contact}
    assert [row["contactid"] for row in org.records("contact")] == [contact]


def test_practice_3_3_the_contact_that_a_person_chose_on_the_lead_is_taken(
    org: Server, service: Any
) -> None:
    contact, number = made(org, "contact", lastname="Horvat"), lead(org)
    chosen = {"parentcontactid@odata.bind": f"/contacts({contact})"}
    org.act("update", "lead", id=number, values=chosen)
    assert convert(service, number).into == {"contact": contact}
    assert len(org.records("contact")) == 1


def test_a_lead_that_names_another_contact_is_left_alone(org: Server, service: Any) -> None:
    one, other = (made(org, "contact", lastname="Horvat") for _ in range(2))
    number = lead(org)
    chosen = {"parentcontactid@odata.bind": f"/contacts({one})"}
    org.act("update", "lead", id=number, values=chosen)
    outcome = convert(service, number, contact=other)
    assert (outcome.result, "another" in outcome.reason) == (Result.REJECTED, True)
    assert org.records("lead")[0]["statecode"] == 0


def test_practice_3_3_a_lost_answer_is_settled_by_reading_before_it_is_tried_again(
    org: Server, service: Any
) -> None:
    number = lead(org)
    intent = wish(service, number)
    org.fault("POST", "QualifyLead", drop="after")
    with pytest.raises(TransientError):
        service.write("lead", [intent])
    (contact,) = org.records("contact")
    outcome = service.write("lead", [intent])[0]
    assert (outcome.result, outcome.into["contact"]) == (Result.DONE, contact["contactid"])
    assert len(org.records("contact")) == 1


def test_practice_3_3_a_lead_that_is_closed_between_reading_and_qualifying_is_theirs(
    org: Server, service: Any
) -> None:
    number = lead(org)
    intent = wish(service, number)
    late = opened(org, meanwhile("QualifyLead", lambda: org.act("convert", "lead", id=number)))
    outcome = late.write("lead", [intent])[0]
    (contact,) = org.records("contact")
    assert outcome.into == {"contact": contact["contactid"]}
    late.close()


def test_a_disqualified_lead_stays_so(org: Server, service: Any) -> None:
    number = lead(org)
    intent = wish(service, number)
    org.act("update", "lead", id=number, values={"statecode": 2, "statuscode": 4})
    outcome = service.write("lead", [intent])[0]
    assert (outcome.result, outcome.reason) == (Result.REJECTED, "the lead is disqualified")
    assert org.records("contact") == []


def test_a_lead_that_is_gone_is_told(org: Server, service: Any) -> None:
    number = lead(org)
    intent = wish(service, number)
    org.act("delete", "lead", id=number)
    assert service.write("lead", [intent])[0].result is Result.GONE


def test_practice_3_4_without_sales_the_action_is_named(org: Server, service: Any) -> None:
    number = lead(org)
    told = {"code": "0x80060888", "message": "Resource not found for the segment."}
    org.fault("POST", "QualifyLead", status=404, body={"error": told})
    outcome = convert(service, number)
    assert (outcome.result, outcome.refusal) == (Result.REJECTED, Refusal.OTHER)
    assert "Dynamics 365 Sales" in outcome.reason


def test_one_refused_conversion_lets_the_others_go(org: Server, service: Any) -> None:
    numbers = [lead(org) for _ in range(3)]
    wishes = [wish(service, number) for number in numbers]
    org.act("update", "lead", id=numbers[1], values={"jobtitle": "Boss"})
    results = [one.result for one in service.write("lead", wishes)]
    assert results == [Result.DONE, Result.STALE, Result.DONE]


@pytest.mark.parametrize("denied", ["Write lead", "Create contact"])
def test_who_may_not_qualify_offers_no_conversion(org: Server, service: Any, denied: str) -> None:
    org.post("switches", denied=[denied])
    offered = {one.name: one.actions for one in service.describe()}
    assert Action.CONVERT not in offered["lead"]


def test_leads_alone_are_converted(org: Server, service: Any) -> None:
    offered = {one.name: one.actions for one in service.describe()}
    assert [name for name, actions in offered.items() if Action.CONVERT in actions] == ["lead"]
    assert CONTACT.object in offered
