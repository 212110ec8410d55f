"""Walking through the pages of a list that moves while it is read.

The API pages by number and length only. Consecutive windows overlap by at least one row, so that
rows which slid forward because others were deleted are noticed: the walk then steps back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Self

from connectors.errors import ResponseError
from connectors.infobip.fields import Row, id_of, instant, stamp_of
from connectors.replies import MOST_PAGES

LONGEST = 1000  #: rows of one page
#: steps back, or to the same rows again, without coming further: so many rows are not deleted,
#: their order changes; so many do not come in
STEPS = 100


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool

    @property
    def text(self) -> str:
        return f"{self.field}:{'desc' if self.descending else 'asc'}"

    def before(self, left: datetime, right: datetime) -> bool:
        return left > right if self.descending else left < right


NEWEST_FIRST = Order("modifiedAt", descending=True)
AS_CREATED = Order("createdAt", descending=False)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a walk has come: enough to go on after a restart."""

    rows: int = 0
    reached: datetime | None = None  #: stamp of the last row
    tail: tuple[str, ...] = ()  #: ids of the last rows, which the next window shows again

    def to_json(self) -> dict[str, Any]:
        reached = self.reached.isoformat() if self.reached else None
        return {"rows": self.rows, "reached": reached, "tail": list(self.tail)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        reached = instant(told["reached"]) if told["reached"] else None
        return cls(told["rows"], reached, tuple(told["tail"]))


@dataclass(frozen=True, slots=True)
class Window:
    rows: Sequence[Row]  #: without those that the window before held
    first: datetime | None  #: stamp of the first row, None for an empty list
    last: datetime | None
    position: Position  #: after this window
    end: bool


def window(read: int, most: int, known: int) -> tuple[int, int]:
    """Page number and length that show rows read before again, and the most new ones.

    A page of length l starts at a multiple of l; the length is varied until a start falls on one
    of the last ``known`` of ``read`` rows. About ``most`` rows, never more than LONGEST.
    """
    if not read:
        return 1, most

    def again(length: int) -> int:
        return (read - 1) % length + 1

    def fits(length: int) -> bool:
        return again(length) < length and again(length) <= known

    usual = [length for length in range(max(2, most // 2), most + 1) if fits(length)]
    if usual:
        best = max(usual, key=lambda length: (length - again(length), length))
    else:  # few rows known or tiny pages
        others = (length for length in range(2, LONGEST + 1) if fits(length))
        best = next(others, LONGEST)
    return (read - 1) // best + 1, best


def walk(
    read: Callable[[int, int, str], Sequence[Row]],
    order: Order,
    start: Position,
    most: int,
    probe: int | None = None,
) -> Iterator[Window]:
    """The windows of a list from ``start`` on; the first of a new walk has ``probe`` rows.

    ``read(page, limit, order)`` gives one page. At least one window is yielded.
    """
    at = start
    back = step = max(most // 2, 1)
    furthest, steps = at.rows, 0
    before: set[str] = set()
    for _ in range(MOST_PAGES):
        page, limit = window(at.rows, most, len(at.tail))
        if not at.rows and probe:
            limit = min(probe, most)
        rows = read(page, limit, order.text)
        offset = (page - 1) * limit
        if offset and not (rows and _joins(rows[0], at, order)):
            # rows before this window may have slid past it: step back, each time further
            steps += 1
            if steps > STEPS:
                raise ResponseError(f"Customer Profiles does not keep the order by {order.text}")
            at = replace(at, rows=max(offset - back, 0))
            back *= 2
            continue
        back = step
        stamps = [stamp_of(row, order.field) for row in rows]
        if any(order.before(later, earlier) for earlier, later in pairwise(stamps)):
            raise ResponseError(f"Customer Profiles does not order by {order.text}")
        ids = [id_of(row) for row in rows]
        fresh = [row for row in rows if id_of(row) not in at.tail]
        at = _after(offset + len(rows), stamps, ids, most)
        if before.issuperset(ids):  # once may be chance: as many rows came in above
            steps += 1
        else:
            before = set(ids)
            if at.rows > furthest:
                furthest, steps = at.rows, 0
        end = len(rows) < limit
        yield Window(fresh, stamps[0] if stamps else None, stamps[-1] if stamps else None, at, end)
        if end:
            return
        if steps > STEPS:
            raise ResponseError("a page of Customer Profiles leads to itself")
    raise ResponseError(f"Customer Profiles gives more than {MOST_PAGES} pages")


def _joins(first: Row, at: Position, order: Order) -> bool:
    """Whether everything before ``first`` in the list has been read, or has moved since."""
    if id_of(first) in at.tail:
        return True
    return at.reached is not None and order.before(stamp_of(first, order.field), at.reached)


def _after(read: int, stamps: Sequence[datetime], ids: Sequence[str], most: int) -> Position:
    if not stamps:
        return Position(read)
    page, limit = window(read, most, len(ids))
    return Position(read, stamps[-1], tuple(ids[-(read - (page - 1) * limit) :]))
