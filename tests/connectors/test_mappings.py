"""What the shipped mappings keep equal without a word in the configuration."""

import pytest

from config.catalogue import CATALOGUE, CONSENT
from connectors import registry

OBJECTS = {
    "lead": {"salesforce": "Lead", "dynamics": "lead", "infobip": "person"},
    "customer": {"salesforce": "Contact", "dynamics": "contact", "infobip": "person"},
    "company": {"salesforce": "Account", "dynamics": "account", "infobip": "company"},
}
PERSON = {
    "salutation", "first_name", "middle_name", "last_name", "email", "email2", "phone", "mobile",
    "address", "job_title", "language", "description", *CONSENT,
}  # fmt: skip
LEAST = {
    "lead": PERSON | {"company_name", "lead_source", "lead_status"},
    "customer": PERSON | {"company", "birth_date"},
    "company": {"name", "website", "phone", "address", "industry", "employees", "vat"},
}


def mapped(kind: str, connector: str) -> set[str]:
    mapping = registry.load(connector).Mappings[OBJECTS[kind][connector]]
    return set(mapping["fields"]) & set(CATALOGUE[kind])


@pytest.mark.parametrize("kind", LEAST)
def test_practice_4_2_the_shipped_mappings_hold_at_least_these(kind: str) -> None:
    everywhere = set().union(*(mapped(kind, connector) for connector in OBJECTS[kind]))
    assert LEAST[kind] <= everywhere


@pytest.mark.parametrize("kind", ["lead", "customer"])
def test_practice_4_1_opt_outs_stand_in_every_shipped_mapping(kind: str) -> None:
    for connector in OBJECTS[kind]:
        # Salesforce has no standard field against bulk mail
        expected = set(CONSENT) - ({"bulk_email_opt_out"} if connector == "salesforce" else set())
        assert expected <= mapped(kind, connector), connector
