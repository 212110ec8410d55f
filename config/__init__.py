"""Settings models and the loading of the configuration file."""

from config.loading import Config, Instance, SourceSettings, find, load
from config.service import ServiceSettings, service_settings
from config.settings import Settings, SyncSettings
from config.tree import ConfigError, Fault

__all__ = [
    "Config",
    "ConfigError",
    "Fault",
    "Instance",
    "ServiceSettings",
    "Settings",
    "SourceSettings",
    "SyncSettings",
    "find",
    "load",
    "service_settings",
]
