"""What all models of the file share."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindName(StrEnum):
    LEAD = "lead"
    CUSTOMER = "customer"
    COMPANY = "company"
