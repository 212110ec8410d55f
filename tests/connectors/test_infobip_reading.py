"""Reading Customer Profiles: pages of a list that moves, cursors, look-ups."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from connectors.errors import AuthError, CursorExpiredError, ResponseError
from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Record, Selection
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_reads import FIELDS, PEOPLE, everything, names, records

KEY = UUID("8c6f1c7e-3f0a-4a57-9d55-0d1a4f5b2c11")


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account, page_size=5)
    yield connector
    connector.close()


def test_a_person_as_documented_becomes_a_record(crm: InfobipConnector, account: Account) -> None:
    account.persons[1] = {
        "createdAt": "2018-03-29T13:46:31",
        "modifiedAt": "2018-03-30T11:25:13",
        "id": 1,
        "externalId": "3",
        "type": "CUSTOMER",
        "firstName": "Jane",
        "lastName": "Smith",
        "middleName": "",
        "tags": ["VIP Customers", "New Customers"],
        "customAttributes": {"Contract Expiry": "2018-06-01", "CRMSYNC_company_id": "7"},
        "integrations": {"salesforce": {"contactId": "003A"}},
        "contactInformation": {
            "phone": [{"number": "41793026727"}, {"number": "12345"}],
            "email": [{"address": "janewilliams@acme.com"}],
            "push": [{"applicationId": "FD", "registrationId": "c5"}],
        },
    }
    shown = ("middleName", "integrations.salesforce.contactId", "integrations.salesforce.leadId")
    [record] = crm.fetch(Selection("person", (*FIELDS, *shown)), "id", ["1"])
    assert record == Record(
        id="1",
        values={
            "type": "CUSTOMER",
            "lastName": "Smith",
            "phones": ["+41793026727", "12345"],
            "emails": ["janewilliams@acme.com"],
            "tags": ["VIP Customers", "New Customers"],
            "company": "7",
            "customAttributes.job_title": None,
            "middleName": None,
            "integrations.salesforce.contactId": "003A",
            "integrations.salesforce.leadId": None,
        },
        key=None,
        version="2018-03-30T11:25:13",
        modified_at=datetime(2018, 3, 30, 11, 25, 13, tzinfo=UTC),
    )


def test_a_company_as_documented_becomes_a_record(crm: InfobipConnector, account: Account) -> None:
    account.companies[1] = {
        "createdAt": "2017-12-01T19:16:41",
        "modifiedAt": "2017-12-01T19:16:41",
        "id": 1,
        "externalId": str(KEY),
        "name": "Infobip",
        "country": "Croatia",
        "vatNumber": "003212059",
        "domains": ["infobip.com"],
    }
    fields = ("name", "country", "vatNumber", "domains", "industry")
    for field, value in {"id": "1", "key": str(KEY), "domains": "infobip.com"}.items():
        [record] = crm.fetch(Selection("company", fields), field, [value, "nobody"])
        assert record.key == KEY
        assert dict(record.values) == {
            "name": "Infobip",
            "country": "Croatia",
            "vatNumber": "003212059",
            "domains": ["infobip.com"],
            "industry": None,
        }


@pytest.mark.parametrize(
    ("external", "key"),
    [(str(KEY), KEY), (str(KEY).upper(), None), (KEY.hex, None), ("app-1", None), (None, None)],
)
def test_only_an_external_id_in_our_form_is_our_key(
    crm: InfobipConnector, account: Account, external: str | None, key: UUID | None
) -> None:
    email = {"email": [{"address": "a@acme.com"}]}
    id = account.add(lastName="A", externalId=external, contactInformation=email)
    [record] = crm.fetch(PEOPLE, "id", [str(id)])
    assert record.key == key


def test_an_empty_account_lists_one_empty_page_and_then_sees_the_first_profile(
    crm: InfobipConnector, account: Account
) -> None:
    [page] = everything(crm)
    assert (list(page.changes), page.listed_all) == ([], True)
    account.add(lastName="First", externalId="a")
    assert names(everything(crm, page.cursor)) == {"First"}


def test_a_listing_shows_everybody_once_and_says_so_on_its_last_page(
    crm: InfobipConnector, account: Account
) -> None:
    for number in range(23):
        account.add(lastName=f"N{number}", externalId=str(number))
    pages = everything(crm)
    assert [record.values["lastName"] for record in records(pages)] == [f"N{n}" for n in range(23)]
    assert [page.listed_all for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_listing_is_resumed_from_every_cursor(crm: InfobipConnector, account: Account) -> None:
    for number in range(23):
        account.add(lastName=f"N{number}", externalId=str(number))
    pages = everything(crm)
    for after in range(1, len(pages)):
        stored = json.loads(json.dumps(pages[after - 1].cursor))
        rest = everything(crm, stored)
        assert names(pages[:after]) | names(rest) == {f"N{n}" for n in range(23)}
        if after < len(pages):
            assert rest[-1].listed_all


def test_a_profile_edited_during_the_listing_is_read_again_after_it(
    crm: InfobipConnector, account: Account
) -> None:
    ids = [account.add(lastName=f"N{number}", externalId=str(number)) for number in range(12)]
    pages = crm.changes(PEOPLE, None)
    seen = [next(pages)]
    account.edit(ids[0], lastName="Edited")
    seen += pages
    assert "Edited" not in names(seen)
    assert "Edited" in names(everything(crm, seen[-1].cursor))


def test_a_small_change_costs_one_call(crm: InfobipConnector, account: Account) -> None:
    crm = connect(account)
    ids = [account.add(lastName=f"N{n}", externalId=str(n)) for n in range(500)]
    cursor = everything(crm)[-1].cursor
    account.calls.clear()
    account.edit(ids[7], lastName="Edited")
    pages = everything(crm, cursor)
    assert "Edited" in names(pages)
    assert len(account.calls) == 1
    crm.close()


def test_changes_are_found_down_to_the_overlap_for_what_becomes_visible_late(
    crm: InfobipConnector, account: Account
) -> None:
    for number in range(100):
        account.add(lastName=f"N{number}", externalId=str(number))
    cursor = everything(crm)[-1].cursor
    late = account.add(lastName="Late", externalId="late")
    account.persons[late]["modifiedAt"] = account.persons[60]["modifiedAt"]
    assert "Late" in names(everything(crm, cursor))


def test_what_becomes_visible_late_during_a_long_walk_is_read_too(
    crm: InfobipConnector, account: Account
) -> None:
    ids = [account.add(lastName=f"N{number}", externalId=str(number)) for number in range(30)]
    cursor = everything(crm)[-1].cursor
    for id in ids:
        account.edit(id, city="Zug")
    pages = crm.changes(PEOPLE, cursor)
    seen = [next(pages), next(pages)]
    late = account.add(lastName="Late", externalId="late")
    account.persons[late]["modifiedAt"] = account.persons[ids[-2]]["modifiedAt"]
    account.now += timedelta(minutes=5)
    account.edit(ids[0], city="Bern")
    seen += pages
    assert "Late" in names([*seen, *everything(crm, seen[-1].cursor)])


def test_practice_5_3_the_watermark_never_falls_when_the_newest_profile_goes(
    crm: InfobipConnector, account: Account
) -> None:
    ids = [account.add(lastName=f"N{n}", externalId=str(n)) for n in range(3)]
    cursor = everything(crm)[-1].cursor
    del account.persons[ids[-1]]
    assert everything(crm, cursor)[-1].cursor["watermark"] == cursor["watermark"]


def test_replaying_a_cursor_gives_the_same_changes(crm: InfobipConnector, account: Account) -> None:
    account.add(lastName="A", externalId="a")
    cursor = everything(crm)[-1].cursor
    account.add(lastName="B", externalId="b")
    assert names(everything(crm, cursor)) == names(everything(crm, cursor)) >= {"B"}


@pytest.mark.parametrize(
    "selection", [Selection("person", ("lastName",)), Selection("company", FIELDS)]
)
def test_the_cursor_of_another_selection_is_refused(
    crm: InfobipConnector, selection: Selection
) -> None:
    cursor = everything(crm)[-1].cursor
    with pytest.raises(CursorExpiredError):
        list(crm.changes(selection, cursor))


def test_the_order_of_the_selected_fields_does_not_matter(crm: InfobipConnector) -> None:
    cursor = everything(crm)[-1].cursor
    assert list(crm.changes(Selection("person", FIELDS[::-1]), cursor))


def test_an_unordered_answer_is_an_error_and_not_a_quiet_loss(
    crm: InfobipConnector, account: Account
) -> None:
    rows = [
        {"id": n, "createdAt": f"2026-01-0{n}T00:00:00", "modifiedAt": f"2026-01-0{n}T00:00:00"}
        for n in (1, 2)
    ]
    cursor = everything(crm)[-1].cursor
    account.before.append(lambda *_: httpx.Response(200, json={"persons": rows}))
    with pytest.raises(ResponseError, match="order"):
        everything(crm, cursor)


def test_pages_shorter_than_asked_for_are_an_error(crm: InfobipConnector, account: Account) -> None:
    account.before.append(lambda *_: httpx.Response(200, json={"persons": [], "limit": 100}))
    with pytest.raises(ResponseError, match="pages of 100"):
        everything(crm)


def test_a_key_without_permission_is_an_auth_error(crm: InfobipConnector, account: Account) -> None:
    account.before.append(lambda *_: httpx.Response(403, json={}))
    with pytest.raises(AuthError):
        everything(crm)


def test_look_up_by_key_and_addresses(crm: InfobipConnector, account: Account) -> None:
    contact = {"phone": [{"number": "41793026727"}], "email": [{"address": "jane@acme.com"}]}
    id = account.add(lastName="J", externalId=str(KEY), contactInformation=contact)
    account.add(lastName="Other", externalId="x")
    for field, value in {
        "key": str(KEY),
        "phones": "+41793026727",
        "emails": "Jane@ACME.com",
        "lastName": "J",
    }.items():
        found = crm.fetch(PEOPLE, field, [value, "nobody"])
        assert [record.id for record in found] == [str(id)], field
        assert set(found[0].values) == set(FIELDS)
    assert crm.fetch(PEOPLE, "emails", []) == []


def test_an_external_id_of_the_business_is_looked_up_and_not_searched_for_in_the_list(
    crm: InfobipConnector, account: Account
) -> None:
    for number in range(40):
        account.add(lastName=f"N{number}", externalId=f"K-{number}")
        account.add_company(name=f"Firm {number}", externalId=f"C-{number}")
    firms = Selection("company", ("name", "externalId"))
    [person] = crm.fetch(PEOPLE, "externalId", ["K-7", "nobody"])
    [firm] = crm.fetch(firms, "externalId", ["C-7", "nobody"])
    assert (person.values["lastName"], firm.values["name"]) == ("N7", "Firm 7")
    assert not [call for call in account.calls if "page" in call.params]


def test_unknown_and_impossible_ids_are_absent(crm: InfobipConnector, account: Account) -> None:
    id = account.add(lastName="J", externalId="x")
    found = crm.fetch(PEOPLE, "id", ["999", "not-an-id", str(id), str(id)])
    assert [record.id for record in found] == [str(id)]


@pytest.mark.parametrize("body", ["<html>", ""])
def test_a_404_that_is_not_the_apis_says_nothing_about_a_record(
    crm: InfobipConnector, account: Account, body: str
) -> None:
    id = account.add(lastName="J", externalId="x")
    account.before.append(lambda *_: httpx.Response(404, text=body))
    with pytest.raises(ResponseError, match="404"):
        crm.fetch(PEOPLE, "id", [str(id)])


def test_an_address_that_the_api_finds_malformed_belongs_to_nobody(
    crm: InfobipConnector, account: Account
) -> None:
    def strict(_: Account, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/match") and b"no address" in request.content:
            return httpx.Response(400, json={})
        return None

    for name in "abc":
        mail = {"email": [{"address": f"{name}@acme.com"}]}
        account.add(lastName=name, contactInformation=mail)
    account.before.append(strict)
    wanted = ["a@acme.com", "no address", "b@acme.com", "c@acme.com"]
    found = crm.fetch(PEOPLE, "emails", wanted)
    assert {record.values["lastName"] for record in found} == set("abc")
    assert crm.fetch(PEOPLE, "emails", ["no address"]) == []


def test_many_records_are_read_by_pages_as_long_as_these_pay(account: Account) -> None:
    ids = [str(account.add(lastName=f"N{n}", externalId=str(n))) for n in range(300)]
    crm = connect(account, page_size=100)
    wanted = [*ids[210:], ids[3], "999999"]
    account.calls.clear()
    found = crm.fetch(PEOPLE, "id", wanted)
    assert sorted(record.id for record in found) == sorted([*ids[210:], ids[3]])
    assert len(account.calls) <= 4
    crm.close()


@pytest.mark.parametrize(("companies", "calls"), [(150, 3), (4000, 40)])
def test_many_companies_are_looked_up_by_list_where_that_is_cheaper(
    account: Account, companies: int, calls: int
) -> None:
    at = {"createdAt": "2026-01-01T00:00:00", "modifiedAt": "2026-01-01T00:00:00"}
    for id in range(companies):
        account.companies[id] = {"id": id, "name": f"Firm {id}", "domains": [f"{id}.com"], **at}
    crm = connect(account, page_size=100)
    wanted = ["7.com", f"{companies - 1}.com", *(f"absent{n}.com" for n in range(18))]
    found = crm.fetch(Selection("company", ("name",)), "domains", wanted)
    assert {r.values["name"] for r in found} == {"Firm 7", f"Firm {companies - 1}"}
    assert len(account.calls) <= calls
    crm.close()


def test_a_key_kept_in_a_custom_attribute_is_read_and_found(account: Account) -> None:
    account.attributes["crm key"] = "STRING"
    id = account.add(lastName="J", externalId="app-7", customAttributes={"crm key": str(KEY)})
    account.add(lastName="K", externalId=str(UUID(int=5)))
    crm = connect(account, key_attribute="crm key")
    [record] = crm.fetch(PEOPLE, "key", [str(KEY)])
    assert (record.id, record.key) == (str(id), KEY)
    assert crm.fetch(PEOPLE, "key", [str(UUID(int=5))]) == []
    crm.close()
