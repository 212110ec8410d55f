"""Phones and e-mails: each belongs to one person of the account."""

import re
import sqlite3

from profiles.errors import Refusal
from profiles.rules import Given, members

Contact = tuple[str, str]  #: ("PHONE" or "EMAIL", value)
KINDS = {"email": ("EMAIL", "address"), "phone": ("PHONE", "number")}
MOST = 100  #: of one person
_SHAPES = {"PHONE": r"\d{5,20}", "EMAIL": r"[^@\s]+@[^@\s]+"}
_CODES = {"PHONE": 40004, "EMAIL": 40005}
_LENGTHS = {"PHONE": 50, "EMAIL": 255}


def kept(kind: str, text: str) -> str:
    """How a contact is kept: e-mails in lower case, phones as digits."""
    text = text.strip()
    return text.lower() if kind == "EMAIL" else text.removeprefix("+")


def told(given: Given) -> list[Contact]:
    """The contacts of a request. Only phones and e-mails can be written."""
    channels = members(given, "contactInformation")
    unwritable = sorted(set(channels) - set(KINDS))
    if unwritable:
        raise Refusal(40013, f"{unwritable[0]} cannot be managed", "contactInformation")
    found = []
    for name, (kind, part) in KINDS.items():
        listed = channels.get(name) or []
        if not isinstance(listed, list):
            raise Refusal(40001, f"{name} is a list", f"contactInformation.{name}")
        for number, entry in enumerate(listed):
            value = entry.get(part) if isinstance(entry, dict) else None
            value = kept(kind, value) if isinstance(value, str) else ""
            if len(value) > _LENGTHS[kind] or not re.fullmatch(_SHAPES[kind], value):
                path = f"contactInformation.{name}[{number}].{part}"
                raise Refusal(40001, f"{name} is invalid", path)
            found.append((kind, value))
    return list(dict.fromkeys(found))


def shown(db: sqlite3.Connection, person: int) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for kind, value in of(db, person):
        name = next(name for name, (one, _) in KINDS.items() if one == kind)
        found.setdefault(name, []).append({KINDS[name][1]: value})
    return found


def of(db: sqlite3.Connection, person: int) -> list[Contact]:
    query = "SELECT kind, value FROM contact WHERE person_id = ? ORDER BY rowid"
    return [(row["kind"], row["value"]) for row in db.execute(query, (person,))]


def owner(db: sqlite3.Connection, contact: Contact) -> int | None:
    row = db.execute(
        "SELECT person_id FROM contact WHERE kind = ? AND value = ?", contact
    ).fetchone()
    return None if row is None else int(row[0])


def add(db: sqlite3.Connection, person: int, contacts: list[Contact]) -> bool:
    """Whether any of them is new to the person."""
    fresh = False
    for kind, value in contacts:
        other = owner(db, (kind, value))
        if other not in (None, person):
            raise Refusal(_CODES[kind], f"Destination({kind.lower()}) {value} already exists.")
        if other is None:
            db.execute("INSERT INTO contact VALUES (?, ?, ?)", (kind, value, person))
            fresh = True
    if len(of(db, person)) > MOST:
        raise Refusal(40001, f"a person has at most {MOST} contacts", "contactInformation")
    return fresh


def remove(db: sqlite3.Connection, person: int, contacts: list[Contact]) -> bool:
    """Whether the person had any of them."""
    statement = "DELETE FROM contact WHERE person_id = ? AND kind = ? AND value = ?"
    return sum(db.execute(statement, (person, *one)).rowcount for one in contacts) > 0
