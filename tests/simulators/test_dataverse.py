"""The Dataverse simulator answers as Microsoft documents: plain httpx and msal, no connector."""

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msal
import pytest

from tests.connectors.processes import Server, simulator

FIXTURES = Path("tests/fixtures/dataverse")
ERRORS = {one["name"]: one for one in json.loads((FIXTURES / "errors.json").read_text())}
ROOT = "/api/data/v9.2"
TRACK = {"Prefer": "odata.track-changes"}
WHOLE = {"Prefer": "return=representation"}
ANN = {"lastname": "Horvat", "companyname": "Plavi"}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("dataverse", tmp_path_factory.mktemp("dataverse")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture(scope="module")
def anyone(server: Server) -> Iterator[httpx.Client]:
    """A client that nobody has signed in."""
    trust = ssl.create_default_context(cafile=server.ca_file)
    with httpx.Client(base_url=server.address, verify=trust, trust_env=False) as client:
        yield client


def sign_in(org: Server, anyone: httpx.Client) -> dict[str, Any]:
    application = msal.ConfidentialClientApplication(
        "demo-client",
        client_credential="demo-secret-dynamics",
        authority=f"{org.address}/tenant",
        instance_discovery=False,
        http_client=anyone,
    )
    found: dict[str, Any] = application.acquire_token_for_client([f"{org.address}/.default"])
    return found


@pytest.fixture
def api(org: Server, anyone: httpx.Client) -> Iterator[httpx.Client]:
    token = sign_in(org, anyone)["access_token"]
    trust = ssl.create_default_context(cafile=org.ca_file)
    with httpx.Client(
        base_url=org.address + ROOT,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        verify=trust,
        trust_env=False,
    ) as client:
        yield client


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    told = response.json()["error"]
    return response.status_code, told["code"], told["message"]


def created(api: httpx.Client, table: str = "leads", **values: Any) -> str:
    answer = api.post(f"/{table}", json=(ANN if table == "leads" else {}) | values)
    assert answer.status_code == 204, answer.text
    found = re.search(r"\(([0-9a-f-]{36})\)$", answer.headers["OData-EntityId"])
    assert found
    return found[1]


def etag(api: httpx.Client, number: str) -> str:
    return str(api.get(f"/leads({number})").json()["@odata.etag"])


def listed(api: httpx.Client, url: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """An answer and those that its nextLink leads to."""
    pages = [api.get(url, headers=headers).json()]
    while "@odata.nextLink" in pages[-1]:
        pages.append(api.get(pages[-1]["@odata.nextLink"], headers=headers).json())
    return pages


# login


def test_msal_signs_in_and_a_token_ends(org: Server, anyone: httpx.Client) -> None:
    told = sign_in(org, anyone)
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3599)
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert anyone.get(f"{ROOT}/WhoAmI", headers=bearer).status_code == 200
    org.post("clock", advance=3600)
    answer = anyone.get(f"{ROOT}/WhoAmI", headers=bearer)
    assert answer.status_code == 401
    documented = ERRORS["401_no_token_headers"]["headers"]["WWW-Authenticate"]
    shape = re.compile(r"Bearer authorization_uri=https://\S+/oauth2/authorize, resource_id=\S+/")
    assert shape.fullmatch(documented)
    assert shape.fullmatch(answer.headers["WWW-Authenticate"])


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "openid"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_login_is_refused(
    org: Server, anyone: httpx.Client, change: dict[str, str], status: int, error: str
) -> None:
    form = {
        "client_id": "demo-client",
        "client_secret": "demo-secret-dynamics",
        "grant_type": "client_credentials",
        "scope": f"{org.address}/.default",
    }
    answer = anyone.post("/tenant/oauth2/v2.0/token", data=form | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


# single rows


def test_answers_carry_the_documented_headers(api: httpx.Client) -> None:
    answer = api.get("/WhoAmI()")
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert answer.headers["OData-Version"] == "4.0"
    assert set(fixture("whoami.json")) - {"@odata.context"} == set(answer.json())


def test_a_create_answers_with_the_rows_address_or_the_row(api: httpx.Client) -> None:
    number = str(uuid4())
    answer = api.post("/accounts", json={"accountid": number, "name": "Plavi"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-EntityId"] == f"{api.base_url}accounts({number})"
    answer = api.post("/accounts?$select=name", json={"name": "Plavi"}, headers=WHOLE)
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    recorded = fixture("create_return_representation_201.json")
    assert set(answer.json()) == set(recorded)
    for body in (answer.json(), recorded):
        assert body["@odata.context"].endswith("/$metadata#accounts(name)/$entity")
    again = api.post("/accounts", json={"accountid": number, "name": "Plavi"})
    assert refusal(again)[:2] == (412, "0x80040237")


def test_a_patch_is_an_upsert_unless_a_condition_forbids(api: httpx.Client) -> None:
    number = str(uuid4())
    url = f"/leads({number})"
    missing = api.patch(url, json=ANN, headers={"If-Match": "*"})
    assert refusal(missing)[:2] == (404, "0x80040217")
    assert number in refusal(missing)[2]
    assert api.patch(url, json=ANN, headers=WHOLE).status_code == 201
    assert api.patch(url, json=ANN, headers=WHOLE).status_code == 200
    assert api.patch(url, json=ANN).status_code == 204
    exists = api.patch(url, json=ANN, headers={"If-None-Match": "*"})
    documented = ERRORS["412_if_none_match_exists"]
    assert refusal(exists) == (
        documented["status"],
        "0x80040237",
        documented["body"]["error"]["message"],
    )


def test_an_update_or_delete_of_another_version_is_refused(api: httpx.Client) -> None:
    number = created(api)
    old = etag(api, number)
    assert re.fullmatch(r'W/"\d+"', old)
    answer = api.patch(
        f"/leads({number})?$select=jobtitle",
        json={"jobtitle": "Buyer"},
        headers={"If-Match": old} | WHOLE,
    )
    now = answer.headers["ETag"]
    assert (answer.json()["@odata.etag"], now != old) == (now, True)
    documented = ERRORS["412_concurrency_mismatch"]
    expected = (documented["status"], "0x80060882", documented["body"]["error"]["message"])
    stale = {"If-Match": old}
    assert refusal(api.patch(f"/leads({number})", json=ANN, headers=stale)) == expected
    assert refusal(api.delete(f"/leads({number})", headers=stale)) == expected
    assert api.get(f"/leads({number})", headers={"If-None-Match": now}).status_code == 304
    assert api.delete(f"/leads({number})", headers={"If-Match": now}).status_code == 204
    assert refusal(api.get(f"/leads({number})"))[:2] == (404, "0x80040217")


def test_the_server_stamps_and_computes(org: Server, api: httpx.Client) -> None:
    number = created(api, firstname="Ann", createdon="2001-01-01T00:00:00Z", fullname="x")
    first = api.get(f"/leads({number})").json()
    assert first["fullname"] == "Ann Horvat"
    assert first["createdon"] == first["modifiedon"] > "2020"
    assert first["@odata.etag"] == f'W/"{first["versionnumber"]}"'
    org.post("clock", advance=60)
    api.patch(f"/leads({number})", json={"firstname": None})
    after = api.get(f"/leads({number})").json()
    assert (after["fullname"], after["createdon"]) == ("Horvat", first["createdon"])
    assert after["modifiedon"] > first["modifiedon"]


def test_a_text_that_is_too_long_is_refused_in_the_documented_words(api: httpx.Client) -> None:
    documented = ERRORS["400_string_too_long"]
    words = documented["body"]["error"]["message"]
    expected = words.replace("'task'", "'lead'").replace("'200'", "'300'")
    assert refusal(api.post("/leads", json=ANN | {"subject": "x" * 301})) == (
        documented["status"],
        documented["body"]["error"]["code"],
        expected,
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"leadsourcecode": 77}, "0x8004431a"),
        ({"statecode": 1, "statuscode": 4}, "0x80048408"),
        ({"numberofemployees": "12"}, "0x80048d19"),
        ({"donotemail": "yes"}, "0x80048d19"),
        ({"lastusedincampaign": "2024-06-12T14:13:28"}, "0x80048d19"),
        ({"no_such_column": 1}, "0x80060888"),
        ({"_parentaccountid_value": str(uuid4())}, "0x80060888"),
    ],
)
def test_a_bad_value_is_refused_and_nothing_is_written(
    org: Server, api: httpx.Client, values: dict[str, Any], code: str
) -> None:
    assert refusal(api.post("/leads", json=ANN | values))[:2] == (400, code)
    assert org.records("lead") == []
    assert refusal(api.post("/leads", content=b"{"))[:2] == (400, "0x80048d19")


def test_a_state_alone_takes_its_own_default_reason(api: httpx.Client) -> None:
    number = created(api)
    api.patch(f"/leads({number})", json={"statecode": 2})
    row = api.get(f"/leads({number})?$select=statecode,statuscode").json()
    assert (row["statecode"], row["statuscode"]) == (2, 4)


def test_a_lookup_is_bound_by_the_name_of_its_target(org: Server, api: httpx.Client) -> None:
    account, contact = created(api, "accounts", name="Plavi"), created(api, "contacts")
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    api.patch(f"/contacts({contact})", json=bind)
    annotated = {"Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'}
    row = api.get(f"/contacts({contact})?$select=_parentcustomerid_value", headers=annotated).json()
    assert row["_parentcustomerid_value"] == account
    name = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    assert row[name] == "account"
    wrong = {"parentcustomerid@odata.bind": f"/accounts({account})"}
    assert refusal(api.patch(f"/contacts({contact})", json=wrong))[:2] == (400, "0x80060888")
    gone = {"parentcustomerid_account@odata.bind": f"/accounts({uuid4()})"}
    assert refusal(api.patch(f"/contacts({contact})", json=gone))[:2] == (404, "0x80040217")
    api.patch(f"/contacts({contact})", json={"parentcustomerid_account@odata.bind": None})
    assert org.records("contact")[0]["_parentcustomerid_value"] is None


def test_a_missing_permission_is_refused_in_the_documented_words(
    org: Server, api: httpx.Client
) -> None:
    number = created(api)
    org.post("switches", denied=["Write lead"])
    status, code, words = refusal(api.patch(f"/leads({number})", json=ANN))
    documented = ERRORS["403_missing_privilege"]
    assert (status, code) == (403, documented["body"]["error"]["code"])
    shape = r"Principal user \(Id=.*\), is missing prv\w+ privilege \(Id=.*\) on OTC=\d+ for entity"
    for one in (words, documented["body"]["error"]["message"]):
        assert re.match(shape, one)


def test_column_security_hides_and_refuses_without_permission(
    org: Server, api: httpx.Client
) -> None:
    number = created(api, fax="1")
    org.post("switches", secured=["lead.fax"])
    assert api.get(f"/leads({number})").json()["fax"] is None
    assert refusal(api.patch(f"/leads({number})", json={"fax": "2"}))[:2] == (403, "0x8004f507")
    org.post("switches", granted=["lead.fax"])
    assert api.get(f"/leads({number})").json()["fax"] == "1"
    user = api.get("/WhoAmI").json()["UserId"]
    path = f"/systemusers({user})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"
    (told,) = api.get(path).json()["AttributePrivileges"]
    assert (told["CanRead"], told["CanUpdate"]) == (4, 4)
    query = "$select=MetadataId,IsSecured&$filter=LogicalName eq 'fax'"
    (column,) = api.get(f"/EntityDefinitions(LogicalName='lead')/Attributes?{query}").json()[
        "value"
    ]
    assert column == {"MetadataId": told["AttributeId"], "IsSecured": True}


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
    assert api.get("/leads?$filter=lastname eq '" + "x" * 33_000 + "'").status_code == 414


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
        headers = {
            "Authorization": f"Bearer {sign_in(org, api)['access_token']}",
            "Prefer": "odata.track-changes,odata.maxpagesize=2",
        }
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
        api.headers["Authorization"] = f"Bearer {sign_in(org, api)['access_token']}"
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


# merge and qualification


def test_a_merge_as_documented_ends_the_subordinate(org: Server, api: httpx.Client) -> None:
    told = fixture("merge_request.json")
    for role in ("Target", "Subordinate"):
        created(api, "accounts", accountid=told[role]["accountid"], name=told[role]["name"])
    target, loser = told["Target"]["accountid"], told["Subordinate"]["accountid"]
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({loser})"}
    contact = created(api, "contacts", lastname="Horvat", **bind)
    assert api.post("/Merge", json=told).status_code == 204
    row = api.get(f"/accounts({loser})").json()
    assert (row["merged"], row["_masterid_value"], row["statecode"]) == (True, target, 1)
    assert api.get(f"/accounts({target})").json()["accountnumber"] == "1234"
    assert api.get(f"/contacts({contact})").json()["_parentcustomerid_value"] == target
    assert refusal(api.post("/Merge", json=told))[1] == "0x80045304"
    same = told | {"Subordinate": told["Target"]}
    assert refusal(api.post("/Merge", json=same))[1] == "0x80045305"


def test_a_qualified_lead_names_nobody_but_is_named(api: httpx.Client) -> None:
    number = created(api, firstname="Ann")
    body = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
    answer = api.post(f"/leads({number})/Microsoft.Dynamics.CRM.QualifyLead", json=body)
    assert answer.status_code == 200
    recorded = fixture("qualifylead_response.json")
    context = re.compile(r".*#Collection\(Microsoft\.Dynamics\.CRM\.crmbaseentity\)")
    for told in (recorded, answer.json()):
        assert context.fullmatch(told["@odata.context"])
        assert told["value"][0]["@odata.type"] == "#Microsoft.Dynamics.CRM.contact"
        assert told["value"][0]["_originatingleadid_value"]
    assert {row["_originatingleadid_value"] for row in answer.json()["value"]} == {number}
    lead = api.get(f"/leads({number})").json()
    assert (lead["statecode"], lead["statuscode"]) == (1, 3)
    again = api.post(f"/leads({number})/Microsoft.Dynamics.CRM.QualifyLead", json=body)
    assert refusal(again)[1] == "0x80040519"


# definitions


def test_a_table_is_defined_as_recorded(api: httpx.Client) -> None:
    recorded = fixture("entitydefinition_contact.json")
    told = api.get("/EntityDefinitions(LogicalName='contact')").json()
    for name in set(recorded) - {"@odata.context", "Privileges"}:
        assert told[name] == recorded[name]
    shape = [(one["Name"], one["PrivilegeType"]) for one in recorded["Privileges"]]
    assert {(one["Name"], one["PrivilegeType"]) for one in told["Privileges"]} <= set(shape)
    user = api.get("/WhoAmI").json()["UserId"]
    held = api.get(f"/systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()").json()
    names = {one["PrivilegeName"] for one in held["RolePrivileges"] if one["Depth"] == "Global"}
    assert {one["Name"] for one in told["Privileges"]} <= names
    assert api.get("/EntityDefinitions(LogicalName='nope')").status_code == 404
    one = "/EntityDefinitions?$select=LogicalName&$filter=LogicalName eq "
    assert api.get(f"{one}'lead'").json()["value"] == [{"LogicalName": "lead"}]
    assert api.get(f"{one}'nope'").json()["value"] == []


def test_what_a_derived_type_has_is_told_after_a_cast_only(api: httpx.Client) -> None:
    path = "/EntityDefinitions(LogicalName='lead')"
    assert refusal(api.get(f"{path}?$expand=Attributes($select=MaxLength)"))[0] == 400
    assert refusal(api.get(f"{path}/Attributes?$select=MaxLength"))[0] == 400
    cast = f"{path}/Attributes/Microsoft.Dynamics.CRM"
    texts = api.get(f"{cast}.StringAttributeMetadata?$select=LogicalName,MaxLength").json()["value"]
    assert {"LogicalName": "subject", "MaxLength": 300} in texts
    choices = api.get(
        f"{cast}.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
        "&$filter=LogicalName eq 'leadsourcecode'"
    ).json()["value"]
    documented = fixture("picklist_attribute_expand_optionset.json")
    assert [set(one) <= set(documented) for one in choices] == [True]
    (source,) = choices
    assert [one["Value"] for one in source["OptionSet"]["Options"]] == list(range(1, 11))
    (state,) = api.get(
        f"{cast}.StateAttributeMetadata?$select=LogicalName&$expand=OptionSet"
    ).json()["value"]
    defaults = {one["Value"]: one["DefaultStatus"] for one in state["OptionSet"]["Options"]}
    assert defaults == {0: 1, 1: 3, 2: 4}
