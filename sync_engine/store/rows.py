"""Rows as the engine handles them: arrays are decoded to golden field names."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sync_engine.models import EntityState, Happened, Kind, LinkState, Owes, SentResult
from sync_engine.values import Held


@dataclass(slots=True)
class EntityRow:
    id: int
    kind: Kind
    golden: dict[str, Any]
    state: EntityState = EntityState.LIVE
    into_id: int | None = None
    dirty: int = 0
    rev: int = 0


@dataclass(slots=True)
class LinkRow:
    id: int
    source_id: int
    instance_id: int
    kind: Kind
    state: LinkState
    entity_id: int | None = None
    record_id: str | None = None
    key: UUID | None = None
    into_id: int | None = None
    layout: int | None = None  #: which fields ``seen`` and ``base`` hold, and how they were read
    seen: dict[str, Any] | None = None
    base: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    match_keys: tuple[int, ...] = ()  #: digests of its match keys
    alike: tuple[int, ...] = ()  #: digests under which those stand that resemble it
    fingerprint: bytes | None = None
    version: str | None = None
    modified_at: datetime | None = None
    stamps: dict[str, str] = field(default_factory=dict)
    inactive: bool = False
    rev: int = 0
    acked: int = 0
    owes: Owes = Owes.NOTHING
    ends: Owes = Owes.NOTHING
    due_at: datetime | None = None
    tries: int = 0
    missing_at: datetime | None = None
    #: state and entity as history knows them
    was: tuple[LinkState, int | None] | None = field(default=None, compare=False)

    @property
    def stands(self) -> tuple[LinkState, int | None]:
        return self.state, self.entity_id


@dataclass(slots=True)
class SentRow:
    id: int
    source_id: int
    link_id: int
    run_id: int
    action: str
    risk: Owes
    golden_rev: int
    link_rev: int
    version: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    result: SentResult | None = None
    reason: str | None = None
    answered_at: datetime | None = None


@dataclass(slots=True)
class HistoryRow:
    id: int
    run_id: int
    entity_id: int
    what: Happened
    link_id: int | None = None
    field_name: str | None = None
    fields: tuple[str, ...] = ()  #: golden took these first values together
    by: str | None = None
    stamp: str | None = None
    hash: bytes | None = None
    old: Any = None
    new: Any = None
    rule: str | None = None
    lost: Any = None


@dataclass(slots=True)
class IssueRow:
    id: int
    what: str
    opened_at: datetime
    cause: str = ""
    source_id: int | None = None
    entity_id: int | None = None
    link_id: int | None = None
    field_name: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    closed_at: datetime | None = None


@dataclass(slots=True)
class SourceRow:
    id: int
    instance_id: int
    object: str
    selection: list[str] | None
    mapping: str | None
    cursor: dict[str, Any] | None
    listing: dict[str, Any] | None
    listed_at: datetime | None
    tick: int
    guard: dict[str, Any] | None
    checked_at: datetime | None
    due_at: datetime | None
    state: str


@dataclass(slots=True)
class InstanceRow:
    id: int
    name: str
    identity: dict[str, Any] | None
    state: str
    budget: dict[str, Any] | None
    health: dict[str, Any] | None


@dataclass(slots=True)
class SyncRow:
    name: str
    kind: Kind
    state: str
    released_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    id: int
    sync: str
    prefer: str | None
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    verdict: str
    left: tuple[int, str]  #: source id, record id
    right: tuple[int, str]
