"""Writing companies: create only, update by internal id.

Names and web domains belong to one company of the account. Domains have no call that removes one:
they are replaced by the full list as it is read just before.
"""

import re
from collections.abc import Collection
from typing import Any

from connectors.infobip.bodies import absent, added, in_halves, present, scalars, without_empty
from connectors.infobip.client import Refused, slices
from connectors.infobip.faults import Fault, outcome_of
from connectors.infobip.fields import COMPANY, Row, id_of, key_of, members_of
from connectors.infobip.writing import Desk, Outcomes, Wishes, left
from connectors.protocol import Outcome, Result, Write

TAKEN = "belongs to another company"
#: names compare in lower case, but whether the look-up by name does is not told
_NAME_TAKEN = re.compile(r"lower\(name", re.IGNORECASE)


def create(desk: Desk, wishes: Wishes, outcomes: Outcomes) -> None:
    """By calls that cannot update; a duplicate with our own key is a create that had landed."""
    bodies = {str(index): _new(desk, write) for index, write in wishes.items()}
    ids: dict[str, str] = {}

    def single(entry: str) -> Fault | None:
        answer = desk.client.create(COMPANY, bodies[entry])
        if isinstance(answer, Fault):
            return answer
        ids[entry] = id_of(answer)
        return None

    def several(entries: Collection[str]) -> Refused:
        names = list(entries)
        refused, told = desk.client.create_many(COMPANY, [bodies[name] for name in names])
        if isinstance(refused, Fault):
            return refused
        ids.update({names[position]: id for position, id in told.items()})
        return {names[int(position)]: fault for position, fault in refused.items()}

    faults: dict[str, Fault] = {}
    for part in slices(list(bodies)):
        faults |= in_halves(part, single, several)
    for index, write in wishes.items():
        fault = faults.get(str(index))
        if fault is not None:
            outcomes[index] = _refused(desk, write, fault)
        else:
            id = ids.get(str(index)) or _ours(desk, write)
            missing = Outcome(Result.RETRY, reason="created, but not found yet")
            outcomes[index] = Outcome(Result.DONE, id) if id else missing


def _new(desk: Desk, write: Write) -> dict[str, Any]:
    body = scalars(write.values)
    body["domains"] = added(write.values, "domains") or None
    if place := desk.places.key_attribute:
        body["customAttributes"] = {**body.get("customAttributes", {}), place: str(write.key)}
    else:
        body["externalId"] = str(write.key)
    return without_empty(body)


def _ours(desk: Desk, write: Write) -> str | None:
    """The company that carries the key of a create."""
    if desk.places.key_attribute:
        row = desk.client.company("name", str(write.values["name"]))
        return id_of(row) if row and key_of(row, desk.places) == write.key else None
    row = desk.client.company("externalId", str(write.key))
    return id_of(row) if row else None


def _refused(desk: Desk, write: Write, fault: Fault) -> Outcome:
    if not fault.may_be_duplicate:
        return outcome_of(fault, None, write.values)
    if id := _ours(desk, write):
        return Outcome(Result.DONE, id)
    return _taken(desk, write, fault)


def _taken(desk: Desk, write: Write, fault: Fault) -> Outcome:
    """Name and domains are looked up, since the texts of a refusal are not fixed."""
    faults: dict[str, str] = {}
    name = write.values.get("name")
    owner = desk.client.company("name", str(name)) if name else None
    if owner and id_of(owner) != write.id:
        faults["name"] = TAKEN
    for domain in added(write.values, "domains"):
        owner = desk.client.company("domain", domain)
        if owner and id_of(owner) != write.id:
            faults["domains"] = TAKEN
    if not faults and (fault.code == "40006" or _NAME_TAKEN.search(fault.message)):
        faults["name"] = TAKEN
    if not faults and not fault.says_exists:
        return outcome_of(fault, write.id, write.values)
    if not faults:
        return Outcome(Result.RETRY, write.id, reason=fault.reason(write.values))
    reason = f"{' and '.join(faults)} {TAKEN}"
    return Outcome(Result.REJECTED, write.id, reason=reason, faults=faults)


def update(desk: Desk, wishes: Wishes, outcomes: Outcomes) -> None:
    rows = desk.unmoved(wishes, outcomes, lambda write: "domains" in write.values)
    wishes = left(wishes, outcomes)
    answered: dict[str, Row] = {}
    faults: dict[str, Fault] = {}
    plain: dict[str, Row] = {}
    for index, write in wishes.items():
        domains = _domains(desk, write, rows.get(index, {}))
        if domains is None:
            plain[str(write.id)] = scalars(write.values)
            continue
        body = {**scalars(write.values), "domains": domains}
        answer = desk.client.update(COMPANY, str(write.id), body, {"replaceDomains": "true"})
        if isinstance(answer, Fault):
            faults[str(write.id)] = answer
        else:
            answered[str(write.id)] = answer
    faults |= desk.send({id: body for id, body in plain.items() if body}, answered)
    for index, write in wishes.items():
        if fault := faults.get(str(write.id)):
            outcomes[index] = _not_updated(desk, write, fault)
    desk.settle(left(wishes, outcomes), outcomes, answered)


def _not_updated(desk: Desk, write: Write, fault: Fault) -> Outcome:
    if fault.may_be_duplicate:
        return _taken(desk, write, fault)
    return outcome_of(fault, write.id, write.values)


def _domains(desk: Desk, write: Write, row: Row) -> list[str] | None:
    """The whole new list; None where nothing changes."""
    old = members_of(row, "domains")
    new = absent(row, write.values, "domains")
    dropped = present(row, write.values, "domains")
    if not new and not dropped:
        return None
    return [domain for domain in old if domain not in dropped] + new
