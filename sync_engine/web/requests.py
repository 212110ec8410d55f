"""What the admin API takes: strict, so that a misspelt field or ``"0"`` is refused, not guessed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sync_engine.operations import Verdict, Wanted

MOST = 10_000  #: records of one request
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Asked(BaseModel):
    """What follows the question mark: text, so that numbers are read from it; nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunsAsked(Asked):
    limit: Annotated[int, Field(ge=1, le=1000)] = 20


class IssuesAsked(Asked):
    later: bool = False  #: what was put off instead


class RecordAsked(Asked):
    #: where an id alone is ambiguous
    object_name: Annotated[str | None, Field(alias="object", max_length=200)] = None


class FieldAsked(RecordAsked):
    field: Annotated[str | None, Field(max_length=200)] = None  #: one golden field; all without it


class MomentAsked(RecordAsked):
    at: Text  #: ISO 8601, UTC


class By(Body):
    by: Annotated[str, Field(min_length=1, max_length=100)] = "admin API"  #: who decides


class Answer(By):
    """What a person says of an issue."""

    says: Literal["same", "different", "later", "seen", "take", "convert", "approve", "refuse"]
    keep: Literal["newest", "oldest", "most-complete"] | None = None  #: with ``same``
    take: Text | None = None  #: with ``take``: an instance, or ``golden``

    @model_validator(mode="after")
    def _belongs(self) -> "Answer":
        if (self.says == "take") != (self.take is not None):
            raise ValueError("take names an instance where says is take, and only there")
        if self.keep is not None and self.says != "same":
            raise ValueError("keep belongs to same")
        return self

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.says, self.keep, self.take)


class GroupAnswer(Answer):
    """The same for all issues of a sort; without ``carry_out`` they are only shown."""

    what: Text
    cause: Annotated[str, Field(max_length=500)] | None = None  #: empty is a cause too
    carry_out: bool = False


class Pair(By):
    """Two records, each ``INSTANCE:ID`` or ``INSTANCE/OBJECT:ID``."""

    left: Text
    right: Text


class One(By):
    """A record, ``INSTANCE:ID`` or ``INSTANCE/OBJECT:ID``."""

    record: Text


class RunWanted(Body):
    """Whether a first run may write at once."""

    yes: bool = False


class ResyncWanted(Body):
    """Which records to read again: exactly one of these, as for ``crm-sync resync``."""

    full: bool = False
    ids: Annotated[list[Text], Field(max_length=MOST)] = []
    keys: Annotated[list[Text], Field(max_length=MOST)] = []
    since: Text | None = None  #: ISO 8601, UTC
    until: Text | None = None
    failed: bool = False
    unlinked: bool = False
    prefer: Text | None = None  #: the side whose values win
    dry_run: bool = False

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            full=self.full,
            records=tuple(self.ids),
            keys=tuple(self.keys),
            since=self.since,
            until=self.until,
            failed=self.failed,
            unlinked=self.unlinked,
        )
