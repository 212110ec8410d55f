"""Native values <-> golden values of one object, as its mapping says. Pure.

Beside plain fields a mapping knows two shapes that hold less than golden does: an
address of which a system has only some parts, and a set of unlabelled values (phones,
e-mails) whose members stand in labelled slots elsewhere. ``complete`` puts such a side's
values beside a reference, so that only what a person changed looks changed.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from typing import Any

from sync_engine.converters import FORMS, LONGEST, PARTS
from sync_engine.partial import assigned, projected, settled, whole
from sync_engine.values import UNSET

Values = MappingOf[str, Any]


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where one golden field stands in an object: in one of field, parts, member_of."""

    name: str
    form: str
    field: str | None = None
    parts: MappingOf[str, str] | None = None  #: part of an address -> native field
    member_of: str | None = None  #: a native field that holds a set
    values: MappingOf[str, Any] | None = None  #: golden choice -> native
    ref: str | None = None  #: kind that it refers to
    direction: str = "both"  #: ``to``: only written, ``from``: only read
    style: str | None = None

    @property
    def natives(self) -> tuple[str, ...]:
        if self.parts is not None:
            return tuple(self.parts.values())
        return (self.field or self.member_of or "",)

    def form_under(self, region: str | None) -> bytes:
        """Stands for how values are read; under another one they cannot be compared."""
        parts, values = sorted((self.parts or {}).items()), sorted((self.values or {}).items())
        told = (self.form, self.field, parts, self.member_of, values, self.ref)
        text = repr((*told, region if self.form == "phone" else None))
        return hashlib.blake2b(text.encode(), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one object of one instance is understood."""

    object: str
    kind_by: str | None  #: the native field that tells the kind
    kinds: MappingOf[str, str]  #: native value -> kind; one entry "" -> kind for a constant
    fields: tuple[FieldMap, ...]
    required: tuple[str, ...] = ()
    on_create: Values = field(default_factory=dict)
    region: str | None = None
    #: kind -> golden field -> form
    catalogue: MappingOf[str, MappingOf[str, str]] = field(default_factory=dict, repr=False)
    references: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    #: kind -> what is mapped of it, its sets, what is mapped by values, what is read; asked for
    #: with every record
    _fields: dict[str, tuple[FieldMap, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _slots: dict[str, dict[str, list[str]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _chosen: dict[str, tuple[FieldMap, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _readable: dict[str, frozenset[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    #: the golden fields that it shows, sets of values among them
    shows: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)
    #: golden field -> native value as text -> golden choice
    _choices: dict[str, dict[str, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        self.references.update({one.name: one.ref for one in self.fields if one.ref})
        object.__setattr__(self, "shows", frozenset(self.forms))
        for one in self.fields:
            choices = (one.values or {}).items()
            self._choices[one.name] = {str(native): golden for golden, native in choices}
        for kind in self.catalogue:
            mapped = tuple(one for one in self.fields if one.name in self.catalogue[kind])
            sets: dict[str, list[str]] = {}
            for one in mapped:
                if one.member_of is not None:
                    sets.setdefault(one.member_of, []).append(one.name)
            self._fields[kind], self._slots[kind] = mapped, sets
            self._chosen[kind] = tuple(one for one in mapped if one.values is not None)
            self._readable[kind] = frozenset(o.name for o in mapped if o.direction != "to")

    @property
    def is_partial(self) -> bool:
        """Whether it holds less than golden does: sets of values, half an address."""
        return any(
            one.member_of or (one.parts and len(one.parts) < len(PARTS)) for one in self.fields
        )

    @property
    def forms(self) -> dict[str, bytes]:
        """The golden fields that it shows -> how each is read."""
        plain = {one.name: one.form_under(self.region) for one in self.fields}
        sets = {one.member_of: plain[one.name] for one in self.fields if one.member_of}
        return plain | {_further(native): form for native, form in sets.items()}

    def without(self, natives: Collection[str]) -> "Mapping":
        """The same, as if the golden fields that stand in one of these were not mapped."""
        kept = tuple(one for one in self.fields if not set(one.natives) & set(natives))
        given = {name: value for name, value in self.on_create.items() if name not in natives}
        return replace(self, fields=kept, on_create=given)

    def readable(self, kind: str) -> frozenset[str]:
        """The golden fields of a kind that are read here."""
        return self._readable[kind]

    def native_fields(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """What is to be read for these kinds."""
        wanted = {name for kind in kinds for one in self._of(kind) for name in one.natives}
        return tuple(sorted(wanted | ({self.kind_by} if self.kind_by else set())))

    def kind_of(self, values: Values) -> str | None:
        """The kind of a record; None for one that is of no kind we know."""
        if self.kind_by is None:
            return self.kinds[""]
        return self.kinds.get(str(values.get(self.kind_by)))

    def golden_of(self, kind: str, values: Values) -> dict[str, Any]:
        """A record's values in golden terms; what a value map does not know is left out."""
        found: dict[str, Any] = {}
        free = {native: self._members(kind, native, values) for native in self._sets(kind)}
        for one in self._of(kind):
            if one.parts is not None:
                found[one.name] = self._address(one.parts, values)
            elif one.member_of is not None:
                members = free[one.member_of]
                found[one.name] = members.pop(0) if members else None
            elif one.field is not None and one.field in values:
                value = values[one.field]
                if one.values is None or value is None:
                    found[one.name] = self._normal(one, value)
                elif (known := self._choices[one.name].get(str(value))) is not None:
                    found[one.name] = known
        found |= {_further(native): members for native, members in free.items() if members}
        return {name: value for name, value in found.items() if value is not UNSET}

    def unreadable(self, kind: str, values: Values, golden: Values) -> list[str]:
        """The golden fields that hold something there which is no value of theirs.

        An opt-out is none of them: what cannot be read of it is taken for set (practice 4.1).
        """
        return [
            one.name
            for one in self._of(kind)
            if one.name not in golden
            and one.values is None
            and one.form != "boolean"
            and any(values.get(native) is not None for native in one.natives)
        ]

    def strange(self, kind: str, values: Values) -> list[tuple[str, str]]:
        """The golden fields whose native choice no value map knows, with that choice."""
        return [
            (one.name, _told(values[one.field or ""]))
            for one in self._chosen[kind]
            if values.get(one.field or "") is not None
            and str(values[one.field or ""]) not in self._choices[one.name]
        ]

    def unoffered(self, kind: str, golden: Values) -> list[tuple[str, str]]:
        """The golden choices that this side's value maps have no word for."""
        return [
            (one.name, str(golden[one.name]))
            for one in self._chosen[kind]
            if one.direction != "from" and _is_foreign(one, golden.get(one.name))
        ]

    def complete(
        self, kind: str, seen: Values, base: Values, golden: Values, offered: Sequence[Values]
    ) -> dict[str, Any]:
        """``seen``, where this side holds less than golden, in terms of what it agrees with."""
        found = dict(seen)
        references = (golden, base, *offered)
        for one in self._of(kind):
            if one.parts is not None and len(one.parts) < len(PARTS) and one.name in seen:
                found[one.name] = whole(
                    one.parts, seen[one.name], [r.get(one.name) for r in references]
                )
        for native, group in self._sets(kind).items():
            found.pop(_further(native), None)
            if all(name in seen for name in group):
                members = _all_members(group, native, seen)
                known = base.get(_further(native), [])
                found |= assigned(group, members, known, base, golden)
        return found

    def settled(
        self, kind: str, base: Values, seen: Values, completed: Values, agreed: Sequence[Values]
    ) -> dict[str, Any]:
        """``base`` after a decision: of a set only what stands in ``agreed`` keeps its slot.

        The other members are known from now on as some that stand in none.
        """
        found = dict(base)
        for native, group in self._sets(kind).items():
            members = _all_members(group, native, seen)
            slots, further = settled(group, members, found, completed, agreed)
            found |= slots
            found.pop(_further(native), None)
            if further:
                found[_further(native)] = further
        return found

    def further(self, kind: str, base: Values) -> dict[str, list[Any]]:
        """First slot of a set -> its members that stand in none."""
        sets = self._sets(kind).items()
        return {group[0]: base.get(_further(native), []) for native, group in sets}

    def same(self, kind: str, name: str, seen: Any, golden: Any) -> bool:
        """Whether the side shows golden's value as well as it can."""
        if seen == golden:
            return True
        one = self._one(kind, name)
        if one is None:
            return True
        if one.form == "boolean" and not golden and not seen:
            return True  # a flag that was never set is not set
        if one.parts is not None:
            return projected(one.parts, seen) == projected(one.parts, golden)
        if one.values is not None:
            # a choice that this side does not offer is never written
            return golden is not None and golden not in one.values
        return bool(self._normal(one, self._native(one, golden)) == seen)

    def native_changes(
        self, kind: str, target: Values, seen: Values, base: Values, names: Collection[str]
    ) -> dict[str, Any]:
        """What to write so that the fields ``names`` hold ``target``; nothing for what does.

        Of a set only members that were agreed on (``base``) are removed (practice 4.11).
        """
        written: dict[str, Any] = {}
        for one in self._of(kind):
            if one.name not in names or one.direction == "from" or one.name not in target:
                continue
            value = target[one.name]
            if one.parts is not None:
                held = seen.get(one.name) or {}
                for part, native in one.parts.items():
                    wanted = (value or {}).get(part)
                    if wanted != held.get(part):
                        written[native] = FORMS[PARTS[part]].native(wanted, one.style)
            elif one.field is not None:
                written[one.field] = self._native(one, value)
        for native, group in self._sets(kind).items():
            if set(group) & set(names):
                change = self._set_change(kind, group, target, seen, base, names)
                if change:
                    written[native] = change
        return written

    def create_values(self, kind: str, target: Values) -> dict[str, Any]:
        """A whole record of that kind."""
        written = dict(self.on_create)
        given = {name: value for name, value in target.items() if value is not None}
        written |= self.native_changes(kind, given, {}, {}, tuple(given))
        return written | self.convert_values(kind)

    def convert_values(self, kind: str) -> dict[str, Any]:
        """What makes a record one of that kind."""
        if self.kind_by is None:
            return {}
        native = next(native for native, one in self.kinds.items() if one == kind)
        return {self.kind_by: native}

    def writable(self, kind: str, target: Values) -> dict[str, Any]:
        """The part of golden that this side is given."""
        given = {one.name: one for one in self._of(kind) if one.direction != "from"}
        return {
            name: value
            for name, value in target.items()
            if name in given and not _is_foreign(given[name], value)
        }

    def missing(self, kind: str, target: Values) -> tuple[str, ...]:
        """Required golden fields without a value."""
        mapped = {one.name for one in self._of(kind)}
        return tuple(n for n in self.required if n in mapped and target.get(n) is None)

    def search(self, name: str, values: Iterable[Any]) -> tuple[str, list[str]] | None:
        """By which native field, and for what, records with one of these values are looked up.

        None where this side does not keep the field in one.
        """
        one = next((one for one in self.fields if one.name == name), None)
        native = None if one is None else one.field or one.member_of
        if one is None or native is None:
            return None
        return native, sorted({str(self._native(one, value)) for value in values})

    def names_of(self, natives: Collection[str]) -> set[str]:
        """The golden fields that stand in these native fields."""
        return {one.name for one in self.fields if set(one.natives) & set(natives)}

    def _of(self, kind: str) -> tuple[FieldMap, ...]:
        return self._fields[kind]

    def _one(self, kind: str, name: str) -> FieldMap | None:
        return next((one for one in self._of(kind) if one.name == name), None)

    def _sets(self, kind: str) -> dict[str, list[str]]:
        """Native set field -> the golden slots that its members stand in, in order."""
        return self._slots[kind]

    def _members(self, kind: str, native: str, values: Values) -> list[Any]:
        """The normal forms of a set, each once."""
        one = self._one(kind, self._sets(kind)[native][0])
        value = values.get(native)
        if one is None or not isinstance(value, list | tuple):
            return []
        found = dict.fromkeys(self._normal(one, member) for member in value)
        return [member for member in found if member is not None and member is not UNSET]

    def _normal(self, one: FieldMap, value: Any) -> Any:
        return FORMS[one.form].normal(value, self.region)

    def _native(self, one: FieldMap, value: Any) -> Any:
        if value is None or one.values is None:
            return None if value is None else FORMS[one.form].native(value, one.style)
        return one.values.get(value)

    def _address(self, parts: MappingOf[str, str], values: Values) -> Any:
        found = {
            part: FORMS[PARTS[part]].normal(values.get(native), self.region)
            for part, native in parts.items()
        }
        if any(value is UNSET for value in found.values()):
            return UNSET
        return found if any(value is not None for value in found.values()) else None

    def _set_change(
        self,
        kind: str,
        group: Sequence[str],
        target: Values,
        seen: Values,
        base: Values,
        names: Collection[str],
    ) -> dict[str, list[Any]]:
        now = {name: seen.get(name) for name in group}
        then = {n: (target.get(n) if n in names else now[n]) for n in group}
        held = {value for value in now.values() if value is not None}
        wanted = {value for value in then.values() if value is not None}
        one = self._one(kind, group[0])
        joining, leaving = wanted - held, (held - wanted) & {base.get(name) for name in group}
        if one is None or not (joining or leaving):
            return {}

        def native(values: set[Any]) -> list[Any]:
            return [self._native(one, value) for value in sorted(values)]

        return {"add": native(joining), "remove": native(leaving)}


def _told(choice: Any) -> str:
    """As people may be shown it, and a database may hold it."""
    return str(FORMS["text"].normal(str(choice)[:LONGEST], None) or "")


def _further(native: str) -> str:
    """Under which name stand the members of a set for which there are no slots."""
    return f"{native} (further)"


def _all_members(slots: Sequence[str], native: str, seen: Values) -> list[Any]:
    placed = [seen.get(name) for name in slots]
    return [one for one in placed if one is not None] + list(seen.get(_further(native), ()))


def _is_foreign(one: FieldMap, value: Any) -> bool:
    """A choice that the side does not offer."""
    return one.values is not None and value is not None and value not in one.values
