"""Whether an account can be synchronised as configured, and what to do where it cannot."""

from collections.abc import Iterator, Mapping, Sequence

from connectors.errors import ResponseError, TransientError
from connectors.infobip.client import LISTS, PERSONS, ForbiddenError, InfobipClient
from connectors.infobip.faults import NO_WRITING
from connectors.infobip.fields import (
    ATTRIBUTE,
    COMPANY,
    DATA_TYPES,
    FIELDS,
    PERSON,
    Places,
    is_field,
    key_of,
)
from connectors.infobip.paging import NEWEST_FIRST
from connectors.infobip.settings import InfobipSettings
from connectors.protocol import Checked, Finding, Level, Selection

ACCOUNT = "/profiles/account"  #: of the embedded store; Infobip has no such call
#: the data type that the default mapping needs
EXPECTED = {
    "email_opt_out": "BOOLEAN",
    "phone_opt_out": "BOOLEAN",
    "fax_opt_out": "BOOLEAN",
    "bulk_email_opt_out": "BOOLEAN",
    "job_title": "STRING",
}


def check(
    client: InfobipClient,
    settings: InfobipSettings,
    places: Places,
    selections: Sequence[Selection],
) -> Checked:
    identity, name = _account(client, settings)
    findings: list[Finding] = []
    for selection in selections:
        if selection.object not in FIELDS:
            remedy = f"the objects are: {', '.join(FIELDS)}"
            findings.append(_error(f"there is no object {selection.object!r}", remedy))
            continue
        findings += _fields(selection)
        findings += _readable(client, selection.object, places)
        if selection.object == PERSON:
            findings += _attributes(client, selection, places)
        elif places.key_attribute:
            findings.append(_unseen(places.key_attribute))
    findings += _writable(client)
    return Checked(identity, name, sandbox=None, findings=tuple(findings))


def _account(client: InfobipClient, settings: InfobipSettings) -> tuple[str, str]:
    """Infobip tells no account id: there the host, one per account, is the identity."""
    if not settings.is_vendors:
        answer = client.call("GET", ACCOUNT)
        if answer.fault is None and isinstance(answer.body, Mapping):
            id = str(answer.body.get("accountId") or settings.host)
            return id, str(answer.body.get("name") or id)
    return settings.host, settings.host


def _fields(selection: Selection) -> Iterator[Finding]:
    for field in selection.fields:
        if not is_field(selection.object, field):
            yield _error(
                f"{selection.object} has no field {field!r}",
                f"use {ATTRIBUTE}NAME for a custom attribute; others: "
                + ", ".join(FIELDS[selection.object]),
            )


def _readable(client: InfobipClient, object: str, places: Places) -> Iterator[Finding]:
    try:
        rows = client.rows(object, 1, 1000 if object == PERSON else 1, NEWEST_FIRST.text)
    except (ForbiddenError, ResponseError) as error:
        remedy = error.remedy or "ask Infobip whether the account has Customer Profiles"
        if object == COMPANY:
            remedy = "the company API is Early Access: ask Infobip to enable it for the account"
        yield _error(f"{LISTS[object][1]} cannot be read: {error.what}", remedy)
        return
    yield Finding(Level.OK, f"{LISTS[object][1]} can be read")
    if object == PERSON and not places.key_attribute:
        held = [row for row in rows if row.get("externalId")]
        foreign = sum(1 for row in held if key_of(row, places) is None)
        if foreign:
            yield Finding(
                Level.OK,
                f"{foreign} of the newest {len(rows)} profiles carry an externalId of somebody "
                "else's; it is never changed, they are addressed by their internal id",
            )


def _attributes(client: InfobipClient, selection: Selection, places: Places) -> Iterator[Finding]:
    needed: dict[str, str | None] = {
        field.removeprefix(ATTRIBUTE): EXPECTED.get(field.removeprefix(ATTRIBUTE))
        for field in selection.fields
        if field.startswith(ATTRIBUTE)
    }
    if "company" in selection.fields:
        needed[places.company_attribute] = "STRING"
    if places.key_attribute:
        needed[places.key_attribute] = "STRING"
        yield Finding(
            Level.WARNING,
            f"our key stands in the custom attribute {places.key_attribute}, which no call of "
            "Customer Profiles searches: looking a key up reads the whole list",
            "leave key_attribute out unless externalId of new profiles must stay empty",
        )
    try:
        defined = {name.casefold(): type for name, type in client.attributes().items()}
    except (ForbiddenError, ResponseError) as error:
        yield _error(f"custom attributes cannot be read: {error.what}", error.remedy)
        return
    for name, type in needed.items():
        mapped = "company" if name == places.company_attribute else f"{ATTRIBUTE}{name}"
        field = mapped if mapped in selection.fields else ""
        yield from _attribute(name, type, defined.get(name.casefold()), field)


def _attribute(name: str, needed: str | None, found: str | None, field: str) -> Iterator[Finding]:
    if found is None:
        yield Finding(
            Level.ERROR,
            f"persons have no custom attribute {name}",
            f"create the custom attribute {name} of type {needed or 'your choice'} in Customer "
            "Profiles, or leave the field out of the mapping",
            PERSON if field else "",
            field,
        )
    elif found not in DATA_TYPES:
        remedy = "leave the field out of the mapping: lists of objects are not synchronised"
        yield _error(f"the custom attribute {name} is of type {found}", remedy)
    elif needed and found != needed:
        yield _error(
            f"the custom attribute {name} is of type {found}, {needed} is needed",
            "map another custom attribute: the type of one can never be changed",
        )


def _unseen(name: str) -> Finding:
    return Finding(
        Level.WARNING,
        f"no call tells whether companies have the custom attribute {name}, where our key stands",
        f"see to it that companies have a custom attribute {name} of type STRING",
    )


def _writable(client: InfobipClient) -> Iterator[Finding]:
    """A batch of nothing: refused for lack of permission before it is refused as empty."""
    try:
        fault = client.call("PATCH", f"{PERSONS}/batch", json={"people": []}).fault
    except TransientError:  # what an empty batch is answered with is not documented
        return
    if fault and fault.code in NO_WRITING:
        remedy = "let Infobip allow writing through the API"
        yield _error(NO_WRITING[fault.code], remedy)
    elif fault and fault.status == 403:
        yield _error("the API key may not write (403)", "give it the scope people:manage")


def _error(what: str, remedy: str) -> Finding:
    return Finding(Level.ERROR, what, remedy)
