"""The ideal merge: what an engine that saw everything at once would end with.

It knows the whole history and no crash, fault or delay. Between two moments of rest, what was
entered for one person in one field on one record replaces what was there before; entered on
several records it is a conflict, of which this reference says nothing.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from tests.simulation.deeds import Entry

#: an opt-out is not replaced by whatever comes later
_CONSENT = "email_opt_out"


def predict(
    log: Sequence[Entry], rests: Sequence[int], owner: Mapping[tuple[str, str], int]
) -> dict[tuple[int, str], Entry]:
    """(entity, field) -> the entry with which all its records must end.

    ``rests`` are the events after which everything had come to rest, ``owner`` tells whose each
    record is. Fields with a conflict are left out, for good: what won is not for us to say.
    """
    last: dict[tuple[int, str], Entry] = {}
    turn: dict[tuple[int, str], tuple[int, str, str]] = {}
    contested: set[tuple[int, str]] = set()
    for entry in log:
        entity = owner.get((entry.system, entry.record))
        if entity is None:
            continue
        place = (entity, entry.field)
        now = (bisect_left(rests, entry.event), entry.system, entry.record)
        before = turn.get(place, now)
        elsewhere = before[1:] != now[1:]
        if elsewhere and (before[0] == now[0] or entry.field == _CONSENT):
            contested.add(place)
        last[place], turn[place] = entry, now
    return {place: entry for place, entry in last.items() if place not in contested}
