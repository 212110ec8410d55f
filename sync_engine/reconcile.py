"""Three-way reconcile, field by field, for any number of sides. Pure.

Each side is compared with what it and golden last agreed on. A value that is neither
that, nor golden's, nor one we may have written, nor the rendition held for this side,
is a claim. One claim: golden takes it. Claims that differ, or a claim against a golden
value that this side had not accepted: a conflict, which the policy settles and the
caller records. The decision table stands in sync_engine/README.md; each branch carries
its situation's name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sync_engine.values import GOLDEN, UNSET, Author, Held, Values, hash_of

MANUAL = "manual"  #: the situation, and why a field is held: a person is asked
PUT_BACK = "put back"  #: the situation of an edit on a side that does not own the field


@dataclass(frozen=True, slots=True)
class Side:
    """One live record, as one side of its entity."""

    base: Values
    seen: Values
    offered: Sequence[Values] = ()  #: open writes, which may or may not have landed
    held: Mapping[str, Held] = field(default_factory=dict)
    claims: Collection[str] = ()  #: fields whose edits here count
    stamps: Mapping[str, str] = field(default_factory=dict)  #: field -> when its change was read
    insists: Collection[str] = ()  #: fields in which a person wants this side to win now
    yields: Collection[str] = ()  #: fields that others own: an edit here is put back
    made: Collection[str] = ()  #: fields whose value here is made of other fields
    mute: Collection[str] = ()  #: fields in which an empty value here says nothing
    #: fields without a base that show a placeholder: as empty, never a claim (practice 1.1)
    vacant: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a conflict is settled: ``prefer``, ``newest``, ``longest``, ``manual``, ``consent``."""

    name: str
    order: Sequence[str]  #: the sides, most trusted first
    tie: float = 2.0  #: seconds; edits read closer together are a tie (``newest``)
    concerns: Sequence[str] = ()  #: fields that go nowhere without this one (``consent``)


class Claim(NamedTuple):
    value: Any
    stamp: str | None = None


class Change(NamedTuple):
    """One field of golden after a decision, with what was decided against."""

    name: str
    old: Any  #: UNSET where golden had no such field
    new: Any
    by: str  #: the side whose value it is, or ``golden``
    situation: str
    stamp: str | None = None
    lost: Mapping[str, Claim] = MappingProxyType({})

    @property
    def is_conflict(self) -> bool:
        return bool(self.lost)

    @property
    def is_first(self) -> bool:
        """Whether golden had nothing before, and nobody lost."""
        return self.old is UNSET and not self.lost


@dataclass(frozen=True, slots=True)
class Decision:
    golden: Values
    changes: tuple[Change, ...]
    bases: Mapping[str, Values]
    held: Mapping[str, Mapping[str, Held]]


def reconcile(
    golden: Values,
    sides: Mapping[str, Side],
    policies: Mapping[str, Policy],
    authors: Mapping[str, Author],
) -> Decision:
    """What every side shall hold, and why.

    ``policies`` has one entry per field; ``authors`` tells of fields that golden holds.
    """
    if not golden and len(sides) == 1 and (decision := _first_seen(sides, policies)):
        return decision
    claimed = _claimed(golden, sides)
    values = dict(golden)
    changes: list[Change] = []
    held = {
        name: {field: kept for field, kept in side.held.items() if kept.why != MANUAL}
        for name, side in sides.items()
    }
    for name in sorted(claimed):
        change = _decide(name, golden, sides, claimed[name], policies[name], authors.get(name))
        if change is None:
            continue
        if change.situation == MANUAL:
            asked = Held(hash_of(golden.get(name)), MANUAL)
            for side, claim in change.lost.items():
                held[side][name] = replace(asked, shown=claim.value)
            if all(sides[side].held.get(name) == held[side][name] for side in change.lost):
                continue  # the person has been asked already
        elif change.new is not UNSET:
            values[name] = change.new
        changes.append(change)
    changes += _put_back(values, sides)
    still = {name: _still_held(kept, values) for name, kept in held.items()}
    bases = {name: _agreed(side, values, still[name]) for name, side in sides.items()}
    return Decision(values, tuple(changes), bases, still)


def _first_seen(sides: Mapping[str, Side], policies: Mapping[str, Policy]) -> Decision | None:
    """An entity's first record, about which nobody can disagree: golden takes what it shows.

    The same as the rest decides, for most of the records of a first sync.
    """
    ((name, side),) = sides.items()
    if side.base or side.offered or side.held or side.insists:
        return None
    golden = {
        n: v
        for n, v in side.seen.items()
        if v is not None and n in side.claims and n not in side.vacant
    }
    changes = tuple(
        Change(n, UNSET, golden[n], name, _of_first(policies[n], golden[n]), side.stamps.get(n))
        for n in sorted(golden)
    )
    return Decision(golden, changes, {name: golden}, {name: {}})


def _of_first(policy: Policy, value: Any) -> str:
    return "opt-out" if policy.name == "consent" and value is True else "one claim"


def _claimed(golden: Values, sides: Mapping[str, Side]) -> dict[str, dict[str, Claim]]:
    """Field -> the sides that show something new of it."""
    claimed: dict[str, dict[str, Claim]] = {}
    for side_name, side in sides.items():
        if side.seen == side.base and not side.insists and _is_heard(side, golden):
            continue
        for name, value in side.seen.items():
            if name in side.claims and _is_news(name, side, golden):
                claimed.setdefault(name, {})[side_name] = Claim(value, side.stamps.get(name))
    return claimed


def _is_heard(side: Side, golden: Values) -> bool:
    """Whether golden knows of every value: it has not lost one with its mapping."""
    return all(name in golden or value is None for name, value in side.seen.items())


def _decide(
    name: str,
    golden: Values,
    sides: Mapping[str, Side],
    claims: dict[str, Claim],
    policy: Policy,
    author: Author | None,
) -> Change | None:
    for side_name, side in sides.items():
        shown = side.seen.get(name) if name not in side.vacant else None
        if name in side.insists and shown is not None:
            claims.setdefault(side_name, Claim(shown, side.stamps.get(name)))
    if policy.name == "consent":
        return _consent(name, golden, sides, claims, author)
    old = golden.get(name, UNSET)
    if old is UNSET and len(claims) == 1:
        ((side_name, claim),) = claims.items()
        return Change(name, UNSET, claim.value, side_name, "one claim", claim.stamp)
    first_contact = any(name not in sides[side].base for side in claims)
    against = dict(claims)
    if old is not UNSET:
        moved_on = all(sides[side].base.get(name, UNSET) != old for side in claims)
        # no wipe: before there is a base an empty golden gives way to any value
        if moved_on and not (old is None and first_contact):
            against[GOLDEN] = Claim(old, author.stamp if author else None)
    if _same([claim.value for claim in against.values()]):
        first = min(against, key=lambda side: _rank(side, policy.order))
        situation = "one claim" if len(against) == 1 else "equal claims"
        return Change(name, old, against[first].value, first, situation, against[first].stamp)
    if insisting := [side for side in claims if name in sides[side].insists]:
        winner, situation = insisting[0], "resync"
    elif policy.name == "manual" or _is_asked(name, sides):
        claimed = {side: claim for side, claim in claims.items() if side != GOLDEN}
        return Change(name, old, old, GOLDEN, MANUAL, lost=claimed)
    elif first_contact:
        winner, situation = _preferred(name, golden, sides, against, policy), "first contact"
    elif (editor := _edited_ours(name, sides, against)) is not None:
        # probably on top of our write whose fate is open: the person wins
        winner, situation = editor, "edit on an open write"
    else:
        winner, situation = _settle(name, golden, sides, against, policy)
    lost = {
        side: claim
        for side, claim in against.items()
        if side != winner and claim.value != against[winner].value
    }
    chosen = against[winner]
    return Change(name, old, chosen.value, winner, situation, chosen.stamp, lost)


def _put_back(golden: Values, sides: Mapping[str, Side]) -> list[Change]:
    """Edits on a side that does not own the field: golden stands, what was there is kept."""
    lost: dict[str, dict[str, Claim]] = {}
    for side_name, side in sides.items():
        if side.seen == side.base:
            continue
        for name in side.yields:
            if _is_to_be_put_back(name, side, golden):
                lost.setdefault(name, {})[side_name] = Claim(side.seen[name])
    return [
        Change(name, old, old, GOLDEN, PUT_BACK, lost=lost[name])
        for name in sorted(lost)
        for old in (golden.get(name, UNSET),)
    ]


def _is_to_be_put_back(name: str, side: Side, golden: Values) -> bool:
    if name in golden:
        return _is_news(name, side, golden)
    # made by an expression: golden has none, what was agreed on is what we wrote
    agreed = side.base.get(name, UNSET)
    is_edited = agreed is not UNSET and side.seen.get(name, agreed) != agreed
    return name in side.made and is_edited


def _is_news(name: str, side: Side, golden: Values) -> bool:
    if name not in side.seen:
        return False
    value = side.seen[name]
    if name in side.vacant or (value is None and (name not in side.base or name in side.mute)):
        return False  # no base, no wipe
    insists = name in side.insists
    if golden.get(name, UNSET) == value:
        return False
    # what golden lost with its mapping is agreed on no more, whatever the base remembers
    base = side.base if name in golden or value is None else {}
    known = () if insists else (base, *side.offered)
    if any(values.get(name, UNSET) == value for values in known):
        return False
    kept = side.held.get(name)
    if kept is not None and name not in golden and kept.of != hash_of(None):
        return True  # held for what golden has lost
    # what a person is asked about stays a claim until it is answered
    return kept is None or kept.shown != value or kept.why == MANUAL


def _is_asked(name: str, sides: Mapping[str, Side]) -> bool:
    """Whether a person has been asked already; then only he answers, whatever the policy now."""
    return any((kept := side.held.get(name)) and kept.why == MANUAL for side in sides.values())


def _settle(
    name: str,
    golden: Values,
    sides: Mapping[str, Side],
    claims: Mapping[str, Claim],
    policy: Policy,
) -> tuple[str, str]:
    """The side that wins a conflict, and the rule by which."""
    if policy.name == "longest":
        longest = max(len(str(claim.value or "")) for claim in claims.values())
        claims = {s: c for s, c in claims.items() if len(str(c.value or "")) == longest}
        return _preferred(name, golden, sides, claims, policy), "longest"
    if policy.name == "newest" and (newest := _newest(claims, policy.tie)):
        return newest, "newest"
    return _preferred(name, golden, sides, claims, policy), "prefer"


def _newest(claims: Mapping[str, Claim], tie: float) -> str | None:
    """The side that was edited last; None where that cannot be told."""
    if any(claim.stamp is None for claim in claims.values()):
        return None
    stamps = {side: datetime.fromisoformat(claim.stamp or "") for side, claim in claims.items()}
    last, *others = sorted(stamps, key=lambda side: stamps[side], reverse=True)
    if any((stamps[last] - stamps[side]).total_seconds() <= tie for side in others):
        return None
    return last


def _preferred(
    name: str,
    golden: Values,
    sides: Mapping[str, Side],
    claims: Mapping[str, Claim],
    policy: Policy,
) -> str:
    """The most trusted claimant; golden ranks as the best side that stands behind it."""

    def rank(side: str) -> int:
        if side != GOLDEN:
            return _rank(side, policy.order)
        behind = [
            _rank(other, policy.order)
            for other, held in sides.items()
            if other not in claims and held.base.get(name, UNSET) == golden[name]
        ]
        return min(behind, default=len(policy.order))

    return min(claims, key=lambda side: (rank(side), side == GOLDEN))


def _rank(side: str, order: Sequence[str]) -> int:
    return order.index(side) if side in order else len(order)


def _edited_ours(name: str, sides: Mapping[str, Side], claims: Mapping[str, Claim]) -> str | None:
    people = [side for side in claims if side != GOLDEN]
    if len(people) == 1 and any(name in offer for offer in sides[people[0]].offered):
        return people[0]
    return None


def _consent(
    name: str,
    golden: Values,
    sides: Mapping[str, Side],
    claims: Mapping[str, Claim],
    author: Author | None,
) -> Change | None:
    """An opt-out wins over any permission, whatever the time or precedence (practice 4.1)."""
    old = golden.get(name, UNSET)
    outs = sorted(side for side, claim in claims.items() if claim.value is True)
    known = {side: sides[side].base[name] for side in claims if name in sides[side].base}
    lost = {side: claims[side] for side in known if claims[side].value is not True}
    if outs:
        if old in (False, None) and all(known.get(side, old) != old for side in outs):
            lost[GOLDEN] = Claim(old, author.stamp if author else None)
        return Change(name, old, True, outs[0], "opt-out", claims[outs[0]].stamp, lost)
    if old is not True:
        side = sorted(claims)[0]
        return Change(name, old, claims[side].value, side, "one claim", claims[side].stamp)
    setter = author.by if author else GOLDEN
    if setter in claims and name in sides[setter].base:
        claim = claims[setter]
        return Change(name, old, claim.value, setter, "permission by its setter", claim.stamp)
    return Change(name, old, True, GOLDEN, "opt-out stands", lost=lost) if lost else None


def _agreed(side: Side, golden: Values, held: Mapping[str, Held]) -> Values:
    """The base after a decision, field by field.

    It advances where the side holds golden's value or one we may have written, and where
    its claim was heard and lost: the same value is no claim a second time. A claim that a
    person is asked about has not been heard yet.
    """
    if side.seen == side.base:
        return side.base
    base = dict(side.base)
    for name, value in side.seen.items():
        kept = side.held.get(name)
        if kept is not None and kept.shown == value and kept.why != MANUAL:
            continue
        if name in held and held[name].why == MANUAL:
            continue
        if name in side.vacant and golden.get(name) is None:
            continue  # it stands for nothing until there is something it gives way to
        if value is not None and name not in golden and name not in side.made:
            continue  # nobody has heard it: the field is not mapped by who decides
        if name in base or value is not None or golden.get(name, UNSET) is None:
            base[name] = value
    return base


def _still_held(held: Mapping[str, Held], golden: Values) -> Mapping[str, Held]:
    """A field is held only for the golden value it was held for."""
    return {name: kept for name, kept in held.items() if kept.of == hash_of(golden.get(name))}


def _same(values: list[Any]) -> bool:
    return values.count(values[0]) == len(values)
