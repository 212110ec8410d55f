"""Settings of one Dynamics 365 environment: where it is, and as which application we log in."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.errors import SetupError
from connectors.http import check_host

#: the public cloud, then the national ones (powerapps-docs, webapi/discovery-orgs; Microsoft
#: Entra, authentication-national-cloud), whose login must be named as ``authority``
SUFFIXES = ("dynamics.com", "microsoftdynamics.us", "appsplatform.us", "dynamics.cn")
LOGIN_SUFFIXES = ("microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn")


class DynamicsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    tenant_id: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    #: the login address, where it is not Microsoft's public one; ends in the tenant
    authority: str | None = None
    page_size: int = Field(default=5000, ge=1, le=5000)
    #: seconds read again after a first listing, whose token may miss changes made meanwhile
    overlap: int = Field(default=300, ge=0)
    ca_file: str | None = None
    allow_host: list[str] = []

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.origin.startswith("https://") or not self.login.startswith("https://"):
            raise ValueError("url and authority: must start with https://")
        if (self.client_secret is None) == (self.client_secret_file is None):
            raise ValueError("give exactly one of client_secret and client_secret_file")
        return self

    @property
    def origin(self) -> str:
        return check_host(self.url.rstrip("/"), SUFFIXES, self.allow_host)

    @property
    def login(self) -> str:
        """The authority, with the tenant."""
        address = self.authority or f"https://login.microsoftonline.com/{self.tenant_id}"
        check_host(address, LOGIN_SUFFIXES, self.allow_host)
        return address

    def secret(self) -> str:
        """Read now, so that a rotated file is noticed. Raises SetupError."""
        if self.client_secret is not None:
            return self.client_secret.get_secret_value()
        try:
            return Path(str(self.client_secret_file)).read_text().removesuffix("\n")
        except OSError as error:
            raise SetupError(
                f"the secret file {self.client_secret_file} cannot be read",
                remedy="check its path and mode",
            ) from error
