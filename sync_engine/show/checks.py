"""What checks found, and issues as a spreadsheet takes them."""

import csv
import io
import json
from collections.abc import Sequence

from sync_engine.operations.shapes import InstanceCheck, IssueDetail
from sync_engine.show.terminal import Terminal

_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  #: of a formula; full-width too
_COLORS = {"ok": "green", "warning": "yellow", "error": "bold red"}


def show_checks(found: Sequence[InstanceCheck]) -> None:
    console = Terminal()
    for one in found:
        if one.failure:
            console.head(f"{one.instance}: cannot be used:", f" {one.failure}", style="bold red")
            if one.remedy:
                console.print(f"  remedy: {one.remedy}")
            continue
        who = f"{one.organization} ({one.organization_id})"
        console.head(one.instance, f": {who}")
        for finding in one.findings:
            style = _COLORS[finding.level]
            console.head(f"  {finding.level}", f": {finding.what}", style=style)
            if finding.remedy:
                console.print(f"    remedy: {finding.remedy}")


def as_csv(found: Sequence[IssueDetail]) -> str:
    """One line per record of each issue, for a spreadsheet."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["issue", "what", "cause", "opened", "record", "state", "values"])
    for one in found:
        issue = one.issue
        cause = _harmless(issue.cause)  # a choice may stand there, as people typed it
        head = [issue.id, issue.what, cause, issue.opened_at.isoformat()]
        for side in one.sides:
            values = json.dumps(side.values, ensure_ascii=False, sort_keys=True)
            table.writerow([*head, side.record, side.state, _harmless(values)])
        if not one.sides:
            table.writerow([*head, ", ".join(issue.sides), "", ""])
    return text.getvalue()


def _harmless(text: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in _STARTS else text
