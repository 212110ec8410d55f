"""What merging duplicates in the portal does [customer-profiles/persons/resolve-and-merge].

The oldest profile survives. Its empty fields are filled; where values differ, a customer's wins
over a lead's, else that of the profile modified last. Contacts, tags and memberships are united.
"""

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from profiles.errors import Refusal
from profiles.store import Store, packed


def merge(store: Store, db: sqlite3.Connection, numbers: Collection[int]) -> int:
    """The id of the survivor; the others are gone."""
    marks = ", ".join(str(int(number)) for number in numbers)
    query = f"SELECT * FROM person WHERE id IN ({marks}) ORDER BY created_at, id"  # noqa: S608  # numbers
    rows = db.execute(query).fetchall()
    if len(rows) < 2 or len(rows) < len(set(numbers)):
        raise Refusal(40401, "There is no person matching the query")
    survivor, *losers = (row["id"] for row in rows)
    weakest_first = sorted(rows, key=lambda row: (row["type"] == "CUSTOMER", row["modified_at"]))
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    external, kind = None, "LEAD"
    for row in weakest_first:
        own = json.loads(row["fields"])
        attributes |= own.get("customAttributes", {})
        fields |= own
        external = row["external_id"] or external
        kind = row["type"]  # of a lead and a customer the customer's: told for values only
    for loser in losers:
        for table in ("contact", "person_tag", "member"):
            move = f"UPDATE OR IGNORE {table} SET person_id = ? WHERE person_id = ?"  # noqa: S608  # names from here
            db.execute(move, (survivor, loser))
        db.execute("DELETE FROM person WHERE id = ?", (loser,))
    fields |= {"customAttributes": attributes} if attributes else {}
    db.execute(
        "UPDATE person SET external_id = ?, type = ?, fields = ?, modified_at = ?, "
        "modified_from = ? WHERE id = ?",
        (external, kind, packed(fields), store.now(), store.writer, survivor),
    )
    return int(survivor)
