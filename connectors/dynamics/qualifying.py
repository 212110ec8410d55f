"""Qualifies leads into contacts and accounts that are there, or into a new contact.

QualifyLead is an action of Dynamics 365 Sales (Web API reference, QualifyLead; Microsoft.Crm.Sdk
QualifyLeadRequest, "this message requires Dynamics 365 Sales"). It knows no condition and no key of
ours: the lead is read before, and what it is to become is set on it under its version
(``parentcontactid``, ``parentaccountid``: what the form calls the existing contact and account).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connectors.dynamics.answers import CLOSED, NO_SEGMENT, outcome_of
from connectors.dynamics.client import KEYS, DynamicsClient, error_of, rows_of
from connectors.dynamics.metadata import qualified
from connectors.dynamics.reading import Reader
from connectors.protocol import Outcome, Result, Write
from connectors.replies import object_of

_OPEN, _QUALIFIED = 0, 1  #: statecode of a lead
_PARENTS = ("contact", "account")


class Qualifier:
    """Converts leads of one environment."""

    def __init__(self, client: DynamicsClient, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    def leads(self, writes: Sequence[Write]) -> Mapping[str, Any]:
        """The leads as they are, by id. Raises ConnectorError."""
        return {row["leadid"]: row for row in self._reader.leads([str(one.id) for one in writes])}

    def qualify(self, write: Write, lead: Mapping[str, Any] | None) -> Outcome:
        """Raises ConnectorError: the lead may be qualified then all the same."""
        number = str(write.id)
        if lead is None:
            return Outcome(Result.GONE, number)
        if lead["statecode"] == _QUALIFIED:
            return self._became(number, lead)
        if lead["statecode"] != _OPEN:
            return Outcome(Result.REJECTED, number, reason="the lead is disqualified")
        if write.version not in (None, lead["@odata.etag"]):
            return Outcome(Result.STALE, number)
        # what a person has chosen on the lead stands: the form's existing contact and account
        chosen = {table: lead[f"_parent{table}id_value"] for table in _PARENTS}
        if write.into.get("contact") and chosen["contact"] not in (None, write.into["contact"]):
            why = "the lead names another existing contact"
            return Outcome(Result.REJECTED, number, reason=why)
        there = {table: chosen[table] or write.into.get(table) for table in _PARENTS}
        binds = {
            f"parent{table}id@odata.bind": f"/{table}s({parent})"
            for table, parent in there.items()
            if parent is not None and parent != chosen[table]
        }
        if binds:
            answer = self._client.update("lead", number, binds, lead["@odata.etag"])
            if answer.status_code not in (200, 204):
                return outcome_of(answer, number, {})
        wish = {
            "CreateAccount": False,
            "CreateContact": there["contact"] is None,
            "CreateOpportunity": False,
            "Status": qualified(self._client),
        }
        answer = self._client.qualify(number, wish)
        code, _ = error_of(answer) if answer.status_code != 200 else ("", "")
        if code == CLOSED:  # by an earlier call whose answer was lost, or by a person
            (lead,) = self._reader.leads([number])
            return self._became(number, lead)
        if answer.status_code != 200:
            return _refused(answer, number)
        made = {
            str(row["@odata.type"]).rpartition(".")[2]: row for row in rows_of(object_of(answer))
        }
        into = {table: row[KEYS[table]] for table, row in made.items() if table in _PARENTS}
        known = {table: parent for table, parent in there.items() if parent is not None}
        return Outcome(Result.DONE, number, into=known | into)

    def _became(self, number: str, lead: Mapping[str, Any]) -> Outcome:
        into = self._reader.qualified([lead])
        if number not in into:
            return Outcome(Result.REJECTED, number, reason="the lead is closed")
        return Outcome(Result.DONE, number, into=into[number])


def _refused(answer: httpx.Response, number: str) -> Outcome:
    if error_of(answer)[0] == NO_SEGMENT:
        why = "QualifyLead exists only with Dynamics 365 Sales"
        return Outcome(Result.REJECTED, number, reason=why)
    return outcome_of(answer, number, {})
