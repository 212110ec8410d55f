"""What a run did, line by line, from the state it left: the same for a plan and a real run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from sync_engine.engine import World
from sync_engine.engine.references import reference_fields
from sync_engine.engine.world import DELETE_WAITS
from sync_engine.models import Happened, Kind, LinkState, Owes, SentResult
from sync_engine.operations.records import name_of, names_of
from sync_engine.operations.shapes import FieldChange, Line
from sync_engine.store import EntityRow, HistoryRow, IssueRow, LinkRow, SentRow

_TELLS = {
    Happened.LINKED: "link",
    Happened.UNLINKED: "unlink",
    Happened.MERGED: "merge",
    Happened.CONVERTED: "became customer",
    Happened.LEFT: "leave",
    Happened.ENTERED: "enter",
}
_CREATES = "create"
_ASKS = ("identity", "possible duplicate", "conflict", DELETE_WAITS)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Everything that the lines of one run speak of."""

    sent: list[SentRow]
    told: list[HistoryRow]
    issues: list[IssueRow]
    links: Mapping[int, LinkRow]
    entities: Mapping[int, EntityRow]
    words: Mapping[int, Mapping[str, HistoryRow]]
    like: Mapping[int, list[LinkRow]]


def lines_of(
    world: World, connection: Connection, run_id: int, standing: Kind | None = None
) -> list[Line]:
    """Links and merges, then writes side by side, then what was held back.

    With ``standing`` also what is held back of that kind since earlier runs.
    """
    found = _gather(world, connection, run_id, since=run_id if standing is None else 0)
    lines = [_happening(world, found, row) for row in found.told if _is_telling(row)]
    lines += [_write(world, found, row) for row in found.sent]
    for issue in found.issues:
        if issue.id > run_id or _kind_of(found, issue) is standing:
            lines.append(_held(world, found, issue))
    return lines


def _kind_of(found: _Gathered, issue: IssueRow) -> Kind | None:
    about = found.entities.get(issue.entity_id or 0) or found.links.get(issue.link_id or 0)
    return about.kind if about else None


def _gather(world: World, connection: Connection, run_id: int, since: int) -> _Gathered:
    store = world.store
    sent = store.writes.of_runs(connection, [run_id])
    told = store.entities.of_run(connection, run_id)
    issues = [issue for issue in store.issues.all(connection) if issue.id > since]
    numbers = {row.link_id for row in sent}
    numbers |= {row.link_id for row in told if row.link_id is not None}
    numbers |= {issue.link_id for issue in issues if issue.link_id is not None}
    links = store.links.by_id(connection, numbers)
    owners = {link.entity_id for link in links.values() if link.entity_id is not None}
    owners |= {issue.entity_id for issue in issues if issue.entity_id is not None}
    like: dict[int, list[LinkRow]] = {number: [] for number in owners}
    for link in store.links.of_entities(connection, owners):
        if link.state is LinkState.LIVE:
            like[link.entity_id or 0].append(link)
    return _Gathered(
        sent=sent,
        told=told,
        issues=issues,
        links=links,
        entities=store.entities.by_id(connection, owners),
        words=store.entities.last_words(connection, owners),
        like=like,
    )


def _is_telling(row: HistoryRow) -> bool:
    """A record that became a person of its own is no line: nothing was joined."""
    return row.what in _TELLS and (row.what is not Happened.LINKED or row.rule is not None)


def _happening(world: World, found: _Gathered, row: HistoryRow) -> Line:
    link = found.links.get(row.link_id or 0)
    return Line(
        does=_TELLS[row.what],
        side=world.source(link.source_id).name if link else None,
        record=name_of(world, link) if link else None,
        entity=str(row.entity_id),
        like=_others(world, found, row.entity_id, link),
        rule=row.rule,
    )


def _write(world: World, found: _Gathered, row: SentRow) -> Line:
    link = found.links[row.link_id]
    source = world.source(row.source_id)
    entity = found.entities[link.entity_id or 0]
    is_create = row.action == _CREATES
    # a create that landed keeps no values of its own: the record shows them
    values = {n: v for n, v in (link.seen or {}).items() if v is not None} if is_create else {}
    words = found.words.get(entity.id, {})
    fields = [
        FieldChange(
            field=name,
            old=row.before.get(name),
            new=value,
            rule=words[name].rule if name in words else None,
            by=words[name].by if name in words else None,
        )
        for name, value in sorted((row.values or values).items())
    ]
    exists = not is_create or row.result is SentResult.DONE
    return Line(
        does="clear" if row.risk is Owes.CLEAR else row.action,
        side=source.name,
        record=name_of(world, link) if exists and link.record_id else None,
        entity=str(entity.id),
        like=_others(world, found, entity.id, link),
        fields=_with_names(world, found, entity, fields),
        answer=_answer(row),
    )


def _with_names(
    world: World, found: _Gathered, entity: EntityRow, fields: Iterable[FieldChange]
) -> list[FieldChange]:
    """References are told as the record that they stand for."""
    refs = reference_fields(world, entity.kind)
    return [
        one.model_copy(update={"old": None, "new": f"entity {one.new}"})
        if one.field in refs and one.new is not None
        else one
        for one in fields
    ]


def _answer(row: SentRow) -> str | None:
    if row.result is SentResult.DONE:
        return None
    if row.result is None:
        return "unanswered; it may have landed"
    return f"{row.result.name.lower()}: {row.reason}" if row.reason else row.result.name.lower()


def _held(world: World, found: _Gathered, issue: IssueRow) -> Line:
    link = found.links.get(issue.link_id or 0)
    source_id = issue.source_id or (link.source_id if link else None)
    fields = [issue.field_name] if issue.field_name else issue.detail.get("fields", [])
    return Line(
        does="ask" if issue.what in _ASKS else "hold",
        side=world.source(source_id).name if source_id else None,
        record=name_of(world, link) if link else None,
        entity=str(issue.entity_id) if issue.entity_id else None,
        like=_others(world, found, issue.entity_id, link),
        rule=f"{issue.what}: {issue.cause}" if issue.cause else issue.what,
        fields=[FieldChange(field=name) for name in fields],
    )


def _others(
    world: World, found: _Gathered, entity_id: int | None, link: LinkRow | None
) -> list[str]:
    others = found.like.get(entity_id or 0, [])
    return names_of(world, [one for one in others if link is None or one.id != link.id])
