"""One person or company: history, explanation, decisions; and what a plan would do."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from sync_engine.operations.shapes import Explanation, FieldChange, History, Line, Plan, Resolution
from sync_engine.show.tables import plain_table, told


def show_plan(plan: Plan) -> None:
    """Every line, then what it costs."""
    console = Console()
    table = plain_table(
        f"{plan.sync}: line by line", "does", "record", "field", "old", "new", "rule"
    )
    for line in plan.lines:
        _add_line(table, line)
    if plan.lines:
        console.print(table)
    counts = Counter(line.does for line in plan.lines)
    summary = ", ".join(f"{number} x {does}" for does, number in sorted(counts.items()))
    console.print(f"[bold]{summary or 'nothing to do: the systems agree'}[/]")
    calls = ", ".join(f"{name} {number}" for name, number in plan.calls.items())
    console.print(f"API calls: {calls or 'none'}", highlight=False)
    for what, number in plan.stopped_by_guard.items():
        console.print(f"[yellow]the guard would stop {number} x {what}[/]")
    for instance, why in plan.down.items():
        console.print(f"[bold red]{instance} was left out:[/] {why}")


def _add_line(table: Table, line: Line) -> None:
    where = line.record or (f"{line.side}: a new one" if line.side else "")
    if line.like and line.does in ("create", "link", "ask", "hold"):
        where += "\nlike " + "\n     ".join(line.like)
    first = True
    for change in line.fields or [FieldChange(field="")]:
        rule = change.rule or line.rule or ""
        rule += f" ({change.by})" if change.by else ""
        shows = change.field and line.is_write
        values = (told(change.old), told(change.new)) if shows else ("", "")
        head = (line.does, where) if first else ("", "")
        table.add_row(*head, change.field, *values, rule)
        first = False
    if line.answer:
        table.add_row("", f"answer: {line.answer}", "", "", "", "")


def show_history(history: History) -> None:
    console = Console()
    console.print(f"[bold]{history.record}[/]: {history.kind}, entity {history.entity}")
    table = plain_table("History", "at (UTC)", "what", "field", "old", "new", "by", "rule")
    for event in history.events:
        values = (told(event.old), told(event.new)) if event.field else ("", event.record or "")
        table.add_row(
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.what,
            event.field or "",
            *values,
            event.by or "",
            event.rule or "",
        )
        for side, claim in (event.lost or {}).items():
            table.add_row("", "lost", "", "", told(claim["value"]), side, "")
    console.print(table)


def show_explanation(found: Explanation) -> None:
    console = Console()
    console.print(f"[bold]{found.record}[/]: {found.kind}, entity {found.entity or 'none'}")
    places = plain_table("Where", "side", "record", "state", "why")
    for place in found.places:
        places.add_row(place.side, place.record or "-", place.state, place.why)
    console.print(places)
    table = plain_table("Fields", "field", "golden", "here", "set by", "at (UTC)", "rule")
    for field in found.fields:
        at = f"{field.set_at:%Y-%m-%d %H:%M:%S}" if field.set_at else ""
        here = told(field.here) + (f"\nheld: {field.held}" if field.held else "")
        table.add_row(
            field.field, told(field.golden), here, field.set_by or "", at, field.rule or ""
        )
        for side, claim in (field.lost or {}).items():
            table.add_row("", f"lost: {told(claim['value'])}", "", side, "", "")
    console.print(table)
    if len(found.fields) == 1:
        for write in found.fields[0].writes:
            console.print(
                f"  {write.at:%Y-%m-%d %H:%M:%S} {write.action} {write.record}: {write.result}"
                + (f" ({write.reason})" if write.reason else ""),
                highlight=False,
            )


def show_resolutions(found: Sequence[Resolution]) -> None:
    console = Console()
    for one in found:
        records = ", ".join(one.records)
        console.print(f"{one.verdict}: {records}: {one.does}", highlight=False, soft_wrap=True)
    if found and not found[0].carried_out:
        console.print(f"[bold]{len(found)} decisions; nothing was changed.[/] Add --yes to decide.")
