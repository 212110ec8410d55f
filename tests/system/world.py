"""Three running systems and a configuration for them; crm-sync as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.connectors.processes import KEY, Server, profiles, simulator

PROGRAM = Path(sys.executable).with_name("crm-sync")


@dataclass(frozen=True, slots=True)
class Running:
    """The systems, and the folder with the configuration and the state."""

    folder: Path
    sales: Server
    service: Server
    profiles: Server

    @property
    def systems(self) -> dict[str, Server]:
        return {"sales": self.sales, "service": self.service, "profiles": self.profiles}

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments, "--config", str(self.folder / "crm-sync.yaml")],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "400"},
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and what was printed."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        return process.returncode, out + err

    def writes(self) -> dict[str, dict[str, int]]:
        return {name: server.writes() for name, server in self.systems.items()}

    def settle(self) -> None:
        """Sync until no system counts another write."""
        for _ in range(6):
            before = self.writes()
            code, told = self.run("sync", "--yes")
            assert code in (0, 3), told
            if self.writes() == before:
                return
        raise AssertionError("still writing after six cycles")


@contextmanager
def running(folder: Path, state: str = "sqlite:///state.db") -> Iterator[Running]:
    """Start the systems; ``state`` is the URL of the database that the configuration names."""
    with (
        simulator("salesforce", folder) as sales,
        simulator("dataverse", folder) as service,
        profiles(folder) as own,
    ):
        found = Running(folder, sales, service, own)
        configure(folder, found, state)
        for name, secret in (
            ("sales", "demo-secret-salesforce"),
            ("service", "demo-secret-dynamics"),
            ("profiles", KEY),
        ):
            (folder / f"{name}-secret").write_text(secret)
        yield found


def configure(folder: Path, world: Running, state: str = "sqlite:///state.db") -> None:
    """A file for these three systems."""
    (folder / "crm-sync.yaml").write_text(_configuration(world, state))


def _configuration(world: Running, state: str) -> str:
    return f"""\
state: {state}
region: HR
instances:
  sales:
    connector: salesforce
    url: {world.sales.address}
    auth:
      flow: client_credentials
      client_id: demo-client
      client_secret_file: sales-secret
    safety_lag: 0
    ca_file: {world.sales.ca_file}
    allow_host: [127.0.0.1]
  service:
    connector: dynamics
    url: {world.service.address}
    authority: {world.service.address}/tenant
    tenant_id: tenant
    client_id: demo-client
    client_secret_file: service-secret
    ca_file: {world.service.ca_file}
    allow_host: [127.0.0.1]
  profiles:
    connector: infobip
    base_url: {world.profiles.address}
    api_key_file: profiles-secret
    allow_host: [127.0.0.1]
syncs:
  companies:
    kind: company
    every: 1m
    sides: {{sales: Account, service: account, profiles: company}}
  leads: {{kind: lead, every: 1m, sides: {{sales: Lead, service: lead, profiles: person}}}}
  customers:
    kind: customer
    every: 1m
    sides: {{sales: Contact, service: contact, profiles: person}}
"""
