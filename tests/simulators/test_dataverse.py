"""The Dataverse simulator answers as Microsoft documents: login, rows, actions, definitions."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.connectors.processes import Server, simulator
from tests.simulators.dataverse_api import (
    ANN,
    ERRORS,
    ROOT,
    anyone,
    created,
    fixture,
    refusal,
    sign_in,
    signed_in,
)

WHOLE = {"Prefer": "return=representation"}


def etag(api: httpx.Client, number: str) -> str:
    return str(api.get(f"/leads({number})").json()["@odata.etag"])


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


# login


def test_msal_signs_in_and_a_token_ends(org: Server) -> None:
    told = sign_in(org)
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3599)
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    with anyone(org, ROOT) as client:
        assert client.get("/WhoAmI", headers=bearer).status_code == 200
        org.post("clock", advance=3600)
        answer = client.get("/WhoAmI", headers=bearer)
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
    org: Server, change: dict[str, str], status: int, error: str
) -> None:
    form = {
        "client_id": "demo-client",
        "client_secret": "demo-secret-dynamics",
        "grant_type": "client_credentials",
        "scope": f"{org.address}/.default",
    }
    with anyone(org) as client:
        answer = client.post("/tenant/oauth2/v2.0/token", data=form | change)
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
