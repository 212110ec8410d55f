"""What a user may configure. Every model refuses unknown keys; every default is a safe one."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.catalogue import extended
from config.field_maps import FieldMap
from config.schedule import checked_cron
from config.strict import KindName, Strict

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class DeletePolicy(StrEnum):
    """What follows when a record is deleted on a side."""

    UNLINK = "unlink"  #: nothing elsewhere; the person's place there is kept
    IGNORE = "ignore"
    PROPAGATE = "propagate"  #: deleted elsewhere too, if nobody has edited it since
    DEACTIVATE = "deactivate"


class CreatePolicy(StrEnum):
    """What becomes of a person or company without a record on a side."""

    CREATE = "create"
    LINK_ONLY = "link-only"  #: none is created; one that is there, or comes, is linked
    NEVER = "never"  #: neither: who is not linked already takes no part, there or elsewhere


class ConvertPolicy(StrEnum):
    """What becomes of a lead on a side once its person is a customer elsewhere."""

    LEAVE = "leave"  #: it stays as the customer's past; the customer is created beside it
    CONVERT = "convert"  #: it is converted by the system's own means


def _seconds(value: Any) -> int:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a number and a unit: 30s, 5m, 2h or 1d")
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 10 <= seconds <= 7 * 86_400:
        raise ValueError("must be from 10s to 7d")
    return seconds


def duration_text(seconds: int) -> str:
    """A duration as it is written in the file."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def _name(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(NAME, value):
        raise ValueError(
            "a name is 1 to 63 lower-case letters, digits, - and _, a letter or digit first"
        )
    return value


def _region(value: Any) -> Any:
    if isinstance(value, str) and value not in SUPPORTED_REGIONS:
        raise ValueError("must be a country's two capital letters (ISO 3166), such as DE")
    return value


def _places(value: Any) -> Any:
    """The short forms of a side, an object's name or one object, as a list of objects."""
    several = value if isinstance(value, list) else [value]
    return [{"object": one} if isinstance(one, str) else one for one in several]


Duration = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str)]
Cron = Annotated[str, AfterValidator(checked_cron)]
# the patterns are for editors, by way of the schema; the sentences come before them
Name = Annotated[str, Field(pattern=NAME), BeforeValidator(_name)]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$"), BeforeValidator(_region)]


class InstanceSettings(BaseModel):
    """One configured connector; the rest of its keys are the connector's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)
    connector: str

    @property
    def own(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class RuleSettings(Strict):
    """What a create adds, made of the person's or company's golden fields."""

    rule: str = Field(min_length=1)  #: CEL


class SideSettings(Strict):
    """One object of a side of a sync, and what is said of it."""

    object: str = Field(min_length=1)
    fields: dict[str, FieldMap] = Field(default={})  #: null unmaps a field
    required: list[str] | None = None
    on_create: dict[str, str | int | bool | RuleSettings] | None = None
    region: Region | None = None
    creates: CreatePolicy = CreatePolicy.CREATE
    converts: ConvertPolicy | None = None  #: of leads; default: where the record turns in place
    #: only records of which it is true cause others elsewhere; CEL over golden fields
    filter: str | None = None
    accept: str | None = None  #: only those of whom it is true are created here; CEL likewise
    exit: Literal["keep", "pause"] = "keep"  #: of who is linked and passes them no more
    deletes: DeletePolicy | None = None
    approve_deletes: bool | None = None


Side = Annotated[
    list[SideSettings],
    Field(min_length=1),
    BeforeValidator(_places, json_schema_input_type=str | SideSettings | list[str | SideSettings]),
]


Form = Literal[
    "text",
    "multiline",
    "email",
    "phone",
    "domain",
    "date",
    "datetime",
    "number",
    "integer",
    "money",
    "boolean",
    "choice",
    "choices",
    "language",
    "country",
]


def _own(value: Any) -> Any:
    """The short form of an own golden field: its form alone."""
    return {"form": value} if isinstance(value, str) else value


class OwnFieldSettings(Strict):
    """A golden field beside those that there are."""

    form: Form
    kinds: list[KindName] = Field(default=list(KindName), min_length=1)


OwnField = Annotated[
    OwnFieldSettings, BeforeValidator(_own, json_schema_input_type=Form | OwnFieldSettings)
]
OwnName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]


Word = Annotated[str, Field(min_length=1, max_length=200)]


class PlaceholderSettings(Strict):
    """What stands where a value is due and none is known, beside what is shipped."""

    words: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()  #: words of the shipped list that are values here


class FieldSettings(Strict):
    """A golden field of one sync."""

    policy: Literal["prefer", "newest", "longest", "manual"] | None = None
    prefer: list[str] | None = None
    placeholders: PlaceholderSettings = PlaceholderSettings()


class LimitSettings(Strict):
    """Bounded, so that no limit is out of reach: a guard that never stops guards nothing."""

    count: int = Field(ge=0, le=100_000)
    share: float = Field(ge=0, le=0.5)


class GuardSettings(Strict):
    """More than both the count and the share of the links stops a source until released."""

    delete: LimitSettings = LimitSettings(count=10, share=0.02)
    create: LimitSettings = LimitSettings(count=50, share=0.10)
    clear: LimitSettings = LimitSettings(count=20, share=0.05)
    same: LimitSettings = LimitSettings(count=20, share=0.05)
    owner: LimitSettings = LimitSettings(count=20, share=0.05)
    convert: LimitSettings = LimitSettings(count=10, share=0.02)
    missing: LimitSettings = LimitSettings(count=10, share=0.02)
    emptied: LimitSettings = LimitSettings(count=0, share=0.5)
    remapped: LimitSettings = LimitSettings(count=20, share=0.05)


class SyncSettings(Strict):
    """A named set of sides that are kept equal."""

    kind: KindName
    every: Duration | None = None
    cron: Cron | None = None
    sides: dict[str, Side] = Field(min_length=2)
    prefer: list[str] | None = None  #: defaults to the order of the sides
    policy: Literal["prefer", "newest", "longest", "manual"] = "prefer"
    fields: dict[str, FieldSettings] = Field(default={})
    deletes: DeletePolicy = DeletePolicy.UNLINK
    approve_deletes: bool = False  #: whether what follows from a delete waits for a person
    guard: GuardSettings = GuardSettings()
    create_inactive: bool = False
    match: list[str] | None = None  #: the rules by which records are linked, strongest first
    placeholders: PlaceholderSettings = PlaceholderSettings()
    #: of leads: sides whose records, turned customers by themselves, convert leads elsewhere
    conversion_from: list[str] = Field(default=[])

    def approves(self, side: SideSettings) -> bool:
        """Whether what follows from a delete on this side waits for a person."""
        return self.approve_deletes if side.approve_deletes is None else side.approve_deletes


class NoKeySettings(Strict):
    """What nobody is recognised by, beside what is shipped."""

    mailboxes: tuple[Word, ...] = ()  #: names before the @ that belong to a role
    placeholders: tuple[Word, ...] = ()  #: what stands where a name or mailbox is not known
    placeholder_domains: tuple[Word, ...] = ()
    shared_domains: tuple[Word, ...] = ()  #: of mail and web hosting
    without: tuple[Word, ...] = ()  #: words of the shipped lists that are keys here


class Settings(Strict):
    """The whole file."""

    state: str = "sqlite:///crm-sync.db"
    #: tells, outside the state, how far that has come; a path counts from the file's folder
    epoch_file: str | None = Field(default=None, min_length=1)
    region: Region | None = None
    allow_sandbox_with_production: bool = False
    #: secret of masks: without it a hash of a short value could be guessed
    mask_key: SecretStr | None = Field(default=None, min_length=16)
    mask_key_file: str | None = Field(default=None, min_length=1)
    fields: dict[OwnName, OwnField] = Field(default={})
    no_keys: NoKeySettings = NoKeySettings()
    placeholders: PlaceholderSettings = PlaceholderSettings()
    instances: dict[Name, InstanceSettings] = Field(min_length=1)
    syncs: dict[Name, SyncSettings] = Field(min_length=1)

    @property
    def catalogue(self) -> Mapping[str, Mapping[str, str]]:
        """Kind -> golden field -> form, with the file's own fields."""
        own = ((name, one.form, map(str, one.kinds)) for name, one in self.fields.items())
        return extended(own)
