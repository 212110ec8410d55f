"""What goes wrong: faults are armed by events, fire at a later call or commit, and are counted.

The numbers are those of the fault catalogue (F1 ... F21). A fault counts when it took effect,
not when it was armed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from connectors import (
    AuthError,
    CursorExpiredError,
    Outcome,
    Page,
    Result,
    Selection,
    TransientError,
    Upserted,
    Write,
)
from connectors.errors import RateLimitError, ResponseError
from connectors.testing.memory import MemoryConnector, MemorySystem
from sync_engine.store import LeaseHold, Store

if TYPE_CHECKING:
    from tests.simulation.world import Simulated

#: what can be armed: place -> fault -> its number in the catalogue
READ = {
    "reset": "F4",
    "throttled": "F5",
    "denied": "F7",
    "expired": "F8",
    "twice": "F9",
    "edit between pages": "F10",
    "garbled": "F18",
    "blind": "F19",
    "peer": "F13",
    "slow peer": "F13",
    "crash": "F2",
}
WRITE = {
    "reset": "F4",
    "lost answer": "F3",
    "late": "F3",
    "crash before": "F2",
    "crash after": "F2",
    "throttled": "F5",
    "partial": "F6",
    "denied": "F7",
    "edit before": "F10",
    "same edit before": "F11",
    "echo": "F11",
    "garbled": "F18",
    "peer": "F13",
    "slow peer": "F13",
}
COMMIT = {
    "crash before": "F1",
    "crash after": "F1",
    "full": "F14",
    "unknown": "F14",
}
PLACES: Mapping[str, Mapping[str, str]] = {"read": READ, "write": WRITE, "commit": COMMIT}


class Crash(BaseException):
    """kill -9."""


@dataclass(slots=True)
class Armed:
    place: str
    what: str
    system: str  #: empty for a commit
    after: int  #: calls or commits that still pass
    seed: str


@dataclass(slots=True)
class Faults:
    armed: list[Armed] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)

    def take(self, place: str, system: str = "") -> Armed | None:
        """The fault that fires here now, if any."""
        for one in self.armed:
            if (one.place, one.system) != (place, system):
                continue
            one.after -= 1
            if one.after < 0:
                self.armed.remove(one)
                return one
        return None

    def fire(self, number: str) -> None:
        self.fired[number] += 1


class SimulatedStore(Store):
    """The real store; commits may fail, or be the last thing a process does."""

    sim: "Simulated"
    depth = 0

    @contextmanager
    def transaction(self, lease: LeaseHold | None = None) -> Iterator[Connection]:
        fault = self.sim.faults.take("commit")
        what = fault.what if fault else ""
        with super().transaction(lease) as connection:
            self.depth += 1
            try:
                yield connection
            finally:
                self.depth -= 1
            if what in ("crash before", "full"):
                self._fail(what)
        if what in ("crash after", "unknown"):
            self._fail(what)

    def _fail(self, what: str) -> None:
        self.sim.faults.fire(COMMIT[what])
        if what.startswith("crash"):
            raise Crash
        raise OperationalError("commit", {}, Exception(what))


class SimulatedConnector(MemoryConnector):
    """A connector whose network, and whose organization, misbehave."""

    def __init__(self, system: MemorySystem, sim: "Simulated", instance: str) -> None:
        super().__init__(system)
        self._sim, self._instance = sim, instance

    def changes(self, selection: Selection, since: Any) -> Iterator[Page]:
        self._refuse_unknown(selection)
        fault = self._fault_at("read")
        if since is not None and fault and fault.what == "expired":
            self._sim.faults.fire("F8")
            raise CursorExpiredError("too old")
        pages = super().changes(selection, since)
        while (page := self._next(pages, fault, listing=since is None)) is not None:
            self._sim.trace("page", self._instance, selection.object, len(page.changes))
            for change in page.changes:
                if isinstance(change, Upserted):
                    self._sim.people.read(self._instance, selection.object, change.record.id)
            yield page
            if fault and fault.what == "twice" and page.changes:
                self._sim.faults.fire("F9")
                yield replace(page, listed_all=False)
                fault = None
            fault = fault or self._fault_at("read")

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Any:
        self._refuse_unknown(selection)
        self._fail_reading(self._fault_at("read"))
        found = super().fetch(selection, field, values)
        for record in found:
            self._sim.people.read(self._instance, selection.object, record.id)
        return found

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        if not writes:
            return []
        self._sim.note_writes(self._instance, object, writes)
        fault = self._fault_at("write")
        what = fault.what if fault else ""
        self._before(object, writes, fault)
        if what == "partial" and fault:
            return self._partly(object, writes, Random(fault.seed))
        if not self._system.versions:
            for write in writes:
                self._sim.people.overwritten(self._instance, object, write)
        outcomes = super().write(object, writes)
        self._after(object, writes, what)
        return outcomes

    def _refuse_unknown(self, selection: Selection) -> None:
        if set(selection.fields) - set(self._system.objects[selection.object].fields):
            self._sim.check_due = True
            raise ResponseError("no such field")

    def _fault_at(self, place: str) -> Armed | None:
        self._sim.outside_transaction()
        fault = self._sim.faults.take(place, self._instance)
        if fault and fault.what.endswith("peer"):
            self._sim.peer(slow=fault.what == "slow peer")
            return None
        return fault

    def _next(self, pages: Iterator[Page], fault: Armed | None, *, listing: bool) -> Page | None:
        self._fail_reading(fault)
        if fault and fault.what == "edit between pages":
            self._sim.people.meddle(self._instance, Random(fault.seed))
            self._sim.faults.fire("F10")
        page = next(pages, None)
        if page is not None and fault and fault.what == "blind" and listing:
            kept = [c for n, c in enumerate(page.changes) if n % 2 or not isinstance(c, Upserted)]
            if len(kept) < len(page.changes):
                self._sim.faults.fire("F19")
            return replace(page, changes=kept)
        return page

    def _fail_reading(self, fault: Armed | None) -> None:
        what = fault.what if fault else ""
        if what in ("reset", "throttled", "denied", "garbled"):
            self._raise(what)
        elif what == "crash":
            self._sim.faults.fire("F2")
            raise Crash

    def _raise(self, what: str) -> None:
        self._sim.faults.fire(READ[what])
        errors: dict[str, Callable[[], Exception]] = {
            "reset": lambda: TransientError("connection reset"),
            "throttled": lambda: RateLimitError("too many requests", retry_after=30),
            "denied": lambda: AuthError("token revoked"),
            "garbled": lambda: ResponseError("HTML where JSON was due"),
        }
        raise errors[what]()

    def _before(self, object: str, writes: Sequence[Write], fault: Armed | None) -> None:
        what = fault.what if fault else ""
        if what == "crash before":
            self._sim.faults.fire("F2")
            raise Crash
        if what in ("reset", "throttled", "denied"):
            self._raise(what)
        if what == "late":
            self._sim.faults.fire("F3")
            self._sim.late.append((self, object, list(writes)))
            raise TransientError("no answer")
        if fault and what in ("edit before", "same edit before"):
            people, rng = self._sim.people, Random(fault.seed)
            met = people.edit_under(self._instance, object, writes, what, rng)
            self._sim.faults.fired[WRITE[what]] += met

    def _after(self, object: str, writes: Sequence[Write], what: str) -> None:
        if what == "crash after":
            self._sim.faults.fire("F2")
            raise Crash
        if what == "lost answer":
            self._sim.faults.fire("F3")
            raise TransientError("the answer was lost")
        if what == "garbled":
            self._raise(what)
        if what == "echo" and self._sim.people.echo(self._instance, object, writes):
            self._sim.faults.fire("F11")

    def _partly(self, object: str, writes: Sequence[Write], rng: Random) -> list[Outcome]:
        """Each on its own: done, refused, to be tried again, or done without a clear answer."""
        self._sim.faults.fire("F6")
        found: list[Outcome] = []
        for write in writes:
            chance = rng.random()
            if chance < 0.5:
                found += super().write(object, [write])
            elif chance < 0.65:
                super().write(object, [write])
                found.append(Outcome(Result.RETRY, write.id, reason="unclear"))
            elif chance < 0.85:
                found.append(Outcome(Result.RETRY, write.id, reason="row locked"))
            else:
                found.append(Outcome(Result.STALE, write.id, reason="changed since"))
        return found
