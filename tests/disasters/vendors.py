"""Three real servers with a front before each, which answers as a vendor does on a bad day."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.connectors.front import Front, front
from tests.connectors.processes import Server
from tests.system.world import Running, configure, running

OFTEN = 1_000_000  #: times: until it is mended
LISTS = ("records", "value", "persons", "companies", "results")
TOTALS = ("totalSize", "totalCount")
ORDER = ("sales", "service", "profiles")
ANSWERS = r"/query|/(leads|contacts|accounts)\b|/people/2/"  #: calls that tell of records


@dataclass(frozen=True, slots=True)
class Vendors:
    """The world, its fronts, and how many people are in it."""

    world: Running
    fronts: dict[str, Front]
    people: int

    def alter(self, side: str, change: Callable[[list[Any]], list[Any]]) -> None:
        """From now on this side's reads show its records so."""

        def altered(answer: Any) -> Any:
            if not isinstance(answer, dict):
                return answer
            found = dict(answer)
            for name in LISTS:
                if isinstance(found.get(name), list):
                    found[name] = change(found[name])
                    found |= {total: len(found[name]) for total in TOTALS if total in found}
            return found

        self.fronts[side].alter(("GET", ANSWERS), altered, times=OFTEN)

    def refuse(self, side: str, answer: bytes, method: str = "", path: str = "") -> None:
        """From now on this side answers so."""
        for each in [method] if method else ["GET", "POST", "PATCH", "DELETE"]:
            self.fronts[side].answer((each, path or r"^/(?!_control)"), answer, times=OFTEN)

    def mend(self) -> None:
        for one in self.fronts.values():
            one.plans.clear()

    def suffer(self, *commands: str, times: int = 3) -> str:
        """Run while it lasts; gives all that was said."""
        told = ""
        for command in commands:
            told += self.world.run(*command.split())[1]
        for _ in range(times):
            told += self.world.run("sync")[1]
        return told + self.world.run("issues", "list")[1] + self.world.run("status")[1]

    def surnames(self) -> list[list[str]]:
        """What each system shows, sorted."""
        world = self.world
        return [
            sorted(row["LastName"] for row in world.sales.records("Lead")),
            sorted(row["lastname"] for row in world.service.records("lead")),
            sorted(row["lastName"] for row in world.profiles.records("person")),
        ]

    def assert_all_equal(self) -> None:
        self.world.settle()
        first, *others = self.surnames()
        assert others == [first, first]
        assert len(first) == self.people
        assert "Nothing waits for a person." in self.world.run("issues", "list")[1]


def lead(n: int) -> dict[str, Any]:
    person = {"FirstName": "Ann", "LastName": f"Horvat{chr(97 + n)}"}
    return person | {"Company": f"Plavi {n}", "Email": f"ann{n}@plavi{n}.example"}


@contextmanager
def vendors(folder: Path, people: int = 16) -> Iterator[Vendors]:
    """That many leads, equal everywhere, under a policy that carries deletes on."""
    with ExitStack() as stack:
        behind = stack.enter_context(running(folder))
        fronts: dict[str, Front] = {}
        seen: dict[str, Server] = {}
        for name in ORDER:
            own = folder / f"front-{name}"
            own.mkdir()
            fronts[name], seen[name] = stack.enter_context(front(behind.systems[name], own))
        configure(behind.folder, Running(behind.folder, **seen))
        file = behind.folder / "crm-sync.yaml"
        leads = "leads: {kind: lead, every: 1m,"
        assert leads in file.read_text()
        file.write_text(file.read_text().replace(leads, f"{leads} deletes: propagate,"))
        for n in range(people):
            behind.sales.act("create", "Lead", values=lead(n))
        found = Vendors(behind, fronts, people)
        behind.settle()
        yield found
