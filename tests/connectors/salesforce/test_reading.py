"""Reading Salesforce: cursors, pages, tokens, look-ups and what must not pass for empty."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors import (
    AuthError,
    Converted,
    CursorExpiredError,
    Deleted,
    Merged,
    Selection,
    SetupError,
    TransientError,
)
from tests.connectors.processes import Server
from tests.connectors.salesforce_org import (
    ANN,
    CONTACT,
    LEAD,
    changes,
    lead,
    listed,
    opened,
    read,
)

QUERY = "/queryAll"
DAY = 86_400


def queries(org: Server) -> int:
    return sum("query" in call["path"] for call in org.get("journal")["calls"])


def ids(found: list[Any]) -> set[str]:
    return {change.record.id for change in found}


def test_deletes_merges_and_conversions_arrive_as_such(org: Server, sales: Any) -> None:
    gone, loser, winner, made = (lead(org, Email=f"p{n}@x.example") for n in range(4))
    cursor = listed(sales)[-1].cursor
    org.act("delete", "Lead", id=gone)
    org.act("merge", "Lead", id=winner, losers=[loser])
    into = org.act("convert", "Lead", id=made)["into"]
    found = changes(sales.changes(LEAD, cursor))
    assert Deleted(gone) in found
    assert Merged(loser, winner) in found
    assert Converted(made, into) in found
    assert sales.fetch(LEAD, "id", [gone, loser, made]) == []


def test_a_deleted_account_takes_its_contacts_along(org: Server, sales: Any) -> None:
    account = org.act("create", "Account", values={"Name": "Plavi"})["id"]
    contact = org.act("create", "Contact", values={"LastName": "Horvat", "AccountId": account})
    cursor = listed(sales, CONTACT)[-1].cursor
    org.act("delete", "Account", id=account)
    assert Deleted(contact["id"]) in changes(sales.changes(CONTACT, cursor))


def test_practice_1_4_a_disqualified_lead_is_inactive(org: Server, sales: Any) -> None:
    number = lead(org, Status="Closed - Not Converted")
    assert read(sales, number).inactive


def test_a_field_that_cannot_be_read_does_not_pass_for_empty(org: Server, sales: Any) -> None:
    """Otherwise a field that an administrator hides would be cleared everywhere."""
    number = lead(org, Title="Buyer")
    assert read(sales, number).values["Title"] == "Buyer"
    org.act("alter", "Lead", field="Title", to=None)
    for _ in range(2):  # as it was known, then as it is described now
        with pytest.raises(SetupError):
            listed(sales)
        with pytest.raises(SetupError):
            sales.fetch(LEAD, "id", [number])
    org.act("alter", "Lead", field="Title", to={})
    assert read(sales, number).values["Title"] == "Buyer"


def test_what_is_hidden_beside_the_mapping_ends_one_turn_only(org: Server, sales: Any) -> None:
    number = lead(org)
    cursor = listed(sales)[-1].cursor
    org.act("alter", "Lead", field="Status", to=None)
    with pytest.raises(SetupError, match="INVALID_FIELD"):
        list(sales.changes(LEAD, cursor))
    assert ids(changes(sales.changes(LEAD, cursor))) == {number}


def test_a_page_is_requested_when_it_is_asked_for(org: Server, sales: Any) -> None:
    for n in range(7):
        lead(org, Email=f"n{n}@x.example")
    org.post("switches", page_size=3)
    pages = sales.changes(LEAD, None)
    for asked in (1, 2, 3):
        next(pages)
        assert queries(org) == asked


def test_reading_nothing_new_is_one_call(org: Server, sales: Any) -> None:
    cursor = listed(sales)[-1].cursor
    before = org.get("counts")["calls"]
    list(sales.changes(LEAD, cursor))
    assert org.get("counts")["calls"] == before + 1


def test_the_cursor_stays_behind_the_servers_clock(org: Server, sales: Any) -> None:
    org.post("clock", advance=200)  # not by ours
    (page,) = listed(sales)
    now = datetime.fromisoformat(org.post("clock", advance=0)["now"])
    behind = now - datetime.fromisoformat(str(page.cursor["stamp"]))
    assert timedelta(seconds=30) <= behind < timedelta(seconds=60)


def test_an_edit_that_is_committed_late_is_not_lost(org: Server, sales: Any) -> None:
    number = lead(org, Title="Buyer")
    org.post("clock", advance=60)
    org.post("switches", visible_late=120)
    org.act("update", "Lead", id=number, values={"Title": "Boss"})
    pages = listed(sales)
    assert [one.record.values["Title"] for one in changes(pages)] == ["Buyer"]
    org.post("clock", advance=121)
    found = changes(sales.changes(LEAD, pages[-1].cursor))
    assert [one.record.values["Title"] for one in found] == ["Boss"]


def test_what_is_committed_minutes_late_is_not_lost(org: Server, sales: Any) -> None:
    org.post("switches", visible_late=300)
    number = lead(org)
    org.post("clock", advance=200)
    (page,) = listed(sales)
    assert page.changes == []
    org.post("clock", advance=101)
    assert ids(changes(sales.changes(LEAD, page.cursor))) == {number}


def test_a_listing_passes_rows_of_one_stamp(org: Server, sales: Any) -> None:
    """Otherwise a load of more rows than a page has would be read for ever."""
    numbers = {lead(org, Email=f"n{n}@x.example") for n in range(7)}
    org.post("switches", page_size=3)
    first = next(sales.changes(LEAD, None))
    rest = changes(sales.changes(LEAD, first.cursor))
    assert ids(changes([first])).isdisjoint(ids(rest))
    assert ids(changes([first])) | ids(rest) == numbers


def test_an_increment_that_breaks_off_goes_on_where_it_was(org: Server, sales: Any) -> None:
    org.post("clock", advance=-8000)  # so that what follows is never ahead of our clock
    cursor = listed(sales)[-1].cursor
    numbers = []
    for n in range(7):
        numbers.append(lead(org, Email=f"n{n}@x.example"))
        org.post("clock", advance=1000)
    org.post("switches", page_size=3)
    first = next(sales.changes(LEAD, cursor))
    rest = list(sales.changes(LEAD, first.cursor))
    assert ids(changes([first])) == set(numbers[:3])
    assert ids(changes(rest)) == set(numbers[2:])  # the overlap of ten minutes reaches one back
    assert not any(page.listed_all for page in (first, *rest))


def test_an_increment_that_breaks_off_keeps_the_safety_lag(org: Server, sales: Any) -> None:
    cursor = listed(sales)[-1].cursor
    for n in range(4):
        lead(org, Email=f"n{n}@x.example")
    org.post("switches", page_size=3)
    first, last = sales.changes(LEAD, cursor)
    assert first.cursor["stamp"] <= last.cursor["stamp"]


def test_a_cursor_older_than_the_recycle_bin_is_expired(org: Server, sales: Any) -> None:
    kept, gone = lead(org), lead(org, Email="b@x.example")
    cursor = listed(sales)[-1].cursor
    org.act("delete", "Lead", id=gone)
    org.post("clock", advance=14 * DAY)
    assert Deleted(gone) in changes(sales.changes(LEAD, cursor))
    org.post("clock", advance=2 * DAY)  # nobody tells of the deleted lead any more
    with pytest.raises(CursorExpiredError):
        list(sales.changes(LEAD, cursor))
    assert ids(changes(listed(sales))) == {kept}


def test_a_dead_locator_ends_the_turn_not_the_reading(org: Server, sales: Any) -> None:
    numbers = [lead(org, Email=f"n{n}@x.example") for n in range(7)]
    org.post("switches", page_size=3)
    pages = sales.changes(LEAD, None)
    first = next(pages)
    org.post("clock", advance=3 * DAY)  # locators live two days
    with pytest.raises(TransientError, match="INVALID_QUERY_LOCATOR"):
        next(pages)
    rest = list(sales.changes(LEAD, first.cursor))
    assert ids(changes([first, *rest])) == set(numbers)
    assert rest[-1].listed_all


def test_a_token_that_expires_between_pages_is_renewed(org: Server, sales: Any) -> None:
    numbers = [lead(org, Email=f"n{n}@x.example") for n in range(7)]
    org.post("switches", page_size=3)
    pages = sales.changes(LEAD, None)
    found = changes([next(pages)])
    org.post("tokens/expire")
    assert ids(found + changes(pages)) == set(numbers)


def test_practice_1_5_another_organization_at_the_same_address_is_refused(
    org: Server, sales: Any
) -> None:
    """A sandbox that is refreshed keeps its address; its tokens end."""
    listed(sales)
    org.post("tokens/expire")
    org.post("switches", organization="00D000000000002AAA")
    with pytest.raises(AuthError, match="00D000000000001AAA has become 00D000000000002AAA"):
        listed(sales)


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien",
        'Say "Ann"',
        "back\\slash",
        "ends in \\",
        "x') OR (Id != '",
        "per%cent_",
        "plus+and&amp;",
        "Žižić 王 ß",
        "two\nlines",
        "{braces}",
    ],
)
def test_values_are_quoted(org: Server, sales: Any, name: str) -> None:
    lead(org, Email="other@x.example")
    number = lead(org, LastName=name)
    assert [one.id for one in sales.fetch(LEAD, "LastName", [name])] == [number]


def test_many_long_values_are_looked_up_in_calls_that_fit(org: Server, sales: Any) -> None:
    numbers = {lead(org, Email=f"{n}@x.example", LastName="ž" * 70 + str(n)) for n in range(3)}
    names = ["ž" * 70 + str(n) for n in range(400)]
    assert {one.id for one in sales.fetch(LEAD, "LastName", names)} == numbers


def test_practice_7_5_what_cannot_be_looked_up_finds_nobody(org: Server, sales: Any) -> None:
    lead(org)
    org.act("alter", "Lead", field="Email", to={"filterable": False})  # encrypted
    assert sales.fetch(LEAD, "Email", [ANN["Email"]]) == []
    assert sales.fetch(LEAD, "NumberOfEmployees", ["7"]) == []


def test_practice_7_1_a_person_account_is_neither_company_nor_contact(org: Server) -> None:
    flag = {"type": "boolean", "createable": True, "length": 0}
    for name in ("Account", "Contact"):
        org.act("alter", name, field="IsPersonAccount", to=flag)
    person = {"IsPersonAccount": True}
    org.act("create", "Account", values={"Name": "Ann Horvat", "Phone": "1"} | person)
    org.act("create", "Contact", values={"LastName": "Horvat", "Phone": "1"} | person)
    company = org.act("create", "Account", values={"Name": "Plavi", "Phone": "1"})["id"]
    customer = org.act("create", "Contact", values={"LastName": "Novak", "Phone": "1"})["id"]
    sales = opened(org)
    for name, there in (("Account", company), ("Contact", customer)):
        selection = Selection(name, ("Phone",))
        assert ids(changes(listed(sales, selection))) == {there}
        assert [one.id for one in sales.fetch(selection, "Phone", ["1"])] == [there]
    sales.close()
