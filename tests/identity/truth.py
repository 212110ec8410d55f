"""Which records a perfect reader could not tell apart or together: the truly undecidable.

Works on the facts behind what was typed, never on what crm-sync makes of the typed. README.md
says in words what is decided here.
"""

from collections.abc import Sequence

from tests.identity.people import IDENTIFIERS, NEAR, Shown


def undecidable(records: Sequence[Shown]) -> set[int]:
    """Places in ``records`` of those about which nothing but a person can decide."""
    by_surname: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        by_surname.setdefault(record.person.last, []).append(place)
    of_person: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        of_person.setdefault(record.person.number, []).append(place)
    settled = {
        place
        for mine in of_person.values()
        if _is_one(records, mine, by_surname[records[mine[0]].person.last])
        for place in mine
    }
    open_ = [place for place in range(len(records)) if place not in settled]
    found = {p for p in open_ if len(of_person[records[p].person.number]) > 1}
    for place in open_:
        mine = records[place]
        for other in by_surname[mine.person.last]:
            theirs = records[other]
            if other not in settled and other != place and _could_be_one(mine, theirs):
                found |= {place, other}
    return found


def _is_one(records: Sequence[Shown], mine: Sequence[int], namesakes: Sequence[int]) -> bool:
    """Whether these, all of one person, are one by what both show and nobody else does."""
    if len(mine) != 2 or records[mine[0]].side == records[mine[1]].side:
        return False
    left, right = (records[place] for place in mine)
    if not {left.name, right.name} <= {"kept", "swapped"}:
        return False
    if left.facts.get("generation") != right.facts.get("generation"):
        return False
    for name in IDENTIFIERS:
        fact = left.facts.get(name)
        if fact is None or name not in right.facts:
            continue
        if fact != right.facts[name]:
            return False  # what contradicts itself is asked
        needs_full = name in ("birth", "firm")
        if needs_full and not left.given == right.given == "full":
            continue
        strangers = (records[n] for n in namesakes if n not in mine)
        return not any(s.facts.get(name) == fact and _named_alike(left, s) for s in strangers)
    return False


def _could_be_one(left: Shown, right: Shown) -> bool:
    """Two records of different systems, names within reach, something near, nothing against."""
    if left.side == right.side or not _named_alike(left, right):
        return False
    if left.person.number != right.person.number and _differ(left, right, "birth"):
        return False
    if left.person.number != right.person.number and _differ(left, right, "generation"):
        return False
    return any(name in left.facts and left.facts[name] == right.facts.get(name) for name in NEAR)


def _named_alike(left: Shown, right: Shown) -> bool:
    if left.person.last != right.person.last:
        return False
    if "none" in (left.given, right.given):
        return True
    if "initial" in (left.given, right.given):
        return left.person.first[0] == right.person.first[0]
    return left.person.first == right.person.first


def _differ(left: Shown, right: Shown, name: str) -> bool:
    mine, theirs = left.facts.get(name), right.facts.get(name)
    return mine is not None and theirs is not None and mine != theirs
