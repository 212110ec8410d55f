"""Settings of one Salesforce organization: where it is, how we log in, where our key is kept."""

from pathlib import Path
from typing import Literal, Self

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

SUFFIXES = ("salesforce.com", "force.com")
#: the client credentials flow is refused there (Help, remoteaccess_oauth_client_credentials_flow)
SHARED = ("login.salesforce.com", "test.salesforce.com")


class ClientCredentials(BaseModel):
    """The OAuth 2.0 client credentials flow; the app names the user we act as."""

    model_config = ConfigDict(extra="forbid")

    flow: Literal["client_credentials"]
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.client_secret is None) == (self.client_secret_file is None):
            raise ValueError("give exactly one of client_secret and client_secret_file")
        return self

    def secret(self) -> str:
        """Read now, so that a rotated file is noticed. Raises SetupError."""
        if self.client_secret is not None:
            return self.client_secret.get_secret_value()
        return read_secret(Path(str(self.client_secret_file)))


class SalesforceSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allow_host: list[str] = []  #: first, since the address is checked against it
    domain: str | None = None  #: acme.my.salesforce.com
    url: str | None = None  #: the whole address, where it is no domain of Salesforce's
    auth: ClientCredentials
    #: holds our key: a unique, case-sensitive external id of 36 characters on each object
    external_id_field: str = Field(
        default="CrmSync_Key__c", pattern=r"^[A-Za-z]\w*__c$", examples=["CrmSync_Key__c"]
    )
    api_version: str = Field(default="62.0", pattern=r"^\d\d\.0$", examples=["62.0, in quotes"])
    #: seconds read again before the cursor: rows become visible after their stamp
    overlap: int = Field(default=600, ge=0, le=86_400)
    #: seconds that the stored cursor stays behind the server's clock
    safety_lag: int = Field(default=30, ge=0, le=86_400)
    disqualified_statuses: list[str] = ["Closed - Not Converted"]
    #: of a lead that is converted on behalf of another side; default: the organization's first
    converted_status: str | None = Field(default=None, min_length=1)
    ca_file: str | None = None

    @field_validator("domain", "url")
    @classmethod
    def _own_address(cls, given: str | None, rest: ValidationInfo) -> str | None:
        if given is None:
            return None
        if rest.field_name == "domain" and "/" in given:
            raise ValueError("expected a host alone, such as acme.my.salesforce.com")
        address = given if rest.field_name == "url" else f"https://{given}"
        origin = check_host(address, SUFFIXES, rest.data.get("allow_host", ()))
        if not origin.startswith("https://"):
            raise ValueError("must start with https://")
        if origin.removeprefix("https://") in SHARED:
            raise ValueError("name the organization's own domain, such as acme.my.salesforce.com")
        return given

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.domain is None) == (self.url is None):
            raise ValueError("give exactly one of domain and url")
        return self

    @property
    def origin(self) -> str:
        return check_host(self.url or f"https://{self.domain}", SUFFIXES, self.allow_host)
