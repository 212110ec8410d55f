"""Lists of Customer Profiles that move while they are read: nobody is lost."""

import json
from collections.abc import Iterator
from itertools import count, islice
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import ResponseError
from connectors.infobip.connector import InfobipConnector
from connectors.infobip.paging import window
from connectors.protocol import Cursor
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_reads import PEOPLE, everything, names, records

COUNT = count()


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account, page_size=5)
    yield connector
    connector.close()


@pytest.mark.parametrize("most", [2, 3, 5, 10, 1000])
def test_practice_5_3_every_window_overlaps_known_rows_and_brings_new_ones(most: int) -> None:
    page, read = window(0, most, 0)
    known = read
    for _ in range(300):
        page, limit = window(read, most, known)
        start = (page - 1) * limit
        assert read - known <= start < read < start + limit
        assert limit <= 1000
        known = limit
        read = start + limit


def test_practice_5_3_a_full_sweep_goes_by_creation_and_changes_by_modification(
    crm: InfobipConnector, account: Account
) -> None:
    for number in range(12):
        account.add(lastName=f"N{number}", externalId=str(number))
    cursor = everything(crm)[-1].cursor
    orders = [call.params["orderBy"] for call in account.calls if "orderBy" in call.params]
    assert orders[0] == "modifiedAt:desc"  # where changes are to be read from afterwards
    assert set(orders[1:]) == {"createdAt:asc"}
    account.calls.clear()
    everything(crm, cursor)
    orders = [call.params["orderBy"] for call in account.calls if "orderBy" in call.params]
    assert set(orders) == {"modifiedAt:desc"}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("gone", [1, 4, 9])
def test_practice_5_3_rows_that_slide_forward_because_others_go_are_not_lost(
    crm: InfobipConnector, account: Account, gone: int, ties: bool
) -> None:
    account.ties = ties
    for number in range(20):
        account.add(lastName=f"N{number}", externalId=str(number))
    pages = crm.changes(PEOPLE, None)
    seen = [next(pages), next(pages)]
    for id in list(account.persons)[:gone]:
        del account.persons[id]
    assert {f"N{n}" for n in range(gone, 20)} <= names([*seen, *pages])


def test_many_rows_gone_between_two_pages_cost_few_calls(account: Account) -> None:
    for number in range(1000):
        account.add(lastName=f"N{number}", externalId=str(number))
    crm = connect(account, page_size=100)
    pages = crm.changes(PEOPLE, None)
    seen = [next(pages) for _ in range(5)]
    for id in list(account.persons)[:450]:
        del account.persons[id]
    account.calls.clear()
    assert {f"N{n}" for n in range(450, 1000)} <= names([*seen, *pages])
    assert len(account.calls) < 16
    crm.close()


def test_rows_of_one_stamp_in_ever_new_order_are_an_error_and_no_endless_walk(
    account: Account,
) -> None:
    account.ties = True
    for number in range(200):
        account.add(lastName=f"N{number}", externalId=str(number))
    chance = Random(1)

    def shuffled(_: Account, request: httpx.Request) -> httpx.Response:
        rows = list(account.persons.values())
        chance.shuffle(rows)
        limit, page = (int(request.url.params[name]) for name in ("limit", "page"))
        return httpx.Response(200, json={"persons": rows[(page - 1) * limit : page * limit]})

    account.before.append(shuffled)
    crm = connect(account, page_size=50)
    with pytest.raises(ResponseError, match="order"):
        for _ in islice(crm.changes(PEOPLE, None), 2000):
            pass
    crm.close()


def test_row_91_one_page_for_ever_is_an_error_and_no_endless_walk(account: Account) -> None:
    for number in range(20):
        account.add(lastName=f"N{number}", externalId=str(number))

    def first(_: Account, request: httpx.Request) -> httpx.Response:
        rows = list(account.persons.values())[: int(request.url.params["limit"])]
        return httpx.Response(200, json={"persons": rows})

    account.before.append(first)
    crm = connect(account, page_size=5)
    with pytest.raises(ResponseError, match="leads to itself"):
        for _ in islice(crm.changes(PEOPLE, None), 2000):
            pass
    crm.close()


@pytest.mark.parametrize("resumed", [False, True])
def test_changes_made_and_rows_gone_while_newest_first_is_read_are_not_lost(
    crm: InfobipConnector, account: Account, resumed: bool
) -> None:
    ids = [account.add(lastName=f"N{n}", externalId=str(n)) for n in range(30)]
    cursor = everything(crm)[-1].cursor
    for id in ids:
        account.edit(id, lastName=f"E{id}")
    pages = crm.changes(PEOPLE, cursor)
    seen = [next(pages), next(pages)]
    account.edit(ids[2], lastName="Moved")
    del account.persons[ids[-1]], account.persons[ids[-2]]
    if resumed:
        pages = crm.changes(PEOPLE, json.loads(json.dumps(seen[-1].cursor)))
    seen += pages
    still = {row["lastName"] for row in account.persons.values()}
    assert still <= names(seen)
    assert not any(page.listed_all for page in seen)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(2, 9),
    ties=st.booleans(),
    days=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["add", "edit", "delete"]), st.integers(0, 40)), max_size=12
        ),
        min_size=4,
        max_size=25,
    ),
)
def test_whatever_happens_between_pages_the_last_state_of_everybody_is_read(
    size: int, ties: bool, days: list[list[tuple[str, int]]]
) -> None:
    account = Account()
    for number in range(30):
        account.add(lastName=f"N{number}", externalId=f"first {number}")
    account.ties = ties
    crm = connect(account, page_size=size, overlap=0)
    acts = iter(days)
    seen: dict[str, str] = {}
    cursor: Cursor | None = None
    quiet = False
    while not quiet:
        quiet = cursor is not None and "position" not in cursor
        for page in crm.changes(PEOPLE, cursor):
            seen.update({r.id: str(r.values["lastName"]) for r in records([page])})
            cursor = page.cursor
            for act, number in next(acts, []):
                quiet = False
                happen(account, act, number)
    crm.close()
    for id, row in account.persons.items():
        assert seen[str(id)] == row["lastName"]


def happen(account: Account, act: str, number: int) -> None:
    ids = list(account.persons)
    if act == "add":
        account.add(lastName="new", externalId=f"new {next(COUNT)}")
    elif ids and act == "edit":
        account.edit(ids[number % len(ids)], lastName=f"edited {next(COUNT)}")
    elif ids:
        del account.persons[ids[number % len(ids)]]
