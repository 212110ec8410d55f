"""Users and teams that rows can belong to, and how a row is given to one.

Sources: systemuser and team in the table reference (``teamtype`` 1 is an access team, which owns
nothing); webapi/associate-disassociate for polymorphic lookups: ``ownerid`` is bound to either set.
"""

from connectors.dynamics.client import DynamicsClient, rows_of
from connectors.protocol import Owner
from connectors.replies import documented

OWNER = "_ownerid_value"  #: as it is read
BIND = "ownerid@odata.bind"  #: as it is written
DISABLED = "0x80040225"  #: "The specified user is either disabled or ..." (error list)
_USERS = "systemusers?$select=systemuserid,internalemailaddress,isdisabled"
_TEAMS = "teams?$select=teamid,name&$filter=teamtype ne 1"


class Owners:
    """Who there is; which of them are teams is remembered for writes."""

    def __init__(self, client: DynamicsClient) -> None:
        self._client = client
        self._teams: frozenset[str] | None = None

    @documented("Dataverse")
    def read(self) -> list[Owner]:
        us = self._client.get("WhoAmI()")["UserId"]
        users = [
            Owner(
                row["systemuserid"],
                row["internalemailaddress"],
                not row["isdisabled"],
                is_us=row["systemuserid"] == us,
            )
            for page in self._client.pages(_USERS)
            for row in rows_of(page)
            if row["internalemailaddress"] or row["systemuserid"] == us
        ]
        teams = [
            Owner(row["teamid"], f"team:{row['name']}")
            for page in self._client.pages(_TEAMS)
            for row in rows_of(page)
        ]
        self._teams = frozenset(one.id for one in teams)
        return users + teams

    def path(self, number: str) -> str:
        """Where an owner stands, as a binding names it."""
        if self._teams is None:
            self.read()
        kind = "teams" if number in (self._teams or ()) else "systemusers"
        return f"/{kind}({number})"
