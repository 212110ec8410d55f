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
    RateLimitError,
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
ACCOUNTS = Selection("account", ("fax", "name", "telephone1"))


class Answers:
    """Signs everybody in; gives the planned answers to the rest."""

    def __init__(self) -> None:
        self.planned: list[httpx.Response] = []
        self.asked: list[httpx.Request] = []

    def plan(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = httpx.ByteStream(json.dumps(body).encode())
        self.planned.append(httpx.Response(status, stream=content, headers=headers))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
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
        ("412_if_none_match_exists", Action.CREATE, Result.DONE, []),
        ("412_duplicate_detection", Action.CREATE, Result.REJECTED, []),
        ("412_alternate_key_violated", Action.CREATE, Result.REJECTED, []),
        ("400_plugin_error_with_annotations", Action.UPDATE, Result.REJECTED, []),
        ("400_string_too_long", Action.UPDATE, Result.REJECTED, ["subject"]),
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
    (outcome,) = service.write("lead", [Write(action, UUID(int=7), number, {"jobtitle": "x"})])
    assert (outcome.result, list(outcome.faults)) == (result, fields)
    assert outcome.id == str(UUID(int=7))


@pytest.mark.parametrize("name", ["403_missing_privilege", "403_not_a_member"])
def test_a_missing_permission_is_told_to_a_person(
    service: DynamicsConnector, answers: Answers, name: str
) -> None:
    answers.plan(ERRORS[name]["status"], ERRORS[name]["body"])
    with pytest.raises(AuthError):
        service.fetch(ACCOUNTS, "id", [str(UUID(int=7))])


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
    answers.plan(200, body)
    answers.plan(200, {"value": []})
    (page,) = service.changes(ACCOUNTS, None)
    upserted, deleted = page.changes
    assert isinstance(upserted, Upserted)
    assert upserted.record.values == {"fax": "10101", "name": "Monte Orton", "telephone1": "555000"}
    assert upserted.record.version == 'W/"915244"'
    assert deleted == Deleted("2e451703-c686-e711-80e5-00155db19e6d")
    assert "odata.track-changes" in answers.asked[0].headers["Prefer"]
    answers.plan(400, {"error": {"code": "0x80044352", "message": "expired"}})
    with pytest.raises(CursorExpiredError):
        list(service.changes(ACCOUNTS, page.cursor))
    assert str(answers.asked[-1].url) == body["@odata.deltaLink"]
