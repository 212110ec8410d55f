"""``crm-sync run`` under ``kill -9``, again and again: nothing is lost, and nobody is there twice.

The moments are counted in requests that the systems have seen. ``scripts/histories`` kills at
drawn ones as well.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.databases import postgres, postgres_server
from tests.system.killing import Moment, Office, kill_at
from tests.system.world import running

__all__ = ["postgres", "postgres_server"]

READ = ("sales", "GET", "queryAll", 5)
CREATED = ("sales", "PATCH", "composite/sobjects")
#: between a create's commit there and our recording of it
CREATES = [
    Moment("push", *CREATED),
    Moment("push", "service", "PATCH", r"leads\("),
    Moment("push", "profiles", "POST", r"persons(/batch)?$"),  # one of them, or several
]
MOMENTS = [
    Moment("pull", *READ),
    Moment("pull", "service", "GET", "leads$"),
    Moment("pull", "profiles", "GET", "persons$", 1),
    Moment("match", "service", "GET", "contacts$", unheard=False),
    Moment("match", "profiles", "POST", "persons/match"),
    *CREATES,
    Moment("push", "service", "GET", "leads$", 1),
    Moment("edit", "service", "PATCH", r"leads\("),
    Moment("edit", "profiles", "PATCH", "persons$"),
    Moment("convert", *READ),
    Moment("convert", "service", "PATCH", r"accounts\("),
    Moment("convert", "service", "PATCH", r"contacts\("),
    Moment("convert", "profiles", "POST", "companies$"),
    Moment("convert", "profiles", "PATCH", "persons$"),
    Moment("merge", *READ),
    Moment("merge", "service", "GET", "contacts$", unheard=False),
    Moment("merge", "service", "PATCH", r"leads\("),
    Moment("merge", "profiles", "PATCH", "persons$"),
]
#: on PostgreSQL: one of each sort, and every create
SOME = [0, 2, 3, 5, 6, 7, 10, 13, 15, 18]
LEADS, MERGED = 10, 4  #: one to edit, five to convert, the others to merge
DRAWN = {"sqlite": 30, "postgresql": 15}


def state_of(request: pytest.FixtureRequest, database: str) -> str:
    if database == "sqlite":
        return "sqlite:///state.db"
    url: str = request.getfixturevalue("postgres")
    return url.replace("postgresql+psycopg", "postgresql")


@contextmanager
def office(folder: Path, state: str) -> Iterator[Office]:
    """A service that has loaded; in the end, whoever was entered is there once."""
    with running(folder, state) as world:
        written = folder / "crm-sync.yaml"
        written.write_text(written.read_text().replace("every: 1m", "every: 10s"))
        found = Office(world)
        found.load(LEADS, MERGED)
        yield found
        world.settle()
        found.everybody_is_there_once()


def deed_of(office: Office, moment: Moment) -> Callable[[], object]:
    """What somebody does so that the moment comes."""
    if moment.stage in ("edit", "convert", "merge"):
        deed: Callable[[], object] = getattr(office, moment.stage)
        return deed
    return office.meet_there if moment.system == "sales" else office.meet


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("database", "moments"),
    [("sqlite", MOMENTS), ("postgresql", [MOMENTS[n] for n in SOME])],
    ids=["sqlite", "postgresql"],
)
def test_killed_at_every_stage_everybody_is_there_once(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, moments: Sequence[Moment]
) -> None:
    with office(tmp_path, state_of(request, database)) as people:
        for moment in moments:
            kill_at(people.world, moment, deed_of(people, moment))


@pytest.mark.skipif("CRM_SYNC_KILLS" not in os.environ, reason="scripts/histories asks for it")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", DRAWN)
def test_killed_at_drawn_moments_everybody_is_there_once(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    rng = random.Random(f"{os.environ['CRM_SYNC_KILLS']}/{database}")
    with office(tmp_path, state_of(request, database)) as people:
        for _ in range(DRAWN[database]):
            system = rng.choice(sorted(people.world.systems))
            heard = rng.random() < 0.3
            moment = Moment("any", system, skip=rng.randrange(12), unheard=not heard)
            kill_at(people.world, moment, rng.choice(people.deeds()))
