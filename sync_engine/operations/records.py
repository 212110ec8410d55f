"""Names of records: ``INSTANCE/OBJECT:ID``, or ``INSTANCE:ID`` where that is enough."""

from collections.abc import Collection, Iterable

from sqlalchemy.engine import Connection

from sync_engine.engine import World
from sync_engine.models import LinkState
from sync_engine.store import LinkRow


class WrongUseError(Exception):
    """A command that cannot be carried out as it was given."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class UnknownNameError(WrongUseError):
    """What was named does not exist."""


def known_sync(world: World, name: str | None) -> None:
    """Refuse a name that no sync has."""
    names = [one.name for one in world.syncs.values()]
    if name is not None and name not in names:
        raise UnknownNameError(
            f"there is no sync {name}", remedy=f"configured are: {', '.join(names)}"
        )


def known_instance(configured: Iterable[str], name: str | None) -> None:
    """Refuse a name that no instance has."""
    names = list(dict.fromkeys(configured))
    if name is not None and name not in names:
        raise UnknownNameError(
            f"there is no instance {name}", remedy=f"configured are: {', '.join(names)}"
        )


def name_of(world: World, link: LinkRow) -> str:
    return f"{world.source(link.source_id).name}:{link.record_id or 'not created yet'}"


def names_of(world: World, links: Iterable[LinkRow]) -> list[str]:
    return sorted(name_of(world, link) for link in links)


def split(world: World, text: str) -> tuple[list[int], str]:
    """The sources a name may mean, and the record's id. Raises WrongUseError."""
    place, colon, number = text.partition(":")
    instance, slash, object_name = place.partition("/")
    if not colon or not number or not text.isprintable():
        raise WrongUseError(
            f"{text!r} names no record", remedy="write INSTANCE:ID or INSTANCE/OBJECT:ID"
        )
    sources = [source for source in world.sources if source.instance == instance]
    if not sources:
        known_instance((source.instance for source in world.sources), instance)
    if slash:
        sources = [source for source in sources if source.object == object_name]
        if not sources:
            known = ", ".join(s.object for s in world.sources if s.instance == instance)
            raise UnknownNameError(
                f"{instance} has no object {object_name}", remedy=f"configured are: {known}"
            )
    return [source.id for source in sources], number


def find(world: World, connection: Connection, text: str) -> LinkRow:
    """The link of a named record. Raises WrongUseError where there is none, or several."""
    sources, number = split(world, text)
    found = [
        link
        for source_id in sources
        for link in world.store.links.by_record(connection, source_id, [number]).values()
    ]
    if not found:
        raise UnknownNameError(
            f"{text} is not known here",
            remedy="check the id; a record that was never read is brought in by "
            f"crm-sync resync NAME --id {text}",
        )
    if len(found) > 1:
        raise WrongUseError(
            f"{text} is ambiguous", remedy=f"write one of: {', '.join(names_of(world, found))}"
        )
    return found[0]


def alike(
    world: World, connection: Connection, entities: Collection[int]
) -> dict[int, list[LinkRow]]:
    """Entity -> its live links."""
    found: dict[int, list[LinkRow]] = {number: [] for number in entities}
    for link in world.store.links.of_entities(connection, entities):
        if link.state is LinkState.LIVE:
            found[link.entity_id or 0].append(link)
    return found
