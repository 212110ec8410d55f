"""The Customer Profiles connector at its edges: settings, calls, check, describe, mapping."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import ValidationError

from connectors.errors import AuthError, ResponseError, SetupError
from connectors.http import HttpClient
from connectors.infobip.client import InfobipClient
from connectors.infobip.connector import InfobipConnector
from connectors.infobip.faults import entry_fault, fault_of
from connectors.infobip.settings import InfobipSettings, Rates
from connectors.protocol import Action, Finding, Level, Selection, Write
from connectors.registry import load
from tests.connectors.infobip_account import Account, StillClock, connect
from tests.connectors.infobip_writes import refuse

URL = "https://x1.api.infobip.com"
OPT_OUTS = ("email_opt_out", "phone_opt_out", "fax_opt_out", "bulk_email_opt_out")
PEOPLE = Selection(
    "person", ("lastName", "company", *(f"customAttributes.{name}" for name in OPT_OUTS))
)
FIRMS = Selection("company", ("name",))


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account)
    yield connector
    connector.close()


def errors(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.ERROR]


# settings


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"base_url": URL}, "exactly one of api_key and api_key_file"),
        ({"base_url": URL, "api_key": "a", "api_key_file": "b"}, "exactly one"),
        ({"base_url": URL, "api_key": " "}, "is empty"),
        ({"base_url": "https://evil.example", "api_key": "a"}, "not one of the vendor's hosts"),
        ({"base_url": "https://evilinfobip.com", "api_key": "a"}, "not one of the vendor's hosts"),
        ({"base_url": "http://x1.api.infobip.com", "api_key": "a"}, "must start with https"),
        ({"base_url": "http://127.0.0.1:8", "api_key": "a"}, "not one of the vendor's hosts"),
        ({"base_url": f"{URL}/people", "api_key": "a"}, "without user, path"),
        ({"base_url": "https://api.infobip.com", "api_key": "a"}, "shared by all accounts"),
        ({"base_url": "https://API-US.infobip.com", "api_key": "a"}, "shared by all accounts"),
        ({"base_url": URL, "api_key": "a", "page_size": 1001}, "less than or equal to 1000"),
        ({"base_url": URL, "api_key": "a", "apikey": "a"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        InfobipSettings.model_validate(told)


def test_http_is_allowed_to_a_named_loopback_host() -> None:
    settings = InfobipSettings(
        base_url="http://127.0.0.1:8470", api_key="a", allow_host=["127.0.0.1"]
    )
    assert settings.origin == "http://127.0.0.1:8470"


def test_the_key_is_shown_by_neither_settings_nor_errors(account: Account) -> None:
    settings = InfobipSettings(base_url=URL, api_key="very-secret")
    assert "very-secret" not in repr(settings)
    crm = connect(account, api_key="very-secret")
    with pytest.raises(AuthError) as caught:
        crm.check([PEOPLE])
    assert "very-secret" not in "".join(traceback.format_exception(caught.value))
    crm.close()


def test_a_key_file_is_read_again_when_the_key_is_refused(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("old\n")
    crm = connect(account, api_key=None, api_key_file=str(file))
    file.write_text("secret\n")
    assert crm.fetch(PEOPLE, "id", ["1"]) == []
    crm.close()
    file.write_text("")
    with pytest.raises(SetupError, match="empty"):
        connect(account, api_key=None, api_key_file=str(file))
    file.unlink()
    with pytest.raises(SetupError, match="cannot be read"):
        connect(account, api_key=None, api_key_file=str(file))


def test_open_sends_nothing(crm: InfobipConnector, account: Account) -> None:
    assert account.calls == []


def test_the_connector_is_found_by_its_entry_point() -> None:
    assert load("infobip") is InfobipConnector


# calls


@pytest.mark.parametrize(
    "path",
    ["/people/2/persons", "/people/3/persons/upsert", "/people/2/persons/contactInformation"],
)
def test_practice_5_5_calls_that_clear_what_is_left_out_are_never_sent(
    account: Account, path: str
) -> None:
    http = HttpClient(URL, account.transport(), StillClock())
    with pytest.raises(ResponseError, match="never sent"):
        InfobipClient(http, Rates()).call("PUT", path, json={})
    assert account.calls == []
    http.close()


def test_practice_5_2_no_write_of_the_connector_is_an_upsert_or_a_put(
    crm: InfobipConnector, account: Account
) -> None:
    add = {"add": ["a@acme.com"], "remove": []}
    key = UUID(int=1)
    crm.write("person", [Write(Action.CREATE, key, values={"type": "LEAD", "emails": add})])
    crm.write("person", [Write(Action.UPDATE, key, id="1", values={"lastName": "B"})])
    crm.write("person", [Write(Action.CONVERT, key, id="1")])
    crm.write("person", [Write(Action.DELETE, key, id="1")])
    assert account.persons == {}
    assert not [c for c in account.calls if c.method == "PUT" or "/3/" in c.path]


def test_each_operation_keeps_its_own_pace(account: Account) -> None:
    clock = StillClock()
    crm = connect(account, clock, rates={})
    ids = [str(account.add(externalId=str(n))) for n in range(6)]
    crm.fetch(PEOPLE, "id", ids)
    assert clock.waited == pytest.approx(5 / 5)
    crm.fetch(PEOPLE, "emails", ["a@acme.com"])
    assert clock.waited == pytest.approx(5 / 5)
    crm.close()


def test_only_infobips_own_hosts_have_a_pace_by_default() -> None:
    assert InfobipSettings(base_url=URL, api_key="a").pace == Rates()
    embedded = InfobipSettings(base_url="http://127.0.0.1:1", api_key="a", allow_host=["127.0.0.1"])
    assert embedded.pace.read == embedded.pace.write == embedded.pace.match == 0


def test_an_overloaded_account_is_asked_again_after_the_time_it_names(account: Account) -> None:
    clock = StillClock()
    crm = connect(account, clock)
    answers = [httpx.Response(429, headers={"Retry-After": "2"}, json={})]
    account.before.append(lambda *_: answers.pop() if answers else None)
    assert crm.fetch(PEOPLE, "id", ["1"]) == []
    assert clock.waited == 2
    crm.close()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            {"requestError": {"serviceException": {"messageId": "BAD_REQUEST", "text": "x 40019"}}},
            "40019",
        ),
        (
            {"requestError": {"serviceException": {"messageId": "FORBIDDEN", "text": "no"}}},
            "FORBIDDEN",
        ),
        ({"errorCode": 40005, "errorMessage": "taken"}, "40005"),
        ({"value": 40002, "message": "Duplicate"}, "40002"),
        ({"code": 400103, "message": "malformed", "details": []}, "400103"),
        ({"errorCode": "E400", "description": "d", "violations": []}, "E400"),
        ("<html>", ""),
        (None, ""),
    ],
)
def test_every_shape_of_error_body_is_read(body: Any, code: str) -> None:
    assert fault_of(400, body).code == code


def test_a_reason_tells_the_code_and_no_personal_value() -> None:
    told = "Destination(email) jane@acme.com of Jané Doe already exists, call +41 79 302 67 27"
    fault = entry_fault({"status": 409, "errors": [{"message": told}]})
    assert fault is not None
    reason = fault.reason({"firstName": "Jané", "emails": {"add": ["jane@acme.com"]}})
    assert reason.startswith("409 Destination(email) ...")
    assert not {word for word in ("jane", "Jané", "79", "acme") if word in reason}
    assert entry_fault({"status": 200, "id": 1, "index": 0}) is None


# check and describe


def test_a_fit_account_has_no_errors_and_is_named_by_its_host(
    crm: InfobipConnector, account: Account
) -> None:
    checked = crm.check([PEOPLE, FIRMS])
    assert errors(checked.findings) == []
    assert (checked.identity, checked.name) == ("x1.api.infobip.com", "x1.api.infobip.com")
    assert crm.check([]).identity == checked.identity
    assert "/profiles/account" not in {call.path for call in account.calls}


def test_practice_5_1_check_counts_profiles_that_carry_an_external_id_and_says_what_it_means(
    crm: InfobipConnector, account: Account
) -> None:
    account.add(externalId="app-1")
    account.add(externalId="app-2")
    (told,) = [f.what for f in crm.check([PEOPLE]).findings if "externalId" in f.what]
    assert told.startswith("2 of the newest 2 profiles carry an externalId of somebody else's")
    assert "never changed" in told


@pytest.mark.parametrize("known", [True, False])
def test_the_embedded_store_tells_its_account(account: Account, known: bool) -> None:
    def answer(_: Account, request: httpx.Request) -> httpx.Response | None:
        if known and request.url.path == "/profiles/account":
            return httpx.Response(200, json={"accountId": "a-1", "name": "Demo"})
        return None

    account.before.append(answer)
    crm = connect(account, base_url="http://127.0.0.1:8471", allow_host=["127.0.0.1"])
    checked = crm.check([PEOPLE])
    expected = ("a-1", "Demo") if known else ("127.0.0.1:8471", "127.0.0.1:8471")
    assert (checked.identity, checked.name) == expected
    crm.close()


def test_missing_and_mistyped_attributes_are_errors_with_a_remedy(
    crm: InfobipConnector, account: Account
) -> None:
    del account.attributes["fax_opt_out"], account.attributes["crmsync_company_id"]
    account.attributes["phone_opt_out"] = "STRING"
    account.attributes["EMAIL_OPT_OUT"] = account.attributes.pop("email_opt_out")
    found = errors(crm.check([PEOPLE]).findings)
    assert {f.what.split(" is of ")[0].rsplit(maxsplit=1)[-1] for f in found} == {
        "fax_opt_out",
        "crmsync_company_id",
        "phone_opt_out",
    }
    assert any("fax_opt_out of type BOOLEAN" in finding.remedy for finding in found)
    assert all(finding.remedy for finding in found)


def test_unknown_objects_and_fields_are_errors(crm: InfobipConnector) -> None:
    checked = crm.check([Selection("deal", ("name",)), Selection("company", ("name", "nonsense"))])
    assert len(errors(checked.findings)) == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "what"),
    [
        ("GET", "/people/2/persons", 403, 0, "persons cannot be read"),
        ("GET", "/people/2/companies", 403, 0, "companies cannot be read"),
        ("GET", "/people/2/companies", 404, 0, "companies cannot be read"),
        ("GET", "/people/2/customAttributes", 403, 0, "custom attributes cannot be read"),
        ("PATCH", "/people/2/persons/batch", 403, 0, "may not write"),
        ("PATCH", "/people/2/persons/batch", 405, 40501, "read-only"),
        ("PATCH", "/people/2/persons/batch", 405, 40502, "switched off"),
    ],
)
def test_missing_permissions_are_findings(
    crm: InfobipConnector,
    account: Account,
    method: str,
    path: str,
    status: int,
    code: int,
    what: str,
) -> None:
    def hook(_: Account, request: httpx.Request) -> httpx.Response | None:
        if (request.method, request.url.path) != (method, path):
            return None
        return httpx.Response(status, json={"errorCode": code, "errorMessage": ""} if code else {})

    account.before.append(hook)
    [finding] = errors(crm.check([PEOPLE, FIRMS]).findings)
    assert what in finding.what
    assert finding.remedy


def test_a_path_that_only_a_gateway_answers_for_is_a_finding(
    crm: InfobipConnector, account: Account
) -> None:
    refuse(account, "GET", "/people/2/companies", httpx.Response(404, text="<html>"))
    [finding] = errors(crm.check([FIRMS]).findings)
    assert "Early Access" in finding.remedy


@pytest.mark.parametrize("path", ["persons", "companies", "customAttributes"])
def test_a_refusal_that_nobody_documents_has_a_remedy_too(
    crm: InfobipConnector, account: Account, path: str
) -> None:
    refuse(account, "GET", f"/people/2/{path}", httpx.Response(400, json={"errorCode": 40001}))
    [finding] = errors(crm.check([PEOPLE, FIRMS]).findings)
    assert "40001" in finding.what
    assert finding.remedy


def test_an_empty_batch_that_fails_says_nothing(crm: InfobipConnector, account: Account) -> None:
    def hook(_: Account, request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500) if request.method == "PATCH" else None

    account.before.append(hook)
    assert errors(crm.check([PEOPLE]).findings) == []


def test_a_refused_key_stops_the_check(account: Account) -> None:
    crm = connect(account, api_key="wrong")
    with pytest.raises(AuthError):
        crm.check([PEOPLE])
    crm.close()


def test_a_key_in_a_custom_attribute_must_exist_and_costs_look_ups(account: Account) -> None:
    crm = connect(account, key_attribute="crm key")
    findings = crm.check([PEOPLE]).findings
    assert [finding.level for finding in findings].count(Level.WARNING) == 1
    assert any("crm key" in finding.what for finding in errors(findings))
    [unseen] = [f for f in crm.check([FIRMS]).findings if f.level is Level.WARNING]
    assert "crm key" in unseen.what
    assert unseen.remedy
    crm.close()


def test_describe_tells_objects_fields_and_what_can_be_done(
    crm: InfobipConnector, account: Account
) -> None:
    account.attributes["Cart"] = "LIST_OF_OBJECTS"
    person, company = crm.describe()
    assert (person.name, person.unique_addresses, person.reports_deletions) == (
        "person",
        True,
        False,
    )
    assert person.actions == {Action.CREATE, Action.UPDATE, Action.CONVERT, Action.DELETE}
    assert person.fields["customAttributes.email_opt_out"].type == "boolean"
    assert "customAttributes.Cart" not in person.fields
    assert {name for name, type in person.fields.items() if type.many} == {
        "phones",
        "emails",
        "tags",
    }
    assert (company.name, company.max_batch, company.fields["name"].required) == (
        "company",
        1000,
        True,
    )


def test_describe_tells_every_writable_text_field_of_the_documented_company(
    crm: InfobipConnector,
) -> None:
    # schema IamCompanyV2 of the People API 3.210.0
    documented = {
        "accountManager": 255,
        "country": 50,
        "customerStage": 255,
        "industry": 255,
        "name": 255,
        "notes": 1023,
        "region": 255,
        "segment": 255,
        "vatNumber": 50,
    }
    fields = crm.describe()[1].fields
    found = {n: f.length for n, f in fields.items() if f.updateable and not f.many}
    assert found == documented


def native_fields(mapping: Any) -> set[str]:
    found = set()
    for told in mapping["fields"].values():
        entry: dict[str, Any] = {"field": told} if isinstance(told, str) else told
        found |= {entry[name] for name in ("field", "member_of") if name in entry}
        found |= set(entry.get("parts", {}).values())
    return found


def test_the_shipped_mapping_names_fields_that_exist(crm: InfobipConnector) -> None:
    objects = {described.name: described for described in crm.describe()}
    assert crm.Mappings.keys() == objects.keys()
    for name, mapping in crm.Mappings.items():
        assert native_fields(mapping) <= objects[name].fields.keys()
