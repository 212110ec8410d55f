"""A Dataverse environment for tests of its connector: the simulator, over https."""

from typing import Any

from connectors import Page, Record, Runtime, Selection, registry
from tests.connectors.processes import Server, runtime

LEAD = Selection("lead", ("companyname", "emailaddress1", "jobtitle", "lastname"))
CONTACT = Selection("contact", ("_parentcustomerid_value", "lastname"))
ANN = {"lastname": "Horvat", "companyname": "Plavi", "emailaddress1": "ann@plavi.example"}


def opened(org: Server, given_runtime: Runtime | None = None, **more: Any) -> Any:
    connector = registry.load("dynamics")
    given = {
        "url": org.address,
        "authority": f"{org.address}/tenant",
        "tenant_id": "tenant",
        "client_id": "demo-client",
        "client_secret": "demo-secret-dynamics",
        "ca_file": org.ca_file,
        "allow_host": ["127.0.0.1"],
    }
    return connector.open(connector.Settings(**given | more), given_runtime or runtime())


def lead(org: Server, **values: Any) -> str:
    return str(org.act("create", "lead", values=ANN | values)["id"])


def changes(pages: list[Page]) -> list[Any]:
    return [change for page in pages for change in page.changes]


def cursor_of(service: Any) -> Any:
    return list(service.changes(LEAD, None))[-1].cursor


def read(service: Any, number: str, selection: Selection = LEAD) -> Record:
    found: Record = service.fetch(selection, "id", [number])[0]
    return found
