"""The partner SOAP API as Python calls: what REST has not (convertLead, practice 3.4).

SOAP API Developer Guide, convertLead(), query(), SessionHeader: an OAuth access token serves as
the session id. Tokens in the format of JWT may be refused there; that is not documented.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from connectors.errors import ResponseError, TransientError
from connectors.replies import documented
from connectors.salesforce.answers import problem_of
from connectors.salesforce.client import SalesforceClient

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PARTNER = "urn:partner.soap.sforce.com"
_NO_SESSION = "INVALID_SESSION_ID"


class NoSessionError(Exception):
    """SOAP does not take our access token, not even a new one."""


@dataclass(frozen=True, slots=True)
class LeadConvert:
    """One lead to convert; the fields stand in the order of the WSDL, which counts."""

    accountId: str | None  # as they are called there
    contactId: str | None
    convertedStatus: str
    leadId: str
    ownerId: str | None


@dataclass(frozen=True, slots=True)
class LeadConvertResult:
    """What became of one lead; ``errors`` have ``statusCode`` and ``fields``, as in REST."""

    account: str | None
    contact: str | None
    errors: Sequence[Mapping[str, object]]


def convert_leads(
    client: SalesforceClient, wishes: Sequence[LeadConvert]
) -> list[LeadConvertResult]:
    """At most 100. Raises NoSessionError, ConnectorError."""
    call = ET.Element(f"{{{_PARTNER}}}convertLead")
    for wish in wishes:
        _append(call, wish)
    answer = _called(client, call)
    with documented("Salesforce"):
        results = [_result(one) for one in answer.iterfind(f"{{{_PARTNER}}}result")]
    if len(results) != len(wishes):
        raise TransientError("Salesforce answers convertLead with another number of results")
    return results


def may_convert(client: SalesforceClient) -> bool:
    """Whether our user has the permission Convert Leads. Raises NoSessionError, ConnectorError.

    Object Reference, UserPermissionAccess: what the current user may do. Asked by SOAP, which
    proves that it takes our token.
    """
    call = ET.Element(f"{{{_PARTNER}}}query")
    text = ET.SubElement(call, f"{{{_PARTNER}}}queryString")
    text.text = "SELECT PermissionsConvertLeads FROM UserPermissionAccess"
    told = [one.text for one in _called(client, call).iter() if one.tag.endswith("ConvertLeads")]
    return "true" in told


def _append(call: ET.Element, wish: LeadConvert) -> None:
    given = {
        "accountId": wish.accountId,
        "contactId": wish.contactId,
        "convertedStatus": wish.convertedStatus,
        "doNotCreateOpportunity": "true",
        "leadId": wish.leadId,
        "overwriteLeadSource": "false",
        "ownerId": wish.ownerId,
        "sendNotificationEmail": "false",
    }
    one = ET.SubElement(call, f"{{{_PARTNER}}}leadConverts")
    for name, value in given.items():
        if value is not None:
            ET.SubElement(one, f"{{{_PARTNER}}}{name}").text = value


def _result(one: ET.Element) -> LeadConvertResult:
    errors = [
        {
            "statusCode": error.findtext(f"{{{_PARTNER}}}statusCode"),
            "message": error.findtext(f"{{{_PARTNER}}}message"),
            "fields": [field.text for field in error.iterfind(f"{{{_PARTNER}}}fields")],
        }
        for error in one.iterfind(f"{{{_PARTNER}}}errors")
    ]
    done = one.findtext(f"{{{_PARTNER}}}success") == "true"
    if not done:
        return LeadConvertResult(None, None, errors or [{"statusCode": "UNKNOWN_EXCEPTION"}])
    account, contact = (one.findtext(f"{{{_PARTNER}}}{name}Id") for name in ("account", "contact"))
    return LeadConvertResult(account or None, contact or None, ())


def _called(client: SalesforceClient, call: ET.Element) -> ET.Element:
    """The answer to a call. A session that has ended is renewed once."""
    for fresh in (False, True):
        response = client.soap(lambda session: _envelope(session, call), fresh=fresh)
        if response.status_code not in (200, 500):
            raise ResponseError(f"Salesforce answers SOAP with {response.status_code}")
        body = _parsed(response).find(f"{{{_SOAP}}}Body")
        if body is None or len(body) != 1:
            raise ResponseError("Salesforce answers SOAP without a body")
        fault = body.find(f"{{{_SOAP}}}Fault")
        if fault is None:
            return body[0]
        code = (fault.findtext("{*}faultcode") or "UNKNOWN").rpartition(":")[2]
        if code != _NO_SESSION:
            told = {"errorCode": code, "message": fault.findtext("{*}faultstring")}
            raise problem_of(response.status_code, [told])
    raise NoSessionError


def _envelope(session: str, call: ET.Element) -> bytes:
    envelope = ET.Element(f"{{{_SOAP}}}Envelope")
    header = ET.SubElement(envelope, f"{{{_SOAP}}}Header")
    one = ET.SubElement(header, f"{{{_PARTNER}}}SessionHeader")
    ET.SubElement(one, f"{{{_PARTNER}}}sessionId").text = session
    options = ET.SubElement(header, f"{{{_PARTNER}}}CallOptions")
    ET.SubElement(options, f"{{{_PARTNER}}}client").text = "crm-sync"
    ET.SubElement(envelope, f"{{{_SOAP}}}Body").append(call)
    found: bytes = ET.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return found


def _parsed(response: httpx.Response) -> ET.Element:
    """Raises TransientError where it is no XML (a proxy's or maintenance page)."""
    if b"<!DOCTYPE" in response.content:  # no SOAP message has one; entities come by it
        raise TransientError("Salesforce answers SOAP with a page")
    try:
        return ET.fromstring(response.content)  # noqa: S314  # without DOCTYPE nothing expands
    except ET.ParseError as error:
        raise TransientError("Salesforce answers SOAP without XML") from error
