"""State and country picklists: an address holds codes, and their names follow.

Source: Salesforce Help, "State and Country/Territory Picklists" and "Integration Values"; SOAP
guide, PicklistEntry.validFor: a bit for each choice of the controlling field.
"""

import base64
from collections.abc import Mapping
from typing import Any

from connectors.simulators.salesforce.refusals import RowError

_PARTS = ("Country", "State")


def placed(
    fields: Mapping[str, Mapping[str, Any]], before: Mapping[str, Any], clean: Mapping[str, Any]
) -> dict[str, Any]:
    """What is written, each code with its name and each name with its code. Raises RowError."""
    found = dict(clean)
    for text in [name for name in fields if name.endswith(_PARTS) and f"{name}Code" in fields]:
        code = f"{text}Code"
        if text in clean and code in clean:
            raise _refused(f"{text} and {code} cannot be written together", text)
        if text in clean:
            found[code] = _of_name(fields[code], clean[text], text)
        if code in found:
            entry = _entry(fields[code], found[code], text)
            found[text] = entry["label"] if entry else None
    for text in [name for name in fields if name.endswith("State") and f"{name}Code" in found]:
        _check_state(fields, text, {**before, **found})
    return found


def _of_name(field: Mapping[str, Any], name: str | None, text: str) -> str | None:
    if name is None:
        return None
    for entry in field["picklistValues"]:
        if entry["active"] and entry["label"] == name:
            return str(entry["value"])
    raise _refused(
        f"There's a problem with this value, even though it may appear correct: {text}", text
    )


def _entry(field: Mapping[str, Any], code: str | None, text: str) -> Mapping[str, Any] | None:
    if code is None:
        return None
    for entry in field["picklistValues"]:
        if entry["active"] and entry["value"] == code:
            found: Mapping[str, Any] = entry
            return found
    raise RowError(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"bad value for restricted picklist field: {code}",
        f"{text}Code",
    )


def _check_state(
    fields: Mapping[str, Mapping[str, Any]], text: str, whole: Mapping[str, Any]
) -> None:
    code, controller = whole[f"{text}Code"], fields[f"{text}Code"]["controllerName"]
    if code is None:
        return
    country = whole.get(controller)
    entries = [e for e in fields[f"{text}Code"]["picklistValues"] if e["value"] == code]
    place = (
        [e["value"] for e in fields[controller]["picklistValues"]].index(country) if country else 0
    )
    bits = base64.b64decode(entries[0]["validFor"])
    if not country or not bits[place // 8] & (0x80 >> place % 8):
        words = "A country/territory must be specified before specifying a state value for field"
        raise _refused(f"{words}: {text}", f"{text}Code")


def _refused(words: str, field: str) -> RowError:
    return RowError("FIELD_INTEGRITY_EXCEPTION", words, field)
