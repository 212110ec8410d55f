"""Disasters that a vendor's answers make: over real HTTP, and no wrong write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.front import wire
from tests.disasters.vendors import ORDER, Vendors, vendors

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Vendors]:
    with vendors(tmp_path) as found:
        yield found


@pytest.mark.parametrize("sides", [("profiles",), ORDER])
def test_disaster_01_empty_pages(place: Vendors, sides: tuple[str, ...]) -> None:
    """A system, or every one, answers politely and shows nobody."""
    before, people = place.world.writes(), place.surnames()
    for side in sides:
        place.alter(side, lambda _rows: [])
    told = place.suffer("resync leads --full")
    assert "Traceback" not in told, told
    assert place.world.writes() == before
    assert place.surnames() == people
    assert "16 of 16 records of profiles/person are not shown any more" in told
    assert "they are not taken for deleted" in told
    assert "check what our user may see there" in told
    place.mend()
    place.world.run("resync", "leads", "--full")
    place.assert_all_equal()
    assert place.world.writes() == before


def test_disaster_05_permission_lost(place: Vendors) -> None:
    """Somebody has taken a right from our user: on rows in one system, on a table in the other."""
    before, people = place.world.writes(), place.surnames()
    place.alter("sales", lambda rows: rows[::4])
    place.world.service.post("switches", denied=["Read lead"])
    told = place.suffer("resync leads --full")
    assert place.world.writes() == before
    assert place.surnames() == people
    assert "records of sales/Lead are not shown any more" in told
    assert "service was left out" in told
    assert "may not read" in told
    place.mend()
    place.world.service.post("switches", denied=[])
    place.world.run("resync", "leads", "--full")
    place.assert_all_equal()
    assert place.world.writes() == before


@pytest.mark.parametrize("side", ORDER)
def test_disaster_09_credentials_revoked(place: Vendors, side: str) -> None:
    """An administrator has revoked our credentials in one system; the others stay equal."""
    refused = wire(401, b'[{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}]')
    before = place.world.writes()
    place.refuse(side, refused)
    asked = len(place.fronts[side].asked)
    edited = "service" if side == "sales" else "sales"
    (other,) = set(ORDER) - {side, edited}
    server = place.world.systems[edited]
    if edited == "service":
        number = server.records("lead")[0]["leadid"]
        server.act("update", "lead", id=number, values={"jobtitle": "Chief"})
    else:
        number = server.records("Lead")[0]["Id"]
        server.act("update", "Lead", id=number, values={"Title": "Chief"})
    told = place.suffer(times=3)
    wrote = {name for name, writes in place.world.writes().items() if writes != before[name]}
    assert side not in wrote
    assert other in wrote
    assert f"{side} cannot be used" in told
    assert f"{side} was left out" in told
    assert "remedy: " in told
    assert "401" in told
    tried = len(place.fronts[side].asked) - asked
    assert tried <= 3 * 4  # a few calls to find out, in each run; no loop
    place.mend()
    place.assert_all_equal()
