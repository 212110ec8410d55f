"""What a record shows of a golden field, in one form whatever the system."""

from typing import Any

from connectors.testing.memory import Row
from sync_engine.converters import FORMS
from sync_engine.store import LinkRow
from tests.simulation.deeds import NATIVE
from tests.simulation.systems import Crm
from tests.simulation.world import Installation

PHONES = FORMS["phone"]


def record(home: Installation, link: LinkRow) -> tuple[Crm, str, Row]:
    source = home.worker.world.source(link.source_id)
    crm = home.systems[source.instance]
    return crm, source.object, crm.row(source.object, link.record_id or "")


def place(home: Installation, link: LinkRow) -> tuple[str, str]:
    return home.worker.world.source(link.source_id).instance, link.record_id or ""


def shows(crm: Crm, row: Row, field: str) -> set[Any]:
    """The values of a golden field that a record shows, in one form."""
    if field == "mobile":
        held = (
            (row.values.get("phones") or [])
            if crm.flavour == "profiles"
            else [row.values["mobile"]]
        )
        return {PHONES.normal(value, "HR") for value in held if value}
    if field == "email":
        held = (
            (row.values.get("mails") or []) if crm.flavour == "profiles" else [row.values["mail"]]
        )
        return set(filter(None, held))
    value = row.values.get(NATIVE[field])
    return {bool(value)} if field == "email_opt_out" else {value}


def holds(crm: Crm, row: Row, field: str, value: Any) -> bool:
    shown = shows(crm, row, field)
    if value is None:
        return not shown - {None}
    return value in shown or PHONES.normal(str(value), "HR") in shown


def maps(crm: Crm, name: str, field: str) -> bool:
    if crm.flavour == "profiles" and field in ("email", "mobile"):
        return name == "person"
    return NATIVE[field] in crm.objects[name].fields
