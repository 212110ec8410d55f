"""What people do in the Salesforce simulator, and how it shows over plain HTTP."""

from datetime import datetime

import httpx

from tests.connectors.processes import Server
from tests.simulators.salesforce.api import (
    ANN,
    DAY,
    KEY,
    found,
    insert,
    refusal,
    values_of,
)


def test_deleted_rows_stay_fifteen_days(org: Server, api: httpx.Client) -> None:
    number = insert(api)
    api.delete(f"sobjects/Lead/{number}")
    ask = "SELECT Id FROM Lead WHERE IsDeleted = true"
    assert values_of(api, ask) == []
    assert values_of(api, ask, "queryAll") == [number]
    org.act("undelete", "Lead", id=number)
    assert values_of(api, "SELECT Id FROM Lead") == [number]
    api.delete(f"sobjects/Lead/{number}")
    org.post("clock", advance=16 * DAY)
    assert org.acts({"action": "undelete", "object": "Lead", "id": number})[0]["error"]


def test_a_merge_keeps_the_winner_and_its_contacts(org: Server, api: httpx.Client) -> None:
    winner, loser = (insert(api, "Account", Name=name) for name in ("Plavi", "Plavi d.o.o."))
    contact = insert(api, "Contact", LastName="Horvat", AccountId=loser)
    org.act("merge", "Account", id=winner, losers=[loser])
    ask = "SELECT Id, IsDeleted, MasterRecordId FROM Account ORDER BY Id"
    assert found(api, ask, "queryAll") == [
        {"Id": winner, "IsDeleted": False, "MasterRecordId": None},
        {"Id": loser, "IsDeleted": True, "MasterRecordId": winner},
    ]
    assert api.get(f"sobjects/Contact/{contact}").json()["AccountId"] == winner
    merge = {"action": "merge", "object": "Account", "id": winner, "losers": [loser]}
    assert org.acts(merge)[0]["error"]


def test_a_deleted_account_takes_its_contacts_along(org: Server, api: httpx.Client) -> None:
    account = insert(api, "Account", Name="Plavi")
    contact = insert(api, "Contact", LastName="Horvat", AccountId=account)
    org.act("delete", "Account", id=account)
    assert found(api, "SELECT Id FROM Contact") == []
    org.act("undelete", "Account", id=account)
    assert values_of(api, "SELECT Id FROM Contact") == [contact]


def test_a_conversion_makes_account_and_contact(org: Server, api: httpx.Client) -> None:
    number = insert(api, Email="ann@x.example", **{KEY: "k-1"})
    into = org.act("convert", "Lead", id=number)["into"]
    row = api.get(f"sobjects/Lead/{number}").json()
    assert row["IsConverted"] is True
    assert (row["ConvertedContactId"], row["ConvertedAccountId"]) == (
        into["Contact"],
        into["Account"],
    )
    contact = api.get(f"sobjects/Contact/{into['Contact']}").json()
    assert (contact["Email"], contact[KEY]) == ("ann@x.example", None)
    answer = api.patch(f"sobjects/Lead/{number}", json={"Title": "x"})
    assert refusal(answer) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_a_conversion_into_a_contact_fills_what_is_empty(org: Server, api: httpx.Client) -> None:
    account = insert(api, "Account", Name="Plavi")
    contact = insert(api, "Contact", LastName="Kos", AccountId=account)
    number = insert(api, Title="Boss")
    into = org.act("convert", "Lead", id=number, into={"Contact": contact})["into"]
    assert into == {"Contact": contact, "Account": account}
    row = api.get(f"sobjects/Contact/{contact}").json()
    assert (row["LastName"], row["Title"]) == ("Kos", "Boss")


def test_what_is_not_committed_is_not_seen(org: Server, api: httpx.Client) -> None:
    number = insert(api, Title="Buyer")
    org.post("switches", visible_late=60)
    org.act("update", "Lead", id=number, values={"Title": "Boss"})
    hidden = org.act("create", "Lead", values=ANN)["id"]
    ask = "SELECT Title, SystemModstamp FROM Lead ORDER BY Id"
    (before,) = found(api, ask)
    assert before["Title"] == "Buyer"
    org.post("clock", advance=61)
    after, fresh = found(api, ask)
    now = datetime.fromisoformat(org.post("clock", advance=0)["now"])
    stamped = datetime.fromisoformat(fresh["SystemModstamp"])
    assert (now - stamped).total_seconds() >= 61  # stamped in the transaction, seen after it
    assert (after["Title"], hidden != number) == ("Boss", True)


def test_a_duplicate_rule_blocks(org: Server, api: httpx.Client) -> None:
    insert(api, Email="ann@x.example")
    org.post("switches", duplicate_rule=True)
    answer = api.post("sobjects/Lead", json=ANN | {"Email": "ann@x.example"})
    assert refusal(answer) == (400, "DUPLICATES_DETECTED")
