"""Settings of one Dynamics 365 environment: where it is, and as which application we log in."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors.hosts import check_host
from connectors.secret_files import read_secret

#: the public cloud, then the national ones (powerapps-docs, webapi/discovery-orgs; Microsoft
#: Entra, authentication-national-cloud), whose login must be named as ``authority``
SUFFIXES = ("dynamics.com", "microsoftdynamics.us", "appsplatform.us", "dynamics.cn")
LOGIN_SUFFIXES = ("microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn")


class DynamicsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allow_host: list[str] = []  #: first, since the addresses are checked against it
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

    @field_validator("url")
    @classmethod
    def _https(cls, url: str, rest: ValidationInfo) -> str:
        return _secure(check_host(url, SUFFIXES, rest.data.get("allow_host", ())))

    @field_validator("authority")
    @classmethod
    def _https_login(cls, authority: str | None, rest: ValidationInfo) -> str | None:
        if authority is not None:
            parts = urlsplit(authority)
            host = f"{parts.scheme}://{parts.netloc}"
            _secure(check_host(host, LOGIN_SUFFIXES, rest.data.get("allow_host", ())))
            if parts.query or parts.fragment or not parts.path.strip("/"):
                raise ValueError("expected https://HOST/TENANT")
        return authority

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.client_secret is None) == (self.client_secret_file is None):
            raise ValueError("give exactly one of client_secret and client_secret_file")
        return self

    @property
    def origin(self) -> str:
        return self.url

    @property
    def login(self) -> str:
        """The authority, with the tenant."""
        return self.authority or f"https://login.microsoftonline.com/{self.tenant_id}"

    def secret(self) -> str:
        """Read now, so that a rotated file is noticed. Raises SetupError."""
        if self.client_secret is not None:
            return self.client_secret.get_secret_value()
        return read_secret(Path(str(self.client_secret_file)))


def _secure(origin: str) -> str:
    if not origin.startswith("https://"):
        raise ValueError("must start with https://")
    return origin
