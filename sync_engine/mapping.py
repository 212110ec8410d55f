"""Native values <-> golden values of one object, as its mapping says. Pure.

Beside plain fields a mapping knows shapes that hold less than golden does: an address of
which a system has only some parts, a set of unlabelled values (phones, e-mails) whose members
stand in labelled slots elsewhere, a name in one field, and whatever a side renders in a way
of its own. ``complete`` puts such a side's values beside a reference, so that only what a
person changed looks changed.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from typing import Any

from sync_engine.fieldmap import Compute, FieldMap
from sync_engine.fitting import Limit
from sync_engine.kindmap import KindMap, is_half_address, is_partial
from sync_engine.names import joined, parted
from sync_engine.owners import FORM as OWNER
from sync_engine.owners import Directory
from sync_engine.partial import assigned, exchanged, projected, settled, whole
from sync_engine.values import UNSET, Values


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one object of one instance is understood."""

    object: str
    kind_by: str | None  #: the native field that tells the kind
    kinds: MappingOf[str, str]  #: native value -> kind; one entry "" -> kind for a constant
    fields: tuple[FieldMap, ...]
    required: tuple[str, ...] = ()
    #: native field -> what a create adds: a constant, or ``{"rule": ...}``
    on_create: Values = field(default_factory=dict)
    rules: MappingOf[str, Compute] = field(default_factory=dict, repr=False, compare=False)
    region: str | None = None
    #: kind -> golden field -> form
    catalogue: MappingOf[str, MappingOf[str, str]] = field(default_factory=dict, repr=False)
    references: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    #: the golden fields that it shows, sets of values among them
    shows: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)
    _of_kind: dict[str, KindMap] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        self.references.update({one.name: one.ref for one in self.fields if one.ref})
        object.__setattr__(self, "shows", frozenset(self.forms))
        for kind, known in self.catalogue.items():
            self._of_kind[kind] = KindMap.of([one for one in self.fields if one.name in known])

    @property
    def is_partial(self) -> bool:
        """Whether it holds less than golden does: sets of values, half an address, a mask."""
        return any(is_partial(one) for one in self.fields)

    def shows_whole(self, kind: str, name: str) -> bool:
        """Whether what is read of a field is all that the side was given."""
        one = self._one(kind, name)
        return one is not None and not is_partial(one)

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
        rules = {name: rule for name, rule in self.rules.items() if name in given}
        return replace(self, fields=kept, on_create=given, rules=rules)

    def within(self, limits: MappingOf[str, Limit], owners: Directory) -> "Mapping":
        """The same, with what the organization lets its native fields hold, and who is there."""
        fields = tuple(
            replace(one, limits={n: limits[n] for n in one.natives if n in limits}, owners=owners)
            for one in self.fields
        )
        return replace(self, fields=fields)

    def readable(self, kind: str) -> frozenset[str]:
        """The golden fields of a kind that are read here."""
        return self._of_kind[kind].readable

    def of_kind(self, kind: str) -> KindMap:
        """What is mapped of a kind."""
        return self._of_kind[kind]

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
            if one.field is not None:
                if one.field in values:
                    found[one.name] = one.normal(values[one.field], self.region)
            elif one.parts is not None:
                found[one.name] = one.composed(values, self.region)
            elif one.member_of is not None:
                members = free[one.member_of]
                found[one.name] = members.pop(0) if members else None
            elif one.constant is not None:
                found[one.name] = one.constant
        for native, slots in self._of_kind[kind].names.items():
            if native in values:
                found |= parted(slots, self._whole_name(kind, slots, values[native]), {})
        for one in self._of_kind[kind].computed:
            if one.name in found or not one.natives:
                told = {name: value for name, value in found.items() if value is not UNSET}
                found[one.name] = one.computed(found.get(one.name), told, self.region)
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
            (one.name, choice)
            for one in self._of_kind[kind].chosen
            for choice in one.strange(values.get(one.field or ""))
        ]

    def unoffered(self, kind: str, golden: Values) -> list[tuple[str, str]]:
        """The golden choices that this side's value maps have no word for."""
        return [
            (one.name, one.told(golden[one.name]))
            for one in self._of_kind[kind].bounded
            if one.direction != "from" and one.is_foreign(golden.get(one.name))
        ]

    def likened(self, kind: str, shown: Values, golden: Values) -> dict[str, Any]:
        """``shown``, where it is this side's rendition of golden, as golden itself."""
        found = dict(shown)
        for one in self._of_kind[kind].rendered:
            name, value = one.name, golden.get(one.name)
            if name not in shown or shown[name] == value:
                continue
            if one.rendition(golden, self.region) == shown[name]:
                found[name] = value
        for slots in self._of_kind[kind].names.values():
            if all(name in shown for name in slots):
                text, whole_name = joined(slots, shown), joined(slots, golden)
                if text != whole_name and text == self._whole_name(kind, slots, whole_name):
                    text = whole_name
                found |= parted(slots, text, golden)
        return found

    def complete(
        self, kind: str, seen: Values, base: Values, golden: Values, offered: Sequence[Values]
    ) -> dict[str, Any]:
        """``seen``, where this side holds less than golden, in terms of what it agrees with."""
        found = dict(seen)
        references = (golden, base, *offered)
        for one in self._of(kind):
            if one.parts is not None and is_half_address(one) and one.name in seen:
                found[one.name] = whole(
                    one.parts, seen[one.name], [r.get(one.name) for r in references]
                )
        for native, group in self._sets(kind).items():
            found.pop(_further(native), None)
            if all(name in seen for name in group):
                members = _all_members(group, native, seen)
                known = base.get(_further(native), [])
                found |= assigned(group, members, known, base, golden)
        return self.likened(kind, found, golden)

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

    def same(self, kind: str, name: str, seen: Values, golden: Values) -> bool:
        """Whether the side shows golden's value as well as it can."""
        shown, value = seen[name], golden.get(name)
        one = self._one(kind, name)
        if one is None or (shown == value and not one.is_rendered):
            return True
        if one.form == "boolean" and not value and not shown:
            return True  # a flag that was never set is not set
        if one.is_foreign(value):
            return True  # a choice that this side does not offer is never written
        if one.form == OWNER and shown == value:
            return True  # also of one who has been deactivated there since
        due = one.rendition(golden, self.region)
        if one.parts is not None:
            return projected(one.parts, shown) == projected(one.parts, due)
        return due is UNSET or bool(due == shown)

    def renditions(self, kind: str, golden: Values, names: Collection[str]) -> dict[str, Any]:
        """What the side will show of these fields once golden is written there."""
        found = {
            one.name: one.rendition(golden, self.region)
            for one in self._of(kind)
            if one.name in names
        }
        return {name: value for name, value in found.items() if value is not UNSET}

    def native_changes(
        self, kind: str, target: Values, seen: Values, base: Values, names: Collection[str]
    ) -> dict[str, Any]:
        """What to write so that the fields ``names`` hold ``target``; nothing for what does.

        Of a set only members that were agreed on (``base``) are removed (practice 4.11).
        """
        written: dict[str, Any] = {}
        for one in self._of(kind):
            if one.name not in names or one.direction == "from":
                continue
            value = one.shaped(target)
            if value is UNSET:
                continue
            if one.parts is not None:
                held, divided = seen.get(one.name) or {}, one.divided(value)
                for part, native in one.parts.items():
                    if (value or {}).get(part) != held.get(part):
                        written[native] = divided[native]
            elif one.field is not None:
                written[one.field] = one.native(value)
        for native, slots in self._of_kind[kind].names.items():
            if set(slots) & set(names):
                meant = {n: (target if n in names else seen).get(n) for n in slots}
                written[native] = self._whole_name(kind, slots, joined(slots, meant))
        for native, group in self._sets(kind).items():
            if set(group) & set(names):
                now = {name: seen.get(name) for name in group}
                then = {n: (target.get(n) if n in names else now[n]) for n in group}
                joining, leaving = exchanged(now, then, base)
                if joining or leaving:
                    (one,) = (each for each in self._of(kind) if each.name == group[0])
                    written[native] = {
                        "add": [one.native(value) for value in joining],
                        "remove": [one.native(value) for value in leaving],
                    }
        return written

    def given(self, kind: str, target: Values) -> list[str]:
        """The golden fields that a new record there is given a value of."""
        return [
            one.name
            for one in self._of(kind)
            if one.direction != "from"
            and not one.is_foreign(target.get(one.name))
            and one.shaped(target) not in (None, UNSET)
        ]

    def create_values(self, kind: str, target: Values, names: Collection[str]) -> dict[str, Any]:
        """A whole record of that kind."""
        written = {**self._added(target), **self.native_changes(kind, target, {}, {}, names)}
        return written | self.convert_values(kind)

    def _added(self, target: Values) -> dict[str, Any]:
        """What a create adds; nothing where its rule makes none of these values."""
        found = dict(self.on_create)
        for native, rule in self.rules.items():
            try:
                found[native] = rule(target)
            except ValueError:
                found[native] = None
        return {native: value for native, value in found.items() if value is not None}

    def misfits(
        self, kind: str, names: Collection[str], written: Values, seen: Values
    ) -> dict[str, str]:
        """The golden fields whose native values do not fit there, each with the reason.

        ``seen`` is what the record shows, in golden terms.
        """
        beside = self._controlling(kind, seen) | dict(written)
        due = (one for one in self._of(kind) if one.name in names)
        told = {one.name: one.misfit(written, beside) for one in due}
        return {name: why for name, why in told.items() if why is not None}

    def _controlling(self, kind: str, seen: Values) -> dict[str, Any]:
        """What stands in the fields on which choices depend."""
        limits = (limit for one in self._of(kind) for limit in one.limits.values())
        controllers = {limit.controller for limit in limits if limit.controller}
        return {
            one.field: one.native(seen[one.name])
            for one in self._of(kind)
            if one.field in controllers and one.name in seen
        }

    def convert_values(self, kind: str) -> dict[str, Any]:
        """What makes a record one of that kind."""
        if self.kind_by is None:
            return {}
        native = next(native for native, one in self.kinds.items() if one == kind)
        return {self.kind_by: native}

    def missing(self, kind: str, target: Values) -> tuple[str, ...]:
        """Required golden fields without a value."""
        mapped = {one.name: one for one in self._of(kind)}
        return tuple(
            n for n in self.required if n in mapped and mapped[n].shaped(target) in (None, UNSET)
        )

    def mended(self, kind: str, golden: Values, names: Collection[str]) -> list[str]:
        """Those of the fields whose values are repaired to fit there."""
        rendered = (one for one in self._of_kind[kind].rendered if one.name in names)
        return [one.name for one in rendered if one.is_mended(golden)]

    def search(self, name: str, values: Iterable[Any]) -> tuple[str, list[str]] | None:
        """By which native field, and for what, records with one of these values are looked up.

        None where this side does not keep the field in one.
        """
        one = next((one for one in self.fields if one.name == name), None)
        native = None if one is None else one.field or one.member_of
        if one is None or native is None or one.mask or one.write:
            return None
        return native, sorted({str(one.native(value)) for value in values})

    def names_of(self, natives: Collection[str]) -> set[str]:
        """The golden fields that stand in these native fields."""
        return {one.name for one in self.fields if set(one.natives) & set(natives)}

    def _of(self, kind: str) -> tuple[FieldMap, ...]:
        return self._of_kind[kind].fields

    def _one(self, kind: str, name: str) -> FieldMap | None:
        return next((one for one in self._of(kind) if one.name == name), None)

    def _sets(self, kind: str) -> MappingOf[str, Sequence[str]]:
        """Native set field -> the golden slots that its members stand in, in order."""
        return self._of_kind[kind].sets

    def _members(self, kind: str, native: str, values: Values) -> list[Any]:
        """The normal forms of a set, each once."""
        one = self._one(kind, self._sets(kind)[native][0])
        value = values.get(native)
        if one is None or not isinstance(value, list | tuple):
            return []
        found = dict.fromkeys(one.normal(member, self.region) for member in value)
        return [member for member in found if member is not None and member is not UNSET]

    def _whole_name(self, kind: str, slots: Sequence[str], value: Any) -> str | None:
        """A name that stands in one field, in its normal form there."""
        (one,) = (each for each in self._of(kind) if each.name == slots[0])
        normal = one.normal(value, self.region)
        if normal is None or normal is UNSET:
            return None
        return str(one.normal(one.fit(one.part_of or "", normal), self.region))


def _further(native: str) -> str:
    """Under which name stand the members of a set for which there are no slots."""
    return f"{native} (further)"


def _all_members(slots: Sequence[str], native: str, seen: Values) -> list[Any]:
    placed = [seen.get(name) for name in slots]
    return [one for one in placed if one is not None] + list(seen.get(_further(native), ()))
