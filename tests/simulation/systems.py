"""The simulated organizations: the memory CRM with each vendor's oddities.

A ``Crm`` remembers what the engine cannot know: who made a record, what each write did and
which edit it overwrote unseen. Salesforce and Customer Profiles tell versions in whole seconds
and read again what lies within their overlap; Dynamics has exact ETags and tells deletes last;
Customer Profiles has sets of addresses with one owner, tells no deletes, and compares a version
only immediately before it writes.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors import Action, FieldType
from connectors.testing.memory import MemoryObject, MemorySystem, Row
from tests.engine.organizations import ACCOUNT, COMPANY, CONTACT, CRM_PERSON, LEAD, PERSON

TEXT, SET = FieldType("string"), FieldType("string", many=True)
#: flavour -> kind -> object
OBJECTS = {
    "salesforce": {"lead": "Lead", "customer": "Contact", "company": "Account"},
    "dynamics": {"lead": "lead", "customer": "contact", "company": "account"},
    "profiles": {"lead": "person", "customer": "person", "company": "company"},
}
TREES: Mapping[str, Mapping[str, Any]] = {"lead": LEAD, "customer": CONTACT, "company": ACCOUNT}
PROFILE_TREES: Mapping[str, Mapping[str, Any]] = {
    "lead": PERSON,
    "customer": PERSON,
    "company": COMPANY,
}
PROFILE_TYPES = {"lead": "LEAD", "customer": "CUSTOMER"}
#: how a system may keep what is written to it
REWRITES: dict[str, Callable[[str, Any], Any]] = {
    "marks": lambda f, v: f"{v}." if f == "title" and v else v,
    "re-cases": lambda f, v: v.upper() if f == "title" and v else v,
    "spaces": lambda f, v: f"{v[:4]} {v[4:6]} {v[6:]}" if f == "mobile" and v else v,
    "national": lambda f, v: v.replace("+385", "0") if f == "mobile" and v else v,
}


@dataclass(frozen=True, slots=True)
class Landed:
    """A write of ours that a system has carried out."""

    action: Action
    object: str
    id: str
    key: str
    kind: str
    at: datetime


class Crm(MemorySystem):
    """One organization."""

    def __init__(self, name: str, flavour: str, now: Callable[[], datetime]) -> None:
        super().__init__(_objects(flavour), name)
        self.name, self.flavour, self._now = name, flavour, now
        self.skew = timedelta()
        self.tick, self.late = 0, 0
        self.rng = random.Random(0)  #: that of the event at hand
        self.stamps: list[datetime] = [now()]  #: by position
        self.visible: dict[int, int] = {}  #: position -> the event from which it is seen
        self.hidden: set[str] = set()  #: records that a lost permission hides
        self.poisoned: str | None = None  #: a record of which every write is refused
        self.landed: list[Landed] = []
        #: (record, field, value): edits that a write overwrote unseen
        self.unseen: set[tuple[str, str, str]] = set()
        self.fresh: dict[str, dict[str, Any]] = {}  #: record -> what people entered since we read
        #: record -> what our last write named, where its version does not tell of that write
        self.untold: dict[str, set[str]] = {}
        #: told of what automation enters: object, record, field, value, and over which value
        self.entered: Callable[[str, str, str, Any, Any], None] = lambda *_: None
        if flavour == "profiles":
            self.reports_deletions = False
            self.unique_addresses = ("mails", "phones")
            self.sends = True

    @property
    def is_exact(self) -> bool:
        return self.flavour == "dynamics"

    def version(self, row: Row) -> str:
        return str(row.changed) if self.is_exact else self.stamps[row.changed].isoformat()

    def kind_of(self, name: str, row: Row) -> str:
        if name == "person":
            return "lead" if row.values["type"] == "LEAD" else "customer"
        return next(k for k, one in OBJECTS[self.flavour].items() if one == name)

    def people(self, kind: str) -> list[Row]:
        """Records of a kind that are there, in order of birth."""
        name = OBJECTS[self.flavour][kind]
        return [row for row in self.alive(name) if self.kind_of(name, row) == kind]

    def enter(self, name: str, number: str, /, **values: Any) -> None:
        """A person changes a record."""
        self.update(name, number, **values)
        self.fresh.setdefault(number, {}).update(values)

    def automate(self, name: str, number: str, native: str, value: Any) -> None:
        """The organization's own automation changes a record; that is an edit like any other."""
        over = self.row(name, number).values.get(native)
        self.enter(name, number, **{native: value})
        self.entered(name, number, native, value, over)

    def overwritten(self, row: Row, before: Mapping[str, Any]) -> None:
        """A write has landed on what people entered and nobody has read."""
        for native, value in self.fresh.get(row.id, {}).items():
            if before.get(native) == value != row.values[native]:
                self.unseen.add((row.id, native, str(value)))

    def is_late(self, position: int) -> bool:
        return self.visible.get(position, 0) > self.tick

    def _moved(self) -> int:
        position = super()._moved()
        self.stamps.append((self._now() + self.skew).replace(microsecond=0))
        if self.late:
            self.visible[position] = self.tick + self.rng.randint(0, self.late)
        return position


def tree_of(flavour: str, kind: str, fields: tuple[str, ...], yields: str | None) -> dict[str, Any]:
    """The mapping of one object, with identity and these golden fields; one may be others'."""
    tree = (PROFILE_TREES if flavour == "profiles" else TREES)[kind]
    kept = {"first_name", "last_name", "email", "company_name", "name", "vat", *fields}
    found = {n: f for n, f in tree["fields"].items() if n in kept}
    if yields in found:
        found[yields] = {"field": found[yields], "direction": "to"}
    return dict(tree) | {"fields": found}


def _objects(flavour: str) -> dict[str, MemoryObject]:
    names = OBJECTS[flavour]
    if flavour == "profiles":
        plain = ["type", "first", "last", "title", "birth", "noemail", "company"]
        plain += ["street", "city", "country"]
        fields = dict.fromkeys(plain, TEXT) | {"mails": SET, "phones": SET}
        return {
            "person": MemoryObject(fields, kind_by="type"),
            "company": MemoryObject({"name": TEXT, "vat": TEXT}),
        }
    lead = dict.fromkeys([*CRM_PERSON, "firm"], TEXT)
    contact = dict.fromkeys([*CRM_PERSON, "birth", "account"], TEXT)
    account = dict.fromkeys(["name", "site", "phone", "vat"], TEXT)
    return {
        names["lead"]: MemoryObject(lead, converts_into=names["customer"]),
        names["customer"]: MemoryObject(contact),
        names["company"]: MemoryObject(account),
    }
