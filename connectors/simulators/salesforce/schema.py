"""What describe calls tell of the objects: recorded, then as an administrator has changed it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded")
OBJECTS = ("Lead", "Contact", "Account")
KEY = "CrmSync_Key__c"
#: fields that stock organizations have, but field-level security hid from the recorded user
CONSENT = ("HasOptedOutOfEmail", "DoNotCall", "HasOptedOutOfFax")


class Schema:
    """The objects of one organization, as our user may see them at this moment."""

    def __init__(self) -> None:
        self._objects = {name: _described(name) for name in OBJECTS}

    def names(self) -> list[str]:
        return list(self._objects)

    def of(self, name: str) -> dict[str, Any] | None:
        return self._objects.get(name)

    def fields(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._objects[name]["fields"]
        return found

    def field(self, name: str, of: str) -> dict[str, Any] | None:
        wanted = of.lower()
        return next((one for one in self.fields(name) if one["name"].lower() == wanted), None)

    def alter(self, name: str, field: str | None, to: Mapping[str, Any] | None) -> None:
        """Change what is described of an object or a field; None takes it out of sight."""
        if field is None:
            if to is None:
                del self._objects[name]
            else:
                self._objects[name] |= to
            return
        known = self.field(name, field) or {**_plain(self._objects[name]), "name": field}
        fields = [one for one in self.fields(name) if one is not known]
        self._objects[name]["fields"] = fields if to is None else [*fields, {**known, **to}]


def default(one: Mapping[str, Any]) -> Any:
    """What a field holds that nobody has filled; booleans are never null."""
    if one["type"] == "boolean":
        return False
    chosen = (choice["value"] for choice in one["picklistValues"] if choice["defaultValue"])
    return next(chosen, None) if one["defaultedOnCreate"] else None


def is_required(one: Mapping[str, Any]) -> bool:
    return not one["nillable"] and one["createable"] and not one["defaultedOnCreate"]


def organization() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((RECORDED / "organization_record.json").read_text())
    return recorded


def _plain(described: Mapping[str, Any]) -> dict[str, Any]:
    """A text field without anything special, as a pattern for fields of one's own."""
    found: dict[str, Any] = next(one for one in described["fields"] if one["name"] == "Jigsaw")
    return found


def _described(name: str) -> dict[str, Any]:
    """A recorded description with the fields that a set-up organization has beside."""
    described: dict[str, Any] = json.loads((RECORDED / f"{name.lower()}_describe.json").read_text())
    like = _plain(described)
    key = {
        "name": KEY, "label": "CrmSync Key", "length": 36, "externalId": True,
        "unique": True, "custom": True, "idLookup": True, "caseSensitive": True, "nillable": True,
        "createable": True, "updateable": True,
    }  # fmt: skip
    described["fields"].append(like | key)
    if name != "Account":
        flag = {"type": "boolean", "length": 0, "nillable": False, "defaultedOnCreate": True}
        flags = [{"name": n, "label": n, "createable": True, "updateable": True} for n in CONSENT]
        described["fields"] += [like | flag | one for one in flags]
    return described
