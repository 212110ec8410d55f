"""One installation at work: three systems over HTTP, its file, its state, and what people do.

Values are told in few words of our own (``last``, ``title`` ...); what each system calls them
stands here, written by hand. crm-sync is built from the file on disk and called as the
commands call it; its clock runs ahead instead of waiting.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from config import load
from sync_engine import operations
from sync_engine.operations.shapes import IssueDetail, Plan, RunReport
from sync_engine.service import Service, SystemClock, build
from tests.connectors.processes import Server
from tests.system.world import Running

SYSTEMS = ("sales", "service", "profiles")
OBJECTS = {
    "lead": {"sales": "Lead", "service": "lead", "profiles": "person"},
    "customer": {"sales": "Contact", "service": "contact", "profiles": "person"},
    "company": {"sales": "Account", "service": "account", "profiles": "company"},
}
WORDS: dict[str, dict[str, str]] = {
    "sales": {
        "id": "Id", "first": "FirstName", "last": "LastName", "email": "Email",
        "mobile": "MobilePhone", "title": "Title", "firm": "Company", "birth": "Birthdate",
        "source": "LeadSource", "name": "Name", "employees": "NumberOfEmployees",
        "account": "AccountId", "about": "Description", "noemail": "HasOptedOutOfEmail",
    },
    "service": {
        "first": "firstname", "last": "lastname", "email": "emailaddress1",
        "mobile": "mobilephone", "title": "jobtitle", "firm": "companyname",
        "birth": "birthdate", "source": "leadsourcecode", "name": "name",
        "employees": "numberofemployees", "account": "_parentcustomerid_value",
        "about": "description", "noemail": "donotemail",
    },
    "profiles": {
        "id": "id", "first": "firstName", "last": "lastName", "title": "job_title",
        "birth": "birthDate", "name": "name", "noemail": "email_opt_out",
    },
}  # fmt: skip
#: people of the tests; a customer has no ``firm``
ANN = {"first": "Ann", "last": "Horvat", "email": "ann@plavi.example", "firm": "Plavi"}
BOB = {"first": "Bob", "last": "Novak", "email": "bob@crveni.example", "firm": "Crveni"}
EVA = {"first": "Eva", "last": "Zubak", "email": "eva@zuti.example", "firm": "Zuti"}
_CUSTOM = ("title", "noemail")  #: custom attributes in Customer Profiles
_ADDRESSES = {"email": ("email", "address"), "mobile": ("phone", "number")}


Deed = Callable[[], None]


class AheadClock(SystemClock):
    """The system's time, further on by whatever was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()

    def wait(self, seconds: float) -> bool:
        self.ahead += timedelta(seconds=max(seconds, 0.0))
        return not self.is_stopped


@dataclass(slots=True)
class Site:
    """The installation, its systems, and the people of these."""

    systems: Mapping[str, Server]
    folder: Path
    settings: dict[str, Any]  #: the configuration file, parsed
    clock: AheadClock = field(default_factory=AheadClock)
    crm_sync: Service = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    # crm-sync

    @property
    def file(self) -> Path:
        return self.folder / "crm-sync.yaml"

    def start(self) -> None:
        """Write the file and build crm-sync from it, as a process does when it starts."""
        YAML(typ="safe").dump(self.settings, self.file)
        self.crm_sync = build(load(self.file), self.clock)

    def take_file(self) -> None:
        """Go on with what the file says now."""
        self.crm_sync.close()
        self.crm_sync = build(load(self.file), self.clock)

    def restart(self) -> None:
        self.crm_sync.close()
        self.start()

    def side(self, sync: str, system: str, **details: Any) -> None:
        """Say more of one side in the file; the object stays."""
        sides = self.settings["syncs"][sync]["sides"]
        told = sides[system] if isinstance(sides[system], dict) else {"object": sides[system]}
        sides[system] = told | details

    def later(self, **time: float) -> None:
        """Time passes, here and in the systems."""
        passed = timedelta(**time)
        self.clock.ahead += passed
        for system in self.systems.values():
            system.post("clock", advance=passed.total_seconds())

    def sync(
        self, name: str | None = None, *, let_go: bool = True, seconds: float = 60
    ) -> RunReport:
        """``crm-sync sync [NAME] --yes``, a while after what was done before."""
        self.later(seconds=seconds)
        self.crm_sync.prepare()
        if let_go:
            for waiting in operations.unreleased(self.crm_sync, name):
                self.crm_sync.release(waiting)
        run = self.crm_sync.sync(name)
        return operations.of_run(self.crm_sync, run, name)

    def settle(self, most: int = 6) -> None:
        """Sync until no system counts another write."""
        for _ in range(most):
            before = self.writes()
            self.sync()
            if self.writes() == before:
                return
        raise AssertionError(f"still writing after {most} cycles")

    def plan(self, name: str) -> Plan:
        self.crm_sync.prepare()
        return operations.plan(self.crm_sync, name)

    def resync(self, name: str, *, prefer: str | None = None, **wanted: Any) -> Plan:
        return operations.resync(self.crm_sync, name, operations.Wanted(**wanted), prefer=prefer)

    def issues(self) -> dict[str, list[IssueDetail]]:
        """What waits for a person, whole, by its sort."""
        found: dict[str, list[IssueDetail]] = {}
        for one in operations.exported(self.crm_sync):
            found.setdefault(one.issue.what, []).append(one)
        return found

    def meddle(self, system: str, kind: str, **deeds: Any) -> None:
        """Until the next start that source is read and written through ``Between``."""
        for source in self.crm_sync.world.sources:
            if (source.instance, source.object) == (system, OBJECTS[kind][system]):
                source.connector = cast(Any, Between(source.connector, **deeds))

    def name(self, system: str, kind: str, number: str) -> str:
        """How commands name a record."""
        return f"{system}/{OBJECTS[kind][system]}:{number}"

    def lost(self, system: str, kind: str, number: str) -> set[Any]:
        """The values that lost against others, as the person's history has kept them."""
        told = operations.history(self.crm_sync, self.name(system, kind, number))
        return {one["value"] for event in told.events for one in (event.lost or {}).values()}

    # the systems

    def writes(self) -> dict[str, dict[str, int]]:
        return {name: system.writes() for name, system in self.systems.items()}

    def fault(self, system: str, method: str, path: str, **effect: Any) -> None:
        self.systems[system].fault(method, path, **effect)

    def lift(self) -> None:
        for system in self.systems.values():
            system.http.delete("/_control/faults").raise_for_status()

    # their people

    def enter(self, system: str, kind: str, **values: Any) -> str:
        """A person of that system creates a record; gives its id."""
        body = _native(system, kind, values)
        if system == "profiles" and kind != "company":
            body["type"] = kind.upper()
        return str(self.systems[system].act("create", OBJECTS[kind][system], values=body)["id"])

    def enter_everywhere(self, kind: str, **values: Any) -> dict[str, str]:
        return {system: self.enter(system, kind, **values) for system in SYSTEMS}

    def edit(self, system: str, kind: str, number: str, **values: Any) -> None:
        self.act(system, kind, "update", number, values=_native(system, kind, values))

    def act(self, system: str, kind: str, action: str, number: str, **more: Any) -> dict[str, Any]:
        return self.systems[system].act(action, OBJECTS[kind][system], id=number, **more)

    def rows(self, system: str, kind: str) -> list[dict[str, Any]]:
        """The records that a person finds in a list of that system, in our words."""
        found = self.systems[system].records(OBJECTS[kind][system])
        return [_told(system, kind, row) for row in found if _is_listed(system, kind, row)]

    def row(self, system: str, kind: str) -> dict[str, Any]:
        """The one record there is."""
        (found,) = self.rows(system, kind)
        return found

    def everywhere(self, kind: str, word: str) -> dict[str, list[Any]]:
        """System -> that value of each of its records, in order."""
        return {
            system: sorted((row.get(word) for row in self.rows(system, kind)), key=str)
            for system in SYSTEMS
        }


@contextmanager
def site(systems: Mapping[str, Server], folder: Path, running: Running) -> Iterator[Site]:
    """A new installation in a folder of its own; the systems are empty."""
    for system in systems.values():
        system.post("reset")
    settings = YAML(typ="safe").load(running.folder / "crm-sync.yaml")
    for name in SYSTEMS:
        secret = (running.folder / f"{name}-secret").read_text()
        (folder / f"{name}-secret").write_text(secret)
    found = Site(systems, folder, settings)
    try:
        yield found
    finally:
        found.lift()
        found.crm_sync.close()


def in_each(*values: Any) -> dict[str, list[Any]]:
    """What ``Site.everywhere`` gives where all systems show the same."""
    return {system: list(values) for system in SYSTEMS}


def _native(system: str, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for word, value in values.items():
        if system == "profiles" and word in _ADDRESSES:
            group, part = _ADDRESSES[word]
            number = value.lstrip("+") if word == "mobile" and value else value
            told = [{part: number}] if value else []
            body.setdefault("contactInformation", {})[group] = told
        elif system == "profiles" and word in _CUSTOM:
            body.setdefault("customAttributes", {})[WORDS[system][word]] = value
        elif system == "service" and word == "account":
            bound = None if value is None else f"/accounts({value})"
            body["parentcustomerid_account@odata.bind"] = bound
        elif word in WORDS[system] and not (word == "firm" and kind != "lead"):
            body[WORDS[system][word]] = value
    return body


def _told(system: str, kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    held = dict(row) | dict(row.get("customAttributes", {}))
    found = {word: held.get(native) for word, native in WORDS[system].items()}
    if system == "service":
        found["id"] = row[f"{OBJECTS[kind][system]}id"]
    for word, (group, part) in _ADDRESSES.items() if system == "profiles" else ():
        members = [one[part] for one in row.get("contactInformation", {}).get(group, ())]
        found[word] = next(iter(members), None)
        found[f"{word}s"] = members
    if system == "profiles" and found.get("mobile"):
        found["mobile"] = f"+{found['mobile']}"
    return found | {"id": str(found["id"]), "whole": row}


def _is_listed(system: str, kind: str, row: Mapping[str, Any]) -> bool:
    if system == "sales":
        return not row["IsDeleted"] and not row.get("IsConverted")
    if system == "service":
        return row.get("statecode") == 0
    return kind == "company" or row.get("type") == kind.upper()


class Between:
    """A connector between whose pages, or before whose writes, people do something.

    One that ``loses`` moves its cursor on and tells nothing of what it has read.
    """

    def __init__(
        self,
        inner: Any,
        *,
        pages: Deed | None = None,
        write: Deed | None = None,
        loses: bool = False,
    ) -> None:
        self._inner, self._pages, self._write, self._loses = inner, pages, write, loses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def changes(self, selection: Any, since: Any) -> Iterator[Any]:
        for page in self._inner.changes(selection, since):
            yield replace(page, changes=()) if self._loses else page
            if self._pages:
                self._pages()

    def write(self, name: str, writes: Any) -> Any:
        if self._write:
            self._write()
        return self._inner.write(name, writes)
