"""The configuration as it takes effect: defaults filled in, mappings whole, secrets masked."""

import re
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from ruamel.yaml import YAML

from config.loading import Config
from config.settings import SideSettings, SyncSettings, duration_text

MASK = "***"
_IN_URL = re.compile(
    r"(://[^/@:]*:).*(?=@)|([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE
)


def effective(config: Config) -> dict[str, Any]:
    """Plain values in the form of the file."""
    shown: dict[str, Any] = _plain(config.settings)
    shown["state"] = _plain(config.state_url)
    shown["instances"] = {
        name: {"connector": config.settings.instances[name].connector, **_plain(one.settings)}
        for name, one in config.instances.items()
    }
    shown["syncs"] = {name: _sync(config, one) for name, one in config.settings.syncs.items()}
    return shown


def as_yaml(shown: dict[str, Any]) -> str:
    text = StringIO()
    YAML(typ="rt", pure=True).dump(shown, text)  # keeps the order, which tells precedence
    return text.getvalue()


def _sync(config: Config, sync: SyncSettings) -> dict[str, Any]:
    shown: dict[str, Any] = dict(_plain(sync))
    if sync.every is not None:
        shown["every"] = duration_text(sync.every)
    shown["prefer"] = sync.prefer or list(sync.sides)
    shown["sides"] = {
        instance: [_side(config, sync, instance, one) for one in objects]
        for instance, objects in sync.sides.items()
    }
    return shown


def _side(config: Config, sync: SyncSettings, instance: str, side: SideSettings) -> dict[str, Any]:
    (source,) = (
        one for one in config.sources if (one.instance, one.object) == (instance, side.object)
    )
    return {
        "object": side.object,
        "fields": _plain(source.mapping["fields"]),
        "required": list(source.mapping.get("required", ())),
        "on_create": _plain(source.mapping.get("on_create", {})),
        "region": source.region,
        "creates": str(side.creates),
        "converts": _plain(side.converts),
        "filter": side.filter,
        "accept": side.accept,
        "exit": side.exit,
        "deletes": str(side.deletes or sync.deletes),
        "approve_deletes": sync.approves(side),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | Path):
        return _IN_URL.sub(lambda found: f"{found[1] or found[2]}{MASK}", str(value))
    return value
