"""Lets a sync write: after its first report, or after the guard has stopped it."""

from sync_engine.operations.records import WrongUseError
from sync_engine.operations.report import unreleased
from sync_engine.service import Service


def release(service: Service, name: str) -> dict[str, int] | None:
    """Class of change -> how many are let go; None where nothing waits.

    A first sync is released for what its report has shown: one whose sides were not all
    read has shown nothing yet. Raises WrongUseError.
    """
    first = name in unreleased(service, name)
    sync = next(one for one in service.world.syncs.values() if one.name == name)
    if first:
        with service.store.reading() as connection:
            listed = {s.id for s in service.store.registry.sources(connection) if s.listed_at}
        unread = [s.name for s in service.world.of_kind(sync.kind) if s.id not in listed]
        if unread:
            raise WrongUseError(
                f"there is no report of {name} yet: {', '.join(unread)} was never read whole",
                remedy=f"run crm-sync sync {name}, read its report, then release",
            )
    let_go = service.release(name)
    return let_go if first or let_go else None
