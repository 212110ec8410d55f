"""An organization for the tests of the Salesforce connector: the simulator, over https."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from connectors import Action, Page, Record, Runtime, Selection, Values, Write, registry
from tests.connectors.processes import Server, runtime

LEAD = Selection("Lead", ("Company", "Email", "LastName", "Title"))
CONTACT = Selection("Contact", ("AccountId", "Birthdate", "Email", "LastName"))
ANN = {"LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}
AUTH = {
    "flow": "client_credentials",
    "client_id": "demo-client",
    "client_secret": "demo-secret-salesforce",
}


def opened(org: Server, given_runtime: Runtime | None = None, **more: Any) -> Any:
    connector = registry.load("salesforce")
    given = {"url": org.address, "auth": AUTH, "ca_file": org.ca_file} | more
    settings = connector.Settings(**given, allow_host=["127.0.0.1"])
    return connector.open(settings, given_runtime or runtime())


def lead(org: Server, **values: Any) -> str:
    return str(org.act("create", "Lead", values=ANN | values)["id"])


def listed(sales: Any, selection: Selection = LEAD) -> list[Page]:
    return list(sales.changes(selection, None))


def changes(pages: Iterable[Page]) -> list[Any]:
    return [change for page in pages for change in page.changes]


def read(sales: Any, number: str, selection: Selection = LEAD) -> Record:
    found: Record = sales.fetch(selection, "id", [number])[0]
    return found


def creating(**values: Any) -> Write:
    return Write(Action.CREATE, uuid4(), values=values)


def updating(number: str, values: Values, version: str | None = None) -> Write:
    return Write(Action.UPDATE, uuid4(), number, values, version)


def refuse(org: Server, method: str, path: str, status: int, *errors: dict[str, Any]) -> None:
    """The next such call is answered with these errors, and not carried out."""
    org.fault(method, path, status=status, body=list(errors))
