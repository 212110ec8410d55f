"""Two Salesforce organizations, each a server in a process of its own, and people at work there.

The second one never gets a record from us: what is measured is reading, linking and deciding.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import trustme

from connectors.http import GuardedTransport, HttpClient
from connectors.replies import json_of
from sync_engine.service import SystemClock, server

_DAY = 86_400  #: seconds
NAMES = ("sales", "service")
SECRET = "demo-secret-salesforce"
ACTS = 1000  #: things that people do, in one request
_KNOWN = "orgs.json"
CHANGING = "changing.json"  #: the leads that change


@dataclass(frozen=True, slots=True)
class Orgs:
    """Running organizations by the name of their instance; ``ca_file`` vouches for them."""

    addresses: Mapping[str, str]
    ca_file: str

    def act(self, name: str, acts: Iterable[dict[str, Any]]) -> list[str]:
        """Do something as people of an organization; gives the ids of the records."""
        found: list[str] = []
        waiting = iter(acts)
        while some := list(islice(waiting, ACTS)):
            results = self.control(name, "POST", "act", {"acts": some})["results"]
            if refused := [one["error"] for one in results if "error" in one]:
                raise RuntimeError(f"{name}: {refused[0]}")
            found += [str(one["id"]) for one in results]
        return found

    def enter(self, name: str, acts: Iterable[dict[str, Any]], note: Path) -> None:
        """Do it, and note every hundredth record, for those who change them later."""
        note.write_text(json.dumps(self.act(name, acts)[::100]))

    def calls(self) -> int:
        """API calls so far, as the organizations count them."""
        return sum(int(self.control(name, "GET", "counts")["calls"]) for name in self.addresses)

    def wait(self, seconds: float) -> None:
        """Let time pass there."""
        for name in self.addresses:
            self.control(name, "POST", "clock", {"advance": seconds})

    def control(self, name: str, method: str, what: str, given: Any = None) -> Any:
        client = HttpClient(self.addresses[name], self.transport(), SystemClock())
        try:
            return json_of(client.send(method, f"/_control/{what}", json=given))
        finally:
            client.close()

    def transport(self) -> GuardedTransport:
        return GuardedTransport(self.ca_file, ["127.0.0.1"])


@contextmanager
def running(folder: Path) -> Iterator[Orgs]:
    """Start the organizations and write the configuration; they end with this process."""
    certificate, ca_file = folder / "server.pem", folder / "ca.pem"
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(ca_file)
    given = ("connectors.simulators", "salesforce", "--certificate", str(certificate))
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(server(*given, folder=folder)) for name in NAMES}
        orgs = Orgs(addresses, str(ca_file))
        orgs.control("service", "POST", "switches", {"organization": "00D000000000002AAA"})
        orgs.wait(-_DAY)  # a clock that ran ahead of ours would not be believed
        (folder / _KNOWN).write_text(json.dumps(addresses))
        (folder / "secret").write_text(SECRET)
        (folder / "crm-sync.yaml").write_text(_configuration(orgs))
        yield orgs


def known(folder: Path) -> Orgs:
    """The organizations that another process has started."""
    return Orgs(json.loads((folder / _KNOWN).read_text()), str(folder / "ca.pem"))


def _configuration(orgs: Orgs) -> str:
    instances = "".join(_INSTANCE.format(name=n, url=u) for n, u in orgs.addresses.items())
    return (
        f"state: sqlite:///state.db\nregion: HR\ninstances:\n{instances}"
        "syncs:\n  leads:\n    kind: lead\n    every: 1m\n"
        "    sides: {sales: Lead, service: {object: Lead, creates: link-only}}\n"
    )


_INSTANCE = """\
  {name}:
    connector: salesforce
    url: {url}
    auth: {{flow: client_credentials, client_id: demo-client, client_secret_file: secret}}
    safety_lag: 0
    ca_file: ca.pem
    allow_host: [127.0.0.1]
"""
