"""The connector to a simulated organization: where calls fail, and where others act meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors import (
    Action,
    AuthError,
    Change,
    Checked,
    ConnectorError,
    Cursor,
    CursorExpiredError,
    Deleted,
    Outcome,
    Page,
    RateLimitError,
    Record,
    ResponseError,
    Result,
    Selection,
    TransientError,
    Write,
)
from connectors.testing.memory import MemoryConnector, Row
from tests.simulation.events import Fault
from tests.simulation.faults import Faults
from tests.simulation.systems import Crm, Landed

#: until an unanswered write has landed (the engine's horizon is 15 minutes)
LATEST = timedelta(minutes=13)


class Crash(BaseException):
    """The process is killed."""


class Violation(Exception):
    """An invariant is broken. Says which, and by what."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant, self.what = invariant, what


@dataclass(slots=True)
class Line:
    """The way from one worker to the systems, and what may happen on it."""

    faults: Faults
    now: Callable[[], datetime]
    note: Callable[..., None]  #: into the trace
    is_writing: Callable[[], bool]  #: whether the worker has a transaction open
    kill: Callable[[], None]
    #: somebody acts: a deed of the event's, another worker, the clock
    meanwhile: Callable[[Fault, Crm], None]
    late: list[tuple[datetime, int, Crm, str, Write]]  #: writes that land later
    sending: Callable[[int], None]  #: told of writes handed over
    failed: set[str] = field(default_factory=set)  #: instances that have failed in this run


class SimulatedConnector(MemoryConnector):
    """Keeps every promise of the contract while its organization misbehaves."""

    def __init__(self, crm: Crm, line: Line) -> None:
        super().__init__(crm)
        self._crm, self._line = crm, line
        self.mapped: dict[str, set[str]] = {}  #: object -> the fields that may be written

    def check(self, selections: Sequence[Selection]) -> Checked:
        self._cross("read")
        return super().check(selections)

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        crm, asked = self._crm, [selection.object, *selection.fields]
        cursor = dict(since or {"at": 0, "end": crm.position(), "asked": asked})
        if cursor["asked"] != asked or (since and cursor["at"] < crm.expired):
            raise CursorExpiredError("the cursor is of another selection, or too old")
        after = cursor["at"]
        while True:
            fault = self._cross("read")
            if fault is not None and fault.how in ("expired", "foreign"):
                raise CursorExpiredError(fault.how)
            if fault is not None and fault.how == "replayed":
                after = max(0, after - 4)
            rows = self._rows(selection.object, after, listing="end" in cursor)
            page, more = rows[: crm.page_size], len(rows) > crm.page_size
            after = page[-1].changed if more else max(crm.position(), after)
            cursor["at"] = max(cursor["at"], min(after, self._safe(selection.object, after)))
            lists = "end" in cursor and after >= cursor["end"]
            if lists:
                del cursor["end"]
            changes = self._told(selection, page)
            self._line.note("page", crm.name, selection.object, len(changes), after)
            if fault is not None and fault.how == "crash read":
                self._line.kill()
            yield Page(changes, dict(cursor), listed_all=lists)
            if not more:
                return

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        self._cross("read")
        found = [r for r in super().fetch(selection, field, values) if r.id not in self._crm.hidden]
        self._line.note("fetch", self._crm.name, field, sorted(r.id for r in found))
        return found

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        self._line.sending(len(writes))
        for one in writes:
            self._line.note("write", self._crm.name, one.action, one.id, sorted(one.values))
        fault = self._cross("write")
        outcomes = self._answered(object, writes, fault)
        self._line.note("answer", [(str(one.result), one.id) for one in outcomes])
        return outcomes

    def _rows(self, name: str, after: int, *, listing: bool) -> list[Row]:
        crm = self._crm
        rows = sorted(crm.objects[name].rows.values(), key=lambda row: row.changed)
        return [
            row
            for row in rows
            if row.changed > after
            and row.id not in crm.hidden
            and (listing or not crm.is_late(row.changed))
        ]

    def _safe(self, name: str, after: int) -> int:
        """The position that a cursor may keep: nothing before it is still to become visible."""
        late = (
            row.changed - 1
            for row in self._crm.objects[name].rows.values()
            if row.changed <= after and self._crm.is_late(row.changed)
        )
        return min(late, default=after)

    def _told(self, selection: Selection, page: Sequence[Row]) -> list[Change]:
        found = [c for row in page if (c := self._change(selection, row)) is not None]
        if self._crm.is_exact:  # Dynamics tells updates first, then deletes
            found.sort(key=lambda change: isinstance(change, Deleted))
        return found

    def _record(self, selection: Selection, row: Row) -> Record:
        self._crm.fresh.pop(row.id, None)
        return Record(
            id=row.id,
            values={name: row.values.get(name) for name in selection.fields},
            key=row.key,
            version=self._crm.version(row),
            modified_at=self._crm.stamps[row.changed],
            inactive=row.inactive,
        )

    def _version(self, row: Row) -> str:
        return self._crm.version(row)

    def _cross(self, seam: str) -> Fault | None:
        """A call begins; what strikes before it reaches the system strikes here."""
        line, name = self._line, self._crm.name
        if line.is_writing():
            raise Violation("I-32", f"{name} is called inside a transaction")
        if name in line.failed:
            raise Violation("I-29", f"{name} is called again in the run in which it failed")
        if self._crm.down:
            self._fail("reset")
        fault = line.faults.cross(seam)
        if fault is None:
            return None
        line.note("fault", fault.id, fault.seam, fault.how)
        if fault.how in ("crash unsent", "crash unread"):
            line.kill()
        if fault.how in _AT_ONCE:
            self._fail(fault.how)
        if fault.how not in _LATER:
            line.meanwhile(fault, self._crm)
        return fault

    def _fail(self, how: str) -> None:
        self._line.failed.add(self._crm.name)
        raise _ERRORS.get(how, TransientError)(how)

    def _answered(
        self, name: str, writes: Sequence[Write], fault: Fault | None
    ) -> Sequence[Outcome]:
        how = fault.how if fault is not None else ""
        if how == "later":
            self._land_later(name, writes)
            self._fail(how)
        most = len(writes)
        if how in ("401 half", "short", "truncated"):
            most = self._crm.rng.randint(0, most)
        skipped = self._skipped(how, writes)
        outcomes = [
            Outcome(Result.RETRY, one.id, reason="locked")
            if number in skipped
            else self._carried_out(name, one, fault)
            for number, one in enumerate(writes[:most])
        ]
        if how == "crash applied":
            self._line.kill()
        if how in ("applied", "edited", "500 applied", "401 half", "short", "truncated"):
            self._fail(how)
        if how == "landed locked":
            return [Outcome(Result.RETRY, one.id, reason="locked") for one in writes]
        return outcomes

    def _skipped(self, how: str, writes: Sequence[Write]) -> set[int]:
        if how in ("none", "locked"):
            return set(range(len(writes)))
        if how == "some":
            return {n for n in range(len(writes)) if self._crm.rng.random() < 0.5}
        return set()

    def _carried_out(self, name: str, write: Write, fault: Fault | None) -> Outcome:
        how = fault.how if fault is not None else ""
        if how == "403 field" and write.values:
            field = sorted(write.values)[0]
            return Outcome(Result.REJECTED, write.id, reason="403", faults={field: "no right"})
        if write.id is not None and write.id == self._crm.poisoned:
            return Outcome(Result.REJECTED, write.id, reason="never")
        known = self._crm.objects[name].by_key.get(write.key)
        if write.action is Action.CREATE and known is not None and known.id in self._crm.hidden:
            return Outcome(Result.REJECTED, reason="a duplicate that cannot be shown")
        outcome = self._carry_out(name, write, fault if how == "window" else None)
        if how in ("echo", "edited") and outcome.result is Result.DONE and outcome.id:
            row = self._crm.row(name, outcome.id)
            for field in _EDITED:
                if not row.deleted and write.values.get(field):
                    self._crm.automate(name, row.id, field, f"{row.values[field]}e")
        return outcome

    def _carry_out(
        self, name: str, write: Write, window: Fault | None = None, *, is_late: bool = False
    ) -> Outcome:
        crm = self._crm
        row = crm.objects[name].rows.get(write.id or "")
        known = write.key in crm.objects[name].by_key
        compared = self._compared(write, row)
        if window is not None and row is not None:
            if not crm.is_exact and compared.version != "another":
                compared = replace(compared, version=None)  # compared already
            self._line.meanwhile(window, crm)
        before = dict(row.values) if row is not None else {}
        version = crm.version(row) if row is not None else None
        if write.action is Action.UPDATE and row is not None and not is_late:
            self._is_narrow(name, compared, row)
        outcome = super()._carry_out(name, compared)
        if outcome.result is not Result.DONE or outcome.id is None:
            return outcome
        row = crm.row(name, outcome.id)
        if write.version is not None and not crm.is_exact:
            crm.overwritten(row, before)
        is_untold = version == crm.version(row)
        crm.untold[row.id] = set(write.values) if is_untold else set()
        if write.action is not Action.CREATE or not known:
            kind = crm.kind_of(name, row)
            now = self._line.now()
            crm.landed.append(Landed(write.action, name, row.id, str(write.key), kind, now))
        return outcome

    def _compared(self, write: Write, row: Row | None) -> Write:
        """Versions in whole seconds are compared here; the memory system compares positions."""
        if row is None or write.version is None or write.action is Action.CREATE:
            return write
        same = write.version == self._crm.version(row)
        version = str(row.changed) if same else "another"
        return replace(write, version=version)

    def _is_narrow(self, name: str, write: Write, row: Row) -> None:
        """Oracle 11 (I-7): a write names mapped fields alone, and such as differ."""
        strange = set(write.values) - self.mapped[name]
        if write.version == str(row.changed):
            same = {f for f, value in write.values.items() if row.values.get(f) == value}
            # entered, or written by another worker, within the second
            hidden = self._crm.fresh.get(row.id, {}).keys() | self._crm.untold.get(row.id, set())
            strange |= same - hidden
        if strange:
            raise Violation("I-7", f"a write names {sorted(strange)}")

    def _land_later(self, name: str, writes: Sequence[Write]) -> None:
        ticks = self._crm.rng.randint(1, 20)
        by = self._line.now() + LATEST
        for one in writes:
            self._line.late.append((by, self._crm.tick + ticks, self._crm, name, one))

    def land(self, name: str, write: Write) -> None:
        """A write whose sender has long given up on it."""
        outcome = self._carry_out(name, write, is_late=True)
        self._line.note("landed", self._crm.name, str(outcome.result), outcome.id)


_ERRORS: dict[str, Callable[[str], ConnectorError]] = {
    "html": ResponseError,
    "cut": ResponseError,
    "truncated": ResponseError,
    "short": ResponseError,
    "429": lambda how: RateLimitError(how, retry_after=30.0),
    "429 for ever": lambda how: RateLimitError(how, retry_after=1e9),
    "401": AuthError,
    "401 half": AuthError,
}
#: what automation or a person changes at once after our write
_EDITED = ("title", "description", "city")
#: what keeps a call from the system
_AT_ONCE = frozenset({"lost", "reset", "503", "html", "429", "429 for ever", "401", "cut"})
#: what strikes while a call is carried out or answered
_LATER = frozenset(
    {
        "crash applied", "crash read", "applied", "edited", "later", "500 applied", "some",
        "none", "short", "locked", "landed locked", "401 half", "403 field", "expired",
        "replayed", "foreign", "truncated", "echo", "window",
    }
)  # fmt: skip
