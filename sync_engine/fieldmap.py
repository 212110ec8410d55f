"""How one golden field stands in an object: native value <-> golden value. Pure.

What a side shows of a golden value is its *rendition*: made by an expression, masked, repaired
to fit, or a default where there is none. It is that side's normal form, so that a side which
shows golden's rendition has said nothing new.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any

from sync_engine.converters import FORMS, LONGEST, PARTED
from sync_engine.fitting import Limit, fitted, misfit
from sync_engine.masking import MASKS
from sync_engine.owners import FORM as OWNER
from sync_engine.owners import Directory, word_of
from sync_engine.values import UNSET, Values

#: values of golden fields -> the value of an expression. Raises ValueError where it has none
Compute = Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where one golden field stands: in one of field, parts, member_of, part_of, constant."""

    name: str
    form: str
    field: str | None = None
    parts: MappingOf[str, str] | None = None  #: part of an address or of money -> native field
    member_of: str | None = None  #: a native field that holds a set
    part_of: str | None = None  #: a native field that holds a whole name
    constant: Any = None  #: what every record says, without a native field
    values: MappingOf[str, Any] | None = None  #: golden choice -> native
    unknown: str = "hold"  #: ``hold``, ``pass``, ``default``: a choice that ``values`` lacks
    default: Any = None  #: stands here where golden has no value
    currency: str | None = None  #: of money that has no part for it
    ref: str | None = None  #: kind that it refers to
    fallback: str | None = None  #: who gets what belongs to somebody who is not there
    direction: str = "both"  #: ``to``: only written, ``from``: only read
    nulls: str = "propagate"  #: ``propagate``, ``ignore``, ``fill_only``
    style: str | None = None
    mask: str | None = None
    repair: tuple[str, ...] = ()  #: of ``truncate``, ``strip``, ``replace``
    read: str | None = None  #: an expression that makes the golden value
    write: str | None = None  #: an expression that makes what stands here
    is_lossy: bool = False  #: declared to show less than golden holds
    reading: Compute | None = dataclasses.field(default=None, repr=False, compare=False)
    writing: Compute | None = dataclasses.field(default=None, repr=False, compare=False)
    key: bytes = dataclasses.field(default=b"", repr=False, compare=False)  #: of masks
    #: native field -> what the organization lets it hold
    limits: MappingOf[str, Limit] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )
    owners: Directory = dataclasses.field(default_factory=Directory, repr=False, compare=False)
    #: native choice as text -> golden choice
    _choices: dict[str, str] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for golden, native in (self.values or {}).items():
            self._choices[word_of(native) if self.form == OWNER else str(native)] = golden

    @property
    def natives(self) -> tuple[str, ...]:
        if self.parts is not None:
            return tuple(self.parts.values())
        native = self.field or self.member_of or self.part_of
        return () if native is None else (native,)

    @property
    def is_rendered(self) -> bool:
        """Whether it may show another value than golden's, and mean that."""
        shaped = self.mask or self.write or self.read or self.currency or self.repair
        stands_in = self.form == OWNER  # the fallback, for who is not there
        merged = len(self._choices) < len(self.values or ())  # two choices under one word
        return bool(shaped or merged or stands_in or self.unknown == "default")

    def form_under(self, region: str | None) -> bytes:
        """Stands for how values are read; under another one they cannot be compared."""
        parts, values = sorted((self.parts or {}).items()), sorted((self.values or {}).items())
        told = (self.form, self.field, parts, self.member_of, values, self.ref)
        own = (self.part_of, self.constant, self.unknown, self.default, self.currency, self.read)
        further = own if own != (None, None, "hold", None, None, None) else ()
        text = repr((*told, region if self.form == "phone" else None, *further))
        return hashlib.blake2b(text.encode(), digest_size=8).digest()

    # --- native to golden

    def normal(self, value: Any, region: str | None) -> Any:
        """One native value in golden terms; UNSET for what is no value of the field."""
        if self.form == OWNER:
            found = self._owner(value)
        elif self.form == "choices":
            found = self._several(value)
        elif self.values is None or value is None:
            found = FORMS[self.form].normal(value, region)
        else:
            found = self._choices.get(str(value), UNSET)
            if found is UNSET and self.unknown != "hold":
                is_passed = self.unknown == "pass"
                found = FORMS[self.form].normal(value, region) if is_passed else self.default
        if self.default is not None and found == self.default and self.unknown != "default":
            return None  # it stands for nothing, wherever it comes from (practice 4.4)
        return found

    def strange(self, value: Any) -> list[str]:
        """What the value map does not know of a native value."""
        if self.values is None or self.unknown != "hold" or value is None:
            return []
        several = self._members(value) if self.form == "choices" else [value]
        return [_told(one) for one in several if str(one) not in self._choices]

    def rendition(self, golden: Values, region: str | None) -> Any:
        """What this side shows of golden, in golden terms; UNSET where that cannot be told."""
        value = self.shaped(golden)
        if value is UNSET or self.ref or self.member_of or self.part_of:
            return value
        if self.parts is not None:
            shown = self.composed(self.divided(value), region)
            return {**value, **shown} if value and shown else shown
        shown = self.normal(self.native(value), region)
        return self.computed(shown, golden, region)

    def composed(self, values: Values, region: str | None) -> Any:
        """An address or an amount of money from its parts."""
        forms = PARTED[self.form]
        found = {
            part: FORMS[forms[part]].normal(values.get(native), region)
            for part, native in (self.parts or {}).items()
        }
        if any(value is UNSET for value in found.values()):
            return UNSET
        if self.form == "money":
            return _money(found.get("amount"), found.get("currency", self.currency))
        return found if any(value is not None for value in found.values()) else None

    def computed(self, value: Any, others: Values, region: str | None) -> Any:
        """The golden value that the read expression makes of a normal one."""
        if self.reading is None:
            return value
        try:
            found = self.reading({**others, "value": None if value is UNSET else value})
        except ValueError:
            return UNSET
        return FORMS[self.form].normal(found, region)

    # --- golden to native

    def shaped(self, golden: Values) -> Any:
        """What this side is meant to hold, in golden terms; UNSET where that cannot be told."""
        value = golden.get(self.name)
        if self.writing is not None:
            try:
                value = FORMS[self.form].normal(self.writing({**golden, "value": value}), None)
            except ValueError:
                return UNSET
        if value is None or value is UNSET:
            return value if self.unknown == "default" or value is UNSET else self.default
        return MASKS[self.mask, self.form](value, self.key) if self.mask else value

    def native(self, value: Any) -> Any:
        """The native value of one that is shaped, repaired to fit."""
        if value is None:
            return None
        if self.form == OWNER:
            return self.owner_id(value)
        if self.form == "choices":
            return self._written(value)
        if self.values is not None:
            known = self.values.get(value)
            if known is not None or self.unknown == "hold":
                return known
            return value if self.unknown == "pass" else self.values.get(self.default)
        return self.fit(self.field or "", FORMS[self.form].native(value, self.style))

    def fit(self, native: str, value: Any) -> Any:
        limit = self.limits.get(native)
        return value if limit is None else fitted(value, limit, self.repair)

    def divided(self, value: Values | None) -> dict[str, Any]:
        """Native field -> the part of an address or of money that stands there."""
        forms = PARTED[self.form]
        return {
            native: self.fit(native, FORMS[forms[part]].native((value or {}).get(part), self.style))
            for part, native in (self.parts or {}).items()
        }

    def misfit(self, written: Values, beside: Values) -> str | None:
        """Why one of the native values to be written does not fit there, ``beside`` others."""
        for native in self.natives:
            limit = self.limits.get(native)
            if limit is None or native not in written:
                continue
            value = written[native]
            several = value["add"] if isinstance(value, dict) else [value]
            if self.form == "choices" and value is not None:
                several = self._members(value)
            for one in several:
                if why := misfit(one, limit, beside):
                    return why
        return None

    def is_mended(self, golden: Values) -> bool:
        """Whether a repair changes golden's value on its way here."""
        value = self.shaped(golden)
        if not (self.repair and self.limits) or value is None or value is UNSET or self.part_of:
            return False
        unlimited = dataclasses.replace(self, limits={})
        if self.parts is not None:
            return unlimited.divided(value) != self.divided(value)
        return bool(unlimited.native(value) != self.native(value))

    def is_foreign(self, value: Any) -> bool:
        """Whether golden's value has no place here: another currency, a choice not offered."""
        if value is None or self.mask or self.write:
            return False
        if self.form == OWNER:
            return self.owner_id(value) is None
        if self.form == "money":
            return self.currency is not None and value["currency"] != self.currency
        if self.values is None or self.unknown != "hold":
            return False
        several = value if isinstance(value, list) else [value]
        return any(one not in self.values for one in several)

    def told(self, value: Any) -> str:
        """Golden's value as people may be shown why it has no place here."""
        if self.form == OWNER:
            return "somebody who is not there, or not active"
        return str(value["currency"] if self.form == "money" else value)

    def leaves(self, seen: Any, golden: Any) -> bool:
        """Whether the null policy lets this side keep what it shows."""
        if self.form == OWNER and golden is None:
            return True  # a record always belongs to somebody
        if self.nulls == "propagate":
            return False
        return golden is None or (self.nulls == "fill_only" and seen is not None)

    def owner_id(self, value: str) -> str | None:
        """Who gets there what belongs to a golden owner: the same one, else the fallback."""
        word = word_of((self.values or {}).get(value, value))
        return self.owners.ids.get(word) or self.owners.ids.get(word_of(self.fallback))

    def _owner(self, value: Any) -> Any:
        """Our own user is nobody's choice; of a stranger nobody knows who that is."""
        if value is None or value in self.owners.ours:
            return None
        word = self.owners.words.get(str(value), UNSET)
        return self._choices.get(word, word) if isinstance(word, str) else word

    def _members(self, value: Any) -> list[Any]:
        if isinstance(value, str):
            return [one for one in value.split("," if self.style == "commas" else ";") if one]
        return list(value) if isinstance(value, list | tuple) else [value]

    def _several(self, value: Any) -> Any:
        if value is None:
            return None
        members = self._members(value)
        if self.values is not None:
            known = [self._choices.get(str(one).strip()) for one in members]
            passed = self.unknown == "pass"
            pairs = zip(known, members, strict=True)
            members = [k if k is not None or not passed else m for k, m in pairs]
            if None in members and self.unknown == "default":
                members = [self.default if one is None else one for one in members]
            if None in members:
                return UNSET
        return FORMS["choices"].normal(members, None)

    def _written(self, value: Any) -> Any:
        known = self.values or {}
        native = [known.get(one, one) for one in value]
        if self.values is not None and self.unknown == "default":
            native = [known.get(one, known.get(self.default)) for one in value]
        if self.style == "list":
            return native
        return ("," if self.style == "commas" else ";").join(str(one) for one in native)


def _money(amount: Any, currency: Any) -> Any:
    if amount is None:
        return None
    return UNSET if currency is None else {"amount": amount, "currency": currency}


def _told(choice: Any) -> str:
    """As people may be shown it, and a database may hold it."""
    return str(FORMS["text"].normal(str(choice)[:LONGEST], None) or "")
