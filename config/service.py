"""What the service's own process is told by its surroundings: environment and secret files.

``CRM_SYNC_LISTEN``, ``CRM_SYNC_LOG_FORMAT`` and so on; a secret may be a file of that name in
lower case (``crm_sync_admin_token``) in ``CRM_SYNC_SECRETS`` (``/run/secrets``).
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = "/run/secrets"
PREFIX = "CRM_SYNC_"


class ServiceSettingsError(Exception):
    """The environment, or a secret file, says something that cannot be meant."""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class ServiceSettings(BaseSettings):
    """Where to listen, how to log, and the service's own token."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    config: Path | None = None
    listen: str = "127.0.0.1:8470"
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    admin_token: SecretStr | None = Field(default=None, min_length=16)

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("write HOST:PORT, like 127.0.0.1:8470")
        return value

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


def service_settings() -> ServiceSettings:
    """Read them now. Raises ServiceSettingsError, which does not tell what was read."""
    folder = Path(os.environ.get("CRM_SYNC_SECRETS", SECRETS))
    try:
        return ServiceSettings(_secrets_dir=folder) if folder.is_dir() else ServiceSettings()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        named = [f"{PREFIX}{one['loc'][0]}".upper() + f": {one['msg']}" for one in faults]
        raise ServiceSettingsError(
            "; ".join(named), remedy=f"correct the variable, or the secret file in {folder}"
        ) from None
