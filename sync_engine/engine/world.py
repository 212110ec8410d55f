"""What a cycle works with: the configured sources and syncs, the state, and the seams."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from connectors import Action, Clock, Connector, ObjectType, Owner, Selection
from sync_engine.guard import Limits
from sync_engine.identifiers import SHIPPED, NoKeys
from sync_engine.ids import Ids
from sync_engine.mapping import Mapping as SideMapping
from sync_engine.matching import RULES
from sync_engine.models import Happened, Kind, LinkState
from sync_engine.placeholders import Placeholders
from sync_engine.reconcile import Policy
from sync_engine.store import Epoch, HistoryRow, IssueRow, LinkRow, Store, decided_under
from sync_engine.values import CROSS_IDS

log = structlog.get_logger("crm_sync")

_UNKNOWN = ObjectType("", {}, frozenset(), reports_deletions=False, max_batch=1)

#: reading and writing order: what others refer to comes first
KINDS = (Kind.COMPANY, Kind.LEAD, Kind.CUSTOMER)

TRIES = 8  #: before a link is parked
#: states of a record that history tells of by themselves; of the others it tells why
_TELLING = (
    LinkState.SURPLUS,
    LinkState.GONE,
    LinkState.MERGED,
    LinkState.CONVERTED,
    LinkState.REPLACED,
    LinkState.HELD,
)
UNKNOWN_CHOICE, UNREADABLE_VALUE = "unknown choice", "unreadable value"
UNCLEARABLE = "cannot be cleared"
TRUNCATED, REWRITTEN = "truncated", "rewritten"
STORED_DIFFERENTLY = "stored differently"
DELETE_WAITS = "delete waits for approval"
MENDED = "repaired"
LONGEST_CAUSE = 80  #: characters of an issue's cause


@dataclass(slots=True)
class Source:
    """One object of one instance, read once for all syncs."""

    id: int
    instance: str
    instance_id: int
    object: str
    connector: Connector
    mapping: SideMapping
    kinds: frozenset[Kind]  #: those that a sync wants of it
    #: what the organization offers; until it was asked, nothing may be created
    type: ObjectType = _UNKNOWN
    #: ``mapping`` as configured: with the fields that cannot be read now (engine/drift.py)
    configured: SideMapping = None  # type: ignore[assignment]  # follows from ``mapping``
    keyed: str = SHIPPED.mark  #: how its records get their keys
    owners: tuple[Owner, ...] = ()  #: whom records can belong to, where that is mapped
    strangers: set[str] = field(default_factory=set)  #: owners of records whom nobody knows there

    def __post_init__(self) -> None:
        self.configured = self.configured or self.mapping

    @property
    def selection(self) -> Selection:
        return self._selection(self.mapping)

    @property
    def wanted(self) -> Selection:
        """What would be read if every mapped field could be."""
        return self._selection(self.configured)

    def _selection(self, mapping: SideMapping) -> Selection:
        return Selection(self.object, mapping.native_fields(kind_names(self.kinds)))

    @property
    def has_versions(self) -> bool:
        """Whether records carry versions, so that one without must be read before a write."""
        return self.type.versions

    @property
    def fingerprint(self) -> str:
        """Of what is read and how it is understood; another one asks for a new listing."""
        text = f"{self.mapping!r}{self.keyed}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def name(self) -> str:
        return f"{self.instance}/{self.object}"


@dataclass(frozen=True, slots=True)
class Sync:
    """A kind that is kept equal on its sides; at most one per kind."""

    name: str
    kind: Kind
    sides: tuple[str, ...]  #: instances, in the order of first-sync precedence
    policies: Mapping[str, Policy]  #: one per golden field
    deletes: Mapping[str, str]  #: instance -> ``unlink``, ``propagate``, ``deactivate``, ``ignore``
    creates: Mapping[str, str]  #: instance -> ``create``, ``link-only``, ``never``
    limits: Limits
    #: instance -> whether a person (golden values) known there alone may be created elsewhere
    enters: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    #: instance -> whether a person may be created there
    accepts: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    approvals: frozenset[str] = frozenset()  #: instances whose deletes a person approves
    pauses: frozenset[str] = frozenset()  #: instances that leave alone who does not pass any more
    #: of leads: instances whose records, turned customers by themselves, convert those elsewhere
    conversion_from: frozenset[str] = frozenset()
    #: of leads: instance -> whether its leads are converted on behalf of other sides; one that is
    #: not named does what needs no second record: it converts where a record turns in place
    converts: Mapping[str, bool] = field(default_factory=dict)
    born_inactive: bool = False  #: whether the past is created elsewhere too
    entry: str = ""  #: what tells who may be created where, in words that change with it
    match: tuple[int, ...] = ()  #: the rules that link, strongest first; none: as shipped
    #: golden field -> what stands there for nothing
    placeholders: Mapping[str, Placeholders] = field(default_factory=dict)

    def creates_on(self, instance: str) -> bool:
        return self.creates.get(instance, "create") == "create"

    def is_placeholder(self, name: str, value: Any) -> bool:
        """Whether a field's golden value stands for none."""
        return name in self.placeholders and self.placeholders[name].holds(value)

    def is_closed(self, instance: str) -> bool:
        """Whether who is not linked there already takes no part."""
        return self.creates.get(instance) == "never"


class RestoredError(Exception):
    """A system shows that this state is older than it was."""


def into_log(event: str, **told: Any) -> None:
    log.info(event, **told)


Step = tuple[str, Callable[[], None]]  #: an instance, and some of its work
LATE = "is still at work on what it was asked before"


def one_by_one(steps: Sequence[Step]) -> Collection[str]:
    """Do all steps in their order; nobody is still at it."""
    for _, step in steps:
        step()
    return ()


@dataclass(slots=True)
class World:
    """Everything a stage may reach for."""

    store: Store
    clock: Clock
    ids: Ids
    installation: int
    sources: Sequence[Source]
    syncs: Mapping[Kind, Sync]
    no_keys: NoKeys = SHIPPED  #: by what nobody is recognised
    down: dict[str, str] = field(default_factory=dict)  #: instance -> why it is out of this run
    paused: set[str] = field(default_factory=set)  #: instances with which no traffic is wanted
    calls: Counter[str] = field(default_factory=Counter)  #: instance -> API calls so far
    #: does steps, those of one instance in their order, and gives the instances still at it
    turns: Callable[[Sequence[Step]], Collection[str]] = one_by_one
    #: whether the state is older than the systems, and not all has been listed since
    restoring: bool = False
    #: told, outside the state, how far it has come
    witness: Callable[[Epoch], None] | None = None
    #: told of each write, conflict and issue, by names and ids (practice 8.6)
    journal: Callable[..., None] = into_log
    #: told of each step: stage, source or sync, how many records
    watch: Callable[[str, str, int], None] | None = None

    @property
    def fingerprint(self) -> str:
        """Of all mappings, and of who may enter where."""
        told = sorted((source.name, source.fingerprint) for source in self.sources)
        told += sorted((sync.name, sync.entry) for sync in self.syncs.values())
        return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()

    def is_current(self, connection: Connection) -> bool:
        """Whether nobody has decided since under another configuration: it knows better."""
        return decided_under(connection) in (None, self.fingerprint)

    def note(self, stage: str, source: str, number: int) -> None:
        """Tell whoever watches that a stage has got so much further."""
        if self.watch is not None:
            self.watch(stage, source, number)

    def is_out(self, instance: str) -> bool:
        """Whether nothing is read from it or written to it in this run."""
        return instance in self.down or instance in self.paused

    def out(self) -> frozenset[str]:
        """Instances that take no part, and sources where nothing can be created."""
        out = {one.instance for one in self.sources if self.is_out(one.instance)}
        described = [one for one in self.sources if one.type.name]
        return frozenset(out | {s.name for s in described if Action.CREATE not in s.type.actions})

    def source(self, source_id: int) -> Source:
        for source in self.sources:
            if source.id == source_id:
                return source
        raise KeyError(source_id)

    def place(self, instance: str, kind: Kind) -> Source | None:
        """Where records of a kind are created on an instance: its first source that wants it."""
        wanting = (s for s in self.sources if s.instance == instance and kind in s.kinds)
        return next(wanting, None)

    @property
    def consents(self) -> dict[str, Sequence[str]]:
        """Opt-out -> the fields that it concerns (practice 4.1)."""
        policies = (pair for sync in self.syncs.values() for pair in sync.policies.items())
        return {name: policy.concerns for name, policy in policies if policy.name == "consent"}

    @property
    def crossing(self) -> dict[Kind, set[int]]:
        """Kind -> the instances whose records may hold the ids of others."""
        found: dict[Kind, set[int]] = {}
        for source in self.sources:
            if source.mapping.shows.intersection(CROSS_IDS):
                for kind in source.kinds:
                    found.setdefault(kind, set()).add(source.instance_id)
        return found

    def rules(self, kind: Kind) -> tuple[int, ...]:
        """The rules that link records of a kind, strongest first."""
        sync = self.syncs.get(kind)
        return (sync.match if sync else ()) or tuple(RULES[kind.name.lower()])

    def of_kind(self, kind: Kind) -> list[Source]:
        return [source for source in self.sources if kind in source.kinds]


@dataclass(slots=True)
class Run:
    """One pass of a sync's stages, and what it did.

    Its row is stored with the first change: a cycle that changes nothing leaves none.
    """

    id: int
    sync: str
    started_at: datetime
    prefer: str | None = None  #: the instance whose values win where they differ from golden
    scope: Collection[int] | None = None  #: entities for which it is preferred; None: all
    only: str | None = None  #: the one field for which it is; None: all
    counts: Counter[str] = field(default_factory=Counter)
    called: Counter[str] = field(default_factory=Counter)  #: instance -> API calls
    finished_at: datetime | None = None
    stored: bool = False
    witnessed: bool = False  #: whether the state's witness knows that it writes

    def insisted(self, instance: str, entity_id: int, names: Collection[str]) -> Collection[str]:
        """The fields in which the person who started this run wants that side's values."""
        if self.prefer != instance or (self.scope is not None and entity_id not in self.scope):
            return ()
        return names if self.only is None else {self.only} & set(names)

    def calls(self) -> dict[str, int]:
        """Instance -> API calls of this run."""
        return dict(sorted(self.called.items()))

    def store(self, world: World, connection: Connection) -> None:
        if not self.stored:
            world.store.registry.start_run(
                connection, self.id, self.sync, self.started_at, self.prefer
            )
            self.stored = True


@dataclass(slots=True)
class Told:
    """What a transaction has to say to history and to people."""

    run_id: int
    history: list[HistoryRow] = field(default_factory=list)
    issues: list[IssueRow] = field(default_factory=list)

    def event(self, world: World, **columns: Any) -> None:
        self.history.append(HistoryRow(id=world.ids.row(), run_id=self.run_id, **columns))

    def states(self, world: World, links: Iterable[LinkRow]) -> None:
        """What became of records since history last heard of them.

        That one is matched, created or unlinked is told with its reason by who does it.
        """
        for link in links:
            before, link.was = link.was, link.stands
            if link.record_id is None or link.entity_id is None or before is None:
                continue
            ended = link.state in _TELLING and (before[0] is not link.state or before[1] is None)
            if ended or (link.state is LinkState.LIVE and before[0] in _TELLING):
                new = {"state": link.state.name.lower(), "into": link.into_id}
                about = {"entity_id": link.entity_id, "link_id": link.id}
                self.event(world, what=Happened.STATE, new=new, **about)

    def issue(self, world: World, what: str, **columns: Any) -> None:
        self.issues.append(
            IssueRow(id=world.ids.row(), what=what, opened_at=world.clock.now(), **columns)
        )

    def store(self, world: World, connection: Connection) -> None:
        world.store.entities.tell(connection, self.history)
        for event in self.history:
            if event.what is Happened.CONFLICT:
                world.journal(
                    "conflict",
                    run=self.run_id,
                    entity=event.entity_id,
                    field=event.field_name,
                    rule=event.rule,
                    by=event.by,
                    lost=sorted(event.lost or ()),
                )
        for issue in world.store.issues.open(connection, self.issues):
            world.journal(
                "issue",
                run=self.run_id,
                issue=issue.id,
                what=issue.what,
                source=world.source(issue.source_id).name if issue.source_id else None,
                entity=issue.entity_id,
                field=issue.field_name,
            )


def kind_names(kinds: Sequence[Kind] | frozenset[Kind]) -> tuple[str, ...]:
    """Kinds in the words of configuration and mapping."""
    return tuple(kind.name.lower() for kind in sorted(kinds))


def in_batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
