"""Reading from an account on paper."""

from collections.abc import Sequence
from typing import Any

from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Cursor, Page, Record, Selection, Upserted

FIELDS = ("type", "lastName", "phones", "emails", "tags", "company", "customAttributes.job_title")
PEOPLE = Selection("person", FIELDS)


def records(pages: Sequence[Page]) -> list[Record]:
    return [
        change.record for page in pages for change in page.changes if isinstance(change, Upserted)
    ]


def everything(crm: InfobipConnector, since: Cursor | None = None) -> list[Page]:
    return list(crm.changes(PEOPLE, since))


def names(pages: Sequence[Page]) -> set[Any]:
    return {record.values["lastName"] for record in records(pages)}
