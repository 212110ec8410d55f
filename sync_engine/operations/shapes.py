"""What commands and the admin API tell: the shapes of every ``--json``.

Documented in README.md beside this file. Records are named ``INSTANCE/OBJECT:ID``; times are UTC.
Only plan, history, explain and a single issue show values of people; nothing here is logged.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

WRITES = frozenset({"create", "update", "clear", "convert", "deactivate", "delete"})


class Shape(BaseModel):
    """A value that leaves the program."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SideRow(Shape):
    """What one side of a sync holds, and what a run did to it."""

    sync: str
    kind: str
    instance: str
    object: str
    linked: int
    past: int  #: converted, merged or deleted; kept so that nothing comes back by itself
    asked: int  #: records that wait for a person
    to_create: int
    to_update: int
    created: int
    updated: int
    deleted: int
    possible_duplicates: int  #: not created, since somebody there looks like them
    held: int  #: not created or not written: a value is missing or was refused


class Sample(Shape):
    """One write that waits for a release: which record and fields, no values."""

    side: str
    does: str
    record: str | None
    like: list[str]  #: records of the same person elsewhere
    fields: list[str]


class Handshake(Shape):
    """What a first sync has found the systems to have in common, before anything is written."""

    shared: int  #: people and companies that stand in several systems
    alone: int  #: in one
    rules: dict[str, int]  #: match rule -> records that it has linked


class RunReport(Shape):
    """What one run did and left."""

    run: str | None  #: None: nothing changed, so that there is no run to look up
    sync: str
    waiting_for_release: list[str]
    stopped_by_guard: dict[str, int]  #: class of change -> how many wait
    guard: list[str]  #: what it has stopped on each side, and what to do
    sides: list[SideRow]
    conflicts: dict[str, int]  #: field -> values of this run that differed
    failed: int  #: writes that were refused, parked or left open
    unread: list[str]  #: sides that were never listed whole; nothing is matched or created there
    issues: dict[str, int]
    calls: dict[str, int]  #: instance -> API calls of this run
    cost: dict[str, int]  #: instance -> API calls that what waits for release will cost
    down: dict[str, str]  #: instance -> why it was left out
    samples: list[Sample]
    first: Handshake | None  #: where a first sync waits for release


class FieldChange(Shape):
    """One field of one line."""

    field: str
    old: Any = None
    new: Any = None
    rule: str | None = None  #: the situation or policy that decided it
    by: str | None = None  #: the side whose value it is


class Line(Shape):
    """One thing that a run did, or that a plan would do."""

    does: str  #: one of WRITES, or link, unlink, merge, became customer, hold, ask
    side: str | None
    record: str | None  #: None for one that does not exist yet
    entity: str | None
    like: list[str] = []  #: records of the same person elsewhere
    rule: str | None = None
    fields: list[FieldChange] = []
    values: dict[str, Any] | None = None  #: what the system is sent, in its own words
    answer: str | None = None  #: what the system said, where it was not simply done

    @property
    def is_write(self) -> bool:
        """Whether a system is written to."""
        return self.does in WRITES


class Plan(Shape):
    """What a sync would do now."""

    sync: str
    lines: list[Line]
    calls: dict[str, int]  #: instance -> API calls that the writes cost
    stopped_by_guard: dict[str, int]
    down: dict[str, str]
    unknown: list[str] = []  #: records that were named and that no system has


class InstanceStatus(Shape):
    name: str
    state: str  #: active, paused
    organization: str | None
    checked_at: datetime | None
    failure: str | None  #: why it could not be used when last asked
    remedy: str | None
    warnings: int  #: of the last check; ``crm-sync check`` tells them
    calls_today: int
    budget_used: int | None  #: as the vendor counts, where it tells
    budget_limit: int | None


class SyncStatus(Shape):
    name: str
    kind: str
    state: str  #: active, paused, waits for release
    schedule: str
    last_run: datetime | None
    next_run: datetime | None  #: None while no service runs
    backlog: int  #: links that owe a write
    oldest_unsent: datetime | None  #: since when the oldest of them has
    held: int
    parked: int
    conflicts_today: int


class SourceStatus(Shape):
    source: str
    listed_at: datetime | None  #: last full listing
    read_at: datetime | None


class Status(Shape):
    """How things stand, from the state alone."""

    well: bool
    summary: str
    instances: list[InstanceStatus]
    syncs: list[SyncStatus]
    sources: list[SourceStatus]
    sides: list[SideRow]
    issues: dict[str, int]


class RunLine(Shape):
    run: str
    sync: str
    started_at: datetime
    finished_at: datetime | None  #: None: it is going on, or was cut off
    prefer: str | None
    counts: dict[str, int]


class Issue(Shape):
    """One question for a person, or one thing to know."""

    id: str  #: a 63-bit number, too large for JSON readers that keep numbers as floats
    what: str
    cause: str
    opened_at: datetime
    records: list[str]
    sides: list[str]  #: on which it stands in the way
    field: str | None
    agree: list[str]  #: what its records have in common, in words, never in values
    differ: list[str]  #: and what speaks against


class IssueGroup(Shape):
    """All open issues of one cause; several rows about the same records are one."""

    what: str
    cause: str
    meaning: str
    remedy: str
    count: int
    issues: list[Issue]


class RecordValues(Shape):
    """One record of an issue, with what it holds."""

    record: str
    state: str
    modified_at: datetime | None
    values: dict[str, Any]


class IssueDetail(Shape):
    """One issue whole: its records side by side."""

    issue: Issue
    meaning: str
    remedy: str
    detail: dict[str, Any]
    sides: list[RecordValues]


class Resolution(Shape):
    """What a decision does, or has done."""

    issue: str | None
    verdict: str
    records: list[str]
    does: str
    carried_out: bool


class Decision(Shape):
    """What a person has said of two records; ``unlink`` names one record twice."""

    verdict: str
    left: str
    right: str
    by: str
    at: datetime


class Replayed(Shape):
    """What became of a file of decisions."""

    decided: int  #: that were not known
    applied: int  #: of these, of records that stand here now
    known: int
    carried_out: bool


class Event(Shape):
    """One row of a person's history."""

    at: datetime
    run: str
    what: str
    record: str | None
    field: str | None
    old: Any = None
    new: Any = None
    by: str | None
    stamp: str | None  #: when the system says that it was edited
    rule: str | None
    lost: dict[str, Any] | None


class History(Shape):
    record: str
    entity: str | None
    kind: str
    events: list[Event]


class Belonging(Shape):
    """A record of a person or company at some time, and how it came to be as it was."""

    record: str
    state: str  #: live, surplus, gone, merged, converted, replaced, held, unlinked
    since: datetime
    how: str  #: the rule by which it was linked, or what happened
    into: str | None  #: the record that it was merged or converted into


class Identity(Shape):
    """Which records were one person or company at some time."""

    record: str
    at: datetime
    entity: str
    kind: str
    records: list[Belonging]


class WriteTold(Shape):
    """One write of a field to one record."""

    at: datetime
    record: str
    action: str
    value: Any
    result: str  #: done, stale, gone, rejected, unknown, open
    reason: str | None


class FieldTold(Shape):
    """Why a field has its value."""

    field: str
    golden: Any
    here: Any  #: what the record itself shows
    set_by: str | None
    set_at: datetime | None
    edited_at: str | None
    rule: str | None
    lost: dict[str, Any] | None
    held: str | None
    apart: str | None  #: why the record shows something else, where it is not held
    changes: list[Event]  #: of golden, oldest first: each begins where the one before has ended
    writes: list[WriteTold]


class Place(Shape):
    """One side, and why the person has a record there or none."""

    side: str
    record: str | None
    state: str
    why: str


class Explanation(Shape):
    record: str
    entity: str | None
    kind: str
    places: list[Place]
    fields: list[FieldTold]


class Finding(Shape):
    level: str
    what: str
    remedy: str


class InstanceCheck(Shape):
    """What a check of one instance found."""

    instance: str
    well: bool
    organization: str | None
    organization_id: str | None
    failure: str | None
    remedy: str | None
    findings: list[Finding]


class Released(Shape):
    """What a release has let go."""

    sync: str
    changes: dict[str, int]  #: class of change -> how many the guard had stopped


class Switched(Shape):
    """A sync or an instance that was paused or resumed."""

    name: str
    state: str  #: active, paused


class Rebound(Shape):
    """The organization that an instance is linked with from now on."""

    instance: str
    organization: str
    organization_id: str


class Reloaded(Shape):
    """The configuration that is in force now."""

    instances: list[str]
    syncs: list[str]
