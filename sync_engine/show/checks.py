"""What checks found, and files that a person asked for."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sync_engine.operations.shapes import InstanceCheck, IssueDetail

_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  #: of a formula; full-width too
_COLORS = {"ok": "green", "warning": "yellow", "error": "bold red"}


def show_checks(found: Sequence[InstanceCheck]) -> None:
    console = Console()
    for one in found:
        if one.failure:
            console.print(f"[bold red]{one.instance}: cannot be used:[/] {one.failure}")
            if one.remedy:
                console.print(f"  remedy: {one.remedy}")
            continue
        who = f"{one.organization} ({one.organization_id})"
        console.print(f"[bold]{one.instance}[/]: {who}", highlight=False)
        for finding in one.findings:
            console.print(
                f"  [{_COLORS[finding.level]}]{finding.level}[/]: {finding.what}", highlight=False
            )
            if finding.remedy:
                console.print(f"    remedy: {finding.remedy}", highlight=False)


def keep(path: Path, text: str) -> None:
    """Write a file that only its owner may read: it holds people's values."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


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
