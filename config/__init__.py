"""Settings models and the loading of the configuration file."""

from config.loading import Config, Instance, SourceSettings, find, load
from config.service import ServiceSettings, ServiceSettingsError, service_settings
from config.settings import Settings, SyncSettings
from config.tree import ConfigError, Fault

__all__ = [
    "Config",
    "ConfigError",
    "Fault",
    "Instance",
    "ServiceSettings",
    "ServiceSettingsError",
    "Settings",
    "SourceSettings",
    "SyncSettings",
    "find",
    "load",
    "service_settings",
]
