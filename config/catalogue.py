"""The golden fields: what people and companies are made of, the same in every mapping."""

from collections.abc import Iterable, Mapping

_PERSON = {
    "sync_opt_out": "boolean",
    "cross_id": "text",
    "owner": "owner",
    "salutation": "text",
    "first_name": "text",
    "middle_name": "text",
    "last_name": "text",
    "email": "email",
    "email2": "email",
    "mobile": "phone",
    "phone": "phone",
    "address": "address",
    "job_title": "text",
    "language": "language",
    "description": "multiline",
    "email_opt_out": "boolean",
    "phone_opt_out": "boolean",
    "fax_opt_out": "boolean",
    "bulk_email_opt_out": "boolean",
}
#: kind -> golden field -> form
CATALOGUE: Mapping[str, Mapping[str, str]] = {
    "lead": _PERSON
    | {"company_name": "text", "lead_source": "choice", "lead_status": "choice"}
    | {"cross_lead_id": "text"},
    "customer": _PERSON | {"birth_date": "date", "company": "reference"},
    "company": {
        "name": "text",
        "website": "domain",
        "phone": "phone",
        "address": "address",
        "industry": "choice",
        "employees": "integer",
        "vat": "text",
        "sync_opt_out": "boolean",
        "cross_id": "text",
        "owner": "owner",
    },
}
#: forms of which a value may stand for none (practice 1.1)
HOLDING_PLACEHOLDERS = frozenset(
    {"text", "multiline", "email", "phone", "domain", "date", "address"}
)
#: opt-out -> the addresses and numbers that it concerns
CONSENT: Mapping[str, tuple[str, ...]] = {
    "email_opt_out": ("email", "email2"),
    "phone_opt_out": ("phone", "mobile"),
    "fax_opt_out": (),
    "bulk_email_opt_out": ("email", "email2"),
}
MONEY_PARTS = ("amount", "currency")
ADDRESS_PARTS = ("street", "city", "postcode", "state", "country")
OWN_KEY = "key"  #: the match rule that always holds: a record with our key is ours
_PERSON_RULES = (
    OWN_KEY, "cross_ids", "email_name", "mobile_surname", "name_birth_date", "name_company",
)  # fmt: skip
#: kind -> the match rules, strongest first as shipped (practice 2.1)
MATCH_RULES: Mapping[str, tuple[str, ...]] = {
    "lead": _PERSON_RULES,
    "customer": _PERSON_RULES,
    "company": (OWN_KEY, "cross_ids", "vat", "domain", "name_place"),
}
#: kind -> golden fields that match rules use; a side without any of them matches nobody
RECOGNISED_BY: Mapping[str, frozenset[str]] = {
    "lead": frozenset({"email", "email2", "mobile", "phone", "last_name"}),
    "customer": frozenset({"email", "email2", "mobile", "phone", "last_name"}),
    "company": frozenset({"vat", "website", "name"}),
}


def extended(
    own: Iterable[tuple[str, str, Iterable[str]]],
) -> Mapping[str, Mapping[str, str]]:
    """The catalogue with a file's own fields: name, form, kinds."""
    found = {kind: dict(fields) for kind, fields in CATALOGUE.items()}
    for name, form, kinds in own:
        for kind in kinds:
            found[kind][name] = form
    return found
