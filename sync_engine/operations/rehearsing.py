"""The same service on a copy of its state, with connectors that write nothing."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from connectors import Connector
from sync_engine.engine import World
from sync_engine.engine.rehearsal import Rehearsal
from sync_engine.engine.world import one_by_one
from sync_engine.service import Service
from sync_engine.store import Store, open_database


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A service that may do anything, and what it would have written."""

    service: Service
    connectors: dict[str, Rehearsal]


@contextmanager
def rehearsal(service: Service) -> Iterator[Rehearsed]:
    """The copy lies in a private temporary folder and goes with it: it holds people's values."""
    with tempfile.TemporaryDirectory(prefix="crm-sync-plan-") as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'state.db'}")
        clock = service.clock
        store = Store(engine, clock.now, "plan", wait=clock.wait)
        try:
            service.store.copy_to(engine)
            store.open(one.configured.forms for one in service.world.sources)
            with store.transaction() as connection:
                store.registry.free_leases(connection)
            stand_ins = {name: Rehearsal(one) for name, one in service.connectors.items()}
            connectors = {name: cast(Connector, one) for name, one in stand_ins.items()}
            world = _world(service.world, store, connectors)
            yield Rehearsed(
                replace(service, store=store, world=world, connectors=connectors, listeners=[]),
                stand_ins,
            )
        finally:
            store.close()


def _into_no_log(_event: str, **_told: object) -> None:
    """What was not done is told by the plan."""


def _world(world: World, store: Store, connectors: Mapping[str, Connector]) -> World:
    return replace(
        world,
        store=store,
        sources=[replace(one, connector=connectors[one.instance]) for one in world.sources],
        down=dict(world.down),
        witness=None,
        turns=one_by_one,
        journal=_into_no_log,
    )
