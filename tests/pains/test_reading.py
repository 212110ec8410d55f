"""Pains 2, 18, 22 and 24: nothing missed, nothing shifted, nothing that stands in the way."""

import random
from typing import Any

import pytest

from tests.pains.site import SYSTEMS, Site

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
        site.sync()
    site.restart()  # without them who work between the pages
    site.later(minutes=2)
    site.settle()
    wanted = {last: titles[last] for last in numbers}
    assert len(wanted) > 6
    for place in SYSTEMS:
        shown = {row["last"]: row["title"] for row in site.rows(place, kind)}
        assert {last: shown.get(last) for last in wanted} == wanted, place
