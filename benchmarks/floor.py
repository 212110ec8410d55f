"""The workloads done with as little as the same effect can cost.

The same pages over the same HTTP client into SQLite with the same settings; a record is
parsed, fingerprinted and kept as it came. No mapping, no links, no decision, no history.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.meter import Cost, measured
from benchmarks.orgs import SECRET, Orgs, known
from benchmarks.ours import APART, edited, quiet_cycles
from connectors.http import HttpClient
from sync_engine.service import SystemClock

COLUMNS = (
    "City", "Company", "Country", "Description", "DoNotCall", "Email", "FirstName",
    "HasOptedOutOfEmail", "HasOptedOutOfFax", "LastName", "LeadSource", "MobilePhone", "Phone",
    "PostalCode", "Salutation", "State", "Status", "Street", "Title",
)  # fmt: skip
SYSTEM = (
    "Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "LastModifiedDate", "IsConverted",
    "ConvertedContactId", "ConvertedAccountId", "CrmSync_Key__c",
)  # fmt: skip
_VERSION = "/services/data/v62.0"
_TABLES = """
create table record (org text, id text, stamp text, print blob, content text, primary key (org, id))
  without rowid;
create table pair (left_id text, right_id text, primary key (left_id, right_id)) without rowid;
create table place (org text primary key, stamp text);
"""
_UPSERT = """
insert into record values (?, ?, ?, ?, ?) on conflict do update
  set stamp = excluded.stamp, print = excluded.print, content = excluded.content
  where print <> excluded.print
"""


class Floor:
    """One database, and the organizations it is filled from."""

    def __init__(self, folder: Path, *, anew: bool) -> None:
        path = folder / "floor.db"
        if anew:
            for old in folder.glob("floor.db*"):
                old.unlink()
        self.path = path
        self.orgs: Orgs = known(folder)
        self._database = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._database.execute(f"pragma {pragma}")
        if anew:
            self._database.executescript(_TABLES)
        self._clients = {
            name: HttpClient(address, self.orgs.transport(), SystemClock())
            for name, address in self.orgs.addresses.items()
        }
        self._tokens = {name: self._token(name) for name in self._clients}

    def pull(self, name: str) -> int:
        """Read what has changed, page by page, each page in one transaction."""
        found = self._database.execute("select stamp from place where org = ?", [name]).fetchone()
        since = found[0] if found else "1970-01-01T00:00:00Z"
        read, until = 0, ""
        for answer, heard in self._pages(name, since):
            until = until or heard
            self._database.execute("begin immediate")
            self._database.executemany(_UPSERT, [_row(name, one) for one in answer["records"]])
            if answer["done"]:
                self._database.execute("insert or replace into place values (?, ?)", [name, until])
            self._database.execute("commit")
            read += len(answer["records"])
        return read

    def pair(self) -> int:
        """Link records of one address and one surname."""
        seen = {name: self._keys(name) for name in self.orgs.addresses}
        left, right = seen.values()
        pairs = [(number, right[key]) for key, number in left.items() if key in right]
        self._database.execute("begin immediate")
        self._database.executemany("insert into pair values (?, ?)", pairs)
        self._database.execute("commit")
        return len(pairs)

    def size(self) -> int:
        self._database.execute("pragma wal_checkpoint(truncate)")
        return self.path.stat().st_size

    def close(self) -> None:
        self._database.close()
        for client in self._clients.values():
            client.close()

    def _keys(self, name: str) -> dict[tuple[str, str], str]:
        at = len(SYSTEM)
        mail, last = at + COLUMNS.index("Email"), at + COLUMNS.index("LastName")
        rows = self._database.execute("select id, content from record where org = ?", [name])
        found = {}
        for number, content in rows:
            values = orjson.loads(content)
            found[values[mail].lower(), values[last].lower()] = number
        return found

    def _pages(self, name: str, since: str) -> Iterator[tuple[dict[str, Any], str]]:
        query = (
            f"SELECT {', '.join(SYSTEM + COLUMNS)} FROM Lead WHERE SystemModstamp >= {since} "
            "ORDER BY SystemModstamp, Id"
        )
        path = f"{_VERSION}/queryAll"
        params: dict[str, str] | None = {"q": query}
        while path:
            response = self._clients[name].send(
                "GET", path, params=params, headers={"Authorization": self._tokens[name]}
            )
            answer = orjson.loads(response.content)
            heard = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
            yield answer, f"{heard:%Y-%m-%dT%H:%M:%SZ}"
            path, params = answer.get("nextRecordsUrl", ""), None

    def _token(self, name: str) -> str:
        basic = base64.b64encode(f"demo-client:{SECRET}".encode()).decode()
        response = self._clients[name].send(
            "POST",
            "/services/oauth2/token",
            content="grant_type=client_credentials",
            headers={
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        return f"Bearer {orjson.loads(response.content)['access_token']}"


def load(folder: Path, records: int) -> Cost:
    return _first(folder, records, pairs=False)


def match(folder: Path, records: int) -> Cost:
    return _first(folder, records, pairs=True)


def quiet(folder: Path, records: int) -> Cost:
    cost = Cost(quiet_cycles(records))
    floor = _caught_up(folder)
    with measured(cost, floor.orgs.calls):
        for _ in range(cost.records):
            for name in floor.orgs.addresses:
                floor.pull(name)
    floor.close()
    return cost


def changed(folder: Path, _records: int) -> Cost:
    floor = _caught_up(folder)
    numbers = edited(floor.orgs, folder)
    cost = Cost(len(numbers))
    with measured(cost, floor.orgs.calls):
        read = sum(floor.pull(name) for name in floor.orgs.addresses)
    floor.close()
    if read != len(numbers):
        raise RuntimeError(f"read {read} of {len(numbers)} records")
    return cost


def _first(folder: Path, records: int, *, pairs: bool) -> Cost:
    links = records * 2 if pairs else records
    floor, cost = Floor(folder, anew=True), Cost(links)
    with measured(cost, floor.orgs.calls):
        read = sum(floor.pull(name) for name in floor.orgs.addresses)
        if pairs:
            with measured(part := Cost(links), lambda: 0):
                found = floor.pair()
            cost.stages["matched"] = part.cpu
    if read != links or (pairs and found != records):
        raise RuntimeError(f"read {read} of {links} records")
    cost.state = floor.size() / links
    floor.close()
    return cost


def _caught_up(folder: Path) -> Floor:
    floor = Floor(folder, anew=False)
    floor.orgs.wait(APART)
    for name in floor.orgs.addresses:
        floor.pull(name)
    floor.orgs.wait(APART)
    return floor


def _row(name: str, record: dict[str, Any]) -> tuple[str, str, str, bytes, str]:
    content = orjson.dumps([record[column] for column in SYSTEM + COLUMNS])
    mark = hashlib.blake2b(content, digest_size=16).digest()
    return name, record["Id"], record["SystemModstamp"], mark, content.decode()
