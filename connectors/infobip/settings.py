"""Settings of one Customer Profiles account.

They say where the account is, with which key it is opened and where our own key and the
company of a person are kept. What is synchronised is the mapping's business.
"""

import re
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

SUFFIXES = ("infobip.com",)
SHARED = r"(api(-\w+)?\.)?infobip\.com"


class Rates(BaseModel):
    """Calls a second of one operation, as the account allows them; 0 for no limit."""

    model_config = ConfigDict(extra="forbid")

    read: float = Field(default=5.0, ge=0)
    write: float = Field(default=5.0, ge=0)
    create: float = Field(default=10.0, ge=0)
    match: float = Field(default=15.0, ge=0)


class InfobipSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allow_host: list[str] = []  #: first, since the address is checked against it
    base_url: str
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    #: custom attribute that holds our key; None: externalId of the profiles we create
    key_attribute: str | None = Field(default=None, min_length=1)
    #: custom attribute (STRING) of a person that holds the id of their company
    company_attribute: str = Field(default="crmsync_company_id", min_length=1)
    #: seconds read again before the newest change seen, for what becomes visible late
    overlap: int = Field(default=60, ge=0)
    page_size: int = Field(default=1000, ge=2, le=1000)
    #: default: Infobip's limits on its hosts, none elsewhere (the embedded store has none)
    rates: Rates | None = None
    ca_file: str | None = None

    @field_validator("api_key")
    @classmethod
    def _not_empty(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not key.get_secret_value().strip():
            raise ValueError("is empty; give the API key of the account")
        return key

    @field_validator("base_url")
    @classmethod
    def _own_address(cls, base_url: str, rest: ValidationInfo) -> str:
        origin = check_host(base_url, SUFFIXES, rest.data.get("allow_host", ()))
        if re.fullmatch(SHARED, urlsplit(origin).hostname or ""):
            raise ValueError(
                "this host is shared by all accounts and names none; "
                "give the account's own, https://ID.api.infobip.com"
            )
        return origin

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.api_key is None) == (self.api_key_file is None):
            raise ValueError("give exactly one of api_key and api_key_file")
        return self

    @property
    def origin(self) -> str:
        return self.base_url

    @property
    def host(self) -> str:
        """Host, with a port that is not the usual one: what names the account."""
        return urlsplit(self.origin).netloc

    @property
    def is_vendors(self) -> bool:
        name = urlsplit(self.origin).hostname or ""
        return any(name == suffix or name.endswith("." + suffix) for suffix in SUFFIXES)

    @property
    def pace(self) -> Rates:
        if self.rates is not None:
            return self.rates
        return Rates() if self.is_vendors else Rates(read=0, write=0, create=0, match=0)

    def key(self) -> str:
        """The API key, read anew where it stands in a file. Raises SetupError."""
        if self.api_key is not None:
            return self.api_key.get_secret_value().strip()
        return read_secret(Path(str(self.api_key_file))).strip()
