"""Which records a person means: names in a file, or a stretch of time."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from sync_engine.engine import World
from sync_engine.operations.records import WrongUseError, split

LONGEST_FILE = 16 * 1024 * 1024  #: bytes
STANDARD_INPUT = Path("-")
#: nothing was modified earlier in any of these systems: such a year is a misspelling
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def names_in(path: Path, world: World) -> tuple[str, ...]:
    """The names in a file, one a line. Raises WrongUseError, which repeats no line of the file:
    it may be another one than was meant."""
    found: dict[str, None] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        name = line.strip()
        if not name or name.startswith("#") or name in found:
            continue
        try:
            split(world, name)
        except WrongUseError as error:
            raise WrongUseError(
                f"line {number} of {path} names no record", remedy=error.remedy
            ) from None
        found[name] = None
    if not found:
        raise WrongUseError(f"{path} names no record", remedy="write one INSTANCE:ID a line")
    return tuple(found)


def _text(path: Path) -> str:
    try:
        if path == STANDARD_INPUT:
            raw = sys.stdin.buffer.read(LONGEST_FILE + 1)
        elif not path.is_file():
            what = "is no file" if path.exists() else "is not there"
            raise WrongUseError(f"{path} {what}", remedy="name a file, or - for standard input")
        else:
            with path.open("rb") as opened:
                raw = opened.read(LONGEST_FILE + 1)
        if len(raw) > LONGEST_FILE:
            raise WrongUseError(f"{path} is larger than {LONGEST_FILE} bytes", remedy="split it")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise WrongUseError(
            f"{path} cannot be read: {error.strerror}", remedy="check its path and mode"
        ) from error
    except UnicodeDecodeError as error:
        raise WrongUseError(f"{path} is not UTF-8", remedy="save it as UTF-8 text") from error


def window_of(since: str, until: str | None, now: datetime) -> tuple[datetime, datetime | None]:
    """A stretch of time that has begun. Raises WrongUseError."""
    start, end = moment(since), moment(until) if until else None
    if start > now:
        raise WrongUseError(f"{since} lies in the future", remedy="give a moment that has been")
    if start < EARLIEST:
        raise WrongUseError(
            f"{since} lies before {EARLIEST:%Y}", remedy="--full reads everything, however old"
        )
    if end is not None and end < start:
        raise WrongUseError(f"{until} lies before {since}", remedy="give the earlier one as since")
    return start, end


def moment(text: str) -> datetime:
    """ISO 8601, in UTC where it names no zone. Raises WrongUseError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongUseError(
            f"{text!r} is no moment", remedy="write it like 2026-11-24T08:00:00"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
