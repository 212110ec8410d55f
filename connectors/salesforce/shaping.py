"""What a write becomes in an organization with record types, or with picklists of addresses.

A record type is named by its API name and chosen on creation only (practice 4.6). State and
country picklists take codes; text is theirs to tell, and the two are never written together
(Salesforce Help, "State and Country/Territory Picklists"; SOAP guide, PicklistEntry.validFor).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pycountry

from connectors.protocol import Outcome, Refusal, Result, Values
from connectors.salesforce.metadata import (
    RECORD_TYPE,
    Described,
    Metadata,
    record_types,
    valid_with,
)

_COUNTRY, _STATE = "Country", "State"


class Shaper:
    """Turns values into those that this organization takes."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    def created(self, name: str, values: Values) -> Values | Outcome:
        """The values of a new record, or why it cannot have them."""
        found = dict(values)
        if chosen := found.get(RECORD_TYPE):
            types = record_types(self._metadata.described(name) or {})
            found[RECORD_TYPE] = types.get(str(chosen), chosen)
        return self._placed(name, found, None)

    def updated(self, name: str, number: str | None, values: Values) -> Values | Outcome:
        """The values of a change, or why the record cannot have them."""
        if RECORD_TYPE in values:
            why = "a record type is chosen on creation, and not changed"
            return _refused(number, {RECORD_TYPE: why}, Refusal.OTHER)
        return self._placed(name, values, number)

    def _placed(self, name: str, values: Values, number: str | None) -> Values | Outcome:
        """Countries and states by their codes, a country before its state."""
        texts = [one for one in values if is_placed(one)]
        fields = self._metadata.fields(name) if texts else {}
        texts = [one for one in texts if f"{one}Code" in fields]
        if not texts:
            return values
        codes: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for text in sorted(texts, key=lambda one: one.endswith(_STATE)):
            value = values[text]
            found = list(_codes(fields, text, value, codes)) if value else [None]
            if len(found) == 1:
                codes[f"{text}Code"] = found[0]
            else:
                faults[text] = "several are called so" if found else "not among the choices there"
        if faults:
            return _refused(number, faults, Refusal.CHOICE)
        return codes | {one: value for one, value in values.items() if one not in texts}


def is_placed(field: str) -> bool:
    """Whether a field is the text of a country or of a state."""
    return field.endswith((_COUNTRY, _STATE))


def _codes(
    fields: Mapping[str, Described], text: str, value: str, known: Mapping[str, Any]
) -> Iterator[str]:
    """The codes that are called so; of a state those of its country, where that is written."""
    field = fields[f"{text}Code"]
    controller = field.get("controllerName")
    country = known.get(controller) if controller else None
    for entry in field["picklistValues"]:
        if not entry["active"] or not _is_called(entry, text, value):
            continue
        if country is None or country in valid_with(fields[str(controller)], entry):
            yield str(entry["value"])


def _is_called(entry: Mapping[str, Any], text: str, value: str) -> bool:
    names = {str(entry["value"]).casefold(), str(entry["label"]).casefold()}
    if value.casefold() in names:
        return True
    return text.endswith(_COUNTRY) and _iso(value) == entry["value"]


def _iso(country: str) -> str | None:
    try:
        return str(pycountry.countries.lookup(country).alpha_2)
    except LookupError:
        return None


def _refused(number: str | None, faults: Mapping[str, str], sort: Refusal) -> Outcome:
    reason = ", ".join(f"{name}: {why}" for name, why in sorted(faults.items()))
    return Outcome(Result.REJECTED, number, reason=reason, faults=faults, refusal=sort)
