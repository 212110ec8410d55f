"""The Dataverse simulator answers as Microsoft documents: lists, pages, change tracking."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.connectors.processes import Server, simulator
from tests.simulators.dataverse_api import (
    ANN,
    ERRORS,
    created,
    fixture,
    listed,
    refusal,
    sign_in,
    signed_in,
)

TRACK = {"Prefer": "odata.track-changes"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("dataverse", tmp_path_factory.mktemp("dataverse")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def api(org: Server) -> Iterator[httpx.Client]:
    with signed_in(org) as client:
        yield client


# lists


def test_rows_are_selected_filtered_ordered_and_counted(api: httpx.Client) -> None:
    for n, name in enumerate(("Kos", "babić", "Anić")):
        created(api, lastname=name, leadsourcecode=n + 1)

    def names(url: str) -> list[str]:
        return [row["lastname"] for row in api.get(url).json()["value"]]

    assert names("/leads?$select=lastname&$orderby=lastname desc") == ["Kos", "babić", "Anić"]
    assert names("/leads?$filter=lastname eq 'BABIĆ'") == ["babić"]
    assert names("/leads?$filter=leadsourcecode gt 1 and not startswith(lastname,'a')") == ["babić"]
    assert names("/leads?$top=1&$orderby=leadsourcecode") == ["Kos"]
    assert api.get("/leads?$count=true&$top=1").json()["@odata.count"] == 3
    count = api.get("/leads/$count")
    assert (count.text, count.headers["Content-Type"][:10]) == ("3", "text/plain")
    row = api.get("/leads?$select=lastname&$top=1").json()["value"][0]
    assert set(row) == {"@odata.etag", "lastname", "leadid"}


def test_a_list_of_values_is_json_and_names_the_column_itself(api: httpx.Client) -> None:
    """Documented with O'Brian (webapi/query/filter-rows)."""
    created(api, lastname="O'Brian")
    account = created(api, "accounts", name="Plavi")
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    contact = created(api, "contacts", **bind)
    within = "$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)"

    def ask(table: str, name: str, values: str) -> httpx.Response:
        return api.get(f"/{table}?{within}&@p1='{name}'&@p2={values}")

    assert len(ask("leads", "lastname", '["OBrian","O\'Brian"]').json()["value"]) == 1
    (found,) = ask("contacts", "parentcustomerid", f'["{account}"]').json()["value"]
    assert found["contactid"] == contact
    for table, name, values in (
        ("leads", "lastname", "['O'Brian']"),
        ("leads", "leadid", '["no guid"]'),
        ("contacts", "_parentcustomerid_value", f'["{account}"]'),
    ):
        assert ask(table, name, values).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "/leads?$select=nope",
        "/leads?$filter=nope eq 1",
        "/leads?$orderby=nope",
        "/leads?$filter=lastname like 'x'",
        "/leads?$skip=1",
        "/leads?$select=parentcustomerid",
    ],
)
def test_what_cannot_be_asked_is_refused(api: httpx.Client, url: str) -> None:
    assert refusal(api.get(url))[:2] == (400, "0x80060888")


def test_an_unknown_segment_is_not_a_missing_row(api: httpx.Client) -> None:
    assert refusal(api.get("/nopes"))[:2] == (404, "0x80060888")


def test_a_url_has_an_end(api: httpx.Client) -> None:
    answer = api.get("/leads?$filter=lastname eq '" + "x" * 33_000 + "'")
    assert answer.status_code in (400, 414)  # which of them is not documented


def test_pages_go_on_by_the_documented_cookie(api: httpx.Client) -> None:
    for n in range(5):
        created(api, lastname=f"N{n}")
    size = {"Prefer": "odata.maxpagesize=2"}
    first = api.get("/leads?$select=lastname", headers=size)
    assert first.headers["Preference-Applied"] == "odata.maxpagesize=2"
    cookie = r'pagenumber="2" pagingcookie="[^"]+" istracking="False"'
    for link in (fixture("contacts_page1.json"), first.json()):
        assert re.search(cookie, httpx.URL(link["@odata.nextLink"]).params["$skiptoken"])
    pages = listed(api, "/leads?$select=lastname", size)
    assert [len(page["value"]) for page in pages] == [2, 2, 1]
    assert sorted(row["lastname"] for p in pages for row in p["value"]) == [
        f"N{n}" for n in range(5)
    ]


def test_a_row_that_is_deleted_between_pages_moves_nobody(org: Server, api: httpx.Client) -> None:
    for n in range(4):
        created(api, lastname=f"N{n}")
    size = {"Prefer": "odata.maxpagesize=2"}
    first = api.get("/leads?$orderby=lastname", headers=size).json()
    org.act("delete", "lead", id=first["value"][0]["leadid"])
    second = api.get(first["@odata.nextLink"], headers=size).json()
    assert [row["lastname"] for row in second["value"]] == ["N2", "N3"]


# change tracking


def test_changes_come_as_documented(org: Server, api: httpx.Client) -> None:
    kept, gone = (created(api, "accounts", name=name) for name in ("Plavi", "Zeleni"))
    url = "/accounts?$select=name,accountnumber,telephone1,fax"
    first = api.get(url, headers=TRACK)
    assert first.headers["Preference-Applied"] == "odata.track-changes"
    documented = fixture("initial_response.json")
    assert set(first.json()) == set(documented)
    assert set(first.json()["value"][0]) == set(documented["value"][0])
    token = re.compile(r"\d+!\d\d/\d\d/\d{4} \d\d:\d\d:\d\d")
    for body in (documented, first.json()):
        assert token.fullmatch(httpx.URL(body["@odata.deltaLink"]).params["$deltatoken"])
    api.patch(f"/accounts({kept})", json={"fax": "1"})
    api.delete(f"/accounts({gone})")
    changes = api.get(first.json()["@odata.deltaLink"]).json()
    documented = fixture("changes_with_deleted.json")
    assert [set(row) for row in changes["value"]] == [
        {*documented["value"][0], "accountnumber"},
        set(documented["value"][1]),
    ]
    assert changes["@odata.context"].endswith("/$delta")
    deleted = changes["value"][1]
    assert (deleted["id"], deleted["reason"]) == (gone, "deleted")
    assert deleted["@odata.context"].endswith("#accounts/$deletedEntity")
    assert api.get(changes["@odata.deltaLink"]).json()["value"] == []


def test_a_token_comes_with_the_last_page_and_is_of_its_time(
    org: Server, api: httpx.Client
) -> None:
    """powerapps-docs issue 3862; the switch gives the other reading of the documentation."""
    for of_start in (False, True):
        org.post("reset")
        org.post("switches", token_of_start=of_start)
        headers = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
        for _ in range(3):
            org.act("create", "lead", values=ANN)
        first = api.get("/leads?$select=jobtitle", headers=headers).json()
        assert "@odata.deltaLink" not in first
        org.act("update", "lead", id=first["value"][0]["leadid"], values={"jobtitle": "late"})
        last = api.get(first["@odata.nextLink"], headers=headers).json()
        changes = api.get(last["@odata.deltaLink"], headers=headers).json()["value"]
        assert [row["jobtitle"] for row in changes] == (["late"] if of_start else [])


def test_changes_come_in_pages_and_lose_nothing_between_them(
    org: Server, api: httpx.Client
) -> None:
    numbers = [created(api) for _ in range(4)]
    link = api.get("/leads?$select=jobtitle", headers=TRACK).json()["@odata.deltaLink"]
    for number in numbers:
        api.patch(f"/leads({number})", json={"jobtitle": "first"})
    size = {"Prefer": "odata.maxpagesize=2"}
    page = api.get(link, headers=size).json()
    assert "@odata.deltaLink" not in page
    api.delete(f"/leads({numbers[0]})")
    api.patch(f"/leads({numbers[1]})", json={"jobtitle": "second"})
    pages = [page, *listed(api, page["@odata.nextLink"], size)]
    again = listed(api, pages[-1]["@odata.deltaLink"], size)
    rows = [row for page in (*pages, *again) for row in page["value"]]
    state = {row.get("leadid", row.get("id")): row.get("jobtitle") for row in rows}
    assert state == {
        numbers[0]: None,
        numbers[1]: "second",
        numbers[2]: "first",
        numbers[3]: "first",
    }


@pytest.mark.parametrize("cause", ["age", "schema"])
def test_a_token_expires(org: Server, api: httpx.Client, cause: str) -> None:
    link = api.get("/leads?$select=jobtitle", headers=TRACK).json()["@odata.deltaLink"]
    if cause == "age":
        org.post("clock", advance=8 * 86400)
        api.headers["Authorization"] = f"Bearer {sign_in(org)['access_token']}"
    else:
        org.post("switches", schema_changed_at=10**6)
    documented = ERRORS["expired_delta_token"]["body"]["error"]
    assert refusal(api.get(link))[1:] == (documented["code"], documented["message"])


@pytest.mark.parametrize("option", ["$filter=statecode eq 0", "$orderby=lastname", "$top=1"])
def test_tracking_refuses_options(api: httpx.Client, option: str) -> None:
    status, _, words = refusal(api.get(f"/leads?{option}", headers=TRACK))
    assert status == 400
    assert words.endswith("query parameter isn't supported when Change Tracking is enabled.")


def test_tracking_may_be_off(org: Server, api: httpx.Client) -> None:
    org.post("switches", untracked=["lead"])
    assert refusal(api.get("/leads", headers=TRACK))[1] == "0x80072491"
