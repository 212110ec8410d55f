"""The cycle: the only part that uses both store and connectors."""

from sync_engine.engine.cycle import cycle, new_run
from sync_engine.engine.world import Run, Source, Sync, World

__all__ = ["Run", "Source", "Sync", "World", "cycle", "new_run"]
