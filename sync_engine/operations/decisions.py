"""What people have decided of records: listed, exported, and replayed into any state.

A decision names records, so it holds for ever: through a resync, in a state that was built anew,
and for records that are only read later.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.engine import Connection

from sync_engine.engine import new_run, verdicts
from sync_engine.models import LinkState
from sync_engine.operations.records import WrongUseError, split
from sync_engine.operations.shapes import Decision, Replayed
from sync_engine.service import Service
from sync_engine.store import DecisionRow, LinkRow

Said = Literal["same", "different", "later", "unlink", "convert"]
COLUMNS = ("verdict", "left", "right", "by", "at")


class _Row(BaseModel):
    """A decision as a file holds it."""

    model_config = ConfigDict(extra="forbid")
    verdict: Said
    left: str
    right: str
    by: str
    at: datetime


def decisions(service: Service) -> list[Decision]:
    """Everything that people have said of records, oldest first; ids alone, no values."""
    names = {source.id: source.name for source in service.world.sources}
    with service.store.reading() as connection:
        rows = service.store.issues.all_decisions(connection)
    return [
        Decision(
            verdict=row.verdict,
            left=f"{names[row.left_source]}:{row.left_record}",
            right=f"{names[row.right_source]}:{row.right_record}",
            by=row.by,
            at=row.at,
        )
        for row in rows
        if row.left_source in names and row.right_source in names
    ]


def as_text(found: Sequence[Decision], *, as_json: bool) -> str:
    """Decisions as a file that ``replay`` takes."""
    rows = [one.model_dump(mode="json") for one in found]
    if as_json:
        return json.dumps(rows, indent=2) + "\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read(file: Path) -> list[Decision]:
    """The decisions in a file, JSON or CSV. Raises WrongUseError that names the row."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise WrongUseError(f"{file} {what}", remedy="name a file of decisions export") from None
    found = []
    for number, row in enumerate(_rows(file, text), start=1):
        try:
            one = _Row.model_validate(row)
        except ValidationError as error:
            names = ", ".join(dict.fromkeys(str(e["loc"][0]) for e in error.errors() if e["loc"]))
            raise WrongUseError(
                f"{file}: decision {number} is not valid: {names or 'no decision'}",
                remedy=f"verdict is one of {', '.join(get_args(Said))}; left and right are "
                "INSTANCE/OBJECT:ID; at is a date and time",
            ) from None
        found.append(Decision(**one.model_dump()))
    return found


def _rows(file: Path, text: str) -> list[Any]:
    if file.suffix != ".json":
        return list(csv.DictReader(io.StringIO(text)))
    try:
        rows = json.loads(text)
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        raise WrongUseError(f"{file} holds no list", remedy="name a file of decisions export")
    return rows


def replay(service: Service, wanted: Sequence[Decision], *, carry_out: bool = True) -> Replayed:
    """Decide as was decided. Records that are not known yet are decided once they are read.

    All of it or nothing. Raises WrongUseError where a name means no configured record.
    """
    rows = [_row(service, one) for one in wanted]
    with service.store.transaction() as connection:
        stored = service.store.issues.all_decisions(connection)
        known = {
            (r.verdict, r.left_source, r.left_record, r.right_source, r.right_record)
            for r in stored
        }
        fresh = [
            (one, row)
            for one, row in zip(wanted, rows, strict=True)
            if (row.verdict, *row.left, *row.right) not in known
        ]
        done = [_replayed(service, connection, one, row) for one, row in fresh if carry_out]
    return Replayed(
        decided=len(fresh), applied=sum(done), known=len(rows) - len(fresh), carried_out=carry_out
    )


def _row(service: Service, one: Decision) -> DecisionRow:
    ends = []
    for name in (one.left, one.right):
        sources, number = split(service.world, name)
        if len(sources) > 1:
            raise WrongUseError(f"{name} is ambiguous", remedy="write INSTANCE/OBJECT:ID")
        ends.append((sources[0], number))
    if (ends[0] == ends[1]) is not (one.verdict == "unlink"):
        raise WrongUseError(
            f"{one.left} and {one.right} cannot be {one.verdict}",
            remedy="unlink names one record twice, any other verdict two records",
        )
    left, right = sorted(ends)
    return DecisionRow(one.verdict, left, right)


def _replayed(service: Service, connection: Connection, one: Decision, row: DecisionRow) -> bool:
    """Remember a decision; carry it out where both records are known. Whether they are."""
    world = service.world
    found = [
        world.store.links.by_record(connection, source, [record]).get(record)
        for source, record in (row.left, row.right)
    ]
    links = [link for link in found if link is not None and verdicts.joinable(link)]
    at = one.at if one.at.tzinfo else one.at.replace(tzinfo=UTC)
    world.store.issues.decide(connection, [row], one.by, at)
    if len(links) < 2:
        return False
    run = new_run(world, "decisions")
    if row.verdict == "different":
        verdicts.different(world, connection, run, links[:1], links[1:], one.by)
    elif row.verdict == "unlink" and links[0].state is not LinkState.IGNORED:
        verdicts.unlink(world, connection, run, links[0], one.by)
    elif row.verdict == "same" and links[0].kind is links[1].kind and _are_two(links):
        verdicts.same(world, connection, run, links, one.by)
    elif row.verdict == "convert":
        verdicts.turn(world, connection, run, [row])
    world.store.issues.decide(connection, [row], one.by, at)  # with the hour it was said
    return True


def _are_two(links: Sequence[LinkRow]) -> bool:
    return links[0].entity_id is None or links[0].entity_id != links[1].entity_id
