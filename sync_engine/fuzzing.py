"""Tries mappings against each other with made-up records: what oscillates, and what loses. Pure.

A record of one side is read, written to the other side and read there. What is shown then must
be golden, or a rendition of it; it must not ask to be written again; and it must be all of
golden, unless the mapping says that it is not.
"""

import hashlib
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any

from sync_engine.converters import PARTED
from sync_engine.fieldmap import FieldMap
from sync_engine.kindmap import is_half_address
from sync_engine.mapping import Mapping
from sync_engine.owners import FORM as OWNER
from sync_engine.values import UNSET, Values

RECORDS = 60  #: tried for each pair of sides

_WORDS = (
    "Ann", "O'Neil", "ÅSA", "straße", "R&D <x>", "née", "李 四", "a;b", "a, b", "12", "true",
    "Ann-Marie", "MCDONALD", "two words", "e\u0301", "a (b) = c", "x" * 400,
)  # fmt: skip
#: form -> native values to begin with
_SAMPLES: MappingOf[str, Sequence[Any]] = {
    "text": _WORDS,
    "multiline": (*_WORDS, "one\r\ntwo", "one\n\ntwo "),
    "email": ("Ann@Plavi.example", "a+b@zub.example", "no address"),
    "phone": ("+385 91 555 0104", "+1 212 555 0100", "+44 20 7946 0018", "extension 7"),
    "domain": ("https://www.plavi.example/about", "zub.example"),
    "date": ("1984-02-29", "2026-03-01T23:30:00-08:00"),
    "datetime": ("2026-03-01T23:30:00-08:00", "2026-03-01T07:30:00.123Z"),
    "integer": (0, 12, -3, "1200"),
    "number": (0, 12.5, -3, "1200.00", 0.1),
    "boolean": (True, False),
    "choice": ("Web", "Trade fair"),
    "choices": ("Web;Trade fair", "Web"),
    "language": ("en-GB", "German", "hr"),
    "country": ("HR", "Germany", "Atlantis"),
    "currency": ("EUR", "usd"),
}


@dataclass(slots=True)
class _Draws:
    """Choices that look random and are the same each time, so that a flaw is found again."""

    number: int = 0

    def below(self, limit: int) -> int:
        self.number += 1
        digest = hashlib.blake2b(self.number.to_bytes(8), digest_size=8).digest()
        return int.from_bytes(digest) % limit

    def one_of(self, several: Sequence[Any]) -> Any:
        return several[self.below(len(several))]


@dataclass(frozen=True, slots=True)
class Flaw:
    """A value that does not survive the way to a side, as a counter-example."""

    field: str
    sort: str  #: ``oscillates`` or ``loses``
    golden: Any
    shown: Any


def flaws(kind: str, source: Mapping, target: Mapping) -> Iterator[Flaw]:
    """The first flaw of each field on the way from one side to another, or back to itself."""
    draws = _Draws()
    told: set[tuple[str, str]] = set()
    given = {one.name: one for one in target.of_kind(kind).fields if one.direction != "from"}
    for _ in range(RECORDS):
        natives = _record(kind, source, draws)
        golden = source.complete(kind, source.golden_of(kind, natives), {}, {}, [])
        shared = [name for name in golden if name in given and not given[name].ref]
        for name, sort, shown in _tried(kind, target, golden, shared):
            if (name, sort) not in told:
                told.add((name, sort))
                yield Flaw(name, sort, golden[name], shown)


def _tried(
    kind: str, target: Mapping, golden: Values, names: Sequence[str]
) -> Iterator[tuple[str, str, Any]]:
    written, left_out = _written(kind, target, golden)
    own = target.golden_of(kind, written)
    whole = target.complete(kind, own, {}, golden, [])
    for one in target.of_kind(kind).fields:
        name = one.name
        if name not in names or name in left_out or name not in own or one.member_of:
            continue
        if one.is_foreign(golden[name]) or one.shaped(golden) is UNSET:
            continue
        flows_back = whole[name] != golden[name] and one.direction == "both"
        is_due = not target.same(kind, name, own if one.is_rendered else whole, golden)
        if flows_back or is_due:
            yield name, "oscillates", own[name]
        elif own[name] != golden[name] and not _is_declared(one):
            yield name, "loses", own[name]


def _written(kind: str, target: Mapping, golden: Values) -> tuple[Values, Sequence[str]]:
    """The native values of a new record there, and what does not fit into it."""
    known = {name: value for name, value in golden.items() if value is not None}
    names = target.given(kind, known)
    misfits = target.misfits(kind, names, target.create_values(kind, known, names), {})
    names = [name for name in names if name not in misfits]
    written = target.create_values(kind, known, names)
    read = {native: written.get(native) for native in target.native_fields([kind])}
    added = {n: v["add"] for n, v in written.items() if isinstance(v, dict)}
    return {**read, **added}, list(misfits)


def _is_declared(one: FieldMap) -> bool:
    """Whether the mapping says that this side shows less."""
    chosen = one.mask or one.repair or one.part_of or one.unknown == "default"
    return bool(one.is_lossy or chosen or is_half_address(one) or one.default is not None)


def _record(kind: str, source: Mapping, draws: _Draws) -> dict[str, Any]:
    natives: dict[str, Any] = dict(source.convert_values(kind))
    for one in source.of_kind(kind).fields:
        if one.ref is not None or one.form == OWNER:
            continue
        if one.parts is not None:
            forms = PARTED[one.form]
            natives |= {
                native: _value(forms[part], None, draws) for part, native in one.parts.items()
            }
        elif one.member_of is not None:
            natives.setdefault(one.member_of, [_sample(one.form, draws)])
        elif one.natives:
            natives[one.natives[0]] = _value(one.form, one.values, draws)
    return natives


def _value(form: str, values: MappingOf[str, Any] | None, draws: _Draws) -> Any:
    if draws.below(7) == 0:
        return None
    if values is not None and form != "choices":
        return draws.one_of(list(values.values()))
    if values is not None:
        return [draws.one_of(list(values.values()))]
    return _sample(form, draws)


def _sample(form: str, draws: _Draws) -> Any:
    if form in ("text", "multiline") and draws.below(2):
        letters = "abcdefghij ABCDEFGHIJ-čćžšđ&.'"
        return "".join(draws.one_of(letters) for _ in range(1 + draws.below(60))) + "z"
    return draws.one_of(_SAMPLES[form])
