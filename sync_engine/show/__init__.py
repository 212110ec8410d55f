"""What a person sees on a terminal: shapes as tables and sentences. Nothing is decided here."""

from sync_engine.show.checks import as_csv, show_checks
from sync_engine.show.people import (
    show_decisions,
    show_explanation,
    show_history,
    show_identity,
    show_plan,
    show_replayed,
    show_resolutions,
)
from sync_engine.show.progress import progress
from sync_engine.show.reports import (
    show_groups,
    show_issue,
    show_run,
    show_runs,
    show_status,
)
from sync_engine.show.tables import number_of, plain_table, show_sides, told

__all__ = [
    "as_csv",
    "number_of",
    "plain_table",
    "progress",
    "show_checks",
    "show_decisions",
    "show_explanation",
    "show_groups",
    "show_history",
    "show_identity",
    "show_issue",
    "show_plan",
    "show_replayed",
    "show_resolutions",
    "show_run",
    "show_runs",
    "show_sides",
    "show_status",
    "told",
]
