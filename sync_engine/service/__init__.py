"""A configured crm-sync at work: the one place with clock, ids, randomness, threads, signals and
child processes. It knows nothing of HTTP; what it does, command line and web call alike.
"""

from sync_engine.service.building import build
from sync_engine.service.daemon import Daemon, StoppingError
from sync_engine.service.processes import is_dead, server, stopping
from sync_engine.service.seams import SystemClock
from sync_engine.service.service import Health, Service, failed_writes
from sync_engine.service.turns import Turns

__all__ = [
    "Daemon",
    "Health",
    "Service",
    "StoppingError",
    "SystemClock",
    "Turns",
    "build",
    "failed_writes",
    "is_dead",
    "server",
    "stopping",
]
