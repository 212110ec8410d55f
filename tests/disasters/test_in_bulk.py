"""Disasters of volume: thousands of records in three systems in memory, and no wrong write."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_engine.models import Kind
from sync_engine.operations import Verdict, resolve
from sync_engine.store import migrate, open_database
from tests.disasters.crisis import PEOPLE, Crisis, lead

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def crisis() -> Iterator[Crisis]:
    found = Crisis()
    found.three.deletes(Kind.LEAD, "propagate")  # the policy under which most can go wrong
    yield found
    found.three.close()


def test_disaster_02_all_emails_null(crisis: Crisis) -> None:
    """A job in one CRM has emptied the e-mail of everybody."""
    sales = crisis.three.sales
    for number in crisis.numbers:
        sales.update("Lead", number, mail=None)
    crisis.suffer()
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert f"{PEOPLE} of {PEOPLE} records of service/lead would lose their value of a field: email"
    assert "look which side emptied it" in told
    assert "crm-sync release leads" in told
    for n, number in enumerate(crisis.numbers):
        sales.update("Lead", number, mail=lead(n)["mail"])
    crisis.assert_all_equal()
    crisis.assert_nothing_was_written()


def test_disaster_03_mapping_swapped(crisis: Crisis) -> None:
    """Somebody has swapped two lines of the configuration, and people go on working."""
    three = crisis.three
    three.remap({"first_name": "last", "last_name": "first"}, "sales/Lead")
    three.sales.update("Lead", crisis.numbers[0], title="Chief")
    three.sales.create("Lead", **lead(PEOPLE))
    crisis.suffer()
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert f"{PEOPLE} of {PEOPLE} records of sales/Lead mean another value of a field" in told
    assert "first_name" in told
    assert "last_name" in told
    assert "put the mapping back" in told
    three.remap({}, "sales/Lead")
    crisis.assert_all_equal(PEOPLE + 1)
    written = three.written()["service"]
    assert (written["create"], written["update"]) == (PEOPLE + 1, 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", ["propagate", "unlink"])
def test_disaster_04_fifty_thousand_new_leads(crisis: Crisis, policy: str) -> None:
    """A bought list is loaded into one CRM; the others get none of it, and it can be taken back."""
    three, flood = crisis.three, 50_000 if policy == "propagate" else 500
    three.deletes(Kind.LEAD, policy)
    bought = [three.sales.create("Lead", **lead(n)) for n in range(PEOPLE, PEOPLE + flood)]
    crisis.suffer(cycles=2)
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert f"{flood} of {PEOPLE} records of service/lead would be created" in told
    assert f"{flood} of {PEOPLE} records of profiles/person would be created" in told
    assert "an import that was not meant is best deleted there" in told
    for number in bought:
        three.sales.delete("Lead", number)
    crisis.assert_all_equal()
    crisis.assert_nothing_was_written()


def test_disaster_06_duplicate_import(crisis: Crisis) -> None:
    """Everybody is imported into one CRM a second time."""
    three = crisis.three
    again = [three.sales.create("Lead", **lead(n)) for n in range(PEOPLE)]
    crisis.suffer(cycles=2)
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert f"{PEOPLE} x identity: records that may be one person" in told
    assert "duplicates inside one system are best merged there" in told
    for number in again:
        three.sales.delete("Lead", number)
    crisis.assert_all_equal()
    crisis.assert_nothing_was_written()


@pytest.mark.parametrize("days", [400, -400])
def test_disaster_07_clock_jump(crisis: Crisis, days: int) -> None:
    """This machine's clock jumps by a year, and is put right again."""
    three = crisis.three
    crisis.later(days=days)
    crisis.suffer()
    for number in crisis.numbers[:500]:  # whose deletes the guard must count, whatever the hour
        three.sales.delete("Lead", number)
    crisis.suffer()
    crisis.later(days=-days)
    crisis.suffer()
    crisis.assert_nothing_was_written()
    assert f"500 of {PEOPLE} records of service/lead would be deleted" in crisis.told()
    for number in crisis.numbers[:500]:
        three.sales.undelete("Lead", number)
    three.service.update("lead", three.service.alive("lead")[0].id, title="Chief")
    crisis.assert_all_equal()
    assert three.written()["sales"] == {"update": 1}


def test_disaster_10_mass_delete(crisis: Crisis) -> None:
    """An administrator's script deletes half of everybody in one CRM."""
    three, half = crisis.three, PEOPLE // 2
    for number in crisis.numbers[:half]:
        three.sales.delete("Lead", number)
    crisis.suffer()
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert f"{half} of {PEOPLE} records of service/lead would be deleted or deactivated" in told
    assert "more than 40 are improbable" in told
    assert "restored there, they leave this by themselves" in told
    for number in crisis.numbers[:half]:
        three.sales.undelete("Lead", number)
    crisis.assert_all_equal()
    crisis.assert_nothing_was_written()


def test_disaster_08_yesterdays_state_restored(tmp_path: Path) -> None:
    """The state database of yesterday is put in the place of today's."""
    state, kept = tmp_path / "state.db", tmp_path / "yesterday.db"
    engine = open_database(f"sqlite:///{state}")
    migrate(engine)
    crisis = Crisis(engine=engine)
    three = crisis.three
    three.deletes(Kind.LEAD, "propagate")
    _copy(three, state, kept)
    for n in range(PEOPLE, PEOPLE + 40):  # what was done since, and is forgotten now
        three.sales.create("Lead", **lead(n))
    for number in crisis.numbers[:200]:
        three.sales.update("Lead", number, title=f"Chief {number}")
    for number in crisis.numbers[200:205]:
        three.sales.delete("Lead", number)
    three.settle()
    crisis.before = three.written()
    _copy(three, kept, state)
    three.open()

    crisis.suffer()
    crisis.assert_nothing_was_written()
    told = crisis.told()
    assert "this state is older than the systems" in told
    assert "run crm-sync release NAME for each sync" in told
    for sync in three.world.syncs.values():
        crisis.face.release(sync.name)
    (issue,) = [one for one in three.issues() if one.what == "state restored"]
    resolve(crisis.face, issue.id, Verdict("seen"), by="operator", carry_out=True)
    crisis.assert_all_equal(PEOPLE + 40 - 5)
    crisis.assert_nothing_was_written()
    three.close()


def _copy(three: Any, source: Path, target: Path) -> None:
    """A file copied behind the product's back."""
    three.store.truncate_log()
    three.engine.dispose()
    with sqlite3.connect(source) as given, sqlite3.connect(target) as taken:
        given.backup(taken)
