"""What an answer says, read strictly: its body, its clock, its patience, its next page.

A body in another form than the documented one is told as such and never guessed at: what
is guessed wrong would be taken for a person's edit, or for a record that is gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connectors.errors import ResponseError, TransientError
from connectors.protocol import Clock

LONGEST_WAIT = 3600.0  #: no ``Retry-After`` is believed beyond this
MOST_PAGES = 100_000  #: of one read; at 1,000 rows a page more than any system here may hold
#: how far in front of ours a server's clock is believed to be: less than every read goes back
AHEAD = timedelta(minutes=5)


def json_of(response: httpx.Response) -> Any:
    """The JSON body. Raises TransientError where it is none (a proxy's or maintenance page)."""
    host = response.request.url.host
    try:
        return response.json(parse_constant=_no_number)
    except RecursionError as error:
        raise ResponseError(f"{host} answers with JSON that is nested too deeply") from error
    except ValueError as error:
        raise TransientError(f"{host} answers {response.status_code} without JSON") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")  # Python reads NaN and Infinity, RFC 8259 forbids them


def object_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object that is the body. Raises TransientError, ResponseError."""
    body = json_of(response)
    if not isinstance(body, dict):
        raise ResponseError(f"{response.request.url.host} answers without the object that is due")
    return body


@contextmanager
def documented(system: str) -> Iterator[None]:
    """Around taking an answer apart; also a decorator.

    Raises ResponseError where the answer lacks what is promised. Its own words could hold
    personal values, so the error tells only of what kind the surprise was.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ResponseError(
            f"{system} answers in another form than it documents ({type(error).__name__})"
        ) from error


def retry_after(response: httpx.Response, clock: Clock) -> float | None:
    """Seconds the server asks to wait: at least 1, at most an hour; None if it does not tell."""
    told = response.headers.get("Retry-After", "").strip()
    if not told:
        return None
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(told) - clock.now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 1.0), LONGEST_WAIT) if seconds == seconds else None


def served_at(response: httpx.Response) -> datetime | None:
    """The server's clock (RFC 9110, 6.6.1); None where it tells none that can be read."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def believed(moment: datetime, clock: Clock) -> datetime:
    """A server's time, for a position to start from: never far ahead of our own clock.

    A position in the future would skip all that happens until then; one in the past only
    reads again what is known.
    """
    return min(moment, clock.now() + AHEAD)


class Trail:
    """The links to further pages of one read: none twice, and not without end."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._followed: set[str] = set()

    def follow(self, link: str) -> str:
        """The link, once. Raises ResponseError."""
        if link in self._followed:
            raise ResponseError(f"a page of {self._system} leads to itself")
        if len(self._followed) >= MOST_PAGES:
            raise ResponseError(f"{self._system} gives more than {MOST_PAGES} pages")
        self._followed.add(link)
        return link
