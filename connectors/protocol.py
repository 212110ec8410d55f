"""The contract between the engine and one system.

A connector speaks its system's own language: native object and field names, native
ids, native JSON values. It tells what changed and carries out writes; it knows
nothing of other systems. Translating, matching and deciding are the engine's work.
The promises behind these types are listed in connectors/README.md and tested by
``connectors.testing.contract``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel

if TYPE_CHECKING:
    import httpx

PROTOCOL = 1  #: a plugin built for another number is refused with a clear message

Values: TypeAlias = Mapping[str, Any]  #: native field name -> JSON value
Cursor: TypeAlias = Mapping[str, Any]  #: where reading stands; opaque, stored as JSON


class Clock(Protocol):
    """Time as the connector may know it; a simulation passes its own."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back; for durations only."""

    def wait(self, seconds: float) -> bool:
        """Pause; False, at once, when the service is asked to stop."""


@dataclass(frozen=True, slots=True)
class Budget:
    """API calls of the organization's present period, as the system itself counts them."""

    used: int
    limit: int


def _untold(_budget: Budget) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a connector is given instead of reaching for it."""

    clock: Clock
    ids: Callable[[], UUID]
    #: the way to the network; takes the file of a private CA, or None for the public ones
    transport: "Callable[[str | None], httpx.BaseTransport]"
    #: told whenever an answer shows what is left of the organization's API calls
    budget: Callable[[Budget], None] = _untold


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read of one object."""

    object: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is now: exactly the selected fields; None means empty.

    A field that holds a set of values (``FieldType.many``) is a list in stable order.
    """

    id: str
    values: Values
    key: UUID | None = None  #: our key, if the record holds one
    version: str | None = None  #: ETag, SystemModstamp...; None where the system has none
    modified_at: datetime | None = None  #: by the system's clock, aware
    #: disqualified, deactivated: linked, but never the cause of a create elsewhere
    inactive: bool = False


@dataclass(frozen=True, slots=True)
class Upserted:
    """The record exists and holds these values now."""

    record: Record


@dataclass(frozen=True, slots=True)
class Deleted:
    """The system says that the record is gone."""

    id: str
    key: UUID | None = field(default=None, compare=False)  #: ours, where it is still told


@dataclass(frozen=True, slots=True)
class Merged:
    """``id`` is gone; ``into``, of the same object, carries on for both."""

    id: str
    into: str
    key: UUID | None = field(default=None, compare=False)  #: of the one that is gone


@dataclass(frozen=True, slots=True)
class Converted:
    """The lead ``id`` became other records: object name -> record id."""

    id: str
    into: Mapping[str, str]
    key: UUID | None = field(default=None, compare=False)  #: of the lead


Change: TypeAlias = Upserted | Deleted | Merged | Converted


@dataclass(frozen=True, slots=True)
class Page:
    """Changes, and the cursor that is safe to keep once they are stored."""

    changes: Sequence[Change]
    cursor: Cursor
    listed_all: bool = False  #: last page of a full listing: what the listing lacks is suspect


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    CONVERT = "convert"  #: a lead becomes a customer by the system's own means
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    UNDELETE = "undelete"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Write:
    """One wish. ``values`` holds only what is to change.

    For a field with ``FieldType.many`` the value is ``{"add": [...], "remove": [...]}``.
    """

    action: Action
    key: UUID  #: names the intent: creating or converting twice with one key gives one record
    id: str | None = None  #: None for a create
    values: Values = field(default_factory=dict)
    version: str | None = None  #: refuse if the record is no longer at this version
    #: of a conversion into another object: object name -> the record there that the lead becomes
    #: or belongs to; None: it becomes a new one. A second one of either is never made.
    into: Mapping[str, str | None] = field(default_factory=dict)


class Result(StrEnum):
    DONE = "done"
    STALE = "stale"  #: no longer at that version: read again, decide again
    GONE = "gone"  #: no longer exists
    REJECTED = "rejected"  #: fails until the values, or the system's rules, change
    RETRY = "retry"  #: may succeed unchanged, later


class Refusal(StrEnum):
    """Why a write is rejected, by what a person can do about it."""

    DUPLICATE = "duplicate"  #: another record there has the value, or is taken for the same
    VALIDATION = "validation rule"  #: a rule, or an automation, of the organization
    REQUIRED = "required"  #: a value is missing
    TOO_LONG = "too long"
    PERMISSION = "permission"
    LOCKED = "locked"  #: by an approval or the like, until people unlock it
    CONVERTED = "converted"  #: a lead that is one no more
    CHOICE = "unknown choice"  #: of a picklist
    REFERENCE = "reference"  #: what it refers to is not there
    FORM = "form"  #: no value of that field: an address that is none, a number out of range
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write."""

    result: Result
    id: str | None = None  #: of the record written; for a create, the new one
    version: str | None = None  #: after the write, where the answer told it
    reason: str = ""  #: the system's own words without personal values, for a person
    values: Values = field(default_factory=dict)  #: where less or other than sent landed
    faults: Mapping[str, str] = field(default_factory=dict)  #: field -> why it was refused
    refusal: Refusal = Refusal.OTHER  #: of ``REJECTED``
    found: tuple[str, ...] = ()  #: ids of the records that a duplicate was found in
    #: of a conversion into another object: object name -> record id, as ``Converted`` tells it
    into: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldType:
    """One field as this organization defines it."""

    type: str  #: string, email, phone, date, datetime, number, boolean, choice, reference
    length: int | None = None
    required: bool = False  #: on creation
    createable: bool = True
    updateable: bool = True
    many: bool = False  #: an unordered set of values
    choices: tuple[str | int, ...] = ()  #: the values a restricted choice allows
    forbidden: frozenset[str] = frozenset()  #: characters that are refused
    controller: str = ""  #: a field whose value tells which choices there are
    #: value of that field, as text (``true``, ``false`` of a boolean) -> the choices beside it
    dependent: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object as this organization offers it."""

    name: str
    fields: Mapping[str, FieldType]
    actions: frozenset[Action]
    reports_deletions: bool  #: else only a full listing shows them
    max_batch: int  #: writes of one call
    #: API calls that one write costs where batches are full; 1 for an action that is not named
    calls: Mapping[Action, float] = field(default_factory=dict)
    versions: bool = True  #: records carry a version that a write is held against
    #: an address, phone or external id belongs to one record of the account, whatever its kind
    unique_addresses: bool = False
    #: messages to people go out from here: an opt-out that cannot be read elsewhere counts as set
    sends: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody whom records can belong to."""

    id: str
    name: str  #: a user's e-mail address, ``queue:NAME`` or ``team:NAME``
    active: bool = True  #: whether records can be given to it
    objects: tuple[str, ...] = ()  #: those that it can own; none: every
    is_us: bool = False  #: the user that the connector works as


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"  #: this side cannot work as configured


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw. One that names a field says that it cannot be read.

    Such a field is left out while that lasts. An error stops the side all the same before its
    first listing, when the name is more likely wrong than the field lost.
    """

    level: Level
    what: str
    remedy: str = ""
    object: str = ""
    field: str = ""  #: native


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` found, and whose organization it is."""

    identity: str  #: stable id of the organization; another one stops the instance
    name: str  #: for a person
    sandbox: bool | None  #: None where the system does not tell
    findings: tuple[Finding, ...] = ()


class Connector(Protocol):
    """One authenticated connection to one organization. Used by one thread at a time."""

    Settings: ClassVar[type[BaseModel]]
    #: object -> shipped default mapping, in the form of the configuration file
    #: (config/README.md, "Mapping"); an object without one must be mapped by the user
    Mappings: ClassVar[Mapping[str, Mapping[str, Any]]]

    @classmethod
    def open(cls, settings: Any, runtime: Runtime) -> Self:
        """Ready to work; nothing is sent yet."""

    def close(self) -> None: ...

    def check(self, selections: Sequence[Selection]) -> Checked:
        """Prove that credentials, permissions and the key field suffice for these objects.

        Raises ConnectorError only for the connection; everything else is a finding.
        """

    def describe(self) -> Sequence[ObjectType]:
        """The objects that can be synchronised."""

    def owners(self) -> Sequence[Owner]:
        """Users, queues and teams; asked where an owner is mapped. None where records have none."""

    def changes(self, selection: Selection, since: Cursor | None) -> Iterator[Page]:
        """Everything that changed after ``since``; from None, everything there is.

        A page is requested when it is asked for. There is always at least one page.
        Raises CursorExpiredError where ``since`` is too old or of another selection.
        """

    def fetch(self, selection: Selection, field: str, values: Sequence[str]) -> Sequence[Record]:
        """The records whose ``field`` is one of ``values``, as they are this moment.

        ``field`` is a native field name, ``"id"`` for the record id, ``"key"`` for our key.
        Deleted, merged and converted records are left out; order is not promised.
        """

    def write(self, object: str, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Attempt every write; one outcome each, in order.

        Raises ConnectorError only if nothing is known of any of them.
        """
