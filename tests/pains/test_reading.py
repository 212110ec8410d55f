"""Pains 2, 18, 22 and 24: nothing missed, nothing shifted, nothing that stands in the way."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sync_engine.models import Kind
from tests.engine.three import Three
from tests.pains.site import SYSTEMS, Site, in_each

SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu")


def person(n: int, **more: Any) -> dict[str, Any]:
    """Somebody whose name is like nobody else's."""
    last = "".join(SYLLABLES[int(digit)] for digit in f"{n:03d}").capitalize()
    return {"last": last, "email": f"p{n}@plavi{n}.example", "firm": f"Firm {n}"} | more


@pytest.mark.parametrize("system", SYSTEMS)
def test_pain_02_no_change_is_missed(site: Site, system: str) -> None:
    """Changes are silently missed: the cursor passes rows that share a stamp, that become
    visible late, or that move while pages are read; the runs were green all the while.

    Small pages; many rows within one second; rows that are seen half a minute after their
    stamp (Salesforce); people who create, edit and delete between any two pages: without a
    full listing everything has arrived in the end, as it was last entered.
    """
    dice = random.Random(4)
    kind = "customer" if system == "profiles" else "lead"  # a lead there has no company
    if system == "sales":
        site.systems["sales"].post("switches", page_size=3, visible_late=25)
        site.settings["instances"]["sales"]["safety_lag"] = 30
    elif system == "service":
        site.systems["service"].post("switches", page_size=3)
        site.settings["instances"]["service"]["page_size"] = 3
    else:
        site.settings["instances"]["profiles"]["page_size"] = 3
    site.restart()
    site.settle()
    numbers: dict[str, str] = {}
    titles: dict[str, str] = {}

    def work() -> None:
        for _ in range(dice.randrange(4)):
            deed = dice.random()
            n = len(titles)
            if deed < 0.5 or not numbers:
                one = person(n, title=f"t{n}")
                numbers[one["last"]] = site.enter(system, kind, **one)
                titles[one["last"]] = f"t{n}"
            elif deed < 0.9:
                last = dice.choice(sorted(numbers))
                titles[last] = f"t{dice.random():.6f}"
                site.edit(system, kind, numbers[last], title=titles[last])
            else:
                last = dice.choice(sorted(numbers))
                site.act(system, kind, "delete", numbers.pop(last))
                titles[last] = ""

    site.meddle(system, kind, pages=work)
    for _ in range(6):
        work()
        site.sync(seconds=5)
    site.restart()  # without them who work between the pages
    site.later(minutes=2)
    site.settle()
    wanted = {last: titles[last] for last in numbers}
    assert len(wanted) > 6
    for place in SYSTEMS:
        shown = {row["last"]: row["title"] for row in site.rows(place, kind)}
        assert {last: shown.get(last) for last in wanted} == wanted, place


ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles", "Europe/Zagreb", "Asia/Kathmandu")
DAYS = ("1990-03-25", "1984-02-29", "1999-10-31", "1960-01-01", "2001-12-31")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves this machine to another zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_pain_18_a_day_stays_that_day_in_every_zone(
    site: Site, zone: Callable[[str], None]
) -> None:
    """Birth dates move by a day, and what was modified is asked for in local time but labelled
    UTC, so that changes fall into a gap.

    The machine moves through five zones, with summer time's ends among them: each birth date,
    days of a change of clocks and a 29 February among them, is the same day in all systems,
    wherever it was entered, and each edit made meanwhile is found, in both directions.
    """
    site.settle()
    for n, (name, day) in enumerate(zip(ZONES, DAYS, strict=True)):
        zone(name)
        for system in SYSTEMS:
            someone = person(n + 3331 * SYSTEMS.index(system), birth=day)
            site.enter(system, "customer", **someone)
        site.sync()
        for row in site.rows("sales", "customer"):
            site.edit("sales", "customer", row["id"], title=f"in {name}")
        site.sync()
        assert set(site.everywhere("customer", "title")["service"]) == {f"in {name}"}
    site.settle()
    days = sorted(3 * DAYS)
    assert site.everywhere("customer", "birth") == in_each(*days)
    (last, *_) = site.rows("service", "customer")
    site.edit("service", "customer", last["id"], birth="1971-04-04")
    site.settle()
    days[days.index(last["birth"])] = "1971-04-04"
    assert site.everywhere("customer", "birth") == in_each(*sorted(days))


PAIRS, ROUNDS = 2_500, 20


def test_pain_22_a_mass_touch_writes_nothing_and_delays_nobody() -> None:
    """A nightly job touches 100,000 rows; the sync needs days for them, and people's edits wait
    behind touches that changed nothing.

    100,000 touches of 5,000 linked records: not one write, and an edit that is made in the
    middle of them is there after the very next cycle.
    """
    three = Three(order=("sales", "service"), kinds={Kind.LEAD})
    systems = {"Lead": three.sales, "lead": three.service}
    for name, system in systems.items():
        system.page_size = 2_000
        for n in range(PAIRS):
            system.create(name, last=f"Last{n}", mail=f"p{n}@x{n}.example", firm=f"Firm {n}")
    three.settle()
    assert three.written() == {"sales": {}, "service": {}}
    numbers = {row.values["mail"]: row.id for row in three.service.alive("lead")}
    for n in range(ROUNDS):
        for name, system in systems.items():
            for row in system.alive(name):
                system.update(name, row.id)
        edited = three.sales.alive("Lead")[n * 7]
        three.sales.update("Lead", edited.id, title="Chief")
        three.cycle()
        there = three.service.row("lead", numbers[edited.values["mail"]])
        assert there.values["title"] == "Chief"
    assert three.written() == {"sales": {}, "service": {"update": ROUNDS}}
    three.close()


def test_pain_24_what_is_there_is_resynced_by_command(site: Site) -> None:
    """People write scripts that touch every record so that the tool sees what was there before,
    and only the vendor's support can sync one record anew.

    What stood in both systems before is linked without a touch. Then the feed of Dynamics loses
    edits: each way to name the records concerned, by id, key, file, window and all, puts right
    just these; what failed and what is nobody's yet are meant by a word each.
    """
    people = [person(n, title="Buyer") for n in range(6)]
    numbers = []
    for one in people:
        site.enter("sales", "lead", **one)
        numbers.append(site.enter("service", "lead", **one))
    site.settle()
    assert site.writes()["sales"] == site.writes()["service"] == {}
    keys = {row["last"]: row["whole"]["externalId"] for row in site.rows("profiles", "lead")}

    names = site.folder / "names.txt"
    names.write_text(f"# lost on Tuesday\n{site.name('service', 'lead', numbers[2])}\n")
    ways: list[tuple[int, dict[str, Any]]] = [
        (0, {"records": (site.name("service", "lead", numbers[0]),)}),
        (1, {"keys": (keys[people[1]["last"]],)}),
        (2, {"file": names}),
        (3, {"since": f"{site.clock.now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"}),
        (4, {"full": True}),
    ]
    for n, wanted in ways:
        site.edit("service", "lead", numbers[n], title=f"Chief {n}")
        site.meddle("service", "lead", loses=True)
        site.sync()
        site.restart()  # it reads rightly again
        assert f"Chief {n}" not in site.everywhere("lead", "title")["sales"]
        done = site.resync("leads", **wanted)
        assert {line.side for line in done.lines} == {"sales/Lead", "profiles/person"}, wanted
        assert site.everywhere("lead", "title")["sales"].count(f"Chief {n}") == 1

    refused = {"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not today"}
    site.fault("sales", "PATCH", "sobjects/Lead", status=400, body=[refused])
    site.edit("service", "lead", numbers[5], title="Chief 5")
    assert site.sync().failed == 1
    site.lift()
    site.sync()
    assert "Chief 5" not in site.everywhere("lead", "title")["sales"]
    site.resync("leads", failed=True)
    assert "Chief 5" in site.everywhere("lead", "title")["sales"]
    assert site.resync("leads", unlinked=True).lines == []
    assert site.issues() == {}
