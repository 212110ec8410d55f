"""``crm-sync run``, killed where a system has been asked for something; people who are at work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.system.serving import serving
from tests.system.world import Running


@dataclass(frozen=True, slots=True)
class Moment:
    """The request of a system at which the service is killed, its work done there."""

    stage: str
    system: str
    method: str = ""
    path: str = ""
    skip: int = 0  #: such requests that are answered before
    #: the service never hears of it; else it does, and is killed while it goes on
    unheard: bool = True


@dataclass(slots=True)
class Office:
    """People at work in three systems, and what must be found of them in the end."""

    world: Running
    entered: int = 0
    leads: list[str] = field(default_factory=list)  #: of Salesforce and the first load
    described: list[str] = field(default_factory=list)  #: likewise, with a description
    titles: dict[str, str] = field(default_factory=dict)  #: address -> job title entered last
    customers: set[str] = field(default_factory=set)  #: addresses
    merged: set[str] = field(default_factory=set)  #: addresses that lost, in Salesforce alone

    def load(self, leads: int, described: int) -> None:
        """The first load: of these people something will become, who are everywhere by then."""
        self.leads = [self.meet() for _ in range(leads)]
        self.described = [self.meet("met at a fair") for _ in range(described)]
        self.meet_there()
        self.world.settle()

    def meet(self, description: str | None = None) -> str:
        """Somebody who is entered in Salesforce."""
        number = self._next()
        values = {
            "FirstName": f"Ann{number}",
            "LastName": f"Horvat{number}",
            "Company": f"Plavi {number}",
            "Email": _address(number),
            "Description": description,
        }
        return str(self.world.sales.act("create", "Lead", values=values)["id"])

    def meet_there(self) -> None:
        """Somebody who is entered in Dynamics."""
        number = self._next()
        values = {
            "firstname": f"Ann{number}",
            "lastname": f"Horvat{number}",
            "companyname": f"Plavi {number}",
            "emailaddress1": _address(number),
        }
        self.world.service.act("create", "lead", values=values)

    def edit(self) -> None:
        number = self.leads[0]
        title = f"Boss {len(self.titles)}"
        self.world.sales.act("update", "Lead", id=number, values={"Title": title})
        self.titles[self._address_of(number)] = title

    def convert(self) -> None:
        number = self.leads.pop()
        self.customers.add(self._address_of(number))
        self.world.sales.act("convert", "Lead", id=number)

    def merge(self) -> None:
        """One lead of two; the other takes on the description of the one that loses."""
        loser, winner = self.described.pop(), self.leads.pop()
        self.world.sales.act("merge", "Lead", id=winner, losers=[loser])
        self.merged.add(self._address_of(loser))

    def deeds(self) -> list[Callable[[], object]]:
        """What may be done now."""
        found: list[Callable[[], object]] = [self.meet, self.meet_there, self.edit]
        if len(self.leads) > 1:
            found.append(self.convert)
        if len(self.leads) > 1 and self.described:
            found.append(self.merge)
        return found

    def _next(self) -> int:
        self.entered += 1
        return self.entered

    def _address_of(self, lead: str) -> str:
        rows = self.world.sales.records("Lead")
        return str(next(row["Email"] for row in rows if row["Id"] == lead))

    def everybody_is_there_once(self) -> None:
        """Nobody is missing and nobody is there twice; what was edited is everywhere."""
        world = self.world
        sales = _by_address(world.sales.records("Lead"), "Email", "IsDeleted", "IsConverted")
        contacts = _by_address(world.sales.records("Contact"), "Email", "IsDeleted")
        there = _by_address(world.service.records("lead"), "emailaddress1")
        customers = _by_address(world.service.records("contact"), "emailaddress1")
        profiles = _profiles(world.profiles.records("person"))
        everybody = {_address(number) for number in range(1, self.entered + 1)}
        assert _counts(sales) == dict.fromkeys(everybody - self.customers - self.merged, 1)
        assert _counts(there) == dict.fromkeys(everybody, 1)
        assert _counts(contacts) == _counts(customers) == dict.fromkeys(self.customers, 1)
        assert _counts(profiles) == dict.fromkeys(everybody, 1)
        kinds = {address for address, (row,) in profiles.items() if row["type"] == "CUSTOMER"}
        assert kinds == self.customers
        for address, title in self.titles.items():
            if address in everybody - self.customers - self.merged:
                shown = [
                    sales[address][0]["Title"],
                    there[address][0]["jobtitle"],
                    profiles[address][0]["customAttributes"]["job_title"],
                ]
                assert shown == [title] * 3


def kill_at(world: Running, moment: Moment, deed: Callable[[], object]) -> None:
    """Kill the service while it carries out what somebody has done."""
    deed()
    server = world.systems[moment.system]
    effect = {"hold": "after"} if moment.unheard else {}
    plan = {"method": moment.method, "path": moment.path, "skip": moment.skip, "effect": effect}
    number = server.post("faults", **plan)["id"]
    with serving(world.folder) as (process, _):
        fired = server.get(f"faults/{number}", wait=25)["fired"]
        process.kill()
        _, said = process.communicate()
    server.http.delete("/_control/faults")
    assert fired == 1, (moment, said[-3000:])


def _address(number: int) -> str:
    return f"ann{number}@plavi.example"


Rows = dict[str, list[dict[str, Any]]]


def _by_address(rows: list[dict[str, Any]], name: str, *ended: str) -> Rows:
    found: Rows = {}
    for row in rows:
        if not any(row[one] for one in ended):
            found.setdefault(row[name], []).append(row)
    return found


def _profiles(rows: list[dict[str, Any]]) -> Rows:
    found: Rows = {}
    for row in rows:
        for one in row["contactInformation"]["email"]:
            found.setdefault(one["address"], []).append(row)
    return found


def _counts(rows: Rows) -> dict[str, int]:
    return {address: len(found) for address, found in rows.items()}
