"""The command line: parses, calls the operations, prints. Heavy imports wait for a command."""

from sync_engine.cli import configuring, deciding, looking, running, serving  # each adds commands
from sync_engine.cli.common import main

__all__ = ["configuring", "deciding", "looking", "main", "running", "serving"]
