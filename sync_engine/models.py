"""The tables. They do not validate (SQLModel does not, for tables); parse before storing.

What each row means and which states a link may take is in sync_engine/README.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, ClassVar
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel


class Kind(IntEnum):
    LEAD = 1
    CUSTOMER = 2
    COMPANY = 3


class EntityState(IntEnum):
    LIVE = 1
    MERGED = 2
    GONE = 3


class LinkState(IntEnum):
    NEW = 1  #: read, not matched
    ASKED = 2  #: waits for a person
    STUB = 3  #: known only as a reference
    CREATING = 4  #: has a key, may not exist
    LIVE = 5  #: one record of one entity
    SURPLUS = 6  #: second record of an entity in one instance; no claims, no writes
    GONE = 7
    MERGED = 8
    CONVERTED = 9
    REPLACED = 10  #: a gone link whose place a new record took
    IGNORED = 11
    HELD = 12  #: a customer that was turned back into a lead there; no claims, no writes


class Owes(IntEnum):
    """What must be done about a link; the larger of the writes, the riskier."""

    NOTHING = 0
    REREAD = 1
    UPDATE = 2
    CLEAR = 3
    CREATE = 4
    CONVERT = 5
    DEACTIVATE = 6
    DELETE = 7
    FOLLOW = 8  #: its record ended, and the entity has not followed that yet; no write


#: what push carries out by writing
WRITES = frozenset(Owes) - {Owes.NOTHING, Owes.REREAD, Owes.FOLLOW}


class SentResult(IntEnum):
    DONE = 1
    STALE = 2
    GONE = 3
    REJECTED = 4
    RETRY = 5
    UNKNOWN = 6  #: nobody knows; a direct read made later settled it


class Happened(IntEnum):
    """What a history row tells."""

    BIRTH = 1  #: otherwise than by a record that was matched: of those, first values tell
    VALUE = 2  #: golden changed
    CONFLICT = 3  #: golden kept or changed against another value, kept in ``lost``
    LINKED = 4
    UNLINKED = 5
    MERGED = 6
    CONVERTED = 7
    STATE = 8  #: a record of the entity has come into another state, told in ``new``
    LEFT = 9  #: a record is left alone, for what ``rule`` tells
    ENTERED = 10  #: and takes part again


class UtcDateTime(UserDefinedType[datetime]):
    """A moment as microseconds since 1970, on both databases; refuses naive times."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "BIGINT"

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        return lambda moment: None if moment is None else _microseconds(moment)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        return lambda number: None if number is None else _EPOCH + timedelta(microseconds=number)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("a naive time cannot be stored")
    return (moment - _EPOCH) // timedelta(microseconds=1)


class JsonText(UserDefinedType[Any]):
    """A JSON value as text: the same bytes on both databases."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "TEXT"

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        return lambda value: None if value is None else orjson.dumps(value).decode()

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return lambda value: None if value is None else orjson.loads(value)


class Table(SQLModel):
    """What all tables share: named constraints, which migrations on SQLite need."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


#: SQLite keeps a row under an INTEGER key itself; under a BIGINT it needs an index of its own
NUMBER: Any = BigInteger().with_variant(Integer(), "sqlite")


def _number(**options: Any) -> Any:
    return Field(sa_type=NUMBER, **options)


def _small(**options: Any) -> Any:
    return Field(sa_type=SmallInteger, **options)


def _words(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def _json(**options: Any) -> Any:
    return Field(sa_type=JsonText, **options)


def _moment(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


def _row(of: str, **options: Any) -> Any:
    return Field(sa_type=NUMBER, sa_column_args=[ForeignKey(of)], **options)


class Meta(Table, table=True):
    """One row: which installation this database belongs to."""

    __tablename__ = "meta"
    installation: int = _number(primary_key=True)
    epoch: int = _number(default=0)
    restoring: int = _small(default=0)
    mapping: str | None = _words(default=None)  #: fingerprint of what it was last decided under
    out: list[str] | None = _json(default=None)  #: who took no part when creates were put off


class Instance(Table, table=True):
    __tablename__ = "instance"
    id: int | None = _small(default=None, primary_key=True)
    name: str = _words(unique=True)
    identity: dict[str, Any] | None = _json(default=None)
    state: str = _words(default="active")
    budget: dict[str, Any] | None = _json(default=None)  #: {day, calls, used, limit}
    health: dict[str, Any] | None = _json(
        default=None
    )  #: {at, failure, remedy, warnings} of the check


class Sync(Table, table=True):
    __tablename__ = "sync"
    name: str = _words(primary_key=True)
    kind: int = _small(unique=True)
    state: str = _words(default="active")
    released_at: datetime | None = _moment(default=None)
    due_at: datetime | None = _moment(default=None)


class Source(Table, table=True):
    """One object of one instance, read once for all syncs."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("instance_id", "object"),)
    id: int | None = _small(default=None, primary_key=True)
    instance_id: int = _row("instance.id")
    object: str = _words()
    selection: list[str] | None = _json(default=None)
    mapping: str | None = _words(default=None)  #: fingerprint of what was read with
    cursor: dict[str, Any] | None = _json(default=None)
    listing: dict[str, Any] | None = _json(default=None)
    listed_at: datetime | None = _moment(default=None)
    tick: int = _number(default=0)
    guard: dict[str, Any] | None = _json(default=None)
    checked_at: datetime | None = _moment(default=None)
    due_at: datetime | None = _moment(default=None)
    state: str = _words(default="active")


class FieldName(Table, table=True):
    __tablename__ = "field"
    id: int | None = _small(default=None, primary_key=True)
    name: str = _words(unique=True)


class Layout(Table, table=True):
    """Which fields an array holds, and under which normal forms."""

    __tablename__ = "layout"
    __table_args__ = (UniqueConstraint("fields", "forms"),)
    id: int | None = _small(default=None, primary_key=True)
    fields: list[int] = _json()
    forms: bytes = Field(sa_type=LargeBinary)


class Lease(Table, table=True):
    __tablename__ = "lease"
    name: str = _words(primary_key=True)
    fence: int = _number(default=0)
    holder: str | None = _words(default=None)
    until: datetime | None = _moment(default=None)
    run_id: int | None = _number(default=None)


class Entity(Table, table=True):
    """Our golden record of one person or company."""

    __tablename__ = "entity"
    __table_args__ = (
        CheckConstraint("(state = 2) = (into_id is not null)", name="merged_into"),
        Index(
            "ix_entity_dirty",
            "kind",
            "id",
            sqlite_where=text("dirty > 0"),
            postgresql_where=text("dirty > 0"),
        ),
    )
    id: int = _number(primary_key=True)
    kind: int = _small()
    state: int = _small(default=EntityState.LIVE)
    into_id: int | None = _row("entity.id", default=None)
    layout: int = _row("layout.id")
    golden: list[Any] = _json()
    dirty: int = _small(default=0)  #: 1 to be decided, 2 once an instance that is out answers
    rev: int = _number(default=0)


_PLACED = "state in (4, 5)"  # creating, live


class Link(Table, table=True):
    """One record of one entity."""

    __tablename__ = "link"
    __table_args__ = (
        CheckConstraint("state not in (4, 5, 6) or entity_id is not null", name="has_entity"),
        Index(
            "uq_link_record",
            "source_id",
            "record_id",
            unique=True,
            sqlite_where=text("record_id is not null"),
            postgresql_where=text("record_id is not null"),
        ),
        Index(
            "uq_link_key",
            "key",
            unique=True,
            sqlite_where=text("key is not null"),
            postgresql_where=text("key is not null"),
        ),
        Index(
            "uq_link_place",
            "entity_id",
            "instance_id",
            unique=True,
            sqlite_where=text(_PLACED),
            postgresql_where=text(_PLACED),
        ),
        Index(
            "ix_link_past",
            "entity_id",
            sqlite_where=text("state not in (4, 5) and entity_id is not null"),
            postgresql_where=text("state not in (4, 5) and entity_id is not null"),
        ),
        Index(
            "ix_link_into",
            "into_id",
            sqlite_where=text("into_id is not null"),
            postgresql_where=text("into_id is not null"),
        ),
        Index(
            "ix_link_new",
            "kind",
            "id",
            sqlite_where=text("state = 1"),
            postgresql_where=text("state = 1"),
        ),
        Index(
            "ix_link_owing",
            "source_id",
            "kind",
            "due_at",
            "id",
            sqlite_where=text("owes > 0"),
            postgresql_where=text("owes > 0"),
        ),
        Index(
            "ix_link_risk",
            "source_id",
            "owes",
            sqlite_where=text("owes > 1"),
            postgresql_where=text("owes > 1"),
        ),
    )
    id: int = _number(primary_key=True)
    entity_id: int | None = _row("entity.id", default=None)
    source_id: int = Field(sa_type=SmallInteger, sa_column_args=[ForeignKey("source.id")])
    instance_id: int = Field(sa_type=SmallInteger, sa_column_args=[ForeignKey("instance.id")])
    record_id: str | None = _words(default=None)
    key: UUID | None = Field(default=None, sa_type=Uuid)
    kind: int = _small()
    state: int = _small()
    into_id: int | None = _row("link.id", default=None)
    layout: int | None = _row("layout.id", default=None)
    seen: list[Any] | None = _json(default=None)
    base: list[Any] | None = _json(default=None)  #: null: equal to ``seen``; []: none yet
    held: dict[str, Any] | None = _json(default=None)  #: field id -> {of, why, as}
    #: what ``match_key`` holds of it, 8 bytes each: exact keys, and those that only resemble
    match_keys: bytes | None = Field(default=None, sa_type=LargeBinary)
    alike: bytes | None = Field(default=None, sa_type=LargeBinary)
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    version: str | None = _words(default=None)
    modified_at: datetime | None = _moment(default=None)
    stamps: dict[str, Any] | None = _json(default=None)  #: field id -> stamp, until reconciled
    inactive: int = _small(default=0)
    rev: int = _number(default=0)
    acked: int = _number(default=0)
    owes: int = _small(default=0)
    #: DEACTIVATE or DELETE, since another record of the entity was deleted; until that is done,
    #: an edit has saved it or the other record is back
    ends: int = _small(default=0)
    due_at: datetime | None = _moment(default=None)
    tries: int = _small(default=0)
    missing_at: datetime | None = _moment(default=None)


class MatchKey(Table, table=True):
    """Which links carry a key; what a link carries stands in its row."""

    __tablename__ = "match_key"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: int = _number(primary_key=True, sa_column_kwargs={"autoincrement": False})
    link_id: int = _row("link.id", primary_key=True)


class Waiting(Table, table=True):
    """Entities to mark dirty when the link's state changes."""

    __tablename__ = "waiting"
    __table_args__ = ({"sqlite_with_rowid": False},)
    link_id: int = _row("link.id", primary_key=True)
    entity_id: int = _row("entity.id", primary_key=True)


class Listed(Table, table=True):
    """What a full listing has shown so far."""

    __tablename__ = "listed"
    __table_args__ = ({"sqlite_with_rowid": False},)
    source_id: int = Field(
        sa_type=SmallInteger, sa_column_args=[ForeignKey("source.id")], primary_key=True
    )
    listing: int = _number(primary_key=True, sa_column_kwargs={"autoincrement": False})
    record_id: str = _words(primary_key=True)


class Sent(Table, table=True):
    """One external write; open (no result) while it may or may not have landed."""

    __tablename__ = "sent"
    __table_args__ = (
        Index(
            "ix_sent_open",
            "link_id",
            sqlite_where=text("result is null"),
            postgresql_where=text("result is null"),
        ),
        Index("ix_sent_link", "link_id", "id"),
        Index("ix_sent_risk", "source_id", "risk", "id"),
    )
    id: int = _number(primary_key=True)
    source_id: int = Field(sa_type=SmallInteger, sa_column_args=[ForeignKey("source.id")])
    link_id: int = _row("link.id")
    run_id: int = _row("run.id")
    action: str = _words()
    risk: int = _small()
    golden_rev: int = _number()
    link_rev: int = _number()
    version: str | None = _words(default=None)
    vals: dict[str, Any] | None = _json(default=None)  #: field id -> golden value sent
    before: dict[str, Any] | None = _json(default=None)  #: field id -> what the side held
    result: int | None = _small(default=None)
    reason: str | None = _words(default=None)
    answered_at: datetime | None = _moment(default=None)


class History(Table, table=True):
    """Append-only in its structure; the values may be blanked."""

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_entity", "entity_id", "id"),
        # of a record that left an entity nothing else tells where it was
        Index(
            "ix_history_left",
            "link_id",
            sqlite_where=text("what = 5"),
            postgresql_where=text("what = 5"),
        ),
    )
    id: int = _number(primary_key=True)
    run_id: int = _number()
    entity_id: int = _number()
    link_id: int | None = _number(default=None)
    what: int = _small()
    field_id: int | None = _small(default=None)
    #: several field ids: first values of golden, told without them (see ``Entities.history``)
    fields: list[int] | None = _json(default=None, nullable=True)
    by: str | None = _words(default=None)
    stamp: str | None = _words(default=None)
    hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    old: Any = _json(default=None, nullable=True)
    new: Any = _json(default=None, nullable=True)
    rule: str | None = _words(default=None)
    lost: Any = _json(
        default=None, nullable=True
    )  #: the values that lost: instance -> {value, stamp}


class Issue(Table, table=True):
    """What waits for a person."""

    __tablename__ = "issue"
    __table_args__ = (
        Index(
            "uq_issue_open",
            "what",
            func.coalesce(text("source_id"), 0),
            func.coalesce(text("entity_id"), 0),
            func.coalesce(text("link_id"), 0),
            func.coalesce(text("field_id"), 0),
            "cause",
            unique=True,
            sqlite_where=text("closed_at is null"),
            postgresql_where=text("closed_at is null"),
        ),
    )
    id: int = _number(primary_key=True)
    what: str = _words()
    cause: str = _words(default="")
    source_id: int | None = _small(default=None)
    entity_id: int | None = _number(default=None)
    link_id: int | None = _number(default=None)
    field_id: int | None = _small(default=None)
    detail: dict[str, Any] | None = _json(default=None)
    opened_at: datetime = _moment()
    closed_at: datetime | None = _moment(default=None)


class Decision(Table, table=True):
    """What a person said of two records, or of one: ids only."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("left_source", "left_record", "right_source", "right_record"),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: same, different, later; convert names a lead and the customer it became, unlink one twice
    verdict: str = _words()
    left_source: int = _small()
    left_record: str = _words()
    right_source: int = _small()
    right_record: str = _words()
    by: str = _words()
    at: datetime = _moment()


class Run(Table, table=True):
    """A cycle that changed something, or one command."""

    __tablename__ = "run"
    id: int = _number(primary_key=True)
    sync: str = _words()
    prefer: str | None = _words(default=None)
    started_at: datetime = _moment()
    finished_at: datetime | None = _moment(default=None)
    counts: dict[str, Any] | None = _json(default=None)


class Erased(Table, table=True):
    """Keyed hashes of people who asked to be forgotten."""

    __tablename__ = "erased"
    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    at: datetime = _moment()
