"""What the organization itself says of its objects, and what that means for the contract."""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.errors import SetupError
from connectors.protocol import Action, FieldType, ObjectType
from connectors.replies import documented
from connectors.salesforce.client import COLLECTION, SalesforceClient

LEAD = "Lead"
OBJECTS = (LEAD, "Contact", "Account")
LEADS = 100  #: of one conversion (SOAP API Developer Guide, convertLead)
UUID_LENGTH = 36
RECORD_TYPE = "RecordTypeId"
_TYPES = {
    "email": "email",
    "phone": "phone",
    "date": "date",
    "datetime": "datetime",
    "boolean": "boolean",
    "int": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "picklist": "choice",
    "reference": "reference",
}

Described = Mapping[str, Any]


class Metadata:
    """Descriptions of objects, kept until they are asked for again."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, Any]] = {}

    def ask(self, name: str) -> Described | None:
        """The object as it is now, its fields by name; None where our user sees no such."""
        self._known.pop(name, None)
        described = self._client.describe(name)
        if described is None:
            return None
        with documented("Salesforce"):
            fields = {field["name"]: field for field in described["fields"]}
        self._known[name] = {**described, "fields": fields}
        return self._known[name]

    def described(self, name: str) -> Described | None:
        """The object as it was told last; asked for where it was not."""
        return self._known.get(name) or self.ask(name)

    def fields(self, name: str) -> Mapping[str, Described]:
        """Raises SetupError where our user sees no such object."""
        described = self.described(name)
        if described is None:
            raise SetupError(
                f"there is no object {name}", remedy="run crm-sync check: it tells why"
            )
        found: Mapping[str, Described] = described["fields"]
        return found

    def forget(self) -> None:
        """What was known has turned out to be wrong."""
        self._known.clear()


def record_types(described: Described) -> dict[str, str]:
    """API name -> id, of those that our user may choose."""
    return {
        one["developerName"]: one["recordTypeId"]
        for one in described.get("recordTypeInfos") or ()
        if one["available"] and not one["master"]
    }


#: picklist -> record type, by its API name or its id -> the choices there
Offered = Mapping[str, Mapping[str, tuple[str, ...]]]


def object_type(
    described: Described, key_field: str, offered: Offered, *, converts: bool
) -> ObjectType:
    fields = described["fields"]
    actions = {Action.UPDATE} if described["updateable"] else set()
    if converts:
        actions.add(Action.CONVERT)
    if described["deletable"]:
        actions.add(Action.DELETE)
    if described["createable"] and not any(key_faults(fields, key_field)):
        actions.add(Action.CREATE)
    return ObjectType(
        described["name"],
        {name: _field_type(field, fields, offered.get(name, {})) for name, field in fields.items()},
        frozenset(actions),
        reports_deletions=True,
        max_batch=COLLECTION,
        calls={Action.CREATE: 1 / COLLECTION, Action.CONVERT: 4 / LEADS},
    )


def converting_faults(told: Mapping[str, Described]) -> list[str]:
    """Which rights on objects a conversion lacks (SOAP API Developer Guide, convertLead)."""
    needed = {LEAD: ("updateable",)} | dict.fromkeys(
        ("Contact", "Account"), ("createable", "updateable")
    )
    return [
        f"{name} is not {ability}"
        for name, abilities in needed.items()
        for ability in abilities
        if name not in told or not told[name][ability]
    ]


def key_faults(fields: Mapping[str, Described], key_field: str) -> Iterator[str]:
    """Why the field cannot hold our key: without it an answer that is lost makes a second
    record, so nothing is created."""
    field = fields.get(key_field)
    if field is None:
        yield "it does not exist or is hidden from our user"
        return
    if field["type"] != "string" or field["length"] < UUID_LENGTH:
        yield f"it is no text of {UUID_LENGTH} characters"
    if not field["externalId"]:
        yield "it is no external id"
    if not field["unique"]:
        yield "it is not unique"
    if not field["createable"]:
        yield "our user may not write it"


def can_be_looked_up(field: Described) -> bool:
    """Whether it may be compared with text; encrypted and long ones cannot (practice 7.5)."""
    is_text = _TYPES.get(field["type"], "string") not in ("boolean", "date", "datetime", "number")
    return is_text and bool(field["filterable"])


def takes(field: Described, value: Any) -> bool:
    """Whether the value is of the field's JSON type; of any other all rows are refused."""
    kind = _TYPES.get(field["type"], "string")
    if value is None:
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("date", "datetime"):
        return isinstance(value, str) and _is_moment(value)
    return isinstance(value, str)


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def valid_with(controller: Described, entry: Mapping[str, Any]) -> list[str]:
    """The values of the controlling field beside which a choice is valid.

    ``validFor`` has a bit for each of them, in order (SOAP guide, PicklistEntry); a checkbox that
    controls has two, unchecked first.
    """
    bits = base64.b64decode(entry.get("validFor") or "")
    is_flag = controller["type"] == "boolean"
    known = ["false", "true"] if is_flag else [one["value"] for one in controller["picklistValues"]]
    return [
        str(value)
        for n, value in enumerate(known)
        if n // 8 < len(bits) and bits[n // 8] & (0x80 >> n % 8)
    ]


def _dependent(field: Described, controller: Described) -> dict[str, tuple[str, ...]]:
    """Value of the controlling field -> the choices beside it."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in field["picklistValues"]:
        for value in valid_with(controller, entry) if entry["active"] else ():
            found[value] = (*found.get(value, ()), entry["value"])
    return found


def _field_type(
    field: Described, fields: Mapping[str, Described], offered: Mapping[str, tuple[str, ...]]
) -> FieldType:
    """Choices depend on a field that controls them, else on the record type."""
    required = not field["nillable"] and field["createable"] and not field["defaultedOnCreate"]
    is_choice = field["type"] == "picklist" and field["restrictedPicklist"]
    choices = tuple(one["value"] for one in field["picklistValues"] if one["active"])
    controller = fields.get(field.get("controllerName") or "") if is_choice else None
    dependent = _dependent(field, controller) if controller else offered if is_choice else {}
    return FieldType(
        type=_TYPES.get(field["type"], "string"),
        length=field["length"] or None,
        required=required,
        createable=field["createable"],
        updateable=field["updateable"],
        choices=choices if is_choice else (),
        controller=controller["name"] if controller else RECORD_TYPE if dependent else "",
        dependent=dependent,
    )
