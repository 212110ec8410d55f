"""Pains 1, 12 and 16: everybody once, whatever the first sync meets and whatever breaks."""

import random
from collections import Counter, defaultdict
from typing import Any

import pytest

from sync_engine import operations
from sync_engine.models import Kind
from tests.engine.three import Three
from tests.pains.site import ANN, SYSTEMS, Site, in_each

PEOPLE, SHARED, WITHOUT_MAIL = 10_000, 0.7, 0.1
FIRST = ("Ana", "Ivan", "Marija", "Petar", "Lucija", "Marko", "Ema", "Luka", "Sara", "Josip")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo")


def crowd(dice: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two lists of leads that share people; who is who stands in ``description``."""
    left, right = [], []
    for n in range(round(PEOPLE * (2 - SHARED))):
        person: dict[str, Any] = {
            "first": dice.choice(FIRST),
            "last": "".join(dice.choice(SYLLABLES) for _ in range(4)).capitalize(),
            "mail": f"p{n}@firm{n % 997}.example",
            "mobile": f"+38591{n:07d}",
            "firm": f"Firm {n % 997}",
            "description": f"person {n}",
        }
        if n < PEOPLE:
            left.append(dict(person))
        if n >= PEOPLE * (1 - SHARED):
            right.append(person | _as_others_write(dice, person))
    for person in (*left, *right):
        if dice.random() < WITHOUT_MAIL:
            person["mail"] = None
    return left, right


def _as_others_write(dice: random.Random, person: dict[str, Any]) -> dict[str, Any]:
    """What another system holds of the same person in its own way, or not at all."""
    changed: dict[str, Any] = {}
    if dice.random() < 0.2:
        changed["last"] = person["last"].upper()
    if dice.random() < 0.05:
        changed["last"] = person["last"][:5] + person["last"][4:]  # a slip of the pen
    if dice.random() < 0.2:
        changed["mail"] = person["mail"].upper()
    if dice.random() < 0.5:
        changed["mobile"] = "0" + person["mobile"][4:]
    if dice.random() < 0.1:
        changed["mobile"] = None
    return changed


@pytest.mark.timeout(300)
def test_pain_01_a_first_sync_doubles_nobody() -> None:
    """Two populated systems double up with the first sync, above all those without an e-mail.

    Two systems of 10,000 people each, 7,000 of them the same, a tenth on each side without
    e-mail, some with a slip in the name and no number: after the first sync nobody stands twice
    in either system, nobody is linked to somebody else, and who could not be told for certain
    is asked about, every one of them.
    """
    three = Three(order=("sales", "service"), kinds={Kind.LEAD})
    for system in three.systems.values():
        system.page_size, system.max_batch = 2000, 500
    left, right = crowd(random.Random(7))
    for person in left:
        three.sales.create("Lead", **person)
    for person in right:
        three.service.create("lead", **person)
    three.settle()

    people: dict[str, set[int | None]] = defaultdict(set)  # who it is -> the engine's entities
    for name in ("sales/Lead", "service/lead"):
        told = Counter(link.seen["description"] for link in three.links(name) if link.seen)
        assert max(told.values()) == 1, name  # neither twice nor written over by another
        for link in three.links(name):
            if link.seen:
                people[link.seen["description"]].add(link.entity_id)
    entities = Counter(entity for found in people.values() for entity in found if entity)
    assert max(entities.values()) == 1  # nobody is linked to somebody else
    issues = operations.exported(three.face())
    asked = {side.values["description"] for one in issues for side in one.sides}
    in_both = {one["description"] for one in left} & {one["description"] for one in right}
    parted = {who for who in in_both if len(people[who]) > 1 or None in people[who]}
    assert parted
    assert parted <= asked
    assert len(asked) <= 2 * len(parted)
    three.close()


#: the calls by which each system is asked for a new lead: the first look, and the create
STEPS = {
    "sales": [("PATCH", "composite/sobjects"), ("GET", "query")],
    "service": [("PATCH", r"leads\("), ("GET", r"leads")],
    "profiles": [("POST", "/people/2/persons"), ("POST", "match"), ("GET", "/people/2/persons")],
}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("drop", ["before", "after"])
def test_pain_12_nobody_is_created_twice(site: Site, system: str, drop: str) -> None:
    """The create succeeded, its answer was lost, and the retry creates the person again.

    The connection breaks at every call that a create consists of, before and after the
    system has done its work, once and four times in a row, with a restart in between:
    in the end everybody exists once in each system.
    """
    site.settle()
    home = "service" if system == "sales" else "sales"
    everybody = []
    for n, (method, path) in enumerate(STEPS[system]):
        for times in (1, 4):
            last = f"Horvat{chr(97 + n)}{'x' * times}"
            everybody.append(last)
            site.enter(home, "lead", last=last, email=f"{last}@plavi.example", firm="Plavi")
            plan = {"method": method, "path": path, "times": times, "effect": {"drop": drop}}
            fault = site.systems[system].post("faults", **plan)["id"]
            site.sync()
            assert site.systems[system].get(f"faults/{fault}")["fired"], path
            site.restart()
            site.sync()
            site.lift()
    site.later(hours=2)
    site.settle()
    assert site.everywhere("lead", "last") == in_each(*sorted(everybody))
    assert site.issues() == {}


def test_pain_16_no_link_is_guessed_and_none_moves(site: Site) -> None:
    """Of two candidates one is picked at random, later the other, and the linked record
    changes under its user.

    Two equal candidates in one system for one person of another: nobody is linked, a person
    is asked once, with all three side by side; edits of either candidate change nothing.
    Once a person has decided, the link stays where it is, whoever is edited last.
    """
    one, other = (site.enter("service", "lead", **ANN, title=t) for t in ("Buyer", "Seller"))
    ann = site.enter("sales", "lead", **ANN)
    site.settle()
    for number in (one, other, other, one):
        site.edit("service", "lead", number, mobile="+385915550101")
        site.edit("service", "lead", number, mobile=None)
        site.sync()
    (question,) = site.issues()["identity"]
    assert {side.record for side in question.sides} == {
        site.name("service", "lead", one),
        site.name("service", "lead", other),
        site.name("sales", "lead", ann),
    }
    assert site.row("sales", "lead")["title"] is None
    assert len(site.rows("service", "lead")) == 2

    operations.link(
        site.crm_sync, site.name("sales", "lead", ann), site.name("service", "lead", one), "test"
    )
    site.settle()
    for number in (other, one, other):
        site.edit("service", "lead", number, title=f"Title of {number}")
        site.sync()
    assert site.row("sales", "lead")["title"] == f"Title of {one}"
    assert site.everywhere("lead", "title")["service"] == sorted(
        f"Title of {n}" for n in (one, other)
    )


def test_practice_2_1_what_salesforce_left_on_a_profile_links_it(site: Site) -> None:
    """By Infobip's own Salesforce integration, before crm-sync came; nothing else is in common."""
    contact = site.enter("sales", "customer", last="Horvat", first="Ann", email="ann@plavi.example")
    profile = site.enter("profiles", "customer", last="Horvat", email="horvat@home.example")
    told = {"salesforce": {"contactId": contact, "leadId": "00Q5g00000ABCDEEA2"}}
    site.act("profiles", "customer", "integrate", profile, values=told)
    site.settle()
    assert site.row("profiles", "customer")["id"] == profile
    assert site.row("profiles", "customer")["first"] == "Ann"
    assert site.row("sales", "customer")["id"] == contact
    told_by = operations.history(site.crm_sync, site.name("profiles", "customer", profile))
    assert "cross_ids" in {event.rule for event in told_by.events}
