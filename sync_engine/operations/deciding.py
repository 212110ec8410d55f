"""What people decide: same or different, whose value, once more. Bulk decisions are shown first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from sync_engine.engine import new_run, verdicts
from sync_engine.engine.decide import decide_entities
from sync_engine.engine.rereading import try_again
from sync_engine.models import LinkState
from sync_engine.operations.issues import ABOUT_ENTITIES, asked, links_of, one, question_of
from sync_engine.operations.meanings import meaning
from sync_engine.operations.records import (
    UnknownNameError,
    WrongUseError,
    find,
    name_of,
    names_of,
)
from sync_engine.operations.shapes import Resolution
from sync_engine.service import Service
from sync_engine.store import IssueRow, LinkRow

KEEPS = ("newest", "oldest", "most-complete")
#: what is said of a delete that waits -> what follows
_ON_DELETES = {
    "approve": "the others end with the next cycle, unless somebody edits them before",
    "refuse": "nothing follows; the others stay",
}
_RETRIED = ("rejected", "does not fit", "not stored", "parked")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of an issue."""

    says: str  #: same, different, later, seen, take, convert, approve, refuse
    keep: str | None = None  #: which of several records of one system stays: one of KEEPS
    take: str | None = None  #: the instance whose value is right, or ``golden``


def verdict_of(said: Sequence[str], keep: str | None, take: str | None) -> Verdict:
    """One verdict from what was said. Raises WrongUseError."""
    if len(said) != 1:
        raise WrongUseError(
            "say one of --same, --different, --later, --seen, --convert, --approve, --refuse, "
            "--take INSTANCE",
            remedy="crm-sync issues show ID tells what an issue takes",
        )
    if keep is not None and (keep not in KEEPS or said[0] != "same"):
        raise WrongUseError(
            f"--keep {keep} cannot be meant", remedy=f"with --same: one of {', '.join(KEEPS)}"
        )
    return Verdict(said[0], keep, take)


def resolve(
    service: Service, number: int, verdict: Verdict, by: str, *, carry_out: bool = True
) -> Resolution:
    """Answer one issue. Raises WrongUseError where that is no answer to it."""
    with service.store.transaction() as connection:
        question = question_of(service, connection, number)
        return _answer(service, connection, question, verdict, by, carry_out)


def resolve_group(
    service: Service, what: str, cause: str | None, verdict: Verdict, by: str, *, carry_out: bool
) -> list[Resolution]:
    """Answer all issues of one cause alike, each question once; without ``carry_out`` only tell."""
    with service.store.reading() as connection:
        rows = [
            row
            for row in service.store.issues.all(connection, whats=(what,))
            if cause in (None, row.cause)
        ]
        questions = asked(service, connection, rows)
    if not rows:
        raise UnknownNameError(
            f"nothing of that sort waits: {what}", remedy="see crm-sync issues list"
        )
    found = []
    for question in questions:
        with service.store.transaction() as connection:
            still = {issue.id for issue in service.store.issues.all(connection, whats=(what,))}
            # an answer to one may have settled another
            if any(row.id in still for row in question):
                found.append(_answer(service, connection, question, verdict, by, carry_out))
    return found


def retry(service: Service, number: int) -> Resolution:
    """Try what was refused or parked once more, with the next cycle. Raises WrongUseError."""
    with service.store.reading() as connection:
        issue = one(service, connection, number)
        if issue.what not in _RETRIED or issue.link_id is None:
            raise WrongUseError(f"{issue.what} is not retried", remedy=meaning(issue.what).remedy)
        link = service.store.links.by_id(connection, [issue.link_id])[issue.link_id]
    try_again(service.world, [link.id])
    with service.store.transaction() as connection:
        service.store.issues.close(connection, service.clock.now(), [issue.id])
    name = name_of(service.world, link)
    return _told(issue, "retry", [name], "tried again with the next cycle", True)


def link(service: Service, left: str, right: str, by: str) -> Resolution:
    """Two records are one person or company."""
    with service.store.transaction() as connection:
        links = _pair(service, connection, left, right)
        _one_kind(service, links)
        run = new_run(service.world, "link")
        verdicts.same(service.world, connection, run, links, by)
    return _plain("same", names_of(service.world, links), "one person or company from now on")


def keep_apart(service: Service, left: str, right: str, by: str) -> Resolution:
    """Two records are never one."""
    with service.store.transaction() as connection:
        one_link, other = _pair(service, connection, left, right)
        run = new_run(service.world, "keep-apart")
        verdicts.different(service.world, connection, run, [one_link], [other], by)
    names = names_of(service.world, (one_link, other))
    return _plain("different", names, "never linked; parted if they were")


def unlink(service: Service, record: str, by: str) -> Resolution:
    """A record is left alone from now on. Raises WrongUseError."""
    with service.store.transaction() as connection:
        found = find(service.world, connection, record)
        if not verdicts.joinable(found) or found.state is LinkState.IGNORED:
            state = found.state.name.lower()
            raise WrongUseError(f"{record} is {state}", remedy="there is nothing to unlink")
        verdicts.unlink(service.world, connection, new_run(service.world, "unlink"), found, by)
    name = name_of(service.world, found)
    return _plain("unlink", [name], "neither read nor written from now on; its place is kept")


def _answer(
    service: Service,
    connection: Connection,
    question: Sequence[IssueRow],
    verdict: Verdict,
    by: str,
    carry_out: bool,
) -> Resolution:
    issue = question[0]
    offered = meaning(issue.what).verdicts
    if verdict.says not in offered:
        options = ", ".join(f"--{name}" for name in offered)
        remedy = f"it takes {options}" if options else meaning(issue.what).remedy
        raise WrongUseError(f"--{verdict.says} does not answer: {issue.what}", remedy=remedy)
    if verdict.says in ("same", "different", "later"):
        return _identity(service, connection, question, verdict, by, carry_out)
    if verdict.says == "take":
        return _take(service, connection, question, verdict.take or "", carry_out)
    about = _rows(service, connection, links_of(issue))
    names = names_of(service.world, about)
    if verdict.says in _ON_DELETES:
        if carry_out:
            run, approved = new_run(service.world, "decision"), verdict.says == "approve"
            verdicts.follow_delete(service.world, connection, run, about[0], by, approved=approved)
            service.store.issues.close(connection, service.clock.now(), _numbers(question))
        return _told(issue, verdict.says, names, _ON_DELETES[verdict.says], carry_out)
    if verdict.says == "convert":
        if carry_out:
            run = new_run(service.world, "decision")
            verdicts.convert(service.world, connection, run, about[0], issue.entity_id or 0, by)
            service.store.issues.close(connection, service.clock.now(), _numbers(question))
        does = "a customer everywhere with the next cycle; its leads follow"
        return _told(issue, "convert", names, does, carry_out)
    if carry_out:
        service.store.issues.close(connection, service.clock.now(), _numbers(question))
    return _told(issue, "seen", names, "closed; nothing else changes", carry_out)


def _identity(
    service: Service,
    connection: Connection,
    question: Sequence[IssueRow],
    verdict: Verdict,
    by: str,
    carry_out: bool,
) -> Resolution:
    world, issue = service.world, question[0]
    named = dict.fromkeys(number for row in question for number in links_of(row))
    about = _rows(service, connection, list(named))
    if issue.what in ABOUT_ENTITIES:
        number = issue.entity_id or 0
        entity = world.store.entities.by_id(connection, [number])[number]
        mine = [
            row
            for row in world.store.links.of_entities(connection, [number])
            if row.state is LinkState.LIVE and row.kind is entity.kind
        ]
        about = [row for row in about if row.entity_id != number]
    else:
        mine, about = about[:1], about[1:]
    mine, about = _kept_first(mine, about, verdict.keep)
    names = names_of(world, (*mine, *about))
    if verdict.says == "later":
        if carry_out:
            verdicts.later(world, connection, mine, about, by)
        return _told(issue, "later", names, "not asked again; issues list --later", carry_out)
    run = new_run(world, "decision")
    if verdict.says == "different":
        if carry_out:
            verdicts.different(world, connection, run, mine, about, by)
            world.store.issues.close(connection, service.clock.now(), _numbers(question))
        return _told(issue, "different", names, "never linked", carry_out)
    links = [*mine, *about]
    _one_kind(service, links)
    if carry_out:
        verdicts.same(world, connection, run, links, by)
        world.store.issues.close(connection, service.clock.now(), _numbers(question))
    first = name_of(world, links[0])
    return _told(issue, "same", names, f"one person or company; {first} stays", carry_out)


def _kept_first(
    mine: list[LinkRow], about: list[LinkRow], keep: str | None
) -> tuple[list[LinkRow], list[LinkRow]]:
    """The record that stays, where several stand in one system, comes first."""
    if keep is None:
        return mine, about
    ranked = sorted((*mine, *about), key=_RANKS[keep], reverse=keep != "oldest")
    return ranked[:1], ranked[1:]


def _age(link: LinkRow) -> tuple[float, int]:
    return (link.modified_at.timestamp() if link.modified_at else 0.0, link.id)


def _fullness(link: LinkRow) -> tuple[int, int]:
    return (sum(value is not None for value in (link.seen or {}).values()), -link.id)


_RANKS = {"newest": _age, "oldest": _age, "most-complete": _fullness}


def _take(
    service: Service,
    connection: Connection,
    question: Sequence[IssueRow],
    side: str,
    carry_out: bool,
) -> Resolution:
    """A person says whose value of a field is right."""
    world, issue = service.world, question[0]
    links = [
        row
        for row in world.store.links.of_entities(connection, [issue.entity_id or 0])
        if row.state is LinkState.LIVE
    ]
    sides = {world.source(row.source_id).instance: row for row in links}
    if side != "golden" and side not in sides:
        raise WrongUseError(
            f"{side} has no record of it", remedy=f"take one of: {', '.join(sides)}, golden"
        )
    names = names_of(world, links)
    if not carry_out:
        return _told(issue, f"take {side}", names, f"{issue.field_name} as in {side}", False)
    entity = issue.entity_id or 0
    world.store.issues.close(connection, service.clock.now(), _numbers(question))
    run = new_run(world, "decision", None if side == "golden" else side)
    run.scope, run.only = {entity}, issue.field_name
    run.store(world, connection)
    if side == "golden":  # the others are written over
        name = issue.field_name or ""
        for row in links:
            if row.held.pop(name, None) is not None:
                row.base[name] = (row.seen or {}).get(name)
        world.store.links.save(connection, links)
    decide_entities(world, world.syncs[links[0].kind], run, connection, [entity])
    return _told(issue, f"take {side}", names, f"{issue.field_name} as in {side}", True)


def _numbers(question: Sequence[IssueRow]) -> list[int]:
    return [row.id for row in question]


def _rows(service: Service, connection: Connection, numbers: Sequence[int]) -> list[LinkRow]:
    found = service.store.links.by_id(connection, numbers)
    return [found[number] for number in numbers if number in found]


def _pair(service: Service, connection: Connection, left: str, right: str) -> list[LinkRow]:
    links = [find(service.world, connection, name) for name in (left, right)]
    if links[0].id == links[1].id:
        raise WrongUseError(f"{left} and {right} are one record", remedy="name two")
    for name, row in zip((left, right), links, strict=True):
        if not verdicts.joinable(row):
            state = row.state.name.lower()
            raise WrongUseError(f"{name} is {state}", remedy="name a record that exists")
    return links


def _one_kind(service: Service, links: Sequence[LinkRow]) -> None:
    if len({row.kind for row in links}) > 1:
        told = ", ".join(f"{name_of(service.world, k)} is a {k.kind.name.lower()}" for k in links)
        raise WrongUseError(told, remedy="leads match leads, customers match customers")


def _told(
    issue: IssueRow, verdict: str, records: list[str], does: str, carried_out: bool
) -> Resolution:
    return Resolution(
        issue=str(issue.id), verdict=verdict, records=records, does=does, carried_out=carried_out
    )


def _plain(verdict: str, records: list[str], does: str) -> Resolution:
    return Resolution(issue=None, verdict=verdict, records=records, does=does, carried_out=True)
