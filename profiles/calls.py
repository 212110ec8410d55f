"""The calls about persons and companies: queries, batches, answers."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from profiles.companies import Companies
from profiles.control import Journal
from profiles.errors import Refusal
from profiles.persons import Persons
from profiles.rules import Given, entries, members, paging
from profiles.store import Store, savepoint

Answer: TypeAlias = tuple[int, Any]  #: status and body; None for no body
Query: TypeAlias = Mapping[str, str]
Results: TypeAlias = list[dict[str, Any]]
DEFAULT_ORDER = "createdAt:asc"  # the documents name none


class PersonCalls:
    """Each call is (transaction, query, body) -> answer."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self.persons = Persons(store)
        self._journal = journal

    def read(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        if "identifier" in query:
            return 200, self.persons.shown(db, self.persons.find(db, query))
        limit, page, order = paging(query, DEFAULT_ORDER)
        found = self.persons.page(db, limit, page, order)
        return 200, _listed(db, query, (limit, page, order), "person", {"persons": found})

    def create(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        return 200, self.persons.shown(db, self._create(db, given))

    def update(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._changed(db, query, self.persons.update, given)

    def replace(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        number = self.persons.find(db, query)
        self.persons.replace(db, number, given)
        self._journal.write("person", number, "update", given)
        return 200, self.persons.shown(db, number)

    def delete(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        self._delete(db, query)
        return 200, None

    def set_contacts(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._changed(db, query, self.persons.replace_contacts, _contacts(given))

    def add_contacts(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._changed(db, query, self.persons.add_contacts, _contacts(given))

    def remove_contacts(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._changed(db, query, self.persons.remove_contacts, _contacts(given))

    def match(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        """Nobody's identities are left out; one asked for twice is answered once."""
        matches: dict[str, Any] = {}
        for identity in entries(given, "identities"):
            try:
                number = self.persons.find(db, identity)
            except Refusal as refusal:
                if refusal.code != 40401:
                    raise
                continue
            matches[str(identity)] = {**identity, "personId": number}
        return 200, {"matches": list(matches.values())}

    def create_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        _, refused = _each(db, entries(given, "people"), lambda entry: self._create(db, entry))
        return _results([_told(refusal) | {"index": n} for n, refusal in refused.items()], refused)

    def update_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        def one(entry: Given) -> None:
            number = self.persons.find(db, members(entry, "query"))
            changed = self.persons.update(db, number, members(entry, "update"))
            self._journal.changed("person", number, changed)

        listed = entries(given, "people")
        _, refused = _each(db, listed, one)
        unmodified = [one | {"isModified": False} for one in _asked(listed, refused)]
        return _results(unmodified, refused)

    def delete_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        listed = entries(given, "people")
        _, refused = _each(db, listed, lambda entry: self._delete(db, members(entry, "query")))
        return _results(_asked(listed, refused), refused)

    def tag(self, db: sqlite3.Connection, _query: Query, given: Given, name: str) -> Answer:
        for entry in entries(given, "people"):
            number = self.persons.find(db, members(entry, "query"))
            self._journal.changed(
                "person", number, self.persons.update(db, number, {"tags": [name]})
            )
        return 200, None

    def untag(self, db: sqlite3.Connection, _query: Query, given: Given, name: str) -> Answer:
        for entry in entries(given, "people"):
            number = self.persons.find(db, members(entry, "query"))
            self._journal.changed("person", number, self.persons.untag(db, number, name))
        return 200, "OK"

    def _changed(
        self,
        db: sqlite3.Connection,
        query: Query,
        change: Callable[[sqlite3.Connection, int, Given], list[str]],
        given: Given,
    ) -> Answer:
        number = self.persons.find(db, query)
        self._journal.changed("person", number, change(db, number, given))
        return 200, self.persons.shown(db, number)

    def _create(self, db: sqlite3.Connection, given: Given) -> int:
        number = self.persons.create(db, given)
        self._journal.write("person", number, "create", given)
        return number

    def _delete(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> None:
        number = self.persons.find(db, query)
        self.persons.delete(db, number)
        self._journal.write("person", number, "delete", {})


class CompanyCalls:
    def __init__(self, store: Store, journal: Journal, persons: Persons) -> None:
        self.companies = Companies(store)
        self._persons = persons
        self._journal = journal

    def read(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        if {"id", "externalId", "name", "domain"} & set(query):
            try:
                number = self.companies.find(db, query)
            except Refusal as refusal:
                if refusal.code != 40405:
                    raise
                return 200, {"companies": []}
            return 200, {"companies": [self.companies.shown(db, number)]}
        limit, page, order = paging(query, DEFAULT_ORDER)
        found = self.companies.page(db, limit, page, order)
        return 200, _listed(db, query, (limit, page, order), "company", {"companies": found})

    def create(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        return 200, self.companies.shown(db, self._create(db, given))

    def update(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        number = self.companies.find(db, query)
        changed = self.companies.update(
            db,
            number,
            given,
            replace_domains=query.get("replaceDomains") == "true",
            replace_tags=query.get("replaceTags") == "true",
        )
        self._journal.changed("company", number, changed)
        return 200, self.companies.shown(db, number)

    def delete(self, db: sqlite3.Connection, query: Query, _given: Given) -> Answer:
        self._delete(db, query)
        return 200, None

    def create_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        """Tells what succeeded too, with its id."""
        listed = entries(given, "companies")
        created, refused = _each(db, listed, lambda entry: self._create(db, entry))
        results = [
            _told(refused[n]) | {"index": n}
            if n in refused
            else {"status": 200, "id": created[n], "index": n}
            for n in range(len(listed))
        ]
        return _results(results, refused)

    def update_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        def one(entry: Given) -> None:
            number = self.companies.find(db, members(entry, "query"))
            changed = self.companies.update(db, number, members(entry, "update"))
            self._journal.changed("company", number, changed)

        listed = entries(given, "companies")
        _, refused = _each(db, listed, one)
        return _results(_asked(listed, refused), refused)

    def delete_batch(self, db: sqlite3.Connection, _query: Query, given: Given) -> Answer:
        listed = entries(given, "companies")
        _, refused = _each(db, listed, lambda entry: self._delete(db, members(entry, "query")))
        return _results(_asked(listed, refused), refused)

    def join(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._members(db, query, given, self.companies.join)

    def leave(self, db: sqlite3.Connection, query: Query, given: Given) -> Answer:
        return self._members(db, query, given, self.companies.leave)

    def _members(
        self,
        db: sqlite3.Connection,
        query: Query,
        given: Given,
        change: Callable[[sqlite3.Connection, int, int], None],
    ) -> Answer:
        company = self.companies.find(db, query)
        for entry in entries(given, "people"):
            change(db, company, self._persons.find(db, members(entry, "query")))
        return 200, None

    def _create(self, db: sqlite3.Connection, given: Given) -> int:
        number = self.companies.create(db, given)
        self._journal.write("company", number, "create", given)
        return number

    def _delete(self, db: sqlite3.Connection, query: Mapping[str, Any]) -> None:
        number = self.companies.find(db, query)
        self.companies.delete(db, number)
        self._journal.write("company", number, "delete", {})


def _contacts(given: Given) -> Given:
    if not isinstance(given.get("contactInformation"), dict):
        raise Refusal(40018, "contactInformation is required", "contactInformation")
    return given


def _listed(
    db: sqlite3.Connection, query: Query, asked: tuple[int, int, str], table: str, rows: Given
) -> dict[str, Any]:
    """A page; how many rows there are in all is told to those who ask."""
    limit, page, order = asked
    answer = {**rows, "limit": limit, "page": page, "orderBy": order}
    if query.get("includeTotalCount") == "true":
        total = db.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  # one of two names
        answer["totalCount"] = total.fetchone()[0]
    return answer


def _each(
    db: sqlite3.Connection, listed: Sequence[Given], one: Callable[[Given], Any]
) -> tuple[dict[int, Any], dict[int, Refusal]]:
    """What became of each entry, by index: its result or its refusal."""
    done: dict[int, Any] = {}
    refused: dict[int, Refusal] = {}
    for index, entry in enumerate(listed):
        try:
            with savepoint(db):
                done[index] = one(entry)
        except Refusal as refusal:
            refused[index] = refusal
    return done, refused


def _told(refusal: Refusal) -> dict[str, Any]:
    """In a batch every refusal has status 409, as in the documented samples."""
    return {"errors": [{"message": refusal.message}], "status": 409}


def _asked(listed: Sequence[Given], refused: Mapping[int, Refusal]) -> Results:
    return [_told(refusal) | {"query": listed[n].get("query")} for n, refusal in refused.items()]


def _results(results: Results, refused: Mapping[int, Refusal]) -> Answer:
    return (207 if refused else 200), {"results": results}
