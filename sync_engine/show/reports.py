"""A run, how things stand, what waits."""

from collections.abc import Mapping, Sequence

from sync_engine.operations.meanings import meaning
from sync_engine.operations.shapes import (
    Handshake,
    IssueDetail,
    IssueGroup,
    RunLine,
    RunReport,
    Status,
)
from sync_engine.show.tables import number_of, plain_table, show_sides, told
from sync_engine.show.terminal import Terminal

SHOWN = 3  #: issues of a group


def show_run(report: RunReport) -> None:
    console = Terminal()
    show_sides(console, report.sides)
    if report.samples:
        table = plain_table("What it would do, for example", "side", "does", "record", "fields")
        for one in {(one.side, one.does): one for one in reversed(report.samples)}.values():
            record = one.record or f"a new one, like {one.like[0]}"
            table.add_row(one.side, one.does, record, ", ".join(one.fields))
        console.print(table)
    if report.conflicts:
        console.print(f"Conflicts settled by precedence, losers kept: {_named(report.conflicts)}")
    console.print(f"API calls: {_named(report.calls)}")
    for instance, why in report.down.items():
        words = f"{instance} was left out, so its rows are as before:"
        console.head(words, f" {why}", style="bold red")
    if report.unread:
        console.print(
            f"Nothing is matched with or created in {', '.join(report.unread)} before it has been "
            "read whole; on a first sync nothing at all."
        )
    _show_counts(console, report.issues)
    if report.first:
        _show_handshake(console, report, report.first)
    elif report.stopped_by_guard:
        console.print(f"What waits costs these API calls at most: {_named(report.cost)}")
        console.print()
        console.head(
            "The guard has stopped improbable changes:",
            " everything else went on. Look at them with crm-sync plan NAME.\n"
            + "\n".join(f"  {told}" for told in report.guard),
        )


def _show_handshake(console: Terminal, report: RunReport, found: Handshake) -> None:
    """What a person must know before saying yes, and how to say it."""
    waiting = report.waiting_for_release
    rows = [row for row in report.sides if row.sync in waiting]
    console.print()
    console.head(
        f"Nothing has been written yet for {', '.join(waiting)}.", " A first sync stops here."
    )
    lines = [
        ("in several systems", f"{found.shared} people and companies"),
        ("  records linked by", _named(found.rules)),
        ("in one system only", str(found.alone)),
        ("would be created", number_of(sum(row.to_create for row in rows), "record")),
        ("would be changed", number_of(sum(row.to_update for row in rows), "record")),
        ("API calls, at most", f"{sum(report.cost.values())}: {_named(report.cost)}"),
        ("left as they are", f"{sum(report.issues.values())} until a person has decided"),
    ]
    for what, number in lines:
        console.print(f"  {what:<20}{number}")
    if found.alone and not found.shared:
        console.head(
            "No record was found on two sides.",
            " If these systems know the same people, releasing would double them: see first which "
            "fields are mapped, and region for phone numbers.",
            style="bold red",
        )
    first = waiting[0]
    steps = [
        (f"crm-sync plan {first}", "every write, field by field; sends nothing"),
        ("crm-sync issues list", "what waits for a person; better answered now than after"),
        *((f"crm-sync release {name}", "let it go on") for name in waiting),
    ]
    console.print("Next:")
    for command, why in steps:
        console.print(f"  {command:<30}{why}")


def _named(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items()) or "none"


def show_status(status: Status) -> None:
    console = Terminal()
    console.head(status.summary, style="bold green" if status.well else "bold yellow")
    instances = plain_table("Instances", "name", "state", "organization", "calls today", "budget")
    for one in status.instances:
        state = one.state if one.failure is None else f"{one.state}; {one.failure}"
        budget = f"{one.budget_used} of {one.budget_limit}" if one.budget_limit else ""
        calls = str(one.calls_today or "")
        instances.add_row(one.name, state, one.organization or "not asked yet", calls, budget)
    console.print(instances)
    numbers = ("held", "parked", "conflicts\ntoday")
    syncs = plain_table(
        "Syncs, times in UTC", "name", "state", "last run", "next run", "backlog", *numbers
    )
    for sync in status.syncs:
        last = f"{sync.last_run:%Y-%m-%d %H:%M:%S}" if sync.last_run else "never"
        next_run = f"{sync.next_run:%H:%M:%S}" if sync.next_run else sync.schedule
        backlog = str(sync.backlog or "")
        if sync.oldest_unsent:
            backlog += f" since {sync.oldest_unsent:%H:%M:%S}"
        counts = (sync.held, sync.parked, sync.conflicts_today)
        told_counts = (str(number or "") for number in counts)
        syncs.add_row(sync.name, sync.state, last, next_run, backlog, *told_counts)
    console.print(syncs)
    show_sides(console, status.sides)
    for source in status.sources:
        when = f"{source.read_at:%Y-%m-%d %H:%M:%S} UTC" if source.read_at else "never"
        console.print(f"{source.source}: last read {when}")
    _show_counts(console, status.issues)


def show_runs(runs: Sequence[RunLine]) -> None:
    table = plain_table("Runs", "run", "sync", "started", "seconds", "what it did")
    for run in runs:
        seconds = (
            f"{(run.finished_at - run.started_at).total_seconds():.1f}"
            if run.finished_at
            else "cut off or going on"
        )
        did = ", ".join(f"{name} {number}" for name, number in run.counts.items())
        table.add_row(run.run, run.sync, f"{run.started_at:%Y-%m-%d %H:%M:%S}", seconds, did)
    Terminal().print(table)


def show_groups(groups: Sequence[IssueGroup], *, every: bool = False) -> None:
    console = Terminal()
    if not groups:
        console.print("Nothing waits for a person.")
    for group in groups:
        cause = f" ({group.cause})" if group.cause else ""
        console.head(f"{group.count} x {group.what}", cause)
        console.print(f"  {group.meaning}")
        console.print(f"  remedy: {group.remedy}", style="dim")
        for issue in group.issues if every else group.issues[:SHOWN]:
            where = f", for {' and '.join(issue.sides)}" if issue.sides else ""
            field = f", {issue.field}" if issue.field else ""
            shows = [
                f"{word} {', '.join(names)}"
                for word, names in (("alike:", issue.agree), ("differ:", issue.differ))
                if names
            ]
            since = f"since {issue.opened_at:%Y-%m-%d %H:%M}"
            console.print(f"  {issue.id}  {since}{where}{field}")
            for record in issue.records:
                console.print(f"    {record}")
            if shows:
                console.print(f"    {'; '.join(shows)}", style="dim")
        if group.count > SHOWN and not every:
            console.print(f"  and {group.count - SHOWN} more (--all or --json lists them)")


def show_issue(found: IssueDetail) -> None:
    console = Terminal()
    issue = found.issue
    console.head(issue.what, f" {issue.cause}")
    console.print(f"  {found.meaning}\n  remedy: {found.remedy}")
    for name, value in found.detail.items():
        console.print(f"  {name}: {value}")
    if not found.sides:
        return
    table = plain_table("Side by side", "field", *(side.record for side in found.sides))
    names = sorted({name for side in found.sides for name in side.values})
    table.add_row("(state)", *(side.state for side in found.sides))
    for name in names:
        values = [side.values.get(name) for side in found.sides]
        if any(value is not None for value in values):
            differs = len({told(value) for value in values}) > 1
            style = "bold yellow" if differs else None
            table.add_row(name, *(told(value) for value in values), style=style)
    console.print(table)


def _show_counts(console: Terminal, issues: dict[str, int]) -> None:
    for what, number in issues.items():
        console.print(f"{number_of(number, 'issue')}: {what}: {meaning(what).says}")
