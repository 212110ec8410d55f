"""Settings models and the loading of the configuration file."""

from config.faults import ConfigError, Fault
from config.loading import Config, Instance, find, load
from config.service import ServiceSettings, service_settings
from config.settings import Settings, SyncSettings
from config.sides import SourceSettings

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
