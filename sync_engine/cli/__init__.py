"""The command line: parses, calls the operations, prints. Heavy imports wait for a command."""

from sync_engine.cli import (  # each adds commands
    configuring,
    deciding,
    keeping,
    looking,
    running,
    serving,
)
from sync_engine.cli.common import main

__all__ = ["configuring", "deciding", "keeping", "looking", "main", "running", "serving"]
