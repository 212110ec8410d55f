"""What writing persons and companies has in common.

The API has no conditional write: records are read immediately before, compared by modifiedAt and
then written. What is left is told in connectors/README.md, "Quirks".
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connectors.infobip.bodies import in_halves, refused_locally
from connectors.infobip.client import InfobipClient, Refused, slices
from connectors.infobip.faults import Fault, outcome_of
from connectors.infobip.fields import Places, Row, instant, stamp_of, value_of
from connectors.infobip.reading import Reader
from connectors.protocol import Action, Outcome, Refusal, Result, Write

Wishes: TypeAlias = Mapping[int, Write]  #: index of the outcome -> write
Outcomes: TypeAlias = dict[int, Outcome]

#: records read before one batch of updates: at 5 reads a second, 10 s from read to write
AT_ONCE = 50


def turns(writes: Sequence[Write]) -> Iterator[dict[int, Write]]:
    """The writes in order: no record twice in a turn, and few enough that must be read first."""
    turn: dict[int, Write] = {}
    ids: set[str] = set()
    checked = 0
    for index, write in enumerate(writes):
        if write.id in ids or checked == AT_ONCE:
            yield turn
            turn, ids, checked = {}, set(), 0
        turn[index] = write
        ids |= {write.id} if write.id else set()
        checked += write.version is not None
    if turn:
        yield turn


@dataclass(frozen=True, slots=True)
class Desk:
    """One object of one account, to write at."""

    object: str
    client: InfobipClient
    reader: Reader
    places: Places

    def acceptable(self, wishes: Wishes, outcomes: Outcomes) -> dict[int, Write]:
        """The wishes that may be sent; the others are rejected, named by field."""
        rest: dict[int, Write] = {}
        for index, write in wishes.items():
            creates = write.action is Action.CREATE
            faults = refused_locally(self.object, write, self.places)
            if faults:
                told = ", ".join(f"{field}: {why}" for field, why in faults.items())
                outcomes[index] = Outcome(
                    Result.REJECTED, write.id, reason=told, faults=faults, refusal=Refusal.FORM
                )
            elif not creates and not (write.id or "").isdecimal():
                outcomes[index] = Outcome(Result.GONE, write.id, reason="no such id")
            else:
                rest[index] = write
        return rest

    def unmoved(
        self, wishes: Wishes, outcomes: Outcomes, needed: Callable[[Write], bool]
    ) -> dict[int, Row]:
        """The rows of writes that carry a version or are ``needed``; settles stale and gone."""
        wanted = {i: w for i, w in wishes.items() if w.version is not None or needed(w)}
        current = self.reader.current(self.object, [str(w.id) for w in wanted.values()])
        rows: dict[int, Row] = {}
        for index, write in wanted.items():
            row = current.get(str(write.id))
            if row is None:
                outcomes[index] = Outcome(Result.GONE, write.id, reason="no longer exists")
            elif write.version is not None and _moved(row, write):
                outcomes[index] = Outcome(Result.STALE, write.id, reason="modified meanwhile")
            else:
                rows[index] = row
        return rows

    def delete(self, wishes: Wishes, outcomes: Outcomes) -> None:
        self.unmoved(wishes, outcomes, lambda _: False)
        rest = left(wishes, outcomes)
        for part in slices(list(rest)):
            refused = self.client.delete_many(self.object, [str(rest[i].id) for i in part])
            for index in part:
                id = str(rest[index].id)
                fault = refused if isinstance(refused, Fault) else refused.get(id)
                settled = outcome_of(fault, id, {}) if fault else Outcome(Result.DONE, id)
                outcomes[index] = settled

    def send(self, bodies: Mapping[str, Row], answered: dict[str, Row]) -> dict[str, Fault]:
        """Partial updates by id; the refused ones. The answer to a single one is kept."""

        def single(id: str) -> Fault | None:
            answer = self.client.update(self.object, id, bodies[id])
            if isinstance(answer, Fault):
                return answer
            if answer.get("modifiedAt"):
                answered[id] = answer
            return None

        def several(ids: Collection[str]) -> Refused:
            return self.client.update_many(self.object, {id: bodies[id] for id in ids})

        faults: dict[str, Fault] = {}
        for part in slices(list(bodies)):
            faults |= in_halves(part, single, several)
        return faults

    def settle(self, wishes: Wishes, outcomes: Outcomes, answered: Mapping[str, Row]) -> None:
        """Done, but what was cleared or converted is read back: whether PATCH does that is
        not told by the vendor."""
        unsure = {str(w.id) for w in wishes.values() if _cleared(w) or w.action is Action.CONVERT}
        rows = {**answered, **self.reader.current(self.object, unsure - answered.keys())}
        for index, write in wishes.items():
            id = str(write.id)
            row = rows.get(id, {})
            if row and write.action is Action.CONVERT and row.get("type") != "CUSTOMER":
                faults = {"type": "not changed"}
                why = "the type of the profile is not changed"
                outcomes[index] = Outcome(Result.REJECTED, id, reason=why, faults=faults)
                continue
            found = {field: value_of(row, field, self.places) for field in _cleared(write)}
            kept = {field: value for field, value in found.items() if value is not None}
            version = answered.get(id, {}).get("modifiedAt")
            outcomes[index] = Outcome(Result.DONE, id, version, values=kept)


def left(wishes: Wishes, outcomes: Outcomes) -> dict[int, Write]:
    return {index: write for index, write in wishes.items() if index not in outcomes}


def _moved(row: Row, write: Write) -> bool:
    try:
        return stamp_of(row) != instant(str(write.version))
    except ValueError:
        return True


def _cleared(write: Write) -> list[str]:
    return [field for field, value in write.values.items() if value is None]
