"""The Salesforce connector before it reads or writes: settings, login, check, describe."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors import (
    Action,
    AuthError,
    Budget,
    Level,
    ResponseError,
    Selection,
    SetupError,
    TransientError,
    registry,
)
from tests.connectors.processes import Server, runtime
from tests.connectors.salesforce_org import AUTH, LEAD, lead, opened

TOKEN = "/services/oauth2/token"
KEY = "CrmSync_Key__c"
OWNED = Selection("Lead", (*LEAD.fields, "OwnerId"))


def told(sales: Any, *selections: Selection) -> list[tuple[Level, str]]:
    findings = sales.check(selections or [OWNED]).findings
    assert all(finding.remedy for finding in findings if finding.level is not Level.OK)
    return [(finding.level, finding.what) for finding in findings]


# settings


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "login.salesforce.com"},  # the flow asks for the organization's own domain
        {"url": "https://test.salesforce.com/"},
        {"url": "http://acme.my.salesforce.com"},
        {"domain": "acme.example"},
        {"domain": "acme.my.salesforce.com", "url": "https://acme.my.salesforce.com"},
        {},
        {"domain": "acme.my.salesforce.com", "overlap": 15 * 86_400},
        {"domain": "acme.my.salesforce.com", "external_id_field": "Name; DROP"},
        {"domain": "acme.my.salesforce.com", "auth": AUTH | {"client_secret_file": "x"}},
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.load("salesforce").Settings(**({"auth": AUTH} | given))


def test_an_address_is_a_host_alone_whatever_its_case() -> None:
    settings = registry.load("salesforce").Settings
    assert settings(url="https://Acme.my.salesforce.com/", auth=AUTH).origin == (
        "https://acme.my.salesforce.com"
    )
    with pytest.raises(ValidationError, match="without user, path"):
        settings(url="https://acme.my.salesforce.com/home/home.jsp", auth=AUTH)


# login


def test_a_wrong_secret_is_told_without_it(org: Server) -> None:
    sales = opened(org, auth=AUTH | {"client_secret": "canary-4711"})
    with pytest.raises(AuthError, match="invalid_client") as caught:
        sales.check([])
    sales.close()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            400,
            {"error": "unknown_error", "error_description": "retry your request"},
            TransientError,
        ),
        (400, {"error": "invalid_grant", "error_description": "no user"}, AuthError),
        (400, "<html>maintenance</html>", TransientError),
        (503, "", TransientError),
        (200, {"access_token": "x"}, ResponseError),
        (200, {"id": "x", "instance_url": "https://x.example", "access_token": "x"}, ResponseError),
    ],
)
def test_a_login_that_fails(
    org: Server, sales: Any, status: int, body: Any, error: type[Exception]
) -> None:
    org.post("faults", method="POST", path=TOKEN, times=9, effect={"status": status, "body": body})
    with pytest.raises(error):
        sales.check([])


def test_a_login_that_points_elsewhere_is_not_followed(org: Server, sales: Any) -> None:
    body = {"id": f"{org.address}/id/00D/005", "access_token": "x"}
    org.fault("POST", TOKEN, status=200, body=body | {"instance_url": "https://evil.example"})
    with pytest.raises(AuthError, match="points to another host"):
        sales.check([])


def test_what_is_refused_again_with_a_fresh_token_is_not_tried_a_third_time(
    org: Server, sales: Any
) -> None:
    sales.check([])
    effect = {"status": 401, "body": [{"errorCode": "INVALID_SESSION_ID", "message": "expired"}]}
    org.post("faults", method="GET", path="queryAll", times=9, effect=effect)
    with pytest.raises(AuthError):
        sales.check([])
    refused = [call for call in org.get("journal")["calls"] if call["status"] == 401]
    assert len(refused) == 2


# check


def test_check_names_the_organization(org: Server, sales: Any) -> None:
    checked = sales.check([OWNED, Selection("Account", ("Name", "OwnerId"))])
    assert checked.identity == "00D000000000001AAA"
    assert checked.name == "CumulusCI - Dev Workspace"
    assert checked.sandbox is True
    assert checked.findings == ()


def test_check_finds_nothing_wrong_with_the_shipped_mapping(sales: Any) -> None:
    for name, mapping in type(sales).Mappings.items():
        fields: list[str] = []
        for entry in mapping["fields"].values():
            if isinstance(entry, str):
                fields.append(entry)
            else:
                fields += entry["parts"].values() if "parts" in entry else [entry["field"]]
        assert told(sales, Selection(name, (*fields, "OwnerId"))) == []


_WRITTEN = (Action.CREATE, Action.UPDATE, Action.DELETE)


def test_check_names_what_is_not_there(org: Server, sales: Any) -> None:
    org.act("alter", "Contact", to=None)
    found = told(
        sales,
        Selection("Lead", ("Nope", "OwnerId")),
        Selection("Nope", ()),
        Selection("Contact", ()),
    )
    assert found == [
        (Level.ERROR, "Lead.Nope cannot be read"),
        (Level.ERROR, "there is no object Nope here"),
        (Level.ERROR, "our user sees no object Contact"),
    ]


@pytest.mark.parametrize(
    ("field", "to", "level", "what"),
    [
        (None, {"queryable": False}, Level.ERROR, "cannot be read"),
        (None, {"createable": False}, Level.WARNING, "are not created"),
        (None, {"updateable": False}, Level.WARNING, "are not changed"),
        (None, {"deletable": False}, Level.WARNING, "are not deleted"),
        ("Title", None, Level.ERROR, "Lead.Title cannot be read"),
        ("Title", {"updateable": False}, Level.WARNING, "but not changed"),
        ("Title", {"calculated": True, "updateable": False}, Level.WARNING, "is a formula"),
        ("Email", {"filterable": False}, Level.WARNING, "Lead.Email cannot be looked up"),
        (KEY, None, Level.WARNING, "does not exist or is hidden"),
        (KEY, {"unique": False}, Level.WARNING, "it is not unique"),
        (KEY, {"externalId": False}, Level.WARNING, "it is no external id"),
        (KEY, {"length": 18}, Level.WARNING, "no text of 36 characters"),
        (KEY, {"createable": False}, Level.WARNING, "our user may not write it"),
        ("Status", {"picklistValues": []}, Level.WARNING, "Closed - Not Converted"),
    ],
)
def test_check_sees_what_an_administrator_changed(
    org: Server, sales: Any, field: str | None, to: Any, level: Level, what: str
) -> None:
    org.act("alter", "Lead", field=field, to=to)
    ((found, words),) = told(sales)
    assert found is level
    assert what in words


def test_practice_4_5_check_tells_whose_the_created_records_are(sales: Any) -> None:
    ((level, what),) = told(sales, LEAD)
    assert level is Level.WARNING
    assert "belongs to our user" in what


def test_practice_4_6_check_knows_state_and_country_picklists(org: Server, sales: Any) -> None:
    selection = Selection("Lead", ("Country", "OwnerId"))
    assert told(sales, selection) == []
    org.act("alter", "Lead", field="CountryCode", to={"type": "picklist"})
    assert told(sales, selection) == [
        (Level.OK, "Lead.Country is written by its code, as CountryCode")
    ]


def test_practice_4_7_money_is_mapped_with_its_currency(org: Server, sales: Any) -> None:
    money = Selection("Lead", ("AnnualRevenue", "OwnerId"))
    assert told(sales, money) == []
    org.act("alter", "Lead", field="CurrencyIsoCode", to={"type": "picklist"})
    assert told(sales, money) == [
        (Level.ERROR, "Lead.AnnualRevenue is an amount without its currency")
    ]
    both = Selection("Lead", (*money.fields, "CurrencyIsoCode"))
    assert told(sales, both) == []
    org.act("alter", "Lead", field="AnnualRevenue", to={"calculated": True})
    what = "Lead.AnnualRevenue is computed, so that it may be converted to another currency"
    assert (Level.ERROR, what) in told(sales, both)


def test_practice_7_3_check_warns_when_users_see_the_key(org: Server, sales: Any) -> None:
    org.post("switches", key_readers=4)
    ((level, what),) = told(sales)
    assert level is Level.WARNING
    assert what.startswith("4 permission sets and profiles see Lead.CrmSync_Key__c")


def test_practice_1_6_check_tells_the_automation_that_creates_meet(org: Server, sales: Any) -> None:
    org.post("switches", assignment_rule=True, duplicate_rule=True)
    assert told(sales) == [
        (Level.OK, "Lead: the assignment rule Standard does not run for what we write"),
        (Level.WARNING, "Lead: the duplicate rule Standard_Lead may refuse what we create"),
    ]


def test_check_bears_that_set_up_objects_are_hidden(org: Server, sales: Any) -> None:
    error = {"errorCode": "INVALID_TYPE", "message": "sObject type 'X' is not supported."}
    effect = {"status": 400, "body": [error]}
    org.post("faults", method="GET", path="queryAll", skip=1, times=9, effect=effect)
    assert told(sales) == []


def test_check_warns_when_most_of_the_daily_calls_are_used(org: Server, sales: Any) -> None:
    row = {"attributes": {"type": "Organization"}, "Id": "00D", "Name": "Plavi", "IsSandbox": False}
    body = {"totalSize": 1, "done": True, "records": [row]}
    headers = {"Sforce-Limit-Info": "api-usage=14000/15000; per-app-api-usage=17/250(appName=x)"}
    org.fault("GET", "queryAll", status=200, body=body, headers=headers)
    assert (
        sales.check([]).findings[0].what == "14000 of 15000 API calls of the last 24 hours are used"
    )


def test_practice_7_6_check_knows_the_end_of_versions(org: Server) -> None:
    old, unknown = opened(org, api_version="39.0"), opened(org, api_version="29.0")
    assert [what for _, what in told(old)] == ["API version 39.0 ends with Summer '28"]
    with pytest.raises(SetupError, match=r"no API version 29\.0"):
        unknown.check([])
    old.close()
    unknown.close()


# describe


def test_describe_tells_types_lengths_and_what_is_required(sales: Any) -> None:
    types = {one.name: one for one in sales.describe()}
    assert set(types) == {"Lead", "Contact", "Account"}
    fields = types["Lead"].fields
    assert (fields["Email"].type, fields["Email"].length) == ("email", 80)
    required = {name for name, field in fields.items() if field.required}
    assert required == {"LastName", "Company"}


def test_describe_follows_the_organization(org: Server, sales: Any) -> None:
    sales.describe()
    values = [
        {"value": v, "label": v, "active": v != "Old", "defaultValue": False} for v in ("A", "Old")
    ]
    org.act("alter", "Lead", field="Company", to={"nillable": True, "length": 40})
    org.act("alter", "Lead", field="Region__c", to={"type": "picklist", "restrictedPicklist": True})
    org.act("alter", "Lead", field="Region__c", to={"picklistValues": values, "updateable": False})
    org.act("alter", "Lead", field="Fax", to=None)
    org.act("alter", "Account", to=None)
    described = {one.name: one for one in sales.describe()}
    fields = described["Lead"].fields
    assert (fields["Company"].required, fields["Company"].length) == (False, 40)
    region = fields["Region__c"]
    assert (region.type, region.choices, region.updateable) == ("choice", ("A",), False)
    assert "Fax" not in fields
    assert set(described) == {"Lead", "Contact"}


@pytest.mark.parametrize(
    ("field", "to", "missing"),
    [
        (KEY, None, Action.CREATE),
        (KEY, {"createable": False}, Action.CREATE),
        (KEY, {"unique": False}, Action.CREATE),
        (None, {"createable": False}, Action.CREATE),
        (None, {"updateable": False}, Action.UPDATE),
        (None, {"deletable": False}, Action.DELETE),
    ],
)
def test_practice_7_3_what_the_organization_does_not_allow_is_not_offered(
    org: Server, sales: Any, field: str | None, to: Any, missing: Action
) -> None:
    org.act("alter", "Lead", field=field, to=to)
    lead = sales.describe()[0]
    assert lead.actions - {Action.CONVERT} == {*_WRITTEN} - {missing}
    assert (Action.CONVERT in lead.actions) == (missing is not Action.UPDATE)


def test_what_is_left_of_the_calls_of_the_day_is_told(org: Server) -> None:
    budgets: list[Budget] = []
    sales = opened(org, runtime(budgets.append))
    sales.check([])
    sales.describe()
    sales.close()
    assert budgets[-1].limit == 15_000
    assert 0 < budgets[0].used < budgets[-1].used


def test_practice_7_7_the_library_goes_by_our_transport_and_never_logs_in(org: Server) -> None:
    class Counting(httpx.BaseTransport):
        """Our transport, counting what goes through it."""

        def __init__(self, inner: httpx.BaseTransport) -> None:
            self.inner = inner
            self.paths: list[str] = []

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.paths.append(request.url.path)
            return self.inner.handle_request(request)

        def close(self) -> None:
            self.inner.close()

    plain = runtime()
    counting = Counting(plain.transport(org.ca_file))
    sales = opened(org, replace(plain, transport=lambda _ca_file: counting))
    org.post("switches", page_size=1)
    for n in range(3):
        lead(org, Email=f"n{n}@x.example")
    pages = sales.changes(LEAD, None)
    next(pages)
    org.post("tokens/expire")
    assert len(list(pages)) == 2  # the library was refused, and our client logged in anew
    logins = [path for path in counting.paths if path == TOKEN]
    assert len(logins) == 2
    assert len(counting.paths) - len(logins) == org.get("counts")["calls"]
    sales.close()
