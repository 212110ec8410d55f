"""The workloads as crm-sync does them, through the service that the command line uses."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.meter import Cost, cpu_seconds, measured
from benchmarks.orgs import CHANGING, Orgs, known
from config import load as configured
from sync_engine.models import LinkState
from sync_engine.service import Service, build

STATE = "state.db"
APART = 1200  #: seconds between two events, more than a read goes back by its overlap


def load(folder: Path, records: int) -> Cost:
    """A first cycle: read everything, link it, decide it; it stops before any write."""
    return _first_cycle(folder, records, links=records)


def match(folder: Path, records: int) -> Cost:
    """A first cycle of two organizations that hold the same people."""
    return _first_cycle(folder, records, links=2 * records)


def quiet(folder: Path, records: int) -> Cost:
    """Cycles in which nothing has changed; the cost is per cycle."""
    orgs, cost = known(folder), Cost(quiet_cycles(records))
    with _service(folder) as service:
        _catch_up(service, orgs)
        with measured(cost, orgs.calls):
            for _ in range(cost.records):
                service.sync()
    return cost


def changed(folder: Path, _records: int) -> Cost:
    """One lead in a hundred has got another title."""
    orgs = known(folder)
    with _service(folder) as service:
        _catch_up(service, orgs)
        numbers = edited(orgs, folder)
        cost = Cost(len(numbers))
        with measured(cost, orgs.calls):
            run = service.sync()
    _expect("reconciled", run.counts["reconciled"], len(numbers))
    return cost


def quiet_cycles(records: int) -> int:
    """How many are measured together: enough for a mean, few where it only has to run."""
    return 10 if records >= 1000 else 2


def edited(orgs: Orgs, folder: Path) -> list[str]:
    """People give every hundredth lead a title that it never had; gives their ids."""
    title = f"Title at {orgs.calls()}"
    act = {"action": "update", "object": "Lead", "values": {"Title": title}}
    chosen = json.loads((folder / CHANGING).read_text())
    return orgs.act("sales", [act | {"id": number} for number in chosen])


def _first_cycle(folder: Path, records: int, links: int) -> Cost:
    orgs, cost = known(folder), Cost(links)
    for old in folder.glob(f"{STATE}*"):
        old.unlink()
    with _service(folder) as service:
        last = 0.0

        def charge(stage: str, _what: str, _number: int) -> None:
            nonlocal last
            now = cpu_seconds()
            cost.stages[stage] = cost.stages.get(stage, 0.0) + now - last
            last = now

        service.world.watch = charge
        with measured(cost, orgs.calls):
            last = cpu_seconds()
            service.sync()
        with service.store.reading() as connection:
            counts = service.store.links.counts(connection)
            entities = service.store.links.live_entities(connection)
        _expect("links", counts, {k: n for k, n in counts.items() if k[2] is LinkState.LIVE})
        _expect("live links", sum(counts.values()), links)
        _expect("entities", len(entities), records)
        service.store.truncate_log()
        cost.state = (folder / STATE).stat().st_size / links
    return cost


def _catch_up(service: Service, orgs: Orgs) -> None:
    """A cycle that leaves nothing to be read again by the next ones."""
    orgs.wait(APART)
    service.sync()
    orgs.wait(APART)


@contextmanager
def _service(folder: Path) -> Iterator[Service]:
    service = build(configured(folder / "crm-sync.yaml"))
    try:
        for health in service.prepare():
            _expect(f"{health.instance} is well", health.why, "")
        yield service
    finally:
        service.close()


def _expect(what: str, found: object, wanted: object) -> None:
    """No time counts for work that was not done."""
    if found != wanted:
        raise RuntimeError(f"{what}: {found}, not {wanted}")
