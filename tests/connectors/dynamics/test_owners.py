"""Whom rows belong to in Dynamics: users by address, teams by name, one polymorphic lookup."""

from typing import Any
from uuid import uuid4

import pytest

from connectors import Action, Level, Refusal, Result, Selection, Write
from tests.connectors.dynamics_org import lead, opened, read
from tests.connectors.processes import Server

OWNER = "_ownerid_value"
OWNED = Selection("lead", ("lastname", OWNER))
US, EVA, TEAM = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 3, 4))
LEFT = "00000000-0000-0000-0000-000000000007"


@pytest.fixture(autouse=True)
def _people(org: Server) -> None:
    known = org.post("switches")
    gone = {"systemuserid": LEFT, "internalemailaddress": "left@x.example", "isdisabled": True}
    access = {"teamid": str(uuid4()), "name": "Of one record", "teamtype": 1}
    org.post("switches", users=[*known["users"], gone], teams=[*known["teams"], access])


def test_practice_4_5_users_and_teams_are_told(service: Any) -> None:
    assert [(o.id, o.name, o.active, o.is_us) for o in service.owners()] == [
        (US, "integration@plavi.example", True, True),
        (EVA, "eva@plavi.example", True, False),
        (LEFT, "left@x.example", False, False),
        (TEAM, "team:First line", True, False),
    ]


@pytest.mark.parametrize("owner", [EVA, TEAM])
@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "after a start"])
def test_practice_4_5_a_row_is_given_to_a_user_or_a_team(
    org: Server, owner: str, is_asked: bool
) -> None:
    service = opened(org)
    if is_asked:
        service.owners()
    values = {"lastname": "Horvat", OWNER: owner}
    (made,) = service.write("lead", [Write(Action.CREATE, uuid4(), values=values)])
    assert (made.result, read(service, made.id, OWNED).values[OWNER]) == (Result.DONE, owner)
    number = lead(org)
    (done,) = service.write("lead", [Write(Action.UPDATE, uuid4(), number, {OWNER: owner})])
    assert (done.result, read(service, number, OWNED).values[OWNER]) == (Result.DONE, owner)
    service.close()


@pytest.mark.parametrize(
    ("owner", "code"), [(LEFT, "0x80040225"), (str(uuid4()), "0x80040217")], ids=["left", "nobody"]
)
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_practice_4_5_who_cannot_own_a_row_is_the_owners_fault(
    org: Server, service: Any, owner: str, code: str, action: Action
) -> None:
    number = lead(org) if action is Action.UPDATE else None
    values = {"lastname": "Horvat", OWNER: owner}
    (refused,) = service.write("lead", [Write(action, uuid4(), number, values)])
    assert (refused.result, refused.faults) == (Result.REJECTED, {OWNER: code})
    assert refused.refusal is Refusal.REFERENCE


def test_practice_4_5_check_tells_whose_created_rows_are(org: Server, service: Any) -> None:
    (first, *_) = service.check([Selection("lead", ("lastname",))]).findings
    assert (first.level, "belong to the application user" in first.what) == (Level.WARNING, True)
    (first, *others) = service.check([OWNED]).findings
    assert (first.level, others) == (Level.OK, [])
    org.post("switches", denied=["Assign lead"])
    (_, missing) = service.check([OWNED]).findings
    assert "may not assign every lead" in missing.what


def test_practice_4_5_an_owner_can_be_written(service: Any) -> None:
    (told,) = [one.fields[OWNER] for one in service.describe() if one.name == "lead"]
    assert (told.type, told.createable, told.updateable) == ("reference", True, True)
