"""A connector whose system's answers can be tampered with."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from connectors import Action, Outcome, Page, Runtime, Upserted, Write
from tests.connectors.benches import DynamicsBench, InfobipBench, SalesforceBench, ServerBench
from tests.connectors.front import Front, Unhurried, front, unhurried
from tests.connectors.processes import Server

BENCHES: dict[str, Callable[[Server, Runtime], ServerBench]] = {
    "salesforce": SalesforceBench,
    "dataverse": DynamicsBench,
    "profiles": InfobipBench,
}


class Place:
    """A connector, and the front between it and its system."""

    def __init__(self, fronting: Front, bench: ServerBench, clock: Unhurried) -> None:
        self.front, self.bench, self.clock = fronting, bench, clock

    def listing(self) -> list[Page]:
        return list(self.bench.connector.changes(self.bench.selection, None))

    def update(self, number: str, text: str = "ours") -> Outcome:
        (record,) = self.bench.connector.fetch(self.bench.selection, "id", [number])
        wish = Write(Action.UPDATE, UUID(int=1), number, {self.bench.text: text}, record.version)
        (outcome,) = self.bench.connector.write(self.bench.selection.object, [wish])
        return outcome

    def create(self, *numbers: int) -> list[Outcome]:
        wishes = [
            Write(Action.CREATE, UUID(int=1000 + n), values=self.bench.values(n)) for n in numbers
        ]
        return list(self.bench.connector.write(self.bench.selection.object, wishes))

    def answer_page(self, planned: bytes, page: int = 0, times: int = 1) -> None:
        self.front.answer(self.bench.lists, planned, times=times, skip=self.bench.first_page + page)

    def held(self, number: str) -> Any:
        (record,) = self.bench.connector.fetch(self.bench.selection, "id", [number])
        return record.values[self.bench.text]


def placed(name: str, servers: dict[str, Server], folder: Path) -> Iterator[Place]:
    clock, given = unhurried()
    with front(servers[name], folder) as (fronting, seen):
        bench = BENCHES[name](seen, given)
        yield Place(fronting, bench, clock)
        bench.connector.close()


def ids(pages: list[Page]) -> list[str]:
    """Who was told of, each once: a listing may repeat itself."""
    changes = [change for page in pages for change in page.changes]
    return list(dict.fromkeys(c.record.id for c in changes if isinstance(c, Upserted)))
