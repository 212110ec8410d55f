"""The epoch file: it tells, outside the state database, how far that has come (state-model 12).

A state that is put back behind our back, by a snapshot of its volume or by somebody's copy,
looks perfectly well. The file, kept on another volume, has seen a later epoch.
"""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import orjson

from sync_engine.engine import World
from sync_engine.engine.restored import begin
from sync_engine.store import Epoch, StateError, epoch


def watch(world: World, file: Path) -> None:
    """Compare the state with its witness, and let that hear of every run that writes.

    Raises StateError for a file that cannot be read or written.
    """
    seen = _read(file)  # before the state: a service beside us advances that first
    with world.store.reading() as connection:
        own = epoch(connection)
    if seen is None:
        _write(file, own)
    elif seen.installation != own.installation:
        begin(world, "the epoch file was written for another state")
        _write(file, own)
    elif seen.number > own.number:
        begin(world, "the epoch file has seen a later state", reached=seen.number)
    world.witness = lambda reached: _write(file, reached)


def _read(file: Path) -> Epoch | None:
    try:
        told = orjson.loads(file.read_bytes())
        return Epoch(int(told["installation"]), int(told["number"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"the epoch file {file} cannot be read",
            remedy="check its owner and mode; if it is damaged and the state was not put back, "
            "remove it",
        ) from error


def _write(file: Path, reached: Epoch) -> None:
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as out:
            out.write(orjson.dumps(asdict(reached)))
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StateError(
            f"the epoch file {file} cannot be written; nothing is written to any system",
            remedy="make room there, or check owner and mode of its folder",
        ) from error
