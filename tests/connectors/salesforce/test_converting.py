"""The Salesforce connector against the simulator: leads converted on behalf of another side."""

from typing import Any
from uuid import uuid4

import pytest

from connectors import Action, Outcome, Refusal, Result, TransientError, Write
from tests.connectors.processes import Server, meanwhile
from tests.connectors.salesforce_org import LEAD, lead, opened, read

SOAP = "services/Soap/u/"
QUEUE, US = "00G000000000009AAA", "005000000000001AAA"


def made(org: Server, name: str, **values: Any) -> str:
    return str(org.act("create", name, values=values)["id"])


def wish(sales: Any, number: str, **into: str | None) -> Write:
    version = read(sales, number).version
    return Write(Action.CONVERT, uuid4(), number, version=version, into={"Contact": None} | into)


def convert(sales: Any, number: str, **into: str | None) -> Outcome:
    outcomes: list[Outcome] = sales.write("Lead", [wish(sales, number, **into)])
    return outcomes[0]


def ids(org: Server, name: str) -> list[str]:
    return [row["Id"] for row in org.records(name)]


def test_practice_3_3_the_company_that_is_linked_is_passed(org: Server, sales: Any) -> None:
    account, number = made(org, "Account", Name="Plavi d.o.o."), lead(org)
    outcome = convert(sales, number, Account=account)
    (contact,) = org.records("Contact")
    assert (outcome.result, outcome.into) == (
        Result.DONE,
        {"Contact": contact["Id"], "Account": account},
    )
    assert (contact["AccountId"], ids(org, "Account")) == (account, [account])
    (row,) = org.records("Lead")
    assert (row["IsConverted"], row["ConvertedContactId"]) == (True, contact["Id"])
    assert row["Status"] == "Closed - Converted"
    assert sales.fetch(LEAD, "id", [number]) == []


def test_a_conversion_makes_no_opportunity(org: Server, sales: Any) -> None:
    convert(sales, lead(org))
    (told,) = [one for one in org.get("journal")["writes"] if one["action"] == "convert"]
    assert told["fields"] == ["Account", "Contact"]


def test_practice_3_3_who_is_a_contact_there_gets_no_second_one(org: Server, sales: Any) -> None:
    account = made(org, "Account", Name="Plavi")
    contact = made(org, "Contact", LastName="Horvat", AccountId=account)
    outcome = convert(sales, lead(org, Title="Buyer"), Contact=contact)
    assert outcome.into == {"Contact": contact, "Account": account}
    assert (ids(org, "Contact"), ids(org, "Account")) == ([contact], [account])
    assert org.records("Contact")[0]["Title"] == "Buyer"  # into what was empty


def test_practice_3_3_a_contact_without_an_account_is_told(org: Server, sales: Any) -> None:
    contact = made(org, "Contact", LastName="Horvat")
    outcome = convert(sales, lead(org), Contact=contact)
    assert (outcome.result, "belongs to no account" in outcome.reason) == (Result.REJECTED, True)
    assert ids(org, "Account") == []


def test_practice_3_3_what_comes_of_a_lead_of_a_queue_belongs_to_our_user(
    org: Server, sales: Any
) -> None:
    number = lead(org, OwnerId=QUEUE)
    assert convert(sales, number).result is Result.DONE
    owners = {row["OwnerId"] for name in ("Contact", "Account") for row in org.records(name)}
    assert owners == {US}


def test_what_comes_of_a_lead_belongs_to_its_owner(org: Server, sales: Any) -> None:
    owner = "005000000000007AAA"
    convert(sales, lead(org, OwnerId=owner))
    assert org.records("Contact")[0]["OwnerId"] == owner


def test_practice_3_3_an_answer_lost_after_the_commit_is_read_before_it_is_tried_again(
    org: Server, sales: Any
) -> None:
    intent = wish(sales, lead(org))
    org.fault("POST", SOAP, drop="after")
    with pytest.raises(TransientError):
        sales.write("Lead", [intent])
    (contact,) = ids(org, "Contact")
    outcome = sales.write("Lead", [intent])[0]
    assert (outcome.result, outcome.into["Contact"]) == (Result.DONE, contact)
    assert (ids(org, "Contact"), len(ids(org, "Account"))) == ([contact], 1)


def test_practice_3_3_a_lead_that_a_user_converts_meanwhile_is_theirs(
    org: Server, sales: Any
) -> None:
    number = lead(org)
    intent = wish(sales, number)
    late = opened(org, meanwhile(SOAP, lambda: org.act("convert", "Lead", id=number)))
    outcome = late.write("Lead", [intent])[0]
    (contact,) = ids(org, "Contact")
    assert (outcome.result, outcome.into["Contact"]) == (Result.DONE, contact)
    late.close()


def test_practice_3_3_a_lead_without_company_would_become_a_person_account(
    org: Server, sales: Any
) -> None:
    """In an organization with person accounts the company may be empty."""
    org.act("alter", "Lead", field="Company", to={"nillable": True})
    number = lead(org, Company=None)
    outcome = convert(sales, number)
    assert (outcome.result, outcome.refusal) == (Result.REJECTED, Refusal.REQUIRED)
    assert outcome.reason.endswith("it would become a person account; convert it there by hand")
    assert ids(org, "Account") == []


def test_practice_3_3_no_second_account_is_made_of_a_company_that_is_there(
    org: Server, sales: Any
) -> None:
    account = made(org, "Account", Name="PLAVI")
    outcome = convert(sales, lead(org))
    assert (outcome.result, outcome.refusal) == (Result.REJECTED, Refusal.DUPLICATE)
    assert (outcome.found, ids(org, "Account")) == ((account,), [account])


def test_practice_3_3_two_leads_of_a_company_in_one_call_make_one_account(
    org: Server, sales: Any
) -> None:
    wishes = [wish(sales, lead(org)) for _ in range(2)]
    results = [one.result for one in sales.write("Lead", wishes)]
    assert results == [Result.DONE, Result.REJECTED]
    assert len(ids(org, "Account")) == 1


def test_one_lead_that_moved_on_lets_the_others_go(org: Server, sales: Any) -> None:
    account = made(org, "Account", Name="Plavi")
    numbers = [lead(org) for _ in range(3)]
    wishes = [wish(sales, number, Account=account) for number in numbers]
    org.post("clock", advance=5)
    org.act("update", "Lead", id=numbers[1], values={"Title": "Boss"})
    results = [one.result for one in sales.write("Lead", wishes)]
    assert results == [Result.DONE, Result.STALE, Result.DONE]
    assert len(ids(org, "Contact")) == 2


def test_a_lead_that_is_gone_is_told(org: Server, sales: Any) -> None:
    number = lead(org)
    intent = wish(sales, number)
    org.act("delete", "Lead", id=number)
    assert sales.write("Lead", [intent])[0].result is Result.GONE


def test_a_session_that_has_ended_is_renewed(org: Server, sales: Any) -> None:
    intent = wish(sales, lead(org))
    late = opened(org, meanwhile(SOAP, lambda: org.post("tokens/expire")))
    assert late.write("Lead", [intent])[0].result is Result.DONE
    late.close()


def test_practice_3_4_where_soap_refuses_the_token_no_conversion_is_offered(
    org: Server, sales: Any
) -> None:
    org.post("switches", soap=False)
    assert not any(Action.CONVERT in one.actions for one in sales.describe())
    told = [one.what for one in sales.check([LEAD]).findings]
    assert any("SOAP does not take the app's access token" in what for what in told)
    outcome = convert(sales, lead(org))
    assert (outcome.result, outcome.refusal) == (Result.REJECTED, Refusal.PERMISSION)


def test_without_the_permission_no_conversion_is_offered(org: Server, sales: Any) -> None:
    org.post("switches", may_convert=False)
    assert not any(Action.CONVERT in one.actions for one in sales.describe())
    (found,) = [one for one in sales.check([LEAD]).findings if "converts" in one.what]
    assert "lacks the permission Convert Leads" in found.what
    assert "Convert Leads" in found.remedy
    outcome = convert(sales, lead(org))
    assert (outcome.result, outcome.refusal) == (Result.REJECTED, Refusal.PERMISSION)


def test_without_a_right_on_accounts_no_conversion_is_offered(org: Server, sales: Any) -> None:
    org.act("alter", "Account", to={"createable": False})
    assert not any(Action.CONVERT in one.actions for one in sales.describe())
    (found,) = [one for one in sales.check([LEAD]).findings if "converts" in one.what]
    assert "Account is not createable" in found.what


def test_leads_alone_are_converted(sales: Any) -> None:
    offered = [one.name for one in sales.describe() if Action.CONVERT in one.actions]
    assert offered == ["Lead"]


def test_the_status_that_means_converted_may_be_chosen(org: Server) -> None:
    sales = opened(org, converted_status="Closed - Converted")
    assert convert(sales, lead(org)).result is Result.DONE
    sales.close()
    wrong = opened(org, converted_status="Won")
    assert convert(wrong, lead(org, Company="Zub")).result is Result.REJECTED
    told = [one.what for one in wrong.check([LEAD]).findings]
    assert any("Won (converted_status)" in what for what in told)
    wrong.close()


@pytest.mark.parametrize(
    "body",
    [
        "<html>maintenance</html>",
        '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        "",
        "<x",
    ],
)
def test_what_is_no_soap_message_leaves_the_fate_open(org: Server, sales: Any, body: str) -> None:
    intent = wish(sales, lead(org))
    org.fault("POST", SOAP, status=200, body=body)
    with pytest.raises(Exception, match="SOAP") as raised:
        sales.write("Lead", [intent])
    assert isinstance(raised.value, TransientError) == (body != "<html>maintenance</html>")
    assert sales.write("Lead", [intent])[0].result is Result.DONE


def test_a_fault_of_the_call_is_of_the_connection(org: Server, sales: Any) -> None:
    intent = wish(sales, lead(org))
    fault = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
        "<faultcode>sf:SERVER_UNAVAILABLE</faultcode><faultstring>later</faultstring>"
        "</e:Fault></e:Body></e:Envelope>"
    )
    org.fault("POST", SOAP, status=500, body=fault)
    with pytest.raises(TransientError, match="SERVER_UNAVAILABLE"):
        sales.write("Lead", [intent])
