"""Settings models and the loading of the configuration file."""

from config.effective import as_yaml, effective
from config.faults import ConfigError, Fault
from config.loading import TEMPLATE, Config, Instance, find, load
from config.service import ServiceSettings, service_settings
from config.settings import ConvertPolicy, CreatePolicy, Settings, SyncSettings
from config.sides import SourceSettings

__all__ = [
    "TEMPLATE",
    "Config",
    "ConfigError",
    "ConvertPolicy",
    "CreatePolicy",
    "Fault",
    "Instance",
    "ServiceSettings",
    "Settings",
    "SourceSettings",
    "SyncSettings",
    "as_yaml",
    "effective",
    "find",
    "load",
    "service_settings",
]
