"""The in-memory connector keeps the contract; what is special about it follows."""

from typing import ClassVar

import pytest

from connectors import Action, FieldType, Selection, Values
from connectors.testing.bench import Bench
from connectors.testing.contract import ConnectorContract
from connectors.testing.memory import MemoryConnector, MemoryObject, MemorySystem

TEXT, SET = FieldType("string"), FieldType("string", many=True)


class MemoryBench(Bench):
    selection = Selection("lead", ("last", "mail", "tags", "title", "type"))
    text = "title"
    name = "last"
    search = "mail"
    refused: ClassVar[Values] = {"mail": "nowhere"}
    many = ("tags", "red", "blue")
    conversion: ClassVar[Values | None] = {"type": "customer"}
    becomes = "contact"
    can = frozenset({"merge", "undelete", "convert", "hide", "expire"})

    def __init__(self) -> None:
        fields = {"last": TEXT, "mail": TEXT, "title": TEXT, "tags": SET, "type": TEXT}
        self.system = MemorySystem(
            {
                "lead": MemoryObject(fields, converts_into="contact", kind_by="type"),
                "contact": MemoryObject(fields),
            }
        )
        self.system.page_size = 3
        self.system.actions |= {Action.CONVERT}
        self.system.rejects = dict(self.refused)
        self.connector = MemoryConnector(self.system)

    def values(self, number: int) -> Values:
        return {"last": f"N{number}", "mail": f"n{number}@x.example"}

    def create(self, number: int) -> str:
        return self.system.create("lead", **self.values(number))

    def edit(self, id: str, text: str) -> None:
        self.system.update("lead", id, title=text)

    def delete(self, id: str) -> None:
        self.system.delete("lead", id)

    def later(self) -> None:
        """Every change has a position of its own."""

    def lose_answer(self, action: Action = Action.CREATE) -> None:
        self.system.lost_answers = 1

    def calls(self) -> int:
        return self.system.calls

    def written(self) -> int:
        return self.system.writes.total()

    def merge(self, survivor: str, loser: str) -> None:
        self.system.merge("lead", survivor, loser)

    def undelete(self, id: str) -> None:
        self.system.undelete("lead", id)

    def convert(self, id: str) -> None:
        self.system.convert("lead", id)

    def hide(self) -> None:
        self.system.lagging = self.system.position()

    def show(self) -> None:
        self.system.release()

    def expire(self) -> None:
        self.system.expired = self.system.position() + 1


class TestMemory(ConnectorContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class TestMemoryWithoutVersionsAndDeletions(ConnectorContract):
    """A system like Customer Profiles."""

    @pytest.fixture
    def bench(self) -> MemoryBench:
        bench = MemoryBench()
        bench.system.versions = bench.system.reports_deletions = False
        return bench
