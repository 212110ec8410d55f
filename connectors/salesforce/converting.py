"""Converts leads into contacts and accounts that are there, or into new ones.

convertLead knows neither a condition nor a key of ours: the leads are read immediately before,
and whatever fails is read again (``IsConverted``, ``ConvertedContactId``). It wants an account: a
contact's own, or the one that is given; else it makes one of the lead's company, or, in an
organization with person accounts, a person account of a lead without company.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import AuthError, ResponseError
from connectors.protocol import Outcome, Refusal, Result, Write
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.reading import Reader
from connectors.salesforce.refusals import refusal
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.soap import (
    LeadConvert,
    LeadConvertResult,
    NoSessionError,
    convert_leads,
    may_convert,
)

_QUEUE = "00G"  #: begins the ids of queues (and of other groups, which own nothing)
NO_SESSION = "SOAP does not take the app's access token"


class Converter:
    """Converts leads of one organization."""

    def __init__(
        self, client: SalesforceClient, reader: Reader, settings: SalesforceSettings
    ) -> None:
        self._client = client
        self._reader = reader
        self._status = settings.converted_status or ""

    def missing(self) -> str:
        """Why leads cannot be converted, in words; empty where they can. One API call."""
        try:
            if not may_convert(self._client):
                return "our user lacks the permission Convert Leads"
        except NoSessionError:
            return NO_SESSION
        except (AuthError, ResponseError) as error:
            return f"SOAP refuses calls: {error.what}"
        return ""

    def convert(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome each, in order; at most 100. Raises ConnectorError."""
        leads = self._reader.leads([str(one.id) for one in writes])
        outcomes: dict[str, Outcome] = {}
        for one in writes:
            if settled := _settled(one, leads.get(str(one.id))):
                outcomes[str(one.id)] = settled
        due = [one for one in writes if str(one.id) not in outcomes]
        wishes = self._wishes(due, leads, outcomes)
        if wishes:
            outcomes |= self._called(wishes)
        return [outcomes[str(one.id)] for one in writes]

    def _wishes(
        self,
        writes: Sequence[Write],
        leads: Mapping[str, Mapping[str, Any]],
        outcomes: dict[str, Outcome],
    ) -> list[LeadConvert]:
        """What is asked for; a lead that would make a second account is refused."""
        contacts = [contact for one in writes if (contact := one.into.get("Contact"))]
        accounts = self._reader.accounts_of(contacts) if contacts else {}
        alone = [one for one in writes if not one.into.get("Contact")]
        alone = [one for one in alone if not one.into.get("Account")]
        names = [str(leads[str(one.id)]["Company"] or "") for one in alone]
        taken = self._reader.accounts_named(names) if any(names) else {}
        wishes: list[LeadConvert] = []
        for one in writes:
            number, contact = str(one.id), one.into.get("Contact")
            account = accounts.get(contact) if contact else one.into.get("Account")
            company = str(leads[number]["Company"] or "").casefold()
            if account is None and (why := _refused(number, contact, company, taken)):
                outcomes[number] = why
                continue
            if account is None:  # the next lead of this company would make a second account
                taken[company] = []
            queued = str(leads[number]["OwnerId"]).startswith(_QUEUE)
            owner = self._client.user if queued else None
            wishes.append(LeadConvert(account, contact, self._converted_status(), number, owner))
        return wishes

    def _called(self, wishes: Sequence[LeadConvert]) -> dict[str, Outcome]:
        try:
            results = convert_leads(self._client, wishes)
        except NoSessionError:
            return {
                wish.leadId: Outcome(
                    Result.REJECTED, wish.leadId, reason=NO_SESSION, refusal=Refusal.PERMISSION
                )
                for wish in wishes
            }
        told = dict(zip((wish.leadId for wish in wishes), results, strict=True))
        failed = [number for number, one in told.items() if one.contact is None]
        # by an earlier call whose answer was lost, or by a person, it may be converted already
        again = self._reader.leads(failed) if failed else {}
        return {
            number: _settled(None, again.get(number, {})) or _outcome(number, one)
            for number, one in told.items()
        }

    def _converted_status(self) -> str:
        """The status that means converted: as configured, else the organization's first."""
        if not self._status:
            query = "SELECT ApiName FROM LeadStatus WHERE IsConverted = true ORDER BY SortOrder"
            rows, _ = next(self._client.query(query))
            if not rows:
                raise ResponseError("Salesforce has no lead status that means converted")
            self._status = str(rows[0]["ApiName"])
        return self._status


def _settled(write: Write | None, lead: Mapping[str, Any] | None) -> Outcome | None:
    """What there is to say of a lead without a call; of one that was just refused, likewise."""
    if lead is None:
        return Outcome(Result.GONE, write.id if write else None, reason="NOT_FOUND")
    if lead.get("IsConverted"):
        into = {"Contact": lead["ConvertedContactId"], "Account": lead["ConvertedAccountId"]}
        return Outcome(Result.DONE, lead["Id"], into={n: v for n, v in into.items() if v})
    if write is not None and write.version not in (None, lead["SystemModstamp"]):
        return Outcome(Result.STALE, write.id, reason="changed since")
    return None


def _refused(
    number: str, contact: str | None, company: str, taken: Mapping[str, Sequence[str]]
) -> Outcome | None:
    """Why a lead for which there is no account is not converted (practice 3.3)."""
    if contact:
        why = "the contact there belongs to no account, which a conversion needs"
        return Outcome(Result.REJECTED, number, reason=why)
    if not company:  # without person accounts every lead has a company
        why = "no company: it would become a person account; convert it there by hand"
        return Outcome(Result.REJECTED, number, reason=why, refusal=Refusal.REQUIRED)
    if company in taken:
        why = "an account of its company's name is there, and not linked to the person"
        found = tuple(taken[company])
        return Outcome(Result.REJECTED, number, reason=why, refusal=Refusal.DUPLICATE, found=found)
    return None


def _outcome(number: str, one: LeadConvertResult) -> Outcome:
    if one.contact is None:
        return refusal(one.errors, number)
    into = {"Contact": one.contact} | ({"Account": one.account} if one.account else {})
    return Outcome(Result.DONE, number, into=into)
