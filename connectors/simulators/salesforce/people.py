"""What only people do in an organization: undelete, merge, convert, administer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.simulators.control import ActError
from connectors.simulators.salesforce.refusals import RowError
from connectors.simulators.salesforce.schema import CONSENT, default

if TYPE_CHECKING:
    from connectors.simulators.salesforce.org import Org, Stored

PERSON = "005000000000002AAA"
MERGED = 3  #: records of one merge, the winner among them (SOAP API, merge)
_CARRIED = {
    "Salutation": "Salutation", "FirstName": "FirstName", "LastName": "LastName",
    "Email": "Email", "Phone": "Phone", "MobilePhone": "MobilePhone", "Title": "Title",
    "Description": "Description", "LeadSource": "LeadSource", "Street": "MailingStreet",
    "City": "MailingCity", "State": "MailingState", "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry", **{name: name for name in CONSENT},
}  # fmt: skip


def act(org: "Org", wish: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ActError where the organization refuses it."""
    try:
        return _act(org, wish)
    except RowError as error:
        raise ActError(f"{error.code}: {error.message}") from error


def _act(org: "Org", wish: Mapping[str, Any]) -> dict[str, Any]:
    name, action = wish["object"], wish["action"]
    if action == "alter":
        _alter(org, name, wish.get("field"), wish["to"])
        return {}
    if action == "create":
        return {"id": org.create(name, wish["values"], PERSON)}
    row = org.find(name, wish["id"])
    if row is None:
        raise ActError(f"there is no {name} {wish['id']}")
    if action == "update":
        org.update(row, wish["values"], PERSON)
    elif action == "delete":
        org.delete(row, PERSON)
    elif action == "undelete":
        _undelete(org, row)
    elif action == "merge":
        _merge(org, row, wish["losers"])
    elif action == "convert":
        return {"id": row.id, "into": convert(org, row, wish.get("into", {}), PERSON)}
    elif action == "touch":
        org.touch(row)
    else:
        raise ActError(f"nobody can {action} a {name}")
    return {"id": row.id}


def _alter(org: "Org", name: str, field: str | None, to: Mapping[str, Any] | None) -> None:
    """An administrator changes an object or a field, or takes it from our user's sight."""
    org.schema.alter(name, field, to)
    if field and (one := org.schema.field(name, field)):
        for row in org.records(name):
            row.setdefault(one["name"], default(one))


def _undelete(org: "Org", row: "Stored") -> None:
    org.write(row, {"IsDeleted": False, "MasterRecordId": None}, PERSON)
    for other in org.rows.values():
        if other.along == row.id:
            other.along = ""
            org.write(other, {"IsDeleted": False}, PERSON)


def _merge(org: "Org", winner: "Stored", losers: Sequence[str]) -> None:
    """Losers are deleted with MasterRecordId, their contacts go to the winner, which is
    updated once (apex-triggers-merge)."""
    rows = [org.rows[number] for number in losers]
    if len(rows) >= MERGED or any(one.object != winner.object for one in rows):
        raise ActError(f"a merge joins at most {MERGED} records of one object")
    if any(one.values["IsDeleted"] or one.values.get("IsConverted") for one in (winner, *rows)):
        raise ActError("only records that are there and not converted are merged")
    for loser in rows:
        for child in org.children(loser.id):
            org.write(child, {"AccountId": winner.id}, PERSON)
        org.write(loser, {"IsDeleted": True, "MasterRecordId": winner.id}, PERSON)
    org.write(winner, {}, PERSON)


def convert(
    org: "Org",
    lead: "Stored",
    into: Mapping[str, str],
    by: str,
    owner: str | None = None,
    status: str = "Closed - Converted",
) -> dict[str, str]:
    """Account and contact first, then the lead; what an existing contact already holds
    stays (SOAP API, convertLead). Our key is not copied. What is new belongs to ``owner``."""
    owned = {"OwnerId": owner} if owner else {}
    if lead.values["IsConverted"]:
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "lead is already converted")
    account = into.get("Account")
    if account is None and "Contact" in into:
        account = org.rows[into["Contact"]].values["AccountId"]
    if account is None:
        account = org.create("Account", {"Name": lead.values["Company"], **owned}, by)
    carried = {to: lead.values.get(name) for name, to in _CARRIED.items()}
    filled = {name: value for name, value in carried.items() if value is not None}
    if contact := into.get("Contact"):
        held = org.rows[contact]
        empty = {name: value for name, value in filled.items() if not held.values.get(name)}
        org.update(held, empty, by)
    else:
        contact = org.create("Contact", {**filled, "AccountId": account, **owned}, by)
    closed = {
        "IsConverted": True,
        "ConvertedDate": org.clock.now().date().isoformat(),
        "ConvertedContactId": contact,
        "ConvertedAccountId": account,
        "Status": status,
    }
    org.write(lead, closed, by)
    return {"Contact": contact, "Account": account}
