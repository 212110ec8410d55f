"""Settings models and the loading of the configuration file."""

from config.loading import Config, Instance, SourceSettings, find, load
from config.settings import Settings, SyncSettings
from config.tree import ConfigError, Fault

__all__ = [
    "Config",
    "ConfigError",
    "Fault",
    "Instance",
    "Settings",
    "SourceSettings",
    "SyncSettings",
    "find",
    "load",
]
