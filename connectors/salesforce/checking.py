"""Whether an organization can be synchronised as configured, and what to do where it cannot."""

from collections import Counter
from collections.abc import Iterator, Sequence

from simple_salesforce.format import format_soql

from connectors.errors import AuthError, ResponseError, SetupError
from connectors.protocol import Checked, Finding, Level, Selection
from connectors.salesforce.client import Row, SalesforceClient
from connectors.salesforce.converting import Converter
from connectors.salesforce.metadata import (
    LEAD,
    OBJECTS,
    RECORD_TYPE,
    Described,
    Metadata,
    converting_faults,
    key_faults,
)
from connectors.salesforce.owners import OWNER
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.shaping import is_placed

_BUSY = 0.8  #: share of the daily calls from which on a warning is due
#: versions up to it are retired with Summer '28 (REST guide, api-eol)
_RETIRING = 40
#: what an address, a number or a name stands in; encrypted, it cannot be looked up
_SEARCHED = frozenset({"email", "phone", "string", "url"})
_ABILITIES = {
    "createable": "records are not created",
    "updateable": "records are not changed",
    "deletable": "records are not deleted",
}


def check(
    client: SalesforceClient,
    metadata: Metadata,
    converter: Converter,
    settings: SalesforceSettings,
    selections: Sequence[Selection],
) -> Checked:
    findings = [*_version(client, settings.api_version)]
    rows, _ = next(client.query("SELECT Id, Name, IsSandbox FROM Organization"))
    if not rows:
        raise ResponseError("Salesforce does not show its own organization")
    seen = []
    for selection in selections:
        described = metadata.ask(selection.object) if selection.object in OBJECTS else None
        if described is None:
            findings.append(_absent(selection.object))
            continue
        seen.append(selection.object)
        findings += _object(selection.object, described)
        findings += _fields(selection, described["fields"])
        findings += _values(selection, described["fields"])
        findings += _statuses(selection.object, described["fields"], settings)
        findings += _key(selection.object, described["fields"], settings.external_id_field)
    if seen:
        findings += _key_readers(client, seen, settings.external_id_field)
        findings += _automation(client, seen)
    if LEAD in seen:
        findings += _conversions(metadata, converter)
    used, most = client.used
    if most and used > _BUSY * most:
        what = f"{used} of {most} API calls of the last 24 hours are used"
        findings.append(Finding(Level.WARNING, what, "run the syncs less often"))
    return Checked(rows[0]["Id"], rows[0]["Name"], rows[0].get("IsSandbox"), tuple(findings))


def _version(client: SalesforceClient, version: str) -> Iterator[Finding]:
    """Raises SetupError for a version that the organization does not speak."""
    offered = client.versions()
    if version not in offered:
        raise SetupError(
            f"the organization has no API version {version}",
            remedy=f"set api_version to one of {offered[0]} to {offered[-1]}",
        )
    if float(version) <= _RETIRING:
        what = f"API version {version} ends with Summer '28"
        yield Finding(Level.WARNING, what, f"set api_version, up to {offered[-1]}")


def _absent(name: str) -> Finding:
    if name not in OBJECTS:
        return _error(f"there is no object {name} here", f"the objects are: {', '.join(OBJECTS)}")
    return _error(
        f"our user sees no object {name}",
        f"give its permission set the right to read {name}; leads exist only where edition and "
        "user license include Sales or Service",
    )


def _object(name: str, described: Described) -> Iterator[Finding]:
    if not described["queryable"]:
        yield _error(f"{name} cannot be read", f"give the permission set Read on {name}")
    for ability, consequence in _ABILITIES.items():
        if not described[ability]:
            remedy = f"give the permission set Create, Edit and Delete on {name} as needed"
            yield Finding(Level.WARNING, f"{name} is not {ability}: {consequence}", remedy)


def _fields(selection: Selection, fields: Described) -> Iterator[Finding]:
    for field in selection.fields:
        name, known = f"{selection.object}.{field}", fields.get(field)
        if known is None:
            remedy = "check the name and the field-level security, or unmap it"
            what = f"{name} cannot be read"
            yield Finding(Level.ERROR, what, remedy, selection.object, field)
            continue
        if known["calculated"]:
            what = f"{name} is a formula: its changes alone do not make a record new"
            yield Finding(Level.WARNING, what, "map the fields that it is made of")
        elif not known["updateable"]:
            what = f"{name} can be read but not changed by our user"
            remedy = "give the permission set edit access to it, or map it in one direction"
            yield Finding(Level.WARNING, what, remedy)
        if not known["filterable"] and known["type"] in _SEARCHED:
            what = f"{name} cannot be looked up: it is encrypted or too long"
            remedy = "encrypt it deterministically, or do not match by it"
            yield Finding(Level.WARNING, what, remedy)


def _values(selection: Selection, fields: Described) -> Iterator[Finding]:
    """Fields that mean something only together (practice 4.5, 4.6, 4.7)."""
    name = selection.object
    for field in selection.fields:
        if is_placed(field) and f"{field}Code" in fields:  # state and country picklists
            yield Finding(Level.OK, f"{name}.{field} is written by its code, as {field}Code")
            if f"{field}Code" in selection.fields:
                what = f"{name}.{field} and {field}Code are one value, which is mapped twice"
                yield _error(what, "unmap one of them")
        is_money = field in fields and fields[field]["type"] == "currency"
        if is_money and fields[field]["calculated"] and "CurrencyIsoCode" in fields:
            what = f"{name}.{field} is computed, so that it may be converted to another currency"
            yield _error(what, "map the amount that it is made of, with its CurrencyIsoCode")
        if is_money and "CurrencyIsoCode" in set(fields) - set(selection.fields):
            what = f"{name}.{field} is an amount without its currency"
            yield _error(what, f"map CurrencyIsoCode of {name} too, or unmap it")
    if RECORD_TYPE in selection.fields:
        what = f"{name}: a record type is chosen on creation, and never changed"
        yield Finding(Level.WARNING, what, f"name it under on_create: {{{RECORD_TYPE}: API_NAME}}")
    if OWNER not in selection.fields:
        what = f"{name}: what we create belongs to our user, since OwnerId is not mapped"
        yield Finding(Level.WARNING, what, "map OwnerId, or let a flow of the organization set it")


def _statuses(name: str, fields: Described, settings: SalesforceSettings) -> Iterator[Finding]:
    if name != "Lead" or "Status" not in fields:
        return
    offered = {one["value"] for one in fields["Status"]["picklistValues"] if one["active"]}
    for status in settings.disqualified_statuses:
        if status not in offered:
            what = f"no lead can have the status {status}, which is to mean disqualified"
            remedy = f"set disqualified_statuses to some of: {', '.join(sorted(offered))}"
            yield Finding(Level.WARNING, what, remedy)
    if settings.converted_status not in (None, *offered):
        what = f"no lead can have the status {settings.converted_status} (converted_status)"
        remedy = f"set converted_status to one of: {', '.join(sorted(offered))}, or leave it out"
        yield Finding(Level.WARNING, what, remedy)


def _conversions(metadata: Metadata, converter: Converter) -> Iterator[Finding]:
    """What keeps leads from being converted on behalf of another side, beside what is told."""
    asked = {name: metadata.described(name) for name in OBJECTS}
    seen = {name: one for name, one in asked.items() if one is not None}
    if seen.keys() != set(OBJECTS) or not seen[LEAD]["updateable"]:
        return
    faults = converting_faults(seen)
    if not faults and (missing := converter.missing()):
        faults = [missing]
    if faults:
        yield Finding(
            Level.OK,
            f"no lead is converted on behalf of another side (converts): {'; '.join(faults)}",
            "give the permission set Convert Leads, and Create and Edit on Account, Contact and "
            "Opportunity; let the app issue opaque tokens, and allow it SOAP",
        )


def _key(name: str, fields: Described, key: str) -> Iterator[Finding]:
    faults = list(key_faults(fields, key))
    if faults:
        yield Finding(
            Level.WARNING,
            f"{name}.{key} cannot hold our key: {'; '.join(faults)}; nothing is created there",
            "create it as Text(36), external id, unique, case-sensitive, with access for the "
            "integration's permission set",
        )


def _key_readers(client: SalesforceClient, names: Sequence[str], key: str) -> Iterator[Finding]:
    """Users who see the key cannot clone a record: it would carry the same (practice 7.3)."""
    query = "SELECT Field FROM FieldPermissions WHERE Field IN {fields} AND PermissionsRead = true"
    rows = _rows(client, query, fields=[f"{name}.{key}" for name in names])
    for field, readers in Counter(row["Field"] for row in rows).items():
        if readers > 1:
            what = f"{readers} permission sets and profiles see {field}, whose users cannot clone"
            yield Finding(Level.WARNING, what, "leave it to the integration's permission set alone")


def _automation(client: SalesforceClient, names: Sequence[str]) -> Iterator[Finding]:
    """What the records that we create will meet (practice 1.6)."""
    query = "SELECT Name, SobjectType FROM AssignmentRule WHERE SobjectType IN {names}"
    for rule in _rows(client, f"{query} AND Active = true", names=names):
        what = f"the assignment rule {rule['Name']} does not run for what we write"
        yield Finding(Level.OK, f"{rule['SobjectType']}: {what}")
    query = "SELECT DeveloperName, SobjectType FROM DuplicateRule WHERE SobjectType IN {names}"
    for rule in _rows(client, f"{query} AND IsActive = true", names=names):
        what = f"the duplicate rule {rule['DeveloperName']} may refuse what we create"
        yield Finding(
            Level.WARNING,
            f"{rule['SobjectType']}: {what}",
            "let its conditions leave out our user, or expect refused creates as issues",
        )


def _rows(client: SalesforceClient, query: str, **values: Sequence[str]) -> list[Row]:
    """Rows of a set-up object; none where our user may not see it."""
    try:
        rows, _ = next(client.query(format_soql(query, **values)))
    except (AuthError, ResponseError, SetupError):
        return []
    return rows


def _error(what: str, remedy: str) -> Finding:
    return Finding(Level.ERROR, what, remedy)
