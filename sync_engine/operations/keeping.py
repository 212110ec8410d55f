"""Backup and restore of the state. No connector is opened: a system may be out of reach."""

from pathlib import Path

from config import Config
from sync_engine.operations.records import WrongUseError
from sync_engine.service import SystemClock, is_dead
from sync_engine.store import open_database
from sync_engine.store.backups import restore_file, restore_rows, write_backup


def backup(config: Config, file: Path) -> None:
    """Write the state to a new file, beside whoever works with it. Raises StateError."""
    if file.exists():
        raise WrongUseError(f"{file} is there already", remedy="name a new file")
    here = _file_of(config)
    if here is not None and not here.exists():
        raise WrongUseError("there is no state yet", remedy="run crm-sync sync first")
    state = open_database(config.state_url)
    try:
        write_backup(state, file)
    finally:
        state.dispose()


def restore(config: Config, file: Path, *, force: bool) -> None:
    """Put a backup in the place of the state. Raises StateError, LeaseTakenError."""
    here = _file_of(config)
    if here is not None:
        restore_file(file, here, force=force)
        return
    state = open_database(config.state_url)
    try:
        restore_rows(file, state, SystemClock().now(), is_dead, force=force)
    finally:
        state.dispose()


def _file_of(config: Config) -> Path | None:
    url, prefix = config.state_url, "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
