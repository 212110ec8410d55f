"""What persons, companies and definitions share: shapes of values, entries and pages."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from profiles.errors import Refusal

MOST = 1000  #: rows of a page, entries of a batch
Given = Mapping[str, Any]


def text(name: str, value: Any, most: int) -> str | None:
    """The text; None for an empty one."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refusal(40001, f"{name} is text", name)
    if len(value) > most:
        raise Refusal(40001, f"{name} is longer than {most} characters", name)
    return value


def texts(name: str, value: Any, most: int = 256) -> list[str]:
    """A list of names, each once; none for null."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise Refusal(40001, f"{name} is a list of texts", name)
    return list(dict.fromkeys(str(text(name, one, most)) for one in value))


def members(given: Given, name: str) -> dict[str, Any]:
    """The object under a name; empty for null."""
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(40001, f"{name} is an object", name)
    return value


def required(given: Given, name: str, most: int = 256) -> str:
    value = text(name, given.get(name), most)
    if value is None:
        raise Refusal(40001, f"{name} is required", name)
    return value


def day(name: str, value: Any) -> str | None:
    """A date, YYYY-MM-DD."""
    told = text(name, value, 10)
    try:
        if told is not None and date.fromisoformat(told).isoformat() != told:
            raise ValueError(told)
    except ValueError as error:
        raise Refusal(40001, f"{name} is a date, YYYY-MM-DD", name) from error
    return told


def entries(given: Given, name: str) -> list[dict[str, Any]]:
    """The entries of a batch."""
    found = given.get(name)
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise Refusal(40001, f"{name} is a list of 1 to {MOST} entries", name)
    if not all(isinstance(entry, dict) for entry in found):
        raise Refusal(40001, f"an entry of {name} is an object", name)
    return found


def paging(query: Mapping[str, str], order: str) -> tuple[int, int, str]:
    """Length and number of a page, and its order; pages start at 1."""
    try:
        limit, page = int(query.get("limit", 20)), int(query.get("page", 1))
    except ValueError as error:
        raise Refusal(40001, "limit and page are numbers") from error
    if not 1 <= limit <= MOST or page < 1:
        raise Refusal(40001, f"limit is 1 to {MOST}, page starts at 1")
    if "filter" in query:  # an answer that left it out would be a wrong one
        raise Refusal(40019, "filters are not served here", "filter")
    return limit, page, query.get("orderBy", order)


def sorting(order: str, columns: Mapping[str, str]) -> str:
    """An ORDER BY for one of the ``columns``; rows of one value follow each other by id."""
    name, _, direction = order.partition(":")
    if name not in columns or direction not in ("asc", "desc"):
        names = " or ".join(columns)
        raise Refusal(40001, f"orderBy is {names}, :asc or :desc", "orderBy")
    return f"ORDER BY {columns[name]} {direction}, id LIMIT ? OFFSET ?"
