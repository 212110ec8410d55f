"""What the three systems of the engine's tests hold, and how it is mapped."""

from typing import Any

from connectors import FieldType
from connectors.testing.memory import MemoryObject, MemorySystem

TEXT = FieldType("string")
SET = FieldType("string", many=True)

CRM_PERSON = [
    "first",
    "last",
    "mail",
    "phone",
    "mobile",
    "title",
    "street",
    "city",
    "zip",
    "state",
    "country",
    "description",
    "noemail",
]
PERSON_FIELDS: dict[str, Any] = {
    "first_name": "first",
    "last_name": "last",
    "email": "mail",
    "phone": "phone",
    "mobile": "mobile",
    "job_title": "title",
    "description": "description",
    "email_opt_out": "noemail",
    "address": {
        "parts": {
            "street": "street",
            "city": "city",
            "postcode": "zip",
            "state": "state",
            "country": "country",
        }
    },
}
LEAD = {
    "kind": "lead",
    "fields": PERSON_FIELDS | {"company_name": "firm"},
    "required": ["last_name", "company_name"],
}
CONTACT = {
    "kind": "customer",
    "fields": PERSON_FIELDS
    | {"birth_date": "birth", "company": {"field": "account", "ref": "company"}},
    "required": ["last_name"],
}
ACCOUNT = {
    "kind": "company",
    "fields": {"name": "name", "website": "site", "phone": "phone", "vat": "vat"},
    "required": ["name"],
}
PERSON = {
    "kind": {"by": "type", "LEAD": "lead", "CUSTOMER": "customer"},
    "fields": {
        "first_name": "first",
        "last_name": "last",
        "email": {"member_of": "mails"},
        "mobile": {"member_of": "phones"},
        "phone": {"member_of": "phones"},
        "job_title": "title",
        "birth_date": "birth",
        "email_opt_out": "noemail",
        "company": {"field": "company", "ref": "company"},
        "address": {"parts": {"street": "street", "city": "city", "country": "country"}},
    },
}
COMPANY = {"kind": "company", "fields": {"name": "name", "vat": "vat"}, "required": ["name"]}


def _object(names: list[str], sets: tuple[str, ...] = (), **more: Any) -> MemoryObject:
    return MemoryObject({name: SET if name in sets else TEXT for name in names}, **more)


def crm(lead: str, contact: str, account: str, identity: str) -> MemorySystem:
    return MemorySystem(
        {
            lead: _object([*CRM_PERSON, "firm"], converts_into=contact),
            contact: _object([*CRM_PERSON, "birth", "account"], refers={account: "account"}),
            account: _object(["name", "site", "phone", "vat"]),
        },
        identity,
    )


def profiles() -> MemorySystem:
    names = [
        "type",
        "first",
        "last",
        "mails",
        "phones",
        "title",
        "birth",
        "noemail",
        "company",
        "street",
        "city",
        "country",
    ]
    system = MemorySystem(
        {
            "person": _object(names, ("mails", "phones"), kind_by="type"),
            "company": _object(["name", "vat"]),
        },
        "profiles",
    )
    system.reports_deletions = False
    system.versions = False
    system.unique_addresses = ("mails", "phones")
    system.sends = True
    return system
