"""One person or company: history, explanation, decisions; and what a plan would do."""

from collections import Counter
from collections.abc import Sequence

from rich.padding import Padding

from sync_engine.operations.shapes import (
    Decision,
    Explanation,
    History,
    Identity,
    Line,
    Plan,
    Replayed,
    Resolution,
)
from sync_engine.show.tables import number_of, plain_table, told
from sync_engine.show.terminal import Terminal


def show_plan(plan: Plan) -> None:
    """Every line with its fields below it, then what it costs."""
    console = Terminal()
    for line in plan.lines:
        _show_line(console, line)
    counts = Counter(line.does for line in plan.lines)
    summary = ", ".join(f"{number} x {does}" for does, number in sorted(counts.items()))
    if summary or not plan.unknown:
        console.head(summary or "nothing to do: the systems agree")
    calls = ", ".join(f"{name} {number}" for name, number in plan.calls.items())
    console.print(f"API calls: {calls or 'none'}")
    for what, number in plan.stopped_by_guard.items():
        console.print(f"the guard would stop {number} x {what}", style="yellow")
    if plan.unknown:
        names = "\n  ".join(plan.unknown)
        console.head("no system has these records:", f"\n  {names}", style="bold red", wrap=False)
    for instance, why in plan.down.items():
        console.head(f"{instance} was left out:", f" {why}", style="bold red")


def _show_line(console: Terminal, line: Line) -> None:
    """A heading that names the records whole, to be copied, and a row for each field."""
    where = line.record or (f"{line.side}: a new one" if line.side else "")
    console.head(line.does, f" {where}", wrap=False)
    if line.like and line.does in ("create", "link", "ask", "hold"):
        for record in line.like:
            console.print(f"  like {record}", soft_wrap=True)
    if line.rule and not line.fields:
        console.print(f"  by {line.rule}")
    table = plain_table("", "field", "old", "new", "rule")
    for change in line.fields:
        rule = change.rule or line.rule or ""
        rule += f" ({change.by})" if change.by else ""
        values = (told(change.old), told(change.new)) if line.is_write else ("", "")
        table.add_row(change.field, *values, rule)
    if line.fields:
        console.print(Padding(table, (0, 0, 0, 2)))
    if line.answer:
        console.print(f"  answer: {line.answer}", soft_wrap=True)


def show_history(history: History) -> None:
    console = Terminal()
    console.head(history.record, f": {history.kind}, entity {history.entity}")
    table = plain_table("History", "at (UTC)", "what", "field", "old", "new", "by", "rule")
    for event in history.events:
        about = [told(event.new)] if event.what == "state" else []
        about += [event.record] if event.record else []
        values = (told(event.old), told(event.new)) if event.field else ("", ": ".join(about))
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


def show_identity(found: Identity) -> None:
    console = Terminal()
    console.head(
        found.record, f": {found.kind}, entity {found.entity}, at {found.at:%Y-%m-%d %H:%M:%S}"
    )
    table = plain_table("Records", "record", "state", "since (UTC)", "how")
    for one in found.records:
        state = f"{one.state} into {one.into}" if one.into else one.state
        table.add_row(one.record, state, f"{one.since:%Y-%m-%d %H:%M:%S}", one.how)
    console.print(table)


def show_explanation(found: Explanation) -> None:
    console = Terminal()
    console.head(found.record, f": {found.kind}, entity {found.entity or 'none'}")
    places = plain_table("Where", "side", "record", "state", "why")
    for place in found.places:
        places.add_row(place.side, place.record or "-", place.state, place.why)
    console.print(places)
    table = plain_table("Fields", "field", "golden", "here", "set by", "at (UTC)", "rule")
    for field in found.fields:
        at = f"{field.set_at:%Y-%m-%d %H:%M:%S}" if field.set_at else ""
        why = f"held: {field.held}" if field.held else field.apart
        here = told(field.here) + (f"\n{why}" if why else "")
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
            )


def show_resolutions(found: Sequence[Resolution]) -> None:
    console = Terminal()
    for one in found:
        records = ", ".join(one.records)
        console.print(f"{one.verdict}: {records}: {one.does}", soft_wrap=True)
    if found and not found[0].carried_out:
        decisions = number_of(len(found), "decision")
        console.head(f"{decisions}; nothing was changed.", " Add --yes to decide.")


def show_decisions(found: Sequence[Decision]) -> None:
    table = plain_table("Decisions", "verdict", "record", "record", "by", "at (UTC)")
    for one in found:
        other = "" if one.verdict == "unlink" else one.right
        table.add_row(one.verdict, one.left, other, one.by, f"{one.at:%Y-%m-%d %H:%M:%S}")
    Terminal().print(table)


def show_replayed(found: Replayed) -> None:
    console = Terminal()
    fresh = number_of(found.decided, "decision")
    if not found.carried_out:
        console.head(f"{fresh} new, {found.known} known already;", " --yes decides them.")
        return
    console.print(
        f"{fresh} taken, {found.applied} of them about records that are known here; the others "
        f"count once their records are read. {found.known} were known already."
    )
