"""Ends the issues whose reason is no more, when their entity is decided anew."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.engine import Connection

from sync_engine.engine.world import DELETE_WAITS, TRIES, UNCLEARABLE, Told, World
from sync_engine.models import Kind, LinkState, Owes
from sync_engine.reconcile import MANUAL
from sync_engine.store import PLACED, EntityRow, IssueRow, LinkRow
from sync_engine.values import MISFIT, NOT_STORED

#: issues about a link -> whether their reason stands
_STANDS: Mapping[str, Callable[[LinkRow], bool]] = {
    "rejected": lambda link: (
        link.state in PLACED
        and (link.tries >= TRIES or any(k.why == "rejected" for k in link.held.values()))
    ),
    MISFIT: lambda link: (
        link.state in PLACED
        and (link.tries >= TRIES or any(k.why == MISFIT for k in link.held.values()))
    ),
    "parked": lambda link: link.state in PLACED and link.tries >= TRIES,
    "flipping": lambda link: any(k.why == "flipping" for k in link.held.values()),
    UNCLEARABLE: lambda link: any(k.why == UNCLEARABLE for k in link.held.values()),
    NOT_STORED: lambda link: any(k.why == NOT_STORED for k in link.held.values()),
    "surplus record": lambda link: link.state is LinkState.SURPLUS,
    "customer became lead": lambda link: link.state is LinkState.HELD,
    DELETE_WAITS: lambda link: link.state is LinkState.GONE and link.ends is not Owes.NOTHING,
    "deleted here, edited there": lambda link: link.state is LinkState.GONE,
}
#: issues about an entity and a side: they stand while deciding tells them again
_TOLD_AGAIN = (
    "possible duplicate",
    "converted before",
    "address held by a lead",
    "required value missing",
    "create not offered",
)


def close_answered(
    world: World,
    connection: Connection,
    entities: Mapping[int, EntityRow],
    links: Mapping[int, Sequence[LinkRow]],
    told: Told,
) -> None:
    """Close the issues about these entities that do not stand any more."""
    again = {(issue.what, issue.entity_id, issue.source_id) for issue in told.issues}

    def stands(issue: IssueRow) -> bool:
        number = issue.entity_id or 0
        if issue.what in _TOLD_AGAIN:
            return (issue.what, issue.entity_id, issue.source_id) in again
        if issue.what == "conflict":
            asked = (link.held.get(issue.field_name or "") for link in links[number])
            return any(kept is not None and kept.why == MANUAL for kept in asked)
        if issue.what == "type changed":  # until the lead has followed its profile
            return entities[number].kind is Kind.LEAD
        return any(link.id == issue.link_id and _STANDS[issue.what](link) for link in links[number])

    whats = (*_TOLD_AGAIN, "conflict", "type changed", *_STANDS)
    over = [
        one.id for one in world.store.issues.about(connection, whats, entities) if not stands(one)
    ]
    world.store.issues.close(connection, world.clock.now(), over)
