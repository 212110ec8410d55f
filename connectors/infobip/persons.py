"""Writing persons: create only, update by internal id, convert in place.

Additions ride on PATCH, which appends; removals have calls of their own and come after, so that a
profile is never without an address in between.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from connectors.infobip.addresses import gained, given_up, taken
from connectors.infobip.bodies import (
    absent,
    added,
    contact_body,
    in_halves,
    present,
    refused_persons,
    scalars,
    without_empty,
)
from connectors.infobip.client import Identity, Refused, slices
from connectors.infobip.faults import Fault, outcome_of, sort_of
from connectors.infobip.fields import (
    MOST_CONTACTS,
    PERSON,
    SETS,
    Row,
    contacts,
    id_of,
    key_of,
    value_of,
)
from connectors.infobip.membership import move
from connectors.infobip.writing import Desk, Outcomes, Wishes, left
from connectors.protocol import Action, Outcome, Result, Write


def create(desk: Desk, wishes: Wishes, outcomes: Outcomes) -> None:
    """By calls that cannot update; a duplicate with our own key is a create that had landed."""
    _define_tags(desk, wishes.values())
    bodies = {str(index): _new(desk, write) for index, write in wishes.items()}
    ids: dict[str, str] = {}

    def single(entry: str) -> Fault | None:
        answer = desk.client.create(PERSON, bodies[entry])
        if isinstance(answer, Fault):
            return answer
        ids[entry] = id_of(answer)
        return None

    def several(entries: Collection[str]) -> Refused:
        names = list(entries)
        refused, _ = desk.client.create_many(PERSON, [bodies[name] for name in names])
        if isinstance(refused, Fault):
            return refused
        return {names[int(position)]: fault for position, fault in refused.items()}

    faults: dict[str, Fault] = {}
    for part in slices(list(bodies)):
        faults |= in_halves(part, single, several)
    landed = {index: ids[str(index)] for index in wishes if str(index) in ids}
    refused = {index: faults[str(index)] for index in wishes if str(index) in faults}
    _settle_created(desk, wishes, outcomes, landed, refused)


def _new(desk: Desk, write: Write) -> dict[str, Any]:
    values, place = write.values, desk.places.key_attribute
    body = scalars(values)
    body["contactInformation"] = contact_body(added(values, "phones"), added(values, "emails"))
    body["tags"] = added(values, "tags") or None
    if place:
        body["customAttributes"] = {**body.get("customAttributes", {}), place: str(write.key)}
    else:
        body["externalId"] = str(write.key)
    return without_empty(body)


def _settle_created(
    desk: Desk,
    wishes: Wishes,
    outcomes: Outcomes,
    landed: Mapping[int, str],
    refused: Mapping[int, Fault],
) -> None:
    """The batch tells no ids: they are looked up, together with the owners of duplicates."""
    searched = {
        index: write
        for index, write in wishes.items()
        if index not in landed and (index not in refused or refused[index].may_be_duplicate)
    }
    asked = [one for i, w in searched.items() for one in _identities(desk, w, i in refused)]
    owners = desk.client.match(asked)
    created = {**landed, **_ours(desk, searched, owners)}
    for index, write in wishes.items():
        fault = refused.get(index)
        if index in created:
            continue
        if fault is None:
            outcomes[index] = Outcome(Result.RETRY, reason="created, but not found yet")
        elif fault.may_be_duplicate:
            outcomes[index] = taken(write, fault, owners)
        else:
            outcomes[index] = outcome_of(fault, None, write.values)
    _settle_companies(desk, wishes, outcomes, created)


def _identities(desk: Desk, write: Write, is_duplicate: bool) -> Iterable[Identity]:
    """Where to look for a created record: by our key, and by address where one is taken."""
    if not desk.places.key_attribute:
        yield "EXTERNAL_ID", str(write.key)
    if is_duplicate or desk.places.key_attribute:
        yield from gained(write)


def _ours(desk: Desk, wishes: Wishes, owners: Mapping[Identity, str]) -> dict[int, str]:
    """The profiles that carry the key of a create."""
    if desk.places.key_attribute:  # no call searches by a custom attribute
        rows = desk.reader.current(PERSON, set(owners.values())).values()
        keyed = {key_of(row, desk.places): id_of(row) for row in rows}
        return {index: keyed[write.key] for index, write in wishes.items() if write.key in keyed}
    found = {index: owners.get(("EXTERNAL_ID", str(w.key))) for index, w in wishes.items()}
    return {index: id for index, id in found.items() if id}


def _settle_companies(
    desk: Desk, wishes: Wishes, outcomes: Outcomes, created: Mapping[int, str]
) -> None:
    """The person exists now; a company that cannot be set is what did not land."""
    wanted = {
        id: str(company)
        for i, id in created.items()
        if (company := wishes[i].values.get("company"))
    }
    for index, id in created.items():
        if id not in wanted:
            outcomes[index] = Outcome(Result.DONE, id)
    faults = move(desk.client, desk.reader, wanted, {}) if wanted else {}
    attribute = desk.places.company_attribute
    members = {id: company for id, company in wanted.items() if id not in faults}
    faults |= desk.send({id: {"customAttributes": {attribute: c}} for id, c in members.items()}, {})
    for index, id in created.items():
        if fault := faults.get(id):
            told = {"company": fault.reason()}
            none = {"company": None}
            why = fault.reason()
            outcomes[index] = Outcome(Result.DONE, id, reason=why, values=none, faults=told)
        elif id in wanted:
            outcomes[index] = Outcome(Result.DONE, id)


def update(desk: Desk, wishes: Wishes, outcomes: Outcomes) -> None:
    """Updates and conversions, in steps; a write that a step refuses takes no part in the next."""
    _converted_before(desk, wishes, outcomes)
    wishes = left(wishes, outcomes)
    rows = desk.unmoved(wishes, outcomes, _needs_row)
    _refuse_too_many(left(wishes, outcomes), rows, outcomes)
    _move(desk, left(wishes, outcomes), rows, outcomes)
    wishes = left(wishes, outcomes)
    _define_tags(desk, wishes.values())
    bodies = {str(w.id): _changed(desk, w, rows.get(i, {})) for i, w in wishes.items()}
    answered: dict[str, Row] = {}
    faults = desk.send({id: body for id, body in bodies.items() if body}, answered)
    _settle_refused(desk, wishes, outcomes, faults)
    _remove_contacts(desk, left(wishes, outcomes), rows, outcomes, answered)
    _remove_tags(desk, left(wishes, outcomes), rows, outcomes, answered)
    desk.settle(left(wishes, outcomes), outcomes, answered)


def _converted_before(desk: Desk, wishes: Wishes, outcomes: Outcomes) -> None:
    """A customer already: the conversion landed before, or somebody else made it."""
    converts = {i: w for i, w in wishes.items() if w.action is Action.CONVERT}
    bare = {i: w for i, w in converts.items() if w.values.keys() <= {"type"}}
    rows = desk.reader.current(PERSON, [str(write.id) for write in bare.values()])
    for index, write in bare.items():
        row = rows.get(str(write.id), {})
        if row.get("type") == "CUSTOMER":
            outcomes[index] = Outcome(Result.DONE, write.id, str(row["modifiedAt"]))


def _needs_row(write: Write) -> bool:
    return "company" in write.values or not SETS.isdisjoint(write.values)


def _refuse_too_many(wishes: Wishes, rows: Mapping[int, Row], outcomes: Outcomes) -> None:
    for index, write in wishes.items():
        row = rows.get(index, {})
        held = len(contacts(row, "phone", "number")) + len(contacts(row, "email", "address"))
        fields = [name for name in ("phones", "emails") if added(write.values, name)]
        more = sum(len(absent(row, write.values, name)) for name in fields)
        if more and held + more > MOST_CONTACTS:
            why = f"more than {MOST_CONTACTS} phones and e-mails"
            faults = dict.fromkeys(fields, why)
            outcomes[index] = Outcome(Result.REJECTED, write.id, reason=why, faults=faults)


def _move(desk: Desk, wishes: Wishes, rows: Mapping[int, Row], outcomes: Outcomes) -> None:
    moving = {i: w for i, w in wishes.items() if "company" in w.values}
    if not moving:
        return
    wanted = {str(w.id): _text(w.values["company"]) for w in moving.values()}
    held = {str(w.id): value_of(rows[i], "company", desk.places) for i, w in moving.items()}
    faults = move(desk.client, desk.reader, wanted, held)
    for index, write in moving.items():
        if fault := faults.get(str(write.id)):
            outcomes[index] = _refused(write, fault, ["company"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _refused(write: Write, fault: Fault, fields: Iterable[str]) -> Outcome:
    """A step after or before the update itself was refused: its fields are named."""
    why = fault.reason(write.values)
    if fault.later or fault.gone:  # person or company: the next attempt reads which
        return Outcome(Result.RETRY, write.id, reason=why)
    return Outcome(
        Result.REJECTED,
        write.id,
        reason=why,
        faults=dict.fromkeys(fields, why),
        refusal=sort_of(fault),
    )


def _changed(desk: Desk, write: Write, row: Row) -> dict[str, Any]:
    values, places = write.values, desk.places
    body = scalars(values)
    new = {name: absent(row, values, name) for name in ("phones", "emails", "tags")}
    if told := contact_body(new["phones"], new["emails"]):
        body["contactInformation"] = told
    if new["tags"]:
        body["tags"] = new["tags"]
    if "company" in values:
        company = {places.company_attribute: _text(values["company"])}
        body["customAttributes"] = {**body.get("customAttributes", {}), **company}
    if write.action is Action.CONVERT:
        body["type"] = "CUSTOMER"
    return body


def _settle_refused(
    desk: Desk, wishes: Wishes, outcomes: Outcomes, faults: Mapping[str, Fault]
) -> None:
    refused = {i: w for i, w in wishes.items() if str(w.id) in faults}
    duplicates = [w for w in refused.values() if faults[str(w.id)].may_be_duplicate]
    owners = desk.client.match([one for write in duplicates for one in gained(write)])
    freed = given_up(wishes.values())
    for index, write in refused.items():
        fault = faults[str(write.id)]
        if fault.may_be_duplicate:
            outcomes[index] = taken(write, fault, owners, freed)
        else:
            outcomes[index] = outcome_of(fault, write.id, write.values)


def _remove_contacts(
    desk: Desk,
    wishes: Wishes,
    rows: Mapping[int, Row],
    outcomes: Outcomes,
    answered: dict[str, Row],
) -> None:
    for index, write in wishes.items():
        old = {
            name: present(rows.get(index, {}), write.values, name) for name in ("phones", "emails")
        }
        body = contact_body(old["phones"], old["emails"])
        if not body:
            continue
        answer = desk.client.remove_contacts(str(write.id), body)
        if isinstance(answer, Fault):
            outcomes[index] = _refused(write, answer, [name for name in old if old[name]])
        elif answer.get("modifiedAt"):
            answered[str(write.id)] = answer
        else:
            answered.pop(str(write.id), None)  # older than the removal


def _remove_tags(
    desk: Desk,
    wishes: Wishes,
    rows: Mapping[int, Row],
    outcomes: Outcomes,
    answered: dict[str, Row],
) -> None:
    persons: dict[str, list[int]] = {}
    for index, write in wishes.items():
        for name in present(rows.get(index, {}), write.values, "tags"):
            persons.setdefault(name, []).append(index)
    for name, indexes in persons.items():
        ids = [str(wishes[index].id) for index in indexes]
        refused = refused_persons(partial(desk.client.untag, name), ids)
        for index, id in zip(indexes, ids, strict=True):
            answered.pop(id, None)  # older than the removal
            fault = refused.get(id)
            if fault and fault.status != 404:  # neither tag nor person is there: nothing to remove
                outcomes[index] = _refused(wishes[index], fault, ["tags"])


def _define_tags(desk: Desk, writes: Iterable[Write]) -> None:
    desk.client.ensure_tags(dict.fromkeys(tag for w in writes for tag in added(w.values, "tags")))
