"""What the service's own process is told by its surroundings: environment and secret files.

``CRM_SYNC_LISTEN``, ``CRM_SYNC_LOG_FORMAT`` and so on; a secret may be a file of that name in
lower case (``crm_sync_admin_token``) in ``CRM_SYNC_SECRETS`` (``/run/secrets``).
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.faults import ConfigError, Fault
from config.sentences import sentence

SECRETS = "/run/secrets"


class ServiceSettings(BaseSettings):
    """Where to listen, how to log, and the service's own token."""

    model_config = SettingsConfigDict(env_prefix="CRM_SYNC_", extra="ignore", frozen=True)

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
            raise ValueError("must be HOST:PORT, like 127.0.0.1:8470")
        return value

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


def service_settings() -> ServiceSettings:
    """Read them now. Raises ConfigError, which names each variable."""
    folder = Path(os.environ.get("CRM_SYNC_SECRETS", SECRETS))
    try:
        if folder.is_dir():
            return ServiceSettings(_secrets_dir=folder)
        return ServiceSettings()
    except ValidationError as error:
        faults = [
            Fault(
                0, 0, f"CRM_SYNC_{str(each['loc'][0]).upper()} {sentence(each, ServiceSettings)[0]}"
            )
            for each in error.errors(include_url=False)
        ]
        raise ConfigError("environment", faults) from None
