"""Pains 4, 5 and 6: conversions, merges and deletes, whenever they happen."""

import pytest

from tests.pains.site import ANN, BOB, SYSTEMS, Site, in_each

OTHER = {"sales": "service", "service": "sales"}


@pytest.mark.parametrize("system", ["sales", "service"])
@pytest.mark.parametrize("moment", ["before", "while read", "while written", "after"])
def test_pain_04_a_conversion_is_followed_at_any_moment(
    site: Site, system: str, moment: str
) -> None:
    """A converted lead breaks its link: updates to it fail for ever, or go to the dead lead.

    A CRM converts a lead before it is first read, between two pages, between the decision
    and the write, or later, while an edit is on its way to it: the person is a customer with
    one record in each system, no lead is written again, and later edits go to the contact.
    """
    lead = site.enter(system, "lead", **ANN, title="Buyer")

    def convert() -> None:
        if any(row["id"] == lead for row in site.rows(system, "lead")):
            site.act(system, "lead", "convert", lead)

    if moment != "before":
        site.settle()
        there = site.row(OTHER[system], "lead")
        site.edit(OTHER[system], "lead", there["id"], title="Chief")
    if moment == "while read":
        site.meddle(system, "lead", pages=convert)
    elif moment == "while written":
        site.meddle(system, "lead", write=convert)
    else:
        convert()
    site.settle()
    assert site.everywhere("customer", "last") == in_each("Horvat")
    assert site.rows(system, "lead") == site.rows("profiles", "lead") == []
    contact = site.row(system, "customer")
    if moment == "while read":
        # the contact was read before its lead told of it: two became one, and the loser is kept
        assert "Chief" in site.lost(system, "customer", contact["id"])
    else:
        expected = "Buyer" if moment == "before" else "Chief"
        assert site.everywhere("customer", "title") == in_each(expected)
    site.edit(system, "customer", contact["id"], title="Owner")
    site.settle()
    assert site.everywhere("customer", "title") == in_each("Owner")
    assert not {"rejected", "parked", "identity", "possible duplicate"} & site.issues().keys()


@pytest.mark.parametrize("system", ["sales", "service"])
def test_pain_05_a_merge_is_followed(site: Site, system: str) -> None:
    """Merges are not followed: the loser's id is dead, and its twin elsewhere is an orphan that
    stands in the way of new links.

    Two linked people are merged in either CRM: the survivor goes on being kept equal, the
    loser's twins are told as surplus and deleted by nobody, and once they are merged there
    too, everybody is one record, linked, with nothing open.
    """
    ann = site.enter(system, "customer", **ANN, title="Buyer")
    double = site.enter(system, "customer", **BOB)
    site.settle()
    site.act(system, "customer", "merge", ann, losers=[double])
    site.edit(system, "customer", ann, title="Chief")
    site.settle()
    other = OTHER[system]
    assert site.everywhere("customer", "title")[other] == ["Chief", None]
    surplus = site.issues()["surplus record"]
    assert {one.issue.records[0].split("/")[0] for one in surplus} == {other, "profiles"}

    for place in (other, "profiles"):
        rows = {row["last"]: row["id"] for row in site.rows(place, "customer")}
        site.act(place, "customer", "merge", rows["Horvat"], losers=[rows["Novak"]])
    site.settle()
    for _ in range(2):  # Customer Profiles tells of no merge: two full listings show it
        site.resync("customers", full=True)
    site.settle()
    assert site.everywhere("customer", "last") == in_each("Horvat")
    for place in SYSTEMS:
        site.edit(place, "customer", site.row(place, "customer")["id"], title=f"From {place}")
        site.settle()
        titles = in_each(f"From {place}")
        assert site.everywhere("customer", "title") == titles
    assert site.issues() == {}
    site.enter(other, "customer", first="Bob", last="Novak", email="b@zub.example")
    site.settle()
    both = ["Horvat", "Novak"]
    assert site.everywhere("customer", "last") == in_each(*both)  # no orphan blocks


def lose_everybody(site: Site, system: str) -> None:
    """The system has lost its people, or shows nobody any more, and answers as if all were well."""
    path, body = r"/query", {"totalSize": 0, "done": True, "records": []}
    if system == "profiles":
        for row in site.rows(system, "lead"):
            site.act(system, "lead", "delete", row["id"])
        return
    if system == "service":
        link = f"{site.systems[system].address}/api/data/v9.2/leads?$deltatoken=1"
        path, body = r"/leads", {"value": [], "@odata.deltaLink": link}
    plan = {"method": "GET", "path": path, "times": 1000}
    site.systems[system].post("faults", **plan, effect={"status": 200, "body": body})


@pytest.mark.parametrize("people", [4, 12])
@pytest.mark.parametrize("system", SYSTEMS)
def test_pain_06_an_outage_is_no_mass_delete(site: Site, system: str, people: int) -> None:
    """Deletes are not synced, or they terrify: an outage looks like a mass delete, and what
    was deleted is back with the next run.

    With deletes propagated, a system that shows nobody any more, in the feed, in full listings
    and when it is asked for single records, deletes nothing anywhere: it stops, many or few,
    and people are told. Once it shows them again all goes on.
    """
    site.settings["syncs"]["leads"]["deletes"] = "propagate"
    site.restart()
    for n in range(people):
        site.enter("sales", "lead", last=f"Horvat{chr(97 + n)}", email=f"a{n}@x.example", firm="X")
    site.settle()
    before = site.rows("sales", "lead"), site.rows("service", "lead")
    lose_everybody(site, system)
    for _ in range(3):
        site.sync()
        site.resync("leads", full=True)
    (stop,) = site.issues()["guard"]
    assert stop.detail["risk"] in ("missing", "emptied")
    site.lift()
    site.settle()
    assert (site.rows("sales", "lead"), site.rows("service", "lead")) == before
    assert all("delete" not in writes for writes in site.writes().values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_pain_06_a_delete_is_followed_once_and_stays(site: Site, system: str) -> None:
    """The other half: a real delete does what the policy says, once, and twenty cycles and a
    full listing later nobody is back.
    """
    site.settings["syncs"]["leads"]["deletes"] = "propagate"
    site.restart()
    numbers = {}
    for person in (ANN, BOB):
        site.enter("sales", "lead", **person)
    site.settle()
    numbers = {row["last"]: row["id"] for row in site.rows(system, "lead")}
    site.act(system, "lead", "delete", numbers["Horvat"])
    site.settle()
    site.resync("leads", full=True)
    site.settle()
    site.resync("leads", full=True)  # a feed without deletes proves one by two listings
    site.settle()
    assert site.everywhere("lead", "last") == in_each("Novak")
    deletes = {name: writes.get("delete", 0) for name, writes in site.writes().items()}
    assert deletes == {name: int(name != system) for name in SYSTEMS}
    for _ in range(20):
        site.sync()
    site.resync("leads", full=True)
    assert site.everywhere("lead", "last") == in_each("Novak")
