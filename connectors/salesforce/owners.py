"""Users and queues that records can belong to.

Object Reference: User (UserType: ``Standard`` licenses and ``PowerPartner``; the others own no
leads, contacts or accounts), Group, QueueSobject.
"""

from connectors.protocol import Owner
from connectors.replies import documented
from connectors.salesforce.client import Row, SalesforceClient

OWNER = "OwnerId"
_USERS = (
    "SELECT Id, Email, IsActive FROM User WHERE UserType = 'Standard' OR UserType = 'PowerPartner'"
)
_QUEUES = "SELECT Id, Name FROM Group WHERE Type = 'Queue'"
_OWNED = "SELECT QueueId, SobjectType FROM QueueSobject"


def owners(client: SalesforceClient) -> list[Owner]:
    with documented("Salesforce"):
        found = [
            Owner(row["Id"], row["Email"], row["IsActive"], is_us=row["Id"] == client.user)
            for row in _rows(client, _USERS)
            if row["Email"]
        ]
        objects: dict[str, list[str]] = {}
        for row in _rows(client, _OWNED):
            objects.setdefault(row["QueueId"], []).append(row["SobjectType"])
        return found + [
            Owner(row["Id"], f"queue:{row['Name']}", objects=tuple(objects[row["Id"]]))
            for row in _rows(client, _QUEUES)
            if row["Id"] in objects
        ]


def _rows(client: SalesforceClient, query: str) -> list[Row]:
    return [row for rows, _ in client.query(query) for row in rows]
