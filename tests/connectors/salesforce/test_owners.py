"""Whom records belong to in Salesforce: users by address, queues for leads."""

from typing import Any

import pytest

from connectors import Refusal, Result, Selection
from tests.connectors.processes import Server
from tests.connectors.salesforce_org import creating, lead, read, updating

OWNED = Selection("Lead", ("LastName", "OwnerId"))
US, EVA, QUEUE = "005000000000001AAA", "005000000000002AAA", "00G000000000009AAA"
IVO, LEFT = "005000000000007AAA", "005000000000006AAA"


@pytest.fixture(autouse=True)
def _people(org: Server) -> None:
    users = org.post("switches")["users"]
    gone = {"Id": LEFT, "Email": "left@plavi.example", "IsActive": False}
    chatter = {"Id": "005000000000008AAA", "Email": "free@x.example", "IsActive": True}
    org.post("switches", users=[*users, gone, chatter | {"UserType": "CsnOnly"}])


def test_practice_4_5_users_and_queues_are_told(sales: Any) -> None:
    assert [(o.id, o.name, o.active, o.objects, o.is_us) for o in sales.owners()] == [
        (US, "integration@plavi.example", True, (), True),
        (EVA, "eva@plavi.example", True, (), False),
        (IVO, "ivo@plavi.example", True, (), False),
        (LEFT, "left@plavi.example", False, (), False),
        (QUEUE, "queue:Inbound", True, ("Lead",), False),
    ]


@pytest.mark.parametrize("owner", [EVA, QUEUE])
def test_practice_4_5_a_record_is_given_to_a_user_or_a_queue(
    org: Server, sales: Any, owner: str
) -> None:
    write = creating(LastName="Horvat", Company="Plavi", OwnerId=owner)
    (made,) = sales.write("Lead", [write])
    assert (made.result, read(sales, made.id, OWNED).values["OwnerId"]) == (Result.DONE, owner)
    number = lead(org, OwnerId=US)
    (done,) = sales.write("Lead", [updating(number, {"OwnerId": owner})])
    assert (done.result, read(sales, number, OWNED).values["OwnerId"]) == (Result.DONE, owner)


@pytest.mark.parametrize(
    ("object", "owner", "code"),
    [
        ("Lead", LEFT, "INACTIVE_OWNER_OR_USER"),
        ("Contact", QUEUE, "OP_WITH_INVALID_USER_TYPE_EXCEPTION"),
        ("Lead", "005000000000099AAA", "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_practice_4_5_who_cannot_own_a_record_is_the_owners_fault(
    org: Server, sales: Any, object: str, owner: str, code: str
) -> None:
    values = {"LastName": "Horvat", "OwnerId": owner}
    values |= {"Company": "Plavi"} if object == "Lead" else {}
    (refused,) = sales.write(object, [creating(**values)])
    assert (refused.result, refused.faults) == (Result.REJECTED, {"OwnerId": code})
    assert refused.refusal is Refusal.REFERENCE
    if object == "Lead":
        (refused,) = sales.write(object, [updating(lead(org), {"OwnerId": owner})])
        assert (refused.result, refused.faults) == (Result.REJECTED, {"OwnerId": code})
