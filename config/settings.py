"""What a user may configure. Every model refuses unknown keys; every default is a safe one."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class KindName(StrEnum):
    LEAD = "lead"
    CUSTOMER = "customer"
    COMPANY = "company"


class DeletePolicy(StrEnum):
    """What follows when a record is deleted on a side."""

    UNLINK = "unlink"  #: nothing elsewhere; the person's place there is kept
    IGNORE = "ignore"
    PROPAGATE = "propagate"  #: deleted elsewhere too, if nobody has edited it since
    DEACTIVATE = "deactivate"


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        if found is None:
            raise ValueError("write a number and a unit: 30s, 5m, 2h or 1d")
        return int(found[1]) * _SECONDS[found[2]]
    raise ValueError("write a number and a unit: 30s, 5m, 2h or 1d")


Duration = Annotated[
    int,
    BeforeValidator(_seconds, json_schema_input_type=str),
    Field(ge=10, le=7 * 86400),
]
Name = Annotated[str, Field(pattern=NAME)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstanceSettings(BaseModel):
    """One configured connector; the rest of its keys are the connector's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)
    connector: str

    @property
    def own(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class FieldMapSettings(Strict):
    """How one golden field stands in an object: exactly one of field, parts, member_of."""

    field: str | None = None
    parts: dict[str, str] | None = None
    member_of: str | None = None
    values: dict[str, str | int] | None = None
    ref: KindName | None = None
    direction: Literal["both", "to", "from"] = "both"
    style: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "FieldMapSettings":
        if sum(place is not None for place in (self.field, self.parts, self.member_of)) != 1:
            raise ValueError("name exactly one of field, parts, member_of")
        return self


class SideSettings(Strict):
    """One side of a sync, where its object alone does not say enough."""

    object: str
    fields: dict[str, str | FieldMapSettings | None] = {}  #: null unmaps a field
    required: list[str] | None = None
    on_create: dict[str, str | int | bool] | None = None
    region: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    create: bool = True
    #: only records of which it is true cause others elsewhere; CEL over golden fields
    filter: str | None = None
    deletes: DeletePolicy | None = None


class FieldSettings(Strict):
    """A golden field of one sync."""

    policy: Literal["prefer", "newest", "longest", "manual"] | None = None
    prefer: list[str] | None = None


class LimitSettings(Strict):
    count: int = Field(ge=0)
    share: float = Field(ge=0, lt=1)


class GuardSettings(Strict):
    """More than both the count and the share of the links stops a source until released."""

    delete: LimitSettings = LimitSettings(count=10, share=0.02)
    create: LimitSettings = LimitSettings(count=50, share=0.10)
    clear: LimitSettings = LimitSettings(count=20, share=0.05)
    same: LimitSettings = LimitSettings(count=20, share=0.05)
    convert: LimitSettings = LimitSettings(count=10, share=0.02)
    missing: LimitSettings = LimitSettings(count=10, share=0.02)


class SyncSettings(Strict):
    """A named set of sides that are kept equal."""

    kind: KindName
    every: Duration | None = None
    cron: str | None = None
    sides: dict[str, str | SideSettings | list[str | SideSettings]] = Field(min_length=2)
    prefer: list[str] | None = None  #: defaults to the order of the sides
    policy: Literal["prefer", "newest", "longest", "manual"] = "prefer"
    fields: dict[str, FieldSettings] = {}
    deletes: DeletePolicy = DeletePolicy.UNLINK
    guard: GuardSettings = GuardSettings()
    create_inactive: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> "SyncSettings":
        if (self.every is None) == (self.cron is None):
            raise ValueError("give either every or cron")
        strangers = set(self.prefer or []) - set(self.sides)
        if strangers:
            raise ValueError(f"prefer names {', '.join(sorted(strangers))}, which is no side")
        return self

    def objects(self, side: str) -> list[SideSettings]:
        """A side's objects, each with what is said of it."""
        named = self.sides[side]
        several = named if isinstance(named, list) else [named]
        return [SideSettings(object=one) if isinstance(one, str) else one for one in several]


class Settings(Strict):
    """The whole file."""

    state: str = "sqlite:///crm-sync.db"
    region: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    allow_sandbox_with_production: bool = False
    instances: dict[Name, InstanceSettings] = Field(min_length=1)
    syncs: dict[Name, SyncSettings] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        kinds: dict[str, str] = {}
        for name, sync in self.syncs.items():
            if sync.kind in kinds:
                raise ValueError(
                    f"syncs {kinds[sync.kind]} and {name} are both of kind {sync.kind}; "
                    f"one state database holds one sync per kind: add sides to it instead"
                )
            kinds[sync.kind] = name
            strangers = set(sync.sides) - set(self.instances)
            if strangers:
                raise ValueError(
                    f"sync {name} names {', '.join(sorted(strangers))}, which is no instance"
                )
        return self
