"""What commands and the admin API do: each takes a service and gives a shape."""

from sync_engine.operations.checking import check
from sync_engine.operations.deciding import (
    Verdict,
    keep_apart,
    link,
    resolve,
    resolve_group,
    retry,
    unlink,
    verdict_of,
)
from sync_engine.operations.decisions import as_text, decisions, read, replay
from sync_engine.operations.explaining import explain, history
from sync_engine.operations.identities import identity
from sync_engine.operations.issues import exported, grouped, shown
from sync_engine.operations.keeping import backup, restore
from sync_engine.operations.planning import plan
from sync_engine.operations.records import (
    UnknownNameError,
    WrongUseError,
    known_instance,
    known_sync,
)
from sync_engine.operations.releasing import release
from sync_engine.operations.report import of_run, side_rows, unreleased, wrote
from sync_engine.operations.resyncing import Wanted, resync
from sync_engine.operations.status import runs, status

__all__ = [
    "UnknownNameError",
    "Verdict",
    "Wanted",
    "WrongUseError",
    "as_text",
    "backup",
    "check",
    "decisions",
    "explain",
    "exported",
    "grouped",
    "history",
    "identity",
    "keep_apart",
    "known_instance",
    "known_sync",
    "link",
    "of_run",
    "plan",
    "read",
    "release",
    "replay",
    "resolve",
    "resolve_group",
    "restore",
    "resync",
    "retry",
    "runs",
    "shown",
    "side_rows",
    "status",
    "unlink",
    "unreleased",
    "verdict_of",
    "wrote",
]
