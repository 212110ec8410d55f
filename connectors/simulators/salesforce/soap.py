"""The partner SOAP API over HTTP: convertLead, and query of set-up objects.

Source: SOAP API Developer Guide, convertLead(), query(), SessionHeader, API Fault Element. The
elements of a request stand in the order of the WSDL; a fault is answered with 500 (SOAP 1.1).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

from connectors.simulators.salesforce import soql
from connectors.simulators.salesforce.org import API_USER, Org, Stored
from connectors.simulators.salesforce.people import convert
from connectors.simulators.salesforce.refusals import RowError, no_reference

ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
PARTNER = "{urn:partner.soap.sforce.com}"
MOST = 100  #: leads of one call
VERSIONS = {f"{n}.0" for n in range(31, 69)}
#: of a LeadConvert, in order
_FIELDS = (
    "accountId", "bypassAccountDedupeCheck", "bypassContactDedupeCheck", "contactId",
    "convertedStatus", "doNotCreateOpportunity", "leadId", "opportunityId", "opportunityName",
    "overwriteLeadSource", "ownerId", "relatedPersonAccountId", "sendNotificationEmail",
)  # fmt: skip
_OWNERS = (
    "Converted objects can only be owned by users.  If the lead is not owned by a user, you must "
    "specify a user for the Owner field."
)


class SoapFault(Exception):
    """The whole call is refused."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def answer(org: Org, request: Request, body: bytes) -> Response:
    try:
        told, status = _answered(org, request, body), 200
    except SoapFault as fault:
        told, status = _fault(fault), 500
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body>{told}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(text, status, media_type="text/xml")


def _answered(org: Org, request: Request, body: bytes) -> str:
    if "SOAPAction" not in request.headers:
        raise SoapFault("soapenv:Client", "SOAPAction HTTP header missing")
    if request.path_params["version"] not in VERSIONS:
        raise SoapFault("sf:UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    try:
        envelope = ElementTree.fromstring(body)  # noqa: S314  # of our own tests
    except ElementTree.ParseError as error:
        raise SoapFault("soapenv:Client", "the message is not well formed") from error
    session = envelope.findtext(f"{ENVELOPE}Header/{PARTNER}SessionHeader/{PARTNER}sessionId")
    known = org.tokens.get(session or "", org.clock.now()) > org.clock.now()
    if not (known and org.switches["soap"]):
        words = "Invalid Session ID found in SessionHeader: Illegal Session"
        raise SoapFault("sf:INVALID_SESSION_ID", f"INVALID_SESSION_ID: {words}")
    calls = envelope.find(f"{ENVELOPE}Body")
    if calls is None or len(calls) != 1:
        raise SoapFault("soapenv:Client", "the message has no call")
    name = calls[0].tag.removeprefix(PARTNER)
    if name == "query":
        return _query(org, calls[0].findtext(f"{PARTNER}queryString") or "")
    if name == "convertLead":
        return _convert_leads(org, list(calls[0]))
    raise SoapFault("soapenv:Client", f"No operation available for request {calls[0].tag}")


def _query(org: Org, text: str) -> str:
    query = soql.parse(text)
    rows = org.setup(query.object)
    if rows is None:
        raise SoapFault("sf:INVALID_TYPE", f"sObject type '{query.object}' is not supported.")
    records = "".join(
        f'<records xsi:type="sf:sObject"><sf:type>{query.object}</sf:type>'
        + "".join(f"<sf:{name}>{_text(row.get(name))}</sf:{name}>" for name in query.fields)
        + "</records>"
        for row in rows
    )
    return (
        f'<queryResponse xmlns="urn:partner.soap.sforce.com"><result>'
        f"<done>true</done>{records}<size>{len(rows)}</size></result>"
        "</queryResponse>"
    )


def _convert_leads(org: Org, wishes: Sequence[ElementTree.Element]) -> str:
    if len(wishes) > MOST:
        raise SoapFault("sf:EXCEEDED_ID_LIMIT", "record limit reached")
    results = []
    for wish in wishes:
        names = [one.tag.removeprefix(PARTNER) for one in wish]
        places = [_FIELDS.index(name) if name in _FIELDS else -1 for name in names]
        if wish.tag != f"{PARTNER}leadConverts" or places != sorted(set(places)) or -1 in places:
            raise SoapFault("soapenv:Client", "an element stands where none is expected")
        given = {name: one.text or "" for name, one in zip(names, wish, strict=True)}
        try:
            results.append(_done(_convert(org, given), given["leadId"]))
        except RowError as error:
            results.append(_refused(error))
    return (
        '<convertLeadResponse xmlns="urn:partner.soap.sforce.com">'
        f"{''.join(results)}</convertLeadResponse>"
    )


def _convert(org: Org, given: Mapping[str, str]) -> dict[str, str]:
    lead = org.find("Lead", given.get("leadId", ""))
    if lead is None or lead.values["IsDeleted"]:
        raise no_reference()
    if lead.values["IsConverted"]:
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    if not org.switches["may_convert"]:
        raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    statuses = org.setup("LeadStatus") or []
    meant = {one["ApiName"] for one in statuses if one["IsConverted"]}
    if given.get("convertedStatus") not in meant:
        raise RowError("INVALID_STATUS", f"invalid convertedStatus: {given.get('convertedStatus')}")
    owner = given.get("ownerId") or lead.values["OwnerId"]
    if not owner.startswith("005"):  # the words are reported, the code is not
        raise RowError("REQUIRED_FIELD_MISSING", _OWNERS, "OwnerId")
    into = _into(org, given)
    became = convert(org, lead, into, API_USER, owner, given["convertedStatus"])
    made = set(became) - set(into)
    if given.get("doNotCreateOpportunity") != "true":
        made.add("Opportunity")
    org.journal.write("Lead", lead.id, "convert", made, "api")
    return became


def _into(org: Org, given: Mapping[str, str]) -> dict[str, str]:
    """The contact must belong to the account, and that must be given with it."""
    into = {}
    for name, field in (("Account", "accountId"), ("Contact", "contactId")):
        if field in given:
            row: Stored | None = org.find(name, given[field])
            if row is None or row.values["IsDeleted"]:
                raise no_reference(field)
            into[name] = row.id
    if "Contact" in into and org.rows[into["Contact"]].values["AccountId"] != into.get("Account"):
        words = "the contact is not associated with the account"
        raise RowError("INVALID_CROSS_REFERENCE_KEY", words, "contactId")
    return into


def _done(became: Mapping[str, str], lead: str) -> str:
    return (
        f"<result><accountId>{became['Account']}</accountId>"
        f"<contactId>{became['Contact']}</contactId><leadId>{lead}</leadId>"
        '<opportunityId xsi:nil="true"/><success>true</success></result>'
    )


def _refused(error: RowError) -> str:
    fields = "".join(f"<fields>{escape(name)}</fields>" for name in error.fields)
    return (
        '<result><accountId xsi:nil="true"/><contactId xsi:nil="true"/>'
        f"<errors>{fields}<message>{escape(error.message)}</message>"
        f'<statusCode>{error.code}</statusCode></errors><leadId xsi:nil="true"/>'
        '<opportunityId xsi:nil="true"/><success>false</success></result>'
    )


def _fault(fault: SoapFault) -> str:
    words = escape(re.sub(r"\s+", " ", fault.words))
    return (
        f"<soapenv:Fault><faultcode>{fault.code}</faultcode><faultstring>{words}</faultstring>"
        "</soapenv:Fault>"
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else escape(str(value))
