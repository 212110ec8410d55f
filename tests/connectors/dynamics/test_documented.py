"""The Dynamics connector on Microsoft's own documented answers, without our simulator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from connectors import (
    Action,
    AuthError,
    CursorExpiredError,
    Deleted,
    FieldType,
    RateLimitError,
    ResponseError,
    Result,
    Runtime,
    Selection,
    Upserted,
    Write,
)
from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.settings import DynamicsSettings
from tests.connectors.infobip_account import StillClock

FIXTURES = Path("tests/fixtures/dataverse")
ERRORS = {one["name"]: one for one in json.loads((FIXTURES / "errors.json").read_text())}
HOST = "https://acme.crm4.dynamics.com"
TENANT = "11111111-2222-3333-4444-555555555555"
WHO = json.loads((FIXTURES / "whoami.json").read_text())
ACCOUNTS = Selection("account", ("fax", "name", "telephone1"))


class Answers:
    """Signs everybody in; gives the planned answers to the rest."""

    def __init__(self) -> None:
        self.planned: list[httpx.Response] = []
        self.asked: list[httpx.Request] = []
        self.secrets: list[str] = []  #: that a token was asked for with

    def plan(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = httpx.ByteStream(json.dumps(body).encode())
        told = {"Date": "Tue, 22 Aug 2017 08:30:00 GMT"} | (headers or {})
        self.planned.append(httpx.Response(status, stream=content, headers=told))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            self.secrets.append(httpx.QueryParams(request.content.decode())["client_secret"])
            token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
            return httpx.Response(200, stream=httpx.ByteStream(json.dumps(token).encode()))
        if request.url.host != "acme.crm4.dynamics.com":
            login = f"https://{request.url.host}/{TENANT}/oauth2/v2.0"
            found = {
                "token_endpoint": f"{login}/token",
                "authorization_endpoint": f"{login}/authorize",
                "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            }
            return httpx.Response(200, stream=httpx.ByteStream(json.dumps(found).encode()))
        self.asked.append(request)
        return self.planned.pop(0)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def service(answers: Answers) -> Iterator[DynamicsConnector]:
    settings = DynamicsSettings(url=HOST, tenant_id=TENANT, client_id="a", client_secret="b")
    runtime = Runtime(StillClock(), lambda: UUID(int=1), lambda _ca: httpx.MockTransport(answers))
    connector = DynamicsConnector.open(settings, runtime)
    yield connector
    connector.close()


@pytest.mark.parametrize(
    ("name", "action", "result", "fields"),
    [
        ("404_if_match_star_missing", Action.UPDATE, Result.GONE, []),
        ("412_concurrency_mismatch", Action.UPDATE, Result.STALE, []),
        ("412_duplicate_detection", Action.CREATE, Result.REJECTED, []),
        ("412_alternate_key_violated", Action.CREATE, Result.REJECTED, []),
        ("400_plugin_error_with_annotations", Action.UPDATE, Result.REJECTED, []),
        ("400_string_too_long", Action.UPDATE, Result.REJECTED, ["subject"]),
        ("400_string_too_long", Action.CREATE, Result.REJECTED, ["subject"]),
    ],
)
def test_a_refused_record_is_an_outcome(
    service: DynamicsConnector,
    answers: Answers,
    name: str,
    action: Action,
    result: Result,
    fields: list[str],
) -> None:
    answers.plan(ERRORS[name]["status"], ERRORS[name]["body"])
    number = None if action is Action.CREATE else str(UUID(int=7))
    values = {"jobtitle": "x", "subject": "y"}
    (outcome,) = service.write("lead", [Write(action, UUID(int=7), number, values)])
    assert (outcome.result, list(outcome.faults)) == (result, fields)
    assert outcome.id == str(UUID(int=7))


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("403_missing_privilege", "read and write"),
        ("403_not_a_member", "application user, enabled"),
    ],
)
def test_a_missing_permission_is_told_to_a_person(
    service: DynamicsConnector, answers: Answers, name: str, remedy: str
) -> None:
    answers.plan(ERRORS[name]["status"], ERRORS[name]["body"])
    with pytest.raises(AuthError) as caught:
        service.fetch(ACCOUNTS, "id", [str(UUID(int=7))])
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "url", ["https://a.crm9.dynamics.com", "https://a.crm.microsoftdynamics.us/", "https://a.test"]
)
def test_a_host_outside_microsofts_clouds_must_be_allowed_by_name(url: str) -> None:
    given: dict[str, Any] = {"url": url, "tenant_id": "t", "client_id": "c", "client_secret": "s"}
    if url.endswith(".test"):
        with pytest.raises(ValueError, match="allow_host"):
            DynamicsSettings.model_validate(given)
        given["allow_host"] = ["a.test"]
    assert DynamicsSettings.model_validate(given).origin == url.rstrip("/")


@pytest.mark.parametrize("name", ["429_requests", "429_execution_time", "429_concurrency"])
def test_being_asked_for_patience_ends_the_turn(
    service: DynamicsConnector, answers: Answers, name: str
) -> None:
    for _ in range(10):
        answers.plan(429, ERRORS[name]["body"], {"Retry-After": "600"})
    with pytest.raises(RateLimitError) as caught:
        service.fetch(ACCOUNTS, "id", [str(UUID(int=7))])
    assert caught.value.retry_after == 600


def test_documented_changes_are_understood(service: DynamicsConnector, answers: Answers) -> None:
    body = json.loads(
        (FIXTURES / "changes_with_deleted.json").read_text().replace("[Organization URI]", HOST)
    )
    # the documentation selects three columns; we ask for these too
    body["value"][0] |= {"modifiedon": "2017-08-22T08:21:20Z", "statecode": 0}
    answers.plan(200, WHO)
    answers.plan(200, body)
    for _ in range(2):  # the deleted row is not there, nor was anything modified meanwhile
        answers.plan(200, {"value": []})
    (page,) = service.changes(ACCOUNTS, None)
    upserted, deleted = page.changes
    assert isinstance(upserted, Upserted)
    assert upserted.record.values == {"fax": "10101", "name": "Monte Orton", "telephone1": "555000"}
    assert upserted.record.version == 'W/"915244"'
    assert deleted == Deleted("2e451703-c686-e711-80e5-00155db19e6d")
    _, tracked, there, late = answers.asked
    assert "2e451703-c686-e711-80e5-00155db19e6d" in there.url.params["@p2"]
    assert "odata.track-changes" in tracked.headers["Prefer"]
    assert "modifiedon ge 2017-08-22T08:25:00Z" in late.url.params["$filter"]
    answers.plan(400, {"error": {"code": "0x80044352", "message": "expired"}})
    with pytest.raises(CursorExpiredError):
        list(service.changes(ACCOUNTS, page.cursor))
    assert str(answers.asked[-1].url) == body["@odata.deltaLink"]


def test_no_change_may_be_an_empty_answer(service: DynamicsConnector, answers: Answers) -> None:
    """Its shape is not documented beyond "an empty JSON response"."""
    listed: dict[str, Any] = {
        "value": [],
        "@odata.deltaLink": f"{HOST}/api/data/v9.2/accounts?$deltatoken=1",
    }
    answers.plan(200, WHO)
    answers.plan(200, listed)
    answers.plan(200, {"value": []})
    (page,) = service.changes(ACCOUNTS, None)
    answers.plan(200, {})
    (after,) = service.changes(ACCOUNTS, page.cursor)
    assert (list(after.changes), after.cursor) == ([], page.cursor)


def test_a_link_to_another_host_is_not_followed(
    service: DynamicsConnector, answers: Answers
) -> None:
    away = {"value": [], "@odata.nextLink": "https://elsewhere.example/api/data/v9.2/accounts"}
    answers.plan(200, WHO)
    answers.plan(200, away)
    with pytest.raises(ResponseError, match="another host"):
        list(service.changes(ACCOUNTS, None))
    assert {request.url.host for request in answers.asked} == {"acme.crm4.dynamics.com"}


@pytest.mark.parametrize(
    ("rows", "result"),
    [([{"leadid": str(UUID(int=7))}], Result.DONE), ([], Result.REJECTED)],
)
def test_a_row_that_exists_is_our_own_create_or_a_refusal(
    service: DynamicsConnector, answers: Answers, rows: list[dict[str, str]], result: Result
) -> None:
    """The code is that of any integrity violation, an index of the organization's own too."""
    exists = ERRORS["412_if_none_match_exists"]
    answers.plan(exists["status"], exists["body"])
    answers.plan(200, {"value": rows})
    wish = Write(Action.CREATE, UUID(int=7), values={"lastname": "x"})
    (outcome,) = service.write("lead", [wish])
    assert (outcome.result, outcome.id) == (result, str(UUID(int=7)))
    assert answers.asked[0].headers["If-None-Match"] == "*"


def test_practice_6_1_every_write_carries_a_condition(
    service: DynamicsConnector, answers: Answers
) -> None:
    """A PATCH without one is an upsert and can bring a deleted row back."""
    wishes = [
        Write(Action.CREATE, UUID(int=7), values={"lastname": "x"}),
        Write(Action.UPDATE, UUID(int=7), "7", {"lastname": "x"}, 'W/"1"'),
        Write(Action.UPDATE, UUID(int=7), "7", {"lastname": "x"}),
        Write(Action.DELETE, UUID(int=7), "7", version='W/"1"'),
        Write(Action.DELETE, UUID(int=7), "7"),
    ]
    for _ in wishes:
        answers.plan(200, {"@odata.etag": 'W/"2"'})
    service.write("lead", wishes)
    told = [(r.headers.get("If-Match"), r.headers.get("If-None-Match")) for r in answers.asked]
    one, every = ('W/"1"', None), ("*", None)
    assert told == [(None, "*"), one, every, one, every]


def test_a_lead_is_closed_with_the_reason_that_this_organization_has(
    service: DynamicsConnector, answers: Answers
) -> None:
    options = [{"Value": 0, "DefaultStatus": 1}, {"Value": 2, "DefaultStatus": 100000005}]
    told = {"value": [{"LogicalName": "statecode", "OptionSet": {"Options": options}}]}
    answers.plan(200, told)
    answers.plan(200, {"@odata.etag": 'W/"2"'})
    service.write("lead", [Write(Action.DEACTIVATE, UUID(int=7), str(UUID(int=7)))])
    assert json.loads(answers.asked[1].content) == {"statecode": 2, "statuscode": 100000005}


def test_a_documented_choice_is_understood(service: DynamicsConnector, answers: Answers) -> None:
    choice = json.loads((FIXTURES / "picklist_attribute_expand_optionset.json").read_text())
    attribute = {
        "LogicalName": choice["LogicalName"],
        "AttributeType": "Picklist",
        "MetadataId": choice["MetadataId"],
        "RequiredLevel": {"Value": "None"},
        "IsSecured": False,
        "IsValidForCreate": True,
        "IsValidForRead": True,
        "IsValidForUpdate": True,
        "IsValidODataAttribute": True,
    }
    definition = json.loads((FIXTURES / "entitydefinition_contact.json").read_text())
    privileges = {one["PrivilegeType"]: one["PrivilegeId"] for one in definition["Privileges"]}
    held = [{"PrivilegeId": privileges["Write"], "Depth": "Global"}]
    answers.plan(200, WHO)
    answers.plan(200, {"RolePrivileges": held})
    answers.plan(200, {"value": []})
    answers.plan(200, {"value": [definition | {"Attributes": [attribute]}]})
    for cast in ([], [], [], [choice], []):
        answers.plan(200, {"value": cast})
    answers.plan(200, {"value": []})
    (contact,) = service.describe()
    assert contact.fields == {choice["LogicalName"]: FieldType("choice", choices=(0,))}
    assert contact.actions == {Action.UPDATE, Action.DEACTIVATE}


def test_a_secret_that_was_replaced_is_used_without_a_restart(
    answers: Answers, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("old\n")
    settings = DynamicsSettings(url=HOST, tenant_id=TENANT, client_id="a", client_secret_file=file)
    runtime = Runtime(StillClock(), lambda: UUID(int=1), lambda _ca: httpx.MockTransport(answers))
    service = DynamicsConnector.open(settings, runtime)
    for _ in range(3):
        answers.plan(200, {"value": []})
    ids = [str(UUID(int=7))]
    service.fetch(ACCOUNTS, "id", ids)
    file.write_text("new\n")
    service.fetch(ACCOUNTS, "id", ids)
    service.fetch(ACCOUNTS, "id", ids)
    service.close()
    assert answers.secrets == ["old", "new"]
