"""Writes to an account on paper, and what goes wrong on their way."""

from typing import Any
from uuid import UUID

import httpx

from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Action, Outcome, Record, Result, Selection, Write
from tests.connectors.infobip_account import Account

TITLE = "customAttributes.job_title"
PEOPLE = Selection(
    "person",
    ("type", "firstName", "lastName", "city", "phones", "emails", "tags", "company", TITLE),
)


def key(number: int) -> UUID:
    return UUID(int=number)


def jane(number: int = 1, **values: Any) -> Write:
    told = {"type": "LEAD", "lastName": "Doe", "emails": adding(f"jane{number}@acme.com")}
    return Write(Action.CREATE, key(number), values={**told, **values})


def adding(*members: str) -> dict[str, list[str]]:
    return {"add": list(members), "remove": []}


def change(id: str, version: str | None = None, **values: Any) -> Write:
    return Write(Action.UPDATE, key(99), id=id, values=values, version=version)


def only(outcomes: Any) -> Outcome:
    [outcome] = outcomes
    assert isinstance(outcome, Outcome)
    return outcome


def read(crm: InfobipConnector, id: str | None) -> Record:
    [record] = crm.fetch(PEOPLE, "id", [str(id)])
    return record


def created(crm: InfobipConnector, write: Write) -> Record:
    outcome = only(crm.write("person", [write]))
    assert outcome.result is Result.DONE
    return read(crm, outcome.id)


def lose(account: Account, method: str) -> None:
    """The next answer to ``method`` is lost after the work was done."""

    def drop(_: Account, request: httpx.Request) -> httpx.Response | None:
        if request.method != method:
            return None
        account.after.remove(drop)
        raise httpx.ReadError("lost")

    account.after.append(drop)


def refuse(account: Account, method: str, path: str, answer: httpx.Response) -> None:
    def hook(_: Account, request: httpx.Request) -> httpx.Response | None:
        return answer if (request.method, request.url.path) == (method, path) else None

    account.before.append(hook)
