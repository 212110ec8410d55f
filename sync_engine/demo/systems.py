"""The demo's three systems: starts them, seeds them, and acts in them as their users do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from connectors.http import GuardedTransport, HttpClient
from connectors.replies import json_of
from sync_engine.demo import crowd
from sync_engine.demo.people import CUSTOMERS, LEADS, Person
from sync_engine.service import SystemClock, server

SECRETS = {
    "salesforce": "demo-secret-salesforce",
    "dynamics": "demo-secret-dynamics",
    "infobip": "demo-key-infobip-0123456789",
}
NAMES = ("sales", "service", "profiles")
Acts = list[dict[str, Any]]


@dataclass(slots=True)
class Systems:
    """Running systems, by the name of their instance."""

    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)
    clients: dict[str, HttpClient] = field(default_factory=dict)

    def act(self, system: str, acts: Acts) -> list[dict[str, Any]]:
        """Do something as people of a system. Raises RuntimeError if one may not."""
        answer = self.clients[system].send("POST", "/_control/act", json={"acts": acts})
        results: list[dict[str, Any]] = json_of(answer)["results"]
        for act, result in zip(acts, results, strict=True):
            if "error" in result:
                raise RuntimeError(f"{system} refuses {act['action']}: {result['error']}")
        return results

    def counts(self) -> dict[str, Any]:
        """System -> API calls and API writes so far, as the systems count them."""
        return {
            name: json_of(client.send("GET", "/_control/counts"))
            for name, client in self.clients.items()
        }


@contextmanager
def running(folder: Path) -> Iterator[Systems]:
    """Start the three systems on free local ports; they end with this process."""
    _write_secrets(folder)
    certificate, ca = folder / "server.pem", str(folder / "ca.pem")
    clock = SystemClock()
    with ExitStack() as stack:
        systems = Systems(folder)
        simulator = ("connectors.simulators",)
        tls = ("--certificate", str(certificate))
        systems.addresses = {
            "sales": stack.enter_context(server(*simulator, "salesforce", *tls, folder=folder)),
            "service": stack.enter_context(server(*simulator, "dataverse", *tls, folder=folder)),
            "profiles": stack.enter_context(
                server(
                    "profiles",
                    "--database",
                    str(folder / "profiles.db"),
                    "--key-file",
                    str(folder / "secrets" / "infobip"),
                    "--control",
                    folder=folder,
                )
            ),
        }
        for name, address in systems.addresses.items():
            transport = GuardedTransport(ca, ["127.0.0.1"])
            systems.clients[name] = HttpClient(address, transport, clock)
            stack.callback(systems.clients[name].close)
        yield systems


def _write_secrets(folder: Path) -> None:
    (folder / "secrets").mkdir(mode=0o700)
    for name, secret in SECRETS.items():
        path = folder / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(secret + "\n")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    (folder / "server.pem").touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")


def configuration(systems: Systems) -> str:
    """The YAML of the demo."""
    sales, service, profiles = (systems.addresses[name] for name in NAMES)
    return f"""\
# Written by crm-sync demo. The systems behind it run while the demo does: crm-sync demo --serve
state: sqlite:///state.db
region: HR
instances:
  sales:
    connector: salesforce
    url: {sales}
    auth:
      flow: client_credentials
      client_id: demo-client
      client_secret_file: secrets/salesforce
    ca_file: ca.pem
    allow_host: [127.0.0.1]
  service:
    connector: dynamics
    url: {service}
    authority: {service}/demo-tenant
    tenant_id: demo-tenant
    client_id: demo-client
    client_secret_file: secrets/dynamics
    ca_file: ca.pem
    allow_host: [127.0.0.1]
  profiles:
    connector: infobip
    base_url: {profiles}
    api_key_file: secrets/infobip
    allow_host: [127.0.0.1]
syncs:
  companies:
    kind: company
    every: 1m
    sides: {{sales: Account, service: account, profiles: company}}
  leads:
    kind: lead
    every: 1m
    sides: {{sales: Lead, service: lead, profiles: person}}
  customers:
    kind: customer
    every: 1m
    sides: {{sales: Contact, service: contact, profiles: person}}
"""


def seed(systems: Systems) -> None:
    """Fill the systems as their users have over the years."""
    accounts = _seed_companies(systems)
    leads = crowd.faces(0, 282)
    customers = crowd.faces(282, 187)
    systems.act("sales", _sales_people(leads, customers, accounts["sales"]))
    systems.act("service", _service_people(leads, customers, accounts["service"]))
    systems.act("profiles", _profiles(leads, customers))
    # one person twice in one system: nobody guesses which is hers
    systems.act("sales", [_create("Contact", CUSTOMERS[-1].sales or {})])
    _seed_past(systems)


def _create(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None}
    return {"action": "create", "object": name, "values": given}


def _seed_companies(systems: Systems) -> dict[str, dict[str, str]]:
    """Instance -> company -> its record there."""
    acts: dict[str, Acts] = {name: [] for name in NAMES}
    names: dict[str, list[str]] = {name: [] for name in NAMES}
    for company in crowd.COMPANIES:
        values: dict[str, tuple[str, dict[str, Any]]] = {
            "sales": (
                "Account",
                {"Name": company.name, "Website": f"https://www.{company.domain}/"},
            ),
            "service": ("account", {"name": company.name, "websiteurl": company.domain}),
            "profiles": ("company", {"name": company.name, "domains": [company.domain]}),
        }
        for system, letter in zip(NAMES, "svp", strict=True):
            if letter in company.known:
                acts[system].append(_create(*values[system]))
                names[system].append(company.name)
    return {
        system: dict(
            zip(names[system], (r["id"] for r in systems.act(system, acts[system])), strict=True)
        )
        for system in NAMES
    }


def _sales_people(
    leads: Sequence[crowd.Face], customers: Sequence[crowd.Face], accounts: Mapping[str, str]
) -> Acts:
    acts = [
        _create("Lead", crowd.sales_person(face) | {"Company": face.company.name})
        for face in leads
        if "s" in face.known
    ]
    acts += [
        _create("Contact", crowd.sales_person(f) | {"AccountId": accounts.get(f.company.name)})
        for f in customers
        if "s" in f.known
    ]
    return acts + [_create(_sales_object(one), one.sales) for one in _cast() if one.sales]


def _service_people(
    leads: Sequence[crowd.Face], customers: Sequence[crowd.Face], accounts: Mapping[str, str]
) -> Acts:
    acts = [
        _create("lead", crowd.service_person(face) | {"companyname": face.company.name})
        for face in leads
        if "v" in face.known
    ]
    for face in customers:
        if "v" in face.known:
            account = accounts.get(face.company.name)
            parent = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
            acts.append(
                _create("contact", crowd.service_person(face) | (parent if account else {}))
            )
    named = {"lead": "lead", "customer": "contact"}
    return acts + [_create(named[one.kind], one.service) for one in _cast() if one.service]


def _profiles(leads: Sequence[crowd.Face], customers: Sequence[crowd.Face]) -> Acts:
    acts = [_create("person", crowd.profile(f, "LEAD")) for f in leads if "p" in f.known]
    acts += [_create("person", crowd.profile(f, "CUSTOMER")) for f in customers if "p" in f.known]
    for one in _cast():
        if one.profiles:
            kind = {"type": "LEAD" if one.kind == "lead" else "CUSTOMER"}
            acts.append(_create("person", kind | one.profiles))
    return acts


def _seed_past(systems: Systems) -> None:
    """Leads that were converted long ago."""
    old = [
        _create("Lead", {"FirstName": "Old", "LastName": f"Hand{n}", "Company": f"Past {n}",
                         "Email": f"old{n}@past{n}.example"})
        for n in range(4)
    ]  # fmt: skip
    for result in systems.act("sales", old):
        systems.act("sales", [{"action": "convert", "object": "Lead", "id": result["id"]}])


def _cast() -> list[Person]:
    return [*LEADS, *CUSTOMERS]


def _sales_object(one: Person) -> str:
    return "Lead" if one.kind == "lead" else "Contact"
