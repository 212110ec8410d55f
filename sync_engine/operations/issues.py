"""What waits for a person: grouped by cause, one by one with both values side by side."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.engine import Connection

from sync_engine.identifiers import NoKeys
from sync_engine.models import LinkState
from sync_engine.operations.meanings import Meaning, meaning, refused, stopped
from sync_engine.operations.records import UnknownNameError, name_of
from sync_engine.operations.shapes import Issue, IssueDetail, IssueGroup, RecordValues
from sync_engine.resemblance import Evidence, evidence
from sync_engine.service import Service
from sync_engine.store import IssueRow, LinkRow

#: issues in which a person who has an entity meets records that stand in the way
ABOUT_ENTITIES = ("possible duplicate", "converted before")


def grouped(service: Service, *, later: bool = False) -> list[IssueGroup]:
    """All open issues by what and cause; records are named, their values are not shown.

    What a person has put off is no question any more; with ``later`` it alone is listed.
    """
    with service.store.reading() as connection:
        rows = service.store.issues.all(connection)
        off = put_off(service, connection, rows)
        rows = [row for row in rows if (row.id in off) is later]
        links = _links(service, connection, rows)
    groups: dict[tuple[str, str], list[list[IssueRow]]] = {}
    for several in _questions(rows, links):
        groups.setdefault((several[0].what, several[0].cause), []).append(several)
    return [
        IssueGroup(
            what=what,
            cause=cause,
            meaning="; ".join(dict.fromkeys(one.says for one in told)),
            remedy=told[0].remedy,
            count=len(found),
            issues=[_issue(service, several, links[several[0].id]) for several in found],
        )
        for (what, cause), found in sorted(groups.items())
        for told in [[meaning_of(service, several[0]) for several in found]]
    ]


def asked(
    service: Service, connection: Connection, rows: Collection[IssueRow]
) -> list[list[IssueRow]]:
    """The rows that one answer settles, together: each question once, as lists tell it."""
    return _questions(rows, _links(service, connection, rows))


def _questions(
    rows: Collection[IssueRow], links: Mapping[int, Sequence[LinkRow]]
) -> list[list[IssueRow]]:
    found: dict[tuple[str | int, ...], list[IssueRow]] = {}
    for row in rows:
        about = sorted(link.id for link in links[row.id]) or [row.id]
        question: tuple[str | int, ...] = (row.what, row.cause, row.field_name or "", *about)
        found.setdefault(question, []).append(row)
    return list(found.values())


def meaning_of(service: Service, row: IssueRow) -> Meaning:
    """What this very issue means, with what was seen."""
    if row.what == "guard":
        return stopped(row.detail, service.world.source(row.source_id or 0).name)
    return refused(row.detail) if row.what == "rejected" else meaning(row.what)


def counted(service: Service) -> dict[str, int]:
    """What -> how many questions of that sort are open."""
    found: dict[str, int] = {}
    for group in grouped(service):
        found[group.what] = found.get(group.what, 0) + group.count
    return found


def shown(service: Service, number: int) -> IssueDetail:
    """One issue with its records side by side. Raises WrongUseError."""
    with service.store.reading() as connection:
        several = question_of(service, connection, number)
        links = _links(service, connection, several[:1])[several[0].id]
    return _detail(service, several, links)


def _detail(
    service: Service, several: Sequence[IssueRow], links: Collection[LinkRow]
) -> IssueDetail:
    row = several[0]
    return IssueDetail(
        issue=_issue(service, several, links),
        meaning=meaning_of(service, row).says,
        remedy=meaning_of(service, row).remedy,
        detail={k: v for k, v in row.detail.items() if k not in ("with", "links")},
        sides=[
            RecordValues(
                record=name_of(service.world, link),
                state=link.state.name.lower(),
                modified_at=link.modified_at,
                values=dict(link.seen or {}),
            )
            for link in links
        ],
    )


def one(service: Service, connection: Connection, number: int) -> IssueRow:
    """An open issue. Raises WrongUseError."""
    rows = [r for r in service.store.issues.all(connection) if r.id == number]
    if not rows:
        raise UnknownNameError(
            f"there is no open issue {number}", remedy="see crm-sync issues list --json"
        )
    return rows[0]


def question_of(service: Service, connection: Connection, number: int) -> list[IssueRow]:
    """An open issue, then the rows that ask the same. Raises WrongUseError."""
    row = one(service, connection, number)
    alike = service.store.issues.all(connection, whats=(row.what,))
    for several in asked(service, connection, alike):
        if any(other.id == number for other in several):
            return [row, *(other for other in several if other.id != number)]
    raise AssertionError("an open issue is a question")


def links_of(row: IssueRow) -> list[int]:
    """The links an issue is about, the one in question first."""
    own = [row.link_id] if row.link_id is not None else []
    return own + list(row.detail.get("with", [])) + list(row.detail.get("links", []))


def _links(
    service: Service, connection: Connection, rows: Collection[IssueRow]
) -> dict[int, list[LinkRow]]:
    """Issue -> the records it is about; those of its entity where it names none."""
    store = service.store
    named = store.links.by_id(connection, {number for row in rows for number in links_of(row)})
    entities = {row.entity_id for row in rows if row.entity_id is not None}
    owned: dict[int, list[LinkRow]] = {number: [] for number in entities}
    for link in store.links.of_entities(connection, entities):
        if link.state is LinkState.LIVE and link.record_id:
            owned[link.entity_id or 0].append(link)
    found = {}
    for row in rows:
        about = [named[n] for n in links_of(row) if n in named]
        mine = owned[row.entity_id] if row.entity_id is not None else []
        # a record that is not there yet is told by those it is to be like
        if row.what in ABOUT_ENTITIES or all(link.record_id is None for link in about):
            about = [*mine, *about]
        found[row.id] = list({link.id: link for link in about or mine}.values())
    return found


def put_off(service: Service, connection: Connection, rows: Collection[IssueRow]) -> set[int]:
    """The issues, of these, of which a person has said *later*: they are not asked again.

    It was said of records, so a question that a further record joins is a new one.
    """
    asked = [row for row in rows if "later" in meaning(row.what).verdicts]
    said = service.store.issues.all_decisions(connection, ("later",)) if asked else ()
    if not said:
        return set()
    later = {
        frozenset(((one.left_source, one.left_record), (one.right_source, one.right_record)))
        for one in said
    }
    links = _links(service, connection, asked)
    found = set()
    for row in asked:
        named = set(links_of(row))
        mine = [link for link in links[row.id] if link.id not in named] or links[row.id][:1]
        others = [link for link in links[row.id] if link not in mine]
        if others and all(any(_pair(k, other) in later for k in mine) for other in others):
            found.add(row.id)
    return found


def _pair(left: LinkRow, right: LinkRow) -> frozenset[tuple[int, str]]:
    return frozenset((link.source_id, link.record_id or "") for link in (left, right))


def _issue(service: Service, rows: Sequence[IssueRow], links: Collection[LinkRow]) -> Issue:
    first, sides = rows[0], [row.source_id for row in rows if row.source_id]
    found = _evidence(rows, links, service.world.no_keys)
    return Issue(
        id=str(first.id),
        what=first.what,
        cause=first.cause,
        opened_at=first.opened_at,
        records=[name_of(service.world, link) for link in links],
        sides=[service.world.source(number).name for number in dict.fromkeys(sides)],
        field=first.field_name,
        agree=list(found.agree) if found else [],
        differ=list(found.differ) if found else [],
    )


def _evidence(rows: Sequence[IssueRow], links: Collection[LinkRow], no: NoKeys) -> Evidence | None:
    """What speaks for one person or company, and what against: of the first beside the others."""
    if "same" not in meaning(rows[0].what).verdicts or len(links) < 2:
        return None
    first, *others = (link.seen or {} for link in links)
    kind = next(iter(links)).kind.name.lower()
    told = [evidence(kind, first, other, no) for other in others]
    agree = [name for name in told[0].agree if all(name in one.agree for one in told)]
    differ = dict.fromkeys(name for one in told for name in one.differ)
    return Evidence(tuple(agree), tuple(differ))


def exported(service: Service) -> list[IssueDetail]:
    """Every question that is open, whole, for a file."""
    with service.store.reading() as connection:
        rows = service.store.issues.all(connection)
        links = _links(service, connection, rows)
    return [_detail(service, found, links[found[0].id]) for found in _questions(rows, links)]
