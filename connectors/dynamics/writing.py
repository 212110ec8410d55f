"""Carries out writes: creates under ids of our own, updates and deletes under a condition."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.dynamics.answers import EXISTS, SECURED, outcome_of
from connectors.dynamics.client import SETS, DynamicsClient, error_of
from connectors.dynamics.currencies import BIND as CURRENCY_BIND
from connectors.dynamics.currencies import CURRENCY, Currencies
from connectors.dynamics.metadata import BINDS, PARENT, closing, read_table
from connectors.dynamics.owners import BIND, OWNER, Owners
from connectors.dynamics.qualifying import Qualifier
from connectors.dynamics.reading import Reader
from connectors.errors import ConnectorError, RateLimitError, TransientError
from connectors.protocol import Action, Outcome, Refusal, Result, Values, Write

_PATIENCE = 2  #: failing calls in a row after which the rest of a batch is left


class Writer:
    """Writes one environment's tables."""

    def __init__(self, client: DynamicsClient, reader: Reader, owners: Owners) -> None:
        self._client = client
        self._owners = owners
        self._currencies = Currencies(client)
        self._reader = reader
        self._qualifier = Qualifier(client, reader)

    def write(self, table: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call each, in order. Raises ConnectorError if nothing is known of any.

        A row that always fails with 5xx (a plug-in's unexpected error) must not keep the
        others from being written: only failures in a row say that the connection is down.
        """
        children = self._children_of_contacts(table, writes)
        converting = [one for one in writes if one.action is Action.CONVERT]
        leads = self._qualifier.leads(converting) if converting else {}
        outcomes: list[Outcome] = []
        failures: list[ConnectorError] = []
        for one in writes:
            if len(failures) >= _PATIENCE:
                outcomes.append(Outcome(Result.RETRY, one.id, reason="not sent"))
                continue
            try:
                if one.action is Action.CONVERT:
                    outcome = self._qualifier.qualify(one, leads.get(str(one.id)))
                else:
                    outcome = self._named(table, one, self._write(table, one, children))
                outcomes.append(outcome)
                failures = []
            except ConnectorError as error:
                hopeless = isinstance(error, RateLimitError) or not isinstance(
                    error, TransientError
                )
                failures += [error] * (_PATIENCE if hopeless else 1)
                outcomes.append(Outcome(Result.RETRY, one.id, reason=error.what))
        if failures and all(one.result is Result.RETRY for one in outcomes):
            raise failures[0]
        return outcomes

    def _named(self, table: str, write: Write, outcome: Outcome) -> Outcome:
        """A refusal for a secured column does not say for which: the definitions do."""
        if outcome.faults or outcome.reason not in SECURED:
            return outcome
        found = read_table(self._client, table)
        columns = found.columns if found else {}
        secured = [name for name in write.values if name in columns and columns[name].secured]
        return replace(outcome, faults=dict.fromkeys(secured, outcome.reason))

    def _children_of_contacts(self, table: str, writes: Sequence[Write]) -> frozenset[str]:
        """Rows whose company is to change but hang on a contact: these stay (practice 4.8)."""
        moved = [one.id for one in writes if one.id and PARENT in one.values]
        return self._reader.children_of_contacts(moved) if table == "contact" else frozenset()

    def _write(self, table: str, write: Write, children: frozenset[str]) -> Outcome:
        if write.action is Action.CREATE:
            return self._create(table, str(write.key), write.values)
        number = write.id or ""
        if write.action is Action.DELETE:
            answer = self._client.delete(table, number, write.version)
            return outcome_of(answer, number, {})
        if write.action is Action.DEACTIVATE:
            answer = self._client.update(table, number, closing(self._client, table), write.version)
            return outcome_of(answer, number, {})
        if write.action is not Action.UPDATE:
            return Outcome(Result.REJECTED, number, reason="not done by this connector")
        if number in children:
            why = "the parent is a contact"
            return Outcome(Result.REJECTED, number, reason=why, faults={PARENT: why})
        answer = self._client.update(table, number, self._native(write.values), write.version)
        return outcome_of(answer, number, write.values)

    def _create(self, table: str, number: str, values: Values) -> Outcome:
        answer = self._client.create(table, number, self._native(values))
        if answer.status_code != 412 or error_of(answer)[0] not in ("", EXISTS):
            return outcome_of(answer, number, values)
        if self._client.exists(table, number):
            return Outcome(Result.DONE, number)  # our own, whose answer was lost
        # another row stands in the way: the code is that of any integrity violation
        return Outcome(Result.REJECTED, number, reason=EXISTS, refusal=Refusal.DUPLICATE)

    def _native(self, values: Values) -> dict[str, Any]:
        """Columns as the API writes them: a lookup by its navigation property."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name in BINDS:
                navigation, target = BINDS[name]
                found[f"{navigation}@odata.bind"] = f"/{SETS[target]}({value})" if value else None
            elif name == CURRENCY:
                found[CURRENCY_BIND] = self._currencies.path(value)
            elif name == OWNER:
                found[BIND] = self._owners.path(value)
            else:
                found[name] = None if value == "" else value
        return found
