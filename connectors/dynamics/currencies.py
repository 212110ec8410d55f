"""The currency of a row, which is a lookup there and a code of ISO 4217 here.

Sources: transactioncurrency in the table reference; powerapps-docs, transaction currency: every
row with money names one, and a column NAME_base holds the amount in the organization's own.
"""

from connectors.dynamics.client import DynamicsClient, rows_of
from connectors.replies import documented

CURRENCY = "_transactioncurrencyid_value"  #: as it is read; its values are codes
BIND = "transactioncurrencyid@odata.bind"
_ACTIVE = (
    "transactioncurrencies?$select=transactioncurrencyid,isocurrencycode&$filter=statecode eq 0"
)


class Currencies:
    """The active currencies of one environment; asked again for one that is not known."""

    def __init__(self, client: DynamicsClient) -> None:
        self._client = client
        self._codes: dict[str, str] = {}  #: id -> code

    @documented("Dataverse")
    def read(self) -> dict[str, str]:
        """Id -> code."""
        self._codes = {
            row["transactioncurrencyid"]: row["isocurrencycode"]
            for page in self._client.pages(_ACTIVE)
            for row in rows_of(page)
        }
        return self._codes

    def code(self, number: str | None) -> str | None:
        """The code of a currency; None for none, and for one that is not active any more."""
        if number and number not in self._codes:
            self.read()
        return self._codes.get(number or "")

    def path(self, code: str | None) -> str | None:
        """Where a currency stands, as a binding names it; a code that is unknown is no id either,
        so that it is refused there."""
        if code is None:
            return None
        if code not in self._codes.values():
            self.read()
        ids = {known: number for number, known in self._codes.items()}
        return f"/transactioncurrencies({ids.get(code, code)})"
