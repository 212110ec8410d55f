"""What a mapping holds of one kind, sorted by what is asked of it with every record. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_engine.converters import PARTS
from sync_engine.fieldmap import FieldMap
from sync_engine.owners import FORM as OWNER
from sync_engine.values import UNSHARED


def is_half_address(one: FieldMap) -> bool:
    return one.form == "address" and len(one.parts or ()) < len(PARTS)


def is_partial(one: FieldMap) -> bool:
    """Whether a side holds less of the field than golden does."""
    return bool(one.member_of or one.part_of or one.is_rendered or is_half_address(one))


@dataclass(frozen=True, slots=True)
class KindMap:
    """The mapped fields of one kind."""

    fields: tuple[FieldMap, ...]
    sets: Mapping[str, Sequence[str]]  #: native field -> slots of the set that stands in it
    names: Mapping[str, Sequence[str]]  #: native field -> slots of the name that stands in it
    chosen: tuple[FieldMap, ...]  #: mapped by values
    bounded: tuple[FieldMap, ...]  #: of which some golden values have no place here
    rendered: tuple[FieldMap, ...]  #: shown in a way of its own
    computed: tuple[FieldMap, ...]  #: read by an expression
    readable: frozenset[str]
    own: frozenset[str]  #: of which base is kept in the side's own words
    yields: frozenset[str]  #: owned by others: an edit here is put back
    made: frozenset[str]  #: made of other fields
    mute: frozenset[str]  #: in which an empty value here says nothing

    @classmethod
    def of(cls, fields: Sequence[FieldMap]) -> "KindMap":
        sets: dict[str, list[str]] = {}
        names: dict[str, list[str]] = {}
        for one in fields:
            if one.member_of is not None:
                sets.setdefault(one.member_of, []).append(one.name)
            elif one.part_of is not None:
                names.setdefault(one.part_of, []).append(one.name)
        owned = [one for one in fields if one.direction == "to" and one.nulls != "fill_only"]
        own = [one for one in fields if one.part_of or one.is_rendered]
        return cls(
            fields=tuple(fields),
            sets=sets,
            names=names,
            chosen=tuple(one for one in fields if one.values is not None and one.form != OWNER),
            bounded=tuple(
                one for one in fields if one.values is not None or one.currency or one.form == OWNER
            ),
            rendered=tuple(one for one in fields if one.is_rendered),
            computed=tuple(one for one in fields if one.reading is not None),
            readable=frozenset(
                one.name for one in fields if one.direction != "to" and one.name not in UNSHARED
            ),
            # half an address is none of them: what it shows is known as the whole one
            own=frozenset(one.name for one in own if not is_half_address(one)),
            yields=frozenset(one.name for one in owned),
            made=frozenset(one.name for one in fields if one.write is not None),
            mute=frozenset(
                one.name for one in fields if one.nulls != "propagate" or one.form == OWNER
            ),
        )
