"""Pains 3, 10 and 11: good values overwritten, loops, and what an empty value means."""

from collections.abc import Callable, Mapping
from itertools import combinations_with_replacement
from typing import Any

import pytest

from sync_engine.models import Kind
from tests.engine.three import Three
from tests.pains.site import ANN, SYSTEMS, Site


def test_pain_03_no_good_value_is_overwritten(site: Site) -> None:
    """Good data is overwritten: the wrong side wins, a whole record is written for one field,
    two people behind one mailbox become one.

    Three people edit three different fields of one person at once: all three edits are shown
    everywhere, a write names only what differs, and where two edits of one field differ the
    loser is kept. A couple on one mailbox stays two, also where an address has one owner.
    """
    numbers = site.enter_everywhere("lead", **ANN, mobile="+385915550101", title="Buyer")
    site.enter("sales", "lead", **ANN | {"first": "Eva", "last": "Novak"}, title="Nurse")
    site.settle()
    both = ["Horvat", "Novak"]
    assert site.everywhere("lead", "last") == {"sales": both, "service": both, "profiles": both[:1]}
    assert "rejected" in site.issues()  # Customer Profiles knows one owner of an address

    since = {name: system.get("journal")["next"] for name, system in site.systems.items()}
    site.edit("sales", "lead", numbers["sales"], title="Chief")
    site.edit("service", "lead", numbers["service"], mobile="+385915550202")
    site.edit("profiles", "lead", numbers["profiles"], first="Anna")
    site.sync()
    for system in SYSTEMS:
        row = next(row for row in site.rows(system, "lead") if row["last"] == "Horvat")
        told = (row["first"], row["mobile"], row["title"])
        assert told == ("Anna", "+385915550202", "Chief"), system
    for system, expected in {
        "sales": {"FirstName", "MobilePhone"},
        "service": {"firstname", "jobtitle"},
        "profiles": {"contactInformation", "customAttributes", "job_title", "phones"},
    }.items():
        written = site.systems[system].get("journal", since=since[system])["writes"]
        named = {name for one in written if one["by"] == "api" for name in one["fields"]}
        assert named <= expected, system

    site.edit("sales", "lead", numbers["sales"], title="Owner")
    site.edit("service", "lead", numbers["service"], title="Partner")
    site.settle()
    assert site.everywhere("lead", "title")["service"] == ["Nurse", "Owner"]
    assert site.lost("sales", "lead", numbers["sales"]) == {"Partner"}


#: what a system may make of a text that it is given: it keeps it in one form of its own ...
FORMS: dict[str, Callable[[str], str]] = {
    "trims": str.strip,
    "cuts": lambda text: text[:16],
    "capitals": str.upper,
    "titles": str.title,
    "spaces": lambda text: " ".join(text.split()),
    "marks": lambda text: text if text.endswith("*") else text + "*",
}
#: ... or it makes another text of it whenever it is written
CHANGES: dict[str, Callable[[str], str]] = {
    "grows": lambda text: text + " more",
    "turns": lambda text: text[::-1],
}
TITLE = "  Buyer of  many things "


@pytest.mark.parametrize(
    ("service", "profiles"), [*combinations_with_replacement([*FORMS, *CHANGES], 2)]
)
def test_pain_10_nothing_is_written_for_ever(service: str, profiles: str) -> None:
    """Records that never settle: an echo comes back as an edit, or two systems write one value
    in two ways and correct each other until somebody notices the bill.

    Two systems keep titles in a form of their own, or change them: a form settles within two
    cycles, flows back to nobody and is told once; what changes with every writing is held and
    told. In the end nothing is written, also after another edit.
    """
    habits = {"service": (FORMS | CHANGES)[service], "profiles": (FORMS | CHANGES)[profiles]}
    three = Three(kinds={Kind.LEAD})
    for system, habit in habits.items():
        three.systems[system].stored = _stored(habit)
    lead = three.sales.create("Lead", last="Lee", mail="p@x.example", firm="F", title=TITLE)
    forms_alone = {service, profiles} <= FORMS.keys()
    for title in (TITLE, "A new title of hers"):
        three.sales.update("Lead", lead, title=title)
        three.settle(3 if forms_alone else 14)
        written = three.written()
        for _ in range(3):
            three.cycle()
        assert three.written() == written
        if forms_alone:
            assert three.sales.row("Lead", lead).values["title"] == title
    told = {"stored differently", "truncated", "rewritten", "flipping"}
    assert set(three.whats()) <= told
    # what both make of it in the same way is one edit; these two never come to agree
    assert ("flipping" in three.whats()) == ({service, profiles} == CHANGES.keys())
    three.close()


def _stored(habit: Callable[[str], str]) -> Callable[[str, Any], Any]:
    return lambda name, value: habit(value) if name == "title" and value else value


EMPTY, OLD, NEW, OTHER = None, "Buyer", "Chief", "Owner"
#: what sales and service hold when they meet -> what both end with; sales comes first
FIRST_MEETING = {
    (EMPTY, EMPTY): EMPTY, (EMPTY, OLD): OLD, (EMPTY, OTHER): OTHER,
    (OLD, EMPTY): OLD, (OLD, OLD): OLD, (OLD, OTHER): OLD,
    (OTHER, EMPTY): OTHER, (OTHER, OLD): OTHER, (OTHER, OTHER): OTHER,
}  # fmt: skip
#: both held OLD; what each made of it since -> what both end with
LATER_ON = {
    (OLD, OLD): OLD, (OLD, NEW): NEW, (OLD, EMPTY): EMPTY,
    (NEW, OLD): NEW, (NEW, OTHER): NEW, (NEW, EMPTY): NEW,
    (EMPTY, OLD): EMPTY, (EMPTY, NEW): EMPTY, (EMPTY, EMPTY): EMPTY,
}  # fmt: skip


def test_pain_11_an_empty_value_means_what_it_says(site: Site) -> None:
    """Blank and null: a cleared field does not clear its twin, or a blank wipes a good value.

    All nine pairs of empty and filled at first contact, where an empty field is never a claim,
    and all nine of left alone, changed and cleared afterwards, where it is one. Zero employees
    are a number, and go round as such.
    """
    people = {}
    for n, (sales, service) in enumerate(FIRST_MEETING):
        person = ANN | {"last": f"Horvat{chr(97 + n)}", "email": f"ann{n}@plavi.example"}
        people[sales, service] = {
            "sales": site.enter("sales", "lead", **person, title=sales),
            "service": site.enter("service", "lead", **person, title=service),
        }
    firm = site.enter("sales", "company", name="Plavi", employees=0)
    other = site.enter("sales", "company", name="Crveni", employees=7)
    site.settle()
    assert _titles(site, people) == FIRST_MEETING
    assert site.everywhere("company", "employees")["service"] == [0, 7]

    for numbers in people.values():
        for system, number in numbers.items():
            site.edit(system, "lead", number, title=OLD)
    site.settle()
    meetings = dict(zip(LATER_ON, people.values(), strict=True))
    for (sales, service), numbers in meetings.items():
        for system, title in (("sales", sales), ("service", service)):
            if title != OLD:
                site.edit(system, "lead", numbers[system], title=title)
    site.edit("sales", "company", firm, employees=None)
    site.edit("sales", "company", other, employees=0)
    site.settle()
    assert _titles(site, meetings) == LATER_ON
    assert site.everywhere("company", "employees")["service"] == [0, None]


def _titles(site: Site, people: Mapping[Any, Mapping[str, str]]) -> dict[Any, Any]:
    """The title of each pair of records, which must show the same."""
    shown = {
        (system, row["id"]): row["title"]
        for system in ("sales", "service")
        for row in site.rows(system, "lead")
    }
    found = {}
    for name, numbers in people.items():
        (found[name],) = {shown[system, number] for system, number in numbers.items()}
    return found
