"""How a golden field may stand in an object, and what of that fits its form."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from config.catalogue import ADDRESS_PARTS, CONSENT, MONEY_PARTS
from config.expressions import expression
from config.strict import KindName, Strict
from config.tree import Findings

Where = tuple[str | int, ...]
Constant = str | int | float | bool | list[str]

_PLACES = ("field", "parts", "member_of", "part_of", "constant")
_PARTS = {"address": ADDRESS_PARTS, "money": MONEY_PARTS}
_A = {"address": "an address", "money": "money"}
_STYLES = {
    "phone": ("digits",),
    "address": ("name", "code"),
    "country": ("name", "code"),
    "choices": ("semicolons", "commas", "list"),
}
_MASKS = {
    "text": ("redact", "hash", "truncate"),
    "multiline": ("redact",),
    "email": ("hash",),
    "date": ("truncate",),
    "address": ("truncate",),
}
_TEXTS = ("text", "multiline", "address")
_OF_OWNERS = frozenset({"field", "values", "fallback", "direction", "lossy"})
_CHOSEN = ("choice", "choices", "text", "boolean", "owner")  #: what value maps are of


def _repairs(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _place(value: Any) -> Any:
    """The short form of a mapped field: the native field's name alone."""
    return {"field": value} if isinstance(value, str) else value


Repair = Literal["truncate", "strip", "replace"]


class FieldMapSettings(Strict):
    """How one golden field stands in an object, and what is made of it on the way."""

    field: str | None = None
    parts: dict[str, str] | None = None
    member_of: str | None = None
    part_of: str | None = None  #: a field that holds a whole name
    constant: Constant | None = None  #: what every record there says
    values: dict[str, str | int] | None = None
    unknown: Literal["hold", "pass", "default"] = "hold"
    default: Constant | None = None
    currency: str | None = None
    ref: KindName | None = None
    fallback: str | None = None  #: who gets what belongs to somebody who is not there
    direction: Literal["both", "to", "from"] = "both"
    nulls: Literal["propagate", "ignore", "fill_only"] = "propagate"
    style: Literal["digits", "name", "code", "semicolons", "commas", "list"] | None = None
    mask: Literal["redact", "hash", "truncate"] | None = None
    repair: Annotated[
        list[Repair] | None, BeforeValidator(_repairs, json_schema_input_type=Repair | list[Repair])
    ] = None
    read: str | None = None  #: CEL over value and the golden fields of the record
    write: str | None = None  #: CEL over value and the golden fields of the person
    lossy: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> "FieldMapSettings":
        places = sum(getattr(self, place) is not None for place in _PLACES)
        if places != 1 and not (places == 0 and self.read is not None):
            raise ValueError(f"name exactly one of {', '.join(_PLACES)}")
        return self

    def told(self) -> dict[str, Any]:
        """What differs from the defaults, as connectors' shipped mappings have it."""
        return self.model_dump(exclude_defaults=True, mode="json")


FieldMap = Annotated[
    FieldMapSettings | None,
    BeforeValidator(_place, json_schema_input_type=str | FieldMapSettings | None),
]


def check_field_map(
    findings: Findings,
    where: Where,
    name: str,
    known: Mapping[str, str],
    entry: FieldMapSettings,
) -> None:
    """Refuse what does not fit the golden field ``name``; ``known`` has the form of each."""
    form = known[name]
    for key, what, remedy in (
        *_places(form, entry),
        *_shapes(form, entry),
        *_constants(form, entry),
        *_agreements(name, form, entry),
        *_expressions(known, entry),
    ):
        findings.refuse((*where, key) if key else where, what, remedy)


Refusal = tuple[str, str, str]  #: key, what, remedy


def _places(form: str, entry: FieldMapSettings) -> Iterator[Refusal]:
    parts = _PARTS.get(form, ())
    if (entry.parts is None) == bool(parts):
        told = " and ".join(_PARTS)
        what = f"{_A[form]} is mapped by its parts" if parts else f"parts belong to {told}"
        yield "", what, f"parts are: {', '.join(parts)}" if parts else "write field: instead"
    for part in entry.parts or ():
        if parts and part not in parts:
            yield "parts", f"{_A[form]} has no part {part}", f"parts are: {', '.join(parts)}"
    if form == "money" and entry.parts is not None:
        if "amount" not in entry.parts:
            yield "parts", "money has no amount here", "name its field as part amount"
        if ("currency" in entry.parts) == (entry.currency is not None):
            what = "an amount is mapped with its currency"
            yield "", what, "name the part currency, or the one currency: EUR of that side"
    elif entry.currency is not None:
        yield "currency", "only money has a currency", "leave it out"
    if (entry.ref is None) == (form == "reference"):
        what = "ref belongs to a field that refers to a record, and to no other"
        yield "", what, "write ref: company, or leave it out"
    if entry.part_of is not None and form != "text":
        yield "part_of", "only texts are part of a name", "write field: instead"


def _shapes(form: str, entry: FieldMapSettings) -> Iterator[Refusal]:
    styles, masks = _STYLES.get(form, ()), _MASKS.get(form, ())
    if entry.style is not None and entry.style not in styles:
        yield "style", f"{form} has no such style", _offered(styles)
    if entry.mask is not None and entry.mask not in masks:
        yield "mask", f"{form} has no such mask", _offered(masks)
    if entry.repair and form not in _TEXTS:
        yield "repair", f"nothing is repaired in {form}", "leave it out: what does not fit is held"
    if entry.repair and {"strip", "replace"} <= set(entry.repair):
        yield "repair", "strip and replace exclude each other", "keep one of them"
    if entry.values is not None and form not in _CHOSEN:
        yield "values", f"{form} has no value map", "values belong to a choice"
    if entry.unknown != "hold" and entry.values is None:
        yield "unknown", "there is no value map that could lack anything", "give values"
    if entry.unknown == "default" and entry.default is None:
        yield "unknown", "there is no default", "name a golden value of the map under default"


def _constants(form: str, entry: FieldMapSettings) -> Iterator[Refusal]:
    for key in ("constant", "default"):
        value = getattr(entry, key)
        if value is None:
            continue
        if not _is_of_form(form, value):
            yield key, f"this is no {form}", "write a value of the golden field's form"
        elif entry.values is not None and not _is_among(value, entry.values):
            yield key, "this is no choice of the value map", "name one of its golden values"


def _is_of_form(form: str, value: Any) -> bool:
    if form == "choices":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if form == "boolean":
        return isinstance(value, bool)
    if form in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if form in ("address", "money", "reference") or not isinstance(value, str) or not value.strip():
        return False
    try:
        _READERS.get(form, str)(value)
    except ValueError:
        return False
    return True


_READERS = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}


def _is_among(value: Any, values: Mapping[str, Any]) -> bool:
    return all(one in values for one in (value if isinstance(value, list) else [value]))


def _agreements(name: str, form: str, entry: FieldMapSettings) -> Iterator[Refusal]:
    if name in CONSENT:
        for key in ("nulls", "mask", "default", "constant", "read", "write"):
            if key in entry.model_fields_set:
                what = "consent has a policy of its own: an opt-out anywhere wins"
                yield key, what, "leave this out"
    if form == "owner":
        for key in sorted(entry.model_fields_set - _OF_OWNERS):
            what = f"{key} does not go with an owner: it is somebody who is there"
            yield key, what, "name the field, values: for a table, fallback: for strangers"
    elif entry.fallback is not None:
        yield "fallback", "only an owner has a fallback", "leave it out"
    if entry.mask is not None and entry.direction != "to":
        yield "mask", "what is masked there tells nothing", "add direction: to"
    if entry.constant is not None and entry.direction == "to":
        yield "direction", "a constant is only read", "leave it out"
    if entry.member_of is not None or entry.part_of is not None:
        for key in ("default", "mask", "read", "write", "values", "nulls"):
            if key in entry.model_fields_set:
                what = f"{key} does not go with a field that others share"
                yield key, what, "map it to a field of its own, or leave this out"


def _expressions(known: Mapping[str, str], entry: FieldMapSettings) -> Iterator[Refusal]:
    for key in ("read", "write"):
        text = getattr(entry, key)
        if text is None:
            continue
        try:
            expression(text, {*known, "value"})
        except ValueError as error:
            yield key, str(error), "see cel.dev for the language"


def _offered(words: tuple[str, ...]) -> str:
    return f"there are: {', '.join(words)}" if words else "leave it out"
