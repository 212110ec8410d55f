"""From the values of a write to the API's request bodies, and what is refused before sending."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from connectors.infobip.client import Refused, slices
from connectors.infobip.faults import Fault
from connectors.infobip.fields import (
    ATTRIBUTE,
    FORBIDDEN,
    MOST_CONTACTS,
    NAMES,
    PERSON,
    SETS,
    Places,
    Row,
    digits,
    is_field,
    members_of,
    offered,
)
from connectors.protocol import Action, Values, Write


def added(values: Values, field: str) -> list[str]:
    return list((values.get(field) or {}).get("add") or [])


def removed(values: Values, field: str) -> list[str]:
    return list((values.get(field) or {}).get("remove") or [])


def folded(field: str, member: str) -> str:
    """What makes two members of a set the same one."""
    return digits(member) if field == "phones" else member.casefold()


def absent(row: Row, values: Values, field: str) -> list[str]:
    """The members to add that the record lacks."""
    held = {folded(field, member) for member in members_of(row, field)}
    return [member for member in added(values, field) if folded(field, member) not in held]


def present(row: Row, values: Values, field: str) -> list[str]:
    """The members to remove that the record holds, as the record spells them."""
    dropped = {folded(field, member) for member in removed(values, field)}
    kept = {folded(field, member) for member in added(values, field)}
    members = members_of(row, field)
    return [m for m in members if folded(field, m) in dropped and folded(field, m) not in kept]


def contact_body(phones: Iterable[str], emails: Iterable[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if numbers := [{"number": digits(number)} for number in phones]:
        body["phone"] = numbers
    if addresses := [{"address": address} for address in emails]:
        body["email"] = addresses
    return body


def permitted(name: str) -> str:
    """A name as the product takes it: what is forbidden there is a blank, as between words."""
    return " ".join("".join(" " if sign in FORBIDDEN else sign for sign in name).split())


def scalars(values: Values) -> dict[str, Any]:
    """All but sets and the company; None clears, a custom attribute like any other field."""
    body: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for field, value in values.items():
        if field.startswith(ATTRIBUTE):
            attributes[field.removeprefix(ATTRIBUTE)] = value
        elif field in NAMES and value is not None:
            body[field] = permitted(str(value))
        elif field not in SETS and field != "company":
            body[field] = value
    if attributes:
        body["customAttributes"] = attributes
    return body


def without_empty(body: Mapping[str, Any]) -> dict[str, Any]:
    """For a create, where there is nothing to clear."""
    kept = {
        name: without_empty(value) if isinstance(value, Mapping) else value
        for name, value in body.items()
        if value is not None
    }
    return {name: value for name, value in kept.items() if value != {}}


def refused_locally(object: str, write: Write, places: Places) -> dict[str, str]:
    """Field -> why; what the product forbids or the connector never writes."""
    fields, values = offered(object, places), write.values
    creates = write.action is Action.CREATE
    faults: dict[str, str] = {}
    for field, value in values.items():
        if field == "type" and write.action is Action.CONVERT and value == "CUSTOMER":
            continue
        known = fields.get(field)
        if not is_field(object, field):
            faults[field] = "unknown field"
        elif known and not (known.createable if creates else known.updateable):
            faults[field] = "changed by conversion only" if field == "type" else "read-only"
        elif field == ATTRIBUTE + places.company_attribute and object == PERSON:
            faults[field] = "written by way of the field company"
        elif field in SETS and not isinstance(value, Mapping):
            faults[field] = "a set takes members to add and to remove"
        elif field in NAMES and object == PERSON and value and not permitted(str(value)):
            faults[field] = "holds nothing but characters that are forbidden in names there"
    if creates:
        missing = [name for name, type in fields.items() if type.required and not values.get(name)]
        faults |= dict.fromkeys(missing, "required")
    findable = bool(_addresses(values) or values.get("externalId"))
    if creates and object == PERSON and places.key_attribute and not findable:
        # our key cannot be searched there: only these keep a repeated create from doubling
        faults["emails"] = "a profile without address and external id cannot be found again"
    if len(_addresses(values)) > MOST_CONTACTS:
        faults["phones"] = faults["emails"] = f"more than {MOST_CONTACTS} phones and e-mails"
    return faults


def _addresses(values: Values) -> list[str]:
    return added(values, "phones") + added(values, "emails")


def in_halves(
    entries: Sequence[str],
    single: Callable[[str], Fault | None],
    several: Callable[[Collection[str]], Refused],
) -> dict[str, Fault]:
    """The refused entries. A batch refused whole for one entry, bad or gone, is sent in halves."""
    if len(entries) < 2:
        faults = {entry: single(entry) for entry in entries}
        return {entry: fault for entry, fault in faults.items() if fault}
    refused = several(entries)
    if not isinstance(refused, Fault):
        return dict(refused)
    if refused.status not in (400, 404):
        return dict.fromkeys(entries, refused)
    middle = len(entries) // 2
    first = in_halves(entries[:middle], single, several)
    return first | in_halves(entries[middle:], single, several)


def refused_persons(
    call: Callable[[Collection[str]], Fault | None], ids: Collection[str]
) -> dict[str, Fault]:
    """Of a call for many persons that one who is gone refuses as a whole."""
    refused: dict[str, Fault] = {}
    for part in slices(ids):
        refused |= in_halves(part, lambda id: call([id]), lambda some: call(some) or {})
    return refused
