"""Cron lines, checked by what will read them. In UTC no hour is skipped or comes twice."""

from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger

_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or last"),
    ("month", "1 to 12, or jan to dec"),
    ("weekday", "mon to sun"),
)
#: any day before a leap year
_EARLY = datetime(2023, 1, 1, tzinfo=UTC)


def checked_cron(line: str) -> str:
    """The line itself. Raises ValueError with what would be valid."""
    fields = line.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("a cron line has five fields: minute hour day month weekday")
    if any(letter.isdigit() for letter in fields[-1]):
        # APScheduler 3 counts weekdays from Monday, cron from Sunday (agronholm/apscheduler#495)
        raise ValueError("weekdays are named, such as mon-fri: not all crons number them alike")
    for place, (name, valid) in enumerate(_FIELDS):
        alone = ["*"] * len(_FIELDS)
        alone[place] = fields[place]
        try:
            CronTrigger.from_crontab(" ".join(alone), timezone="UTC")
        except ValueError:
            raise ValueError(
                f"the {name} of a cron line is {valid}: one, a list, a range, * or */STEP"
            ) from None
    if CronTrigger.from_crontab(line, timezone="UTC").get_next_fire_time(None, _EARLY) is None:
        raise ValueError("no year has such a day")
    return line
