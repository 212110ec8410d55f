"""What the guard has stopped, as issues: opened, told with the numbers of now, ended when over."""

from collections.abc import Collection, Mapping

from sqlalchemy.engine import Connection

from sync_engine.engine.world import Source, Sync, Told, World
from sync_engine.guard import class_of
from sync_engine.store import IssueRow

#: classes that reading decides on; all others are what a push would do
MISSING, REMAPPED = "missing", "remapped"
READ = (MISSING, REMAPPED)


def open_stops(world: World, connection: Connection) -> list[IssueRow]:
    return world.store.issues.all(connection, whats=("guard",))


def keep_stops(
    world: World,
    told: Told,
    connection: Connection,
    sync: Sync,
    source: Source,
    stops: Mapping[str, int],
    links: int,
    classes: Collection[str],
) -> None:
    """``stops`` (what is shown -> planned) are all that stand of these classes, of ``links``."""
    mine = {
        issue.detail["risk"]: issue
        for issue in open_stops(world, connection)
        if issue.source_id == source.id
        and issue.detail["sync"] == sync.name
        and class_of(issue.detail["risk"]) in classes
    }
    over = [issue.id for risk, issue in mine.items() if risk not in stops]
    world.store.issues.close(connection, world.clock.now(), over)
    for risk, planned in stops.items():
        detail = {
            "sync": sync.name,
            "risk": risk,
            "planned": planned,
            "of": links,
            "allowed": sync.limits.of(class_of(risk)).most(links),
        }
        if risk not in mine:
            cause = f"{sync.name}: {risk}"
            told.issue(world, "guard", cause=cause, source_id=source.id, detail=detail)
        elif mine[risk].detail != detail:
            world.store.issues.tell(connection, mine[risk].id, detail)
