"""What a run did, how things stand, what waits: gathered from the state, shown as tables."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from connectors import Action
from sync_engine.engine import Run
from sync_engine.engine.decide import difference
from sync_engine.engine.references import resolve
from sync_engine.models import Kind, LinkState, Owes
from sync_engine.service import Service
from sync_engine.store import IssueRow

SAMPLES = 3  #: of each side and class
DONE, PARTLY, WAITS = 0, 3, 4  #: exit codes, see cli.Exit

#: issue -> what a person is told about it
MEANINGS = {
    "identity": "records that may be one person: same or different?",
    "possible duplicate": "not created, since somebody there looks like them",
    "required value missing": "not created, since a required value is missing",
    "rejected": "refused by the system",
    "stored differently": "a system keeps our value in another form; it is left so",
    "surplus record": "a second record of one person in one system",
    "lead left as past": "a lead of somebody who is a customer now; left as it is",
    "type changed": "a profile turned customer by itself; nothing was converted elsewhere",
    "customer became lead": "a customer was turned back into a lead; held",
    "conversion without customer side": "converted, but no sync keeps the customers there",
    "listing lacks records": "a full listing lacks improbably many records; nothing was deleted",
    "guard": "an improbable number of changes; waits for release",
    "conflict": "two edits differ; the policy asks a person",
    "parked": "given up after eight tries, until its values change",
    "deleted here, edited there": "deleted on one side, edited on another; kept",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One run, per side."""

    sync: str
    waiting: tuple[str, ...]  #: syncs that wait for their first release
    stopped: bool
    rows: tuple[dict[str, Any], ...]
    counts: dict[str, int]
    issues: dict[str, int]
    down: dict[str, str]
    calls: dict[str, int]  #: instance -> API calls of this process
    conflicts: dict[str, int]  #: field -> values of this run that differed
    samples: tuple[dict[str, Any], ...] = ()  #: of what waits for the first release

    @property
    def exit_code(self) -> int:
        if self.waiting or self.stopped:
            return WAITS
        failed = any(
            number for name, number in self.counts.items() if name.endswith((" rejected", " retry"))
        )
        return PARTLY if failed or self.down else DONE

    def as_json(self) -> dict[str, Any]:
        return {
            "sync": self.sync,
            "waiting_for_release": list(self.waiting),
            "stopped_by_guard": self.stopped,
            "sides": list(self.rows),
            "counts": self.counts,
            "conflicts": self.conflicts,
            "issues": self.issues,
            "calls": self.calls,
            "down": self.down,
            "samples": list(self.samples),
        }

    def show(self) -> None:
        console = Console()
        console.print(sides_table(self.rows))
        if self.samples:
            console.print(_samples_table(self.samples))
        if self.conflicts:
            told = ", ".join(f"{name} {number}" for name, number in self.conflicts.items())
            console.print(f"Conflicts settled by precedence, losers kept: {told}")
        spent = ", ".join(f"{name} {number}" for name, number in self.calls.items())
        console.print(f"API calls: {spent}" + (f"; {self._cost()}" if self.waiting else ""))
        for instance, why in self.down.items():
            console.print(f"[bold red]{instance} was left out:[/] {why}")
        for what, number in self.issues.items():
            console.print(f"{number} x {what}: {MEANINGS.get(what, '')}")
        if self.waiting:
            names = ", ".join(self.waiting)
            console.print(
                f"\n[bold]Nothing has been written yet for {names}.[/] A first sync stops here: "
                f"read the numbers above, then let it go on with\n"
                + "\n".join(f"  crm-sync release {name}" for name in self.waiting)
            )
        elif self.stopped:
            console.print("\n[bold]The guard has stopped improbable changes.[/] See issues list.")

    def _cost(self) -> str:
        writes = Counter[str]()
        for row in self.rows:
            writes[row["instance"]] += row["to create"] + row["to update"]
        planned = ", ".join(f"{name} {number}" for name, number in writes.items() if number)
        return f"writes to come: {planned or 'none'} (a call each at most, and look-ups)"


def sides_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Per side: what it holds and what happened to it; columns that say nothing are left out."""
    table = plain_table("Per system", "kind", "side")
    numbers = [
        column
        for column in (rows[0] if rows else ())
        if column not in ("kind", "instance", "object") and any(row[column] for row in rows)
    ]
    for column in numbers:
        table.add_column(column, justify="right")
    for row in rows:
        side = f"{row['instance']}/{row['object']}"
        table.add_row(row["kind"], side, *(str(row[column] or "") for column in numbers))
    return table


def plain_table(title: str, *columns: str) -> Table:
    """A table that fits a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _samples_table(samples: Sequence[dict[str, Any]]) -> Table:
    table = plain_table("What it would do, for example", "side", "does", "record", "fields")
    for one in samples:
        record = one["record"] or "a new one, from " + " and ".join(one["from"])
        table.add_row(one["side"], one["does"], record, ", ".join(one["fields"]))
    return table


def unreleased(service: Service, name: str | None) -> list[str]:
    """Syncs, of those meant, that have never been let go."""
    with service.store.reading() as connection:
        rows = service.store.registry.syncs(connection)
    return [
        row.name for row in rows.values() if row.released_at is None and name in (None, row.name)
    ]


def of_run(service: Service, run: Run, name: str | None) -> Summary:
    """What a run did and left."""
    with service.store.reading() as connection:
        issues = service.store.registry.count_issues(connection)
        conflicts = service.store.entities.conflicts(connection, [run.id])
    waiting = tuple(unreleased(service, name))
    return Summary(
        sync=name or "all",
        waiting=waiting,
        stopped=bool(run.counts["stopped"]),
        rows=tuple(_side_rows(service, run.counts)),
        counts={key: number for key, number in sorted(run.counts.items()) if number},
        issues=issues,
        down=dict(service.world.down),
        calls=dict(sorted(service.calls.items())),
        conflicts=dict(Counter(sorted(row.field_name or "" for row in conflicts))),
        samples=tuple(one for sync in waiting for one in _samples(service, sync)),
    )


def _samples(service: Service, name: str) -> Iterator[dict[str, Any]]:
    """A few of the writes that a sync owes: records and fields, no values."""
    world, store = service.world, service.store
    sync = next(one for one in world.syncs.values() if one.name == name)
    with store.reading() as connection:
        for source in world.of_kind(sync.kind):
            for classes in ((Owes.CREATE,), (Owes.UPDATE, Owes.CLEAR)):
                links = store.links.owing(
                    connection, source.id, sync.kind, world.clock.now(), SAMPLES, classes
                )
                ids = {link.entity_id for link in links if link.entity_id is not None}
                entities = store.entities.by_id(connection, ids)
                references = resolve(world, connection, sync.kind, entities.values(), links)
                known = store.links.of_entities(connection, ids)
                for link in links:
                    entity = entities[link.entity_id or 0]
                    seen = link.seen or dict.fromkeys(entity.golden)
                    fields = difference(world, references, source, entity, link, seen)
                    yield {
                        "side": source.name,
                        "does": "create" if link.owes is Owes.CREATE else "update",
                        "record": link.record_id,
                        "from": [
                            _name(service, other)
                            for other in known
                            if other.entity_id == entity.id and other.state is LinkState.LIVE
                        ],
                        "fields": sorted(fields),
                    }


def rows_of(service: Service, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Per side: what it holds now and what these runs did to it."""
    return _side_rows(service, sum((run.counts for run in runs), Counter[str]()))


def wrote(run: Run) -> bool:
    """Whether a run wrote to any system."""
    return any(name.endswith(" done") for name, number in run.counts.items() if number)


def _side_rows(service: Service, counts: Counter[str]) -> list[dict[str, Any]]:
    store = service.store
    with store.reading() as connection:
        states = store.links.counts(connection)
        owed = {s.id: store.links.owed(connection, s.id) for s in service.world.sources}
        held = Counter(
            (issue.source_id, issue.what)
            for issue in store.registry.issues(
                connection, whats=("possible duplicate", "required value missing", "rejected")
            )
        )
    rows = []
    for kind, sync in sorted(service.world.syncs.items()):
        for source in service.world.of_kind(kind):

            def of(*wanted: LinkState, source_id: int = source.id, kind: Kind = kind) -> int:
                return sum(states.get((source_id, kind, state), 0) for state in wanted)

            def wrote(
                action: str, source_name: str = source.name, kind_name: str = sync.name
            ) -> int:
                return counts[f"{kind_name} {source_name} {action} done"]

            rows.append(
                {
                    "kind": kind.name.lower(),
                    "instance": source.instance,
                    "object": source.object,
                    "linked": of(LinkState.LIVE),
                    "past": of(LinkState.CONVERTED, LinkState.MERGED, LinkState.GONE),
                    "asked": of(LinkState.ASKED, LinkState.SURPLUS),
                    "to create": owed[source.id].get((kind, Owes.CREATE), 0),
                    "to update": sum(
                        owed[source.id].get((kind, owes), 0) for owes in (Owes.UPDATE, Owes.CLEAR)
                    ),
                    "created": wrote(Action.CREATE),
                    "updated": wrote(Action.UPDATE) + wrote(Action.CONVERT),
                    "possible duplicates": held[source.id, "possible duplicate"],
                    "held": held[source.id, "required value missing"] + held[source.id, "rejected"],
                }
            )
    return rows


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand."""

    rows: tuple[dict[str, Any], ...]
    sources: tuple[dict[str, Any], ...]
    issues: dict[str, int]
    waiting: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "sides": list(self.rows),
            "sources": list(self.sources),
            "issues": self.issues,
            "waiting_for_release": list(self.waiting),
        }

    def show(self) -> None:
        console = Console()
        console.print(sides_table(self.rows))
        for source in self.sources:
            read = source["read"]
            when = f"{read:%Y-%m-%d %H:%M:%S} UTC" if read else "never"
            console.print(f"{source['source']}: last read {when}", highlight=False)
        for what, number in self.issues.items():
            console.print(f"{number} x {what}: {MEANINGS.get(what, '')}")
        for name in self.waiting:
            console.print(f"{name} has not been released: crm-sync release {name}")
        if not self.issues and not self.waiting:
            console.print("All is well: nothing waits for a person.")


def status(service: Service) -> Status:
    """How things stand, from the state alone."""
    with service.store.reading() as connection:
        rows = {row.id: row for row in service.store.registry.sources(connection)}
        issues = service.store.registry.count_issues(connection)
    sources = tuple(
        {
            "source": source.name,
            "listed": rows[source.id].listed_at,
            "read": rows[source.id].checked_at,
        }
        for source in service.world.sources
    )
    return Status(
        tuple(_side_rows(service, Counter())), sources, issues, tuple(unreleased(service, None))
    )


@dataclass(frozen=True, slots=True)
class Issues:
    """What waits for a person, by cause."""

    groups: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"what": what, "cause": cause, "meaning": MEANINGS.get(what, ""), "issues": found}
            for (what, cause), found in self.groups.items()
        ]

    def show(self) -> None:
        console = Console()
        if not self.groups:
            console.print("Nothing waits for a person.")
        for (what, cause), found in self.groups.items():
            # several records of one question are one line for a person
            questions = list({frozenset(issue["records"]): issue for issue in found}.values())
            console.print(f"[bold]{len(questions)} x {what}[/]{f' ({cause})' if cause else ''}")
            console.print(f"  {MEANINGS.get(what, '')}")
            for issue in questions[:SAMPLES]:
                since = f"{issue['opened_at']:%Y-%m-%d %H:%M}"
                for record in issue["records"]:
                    console.print(f"  {since:16}  {record}", highlight=False)
                    since = ""
            if len(questions) > SAMPLES:
                console.print(f"  and {len(questions) - SAMPLES} more (--json lists all)")


def issues(service: Service) -> Issues:
    """What waits for a person; records are named, their values are not shown."""
    with service.store.reading() as connection:
        rows = service.store.registry.issues(connection)
        links = {number for row in rows for number in _links_of(row)}
        named = service.store.links.by_id(connection, links)
        entities = {row.entity_id for row in rows if row.entity_id is not None}
        owned: dict[int, list[str]] = {}
        for link in service.store.links.of_entities(connection, entities):
            if link.state is LinkState.LIVE and link.record_id:
                owned.setdefault(link.entity_id or 0, []).append(_name(service, link))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        records = [_name(service, named[n]) for n in _links_of(row) if n in named]
        records = records or owned.get(row.entity_id or 0, [])
        groups.setdefault((row.what, row.cause), []).append(
            {
                "id": row.id,
                "records": records,
                "field": row.field_name,
                "source": service.world.source(row.source_id).name if row.source_id else None,
                "opened_at": row.opened_at,
            }
        )
    return Issues(dict(sorted(groups.items())))


def _links_of(row: IssueRow) -> list[int]:
    own = [row.link_id] if row.link_id is not None else []
    return own + list(row.detail.get("with", [])) + list(row.detail.get("links", []))


def _name(service: Service, link: Any) -> str:
    return f"{service.world.source(link.source_id).name}:{link.record_id or 'not created yet'}"
