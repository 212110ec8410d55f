"""The Customer Profiles connector against the embedded profile store, over real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors import Action, Level, Record, Result, Selection, TransientError, Write
from connectors.infobip.connector import InfobipConnector
from connectors.infobip.settings import InfobipSettings
from connectors.protocol import Cursor, Upserted
from tests.connectors.processes import KEY, Server, profiles, runtime

OPT_OUT = "customAttributes.email_opt_out"
PEOPLE = Selection(
    "person",
    ("type", "firstName", "lastName", "city", "phones", "emails", "tags", "company", OPT_OUT),
)
FIRMS = Selection("company", ("name", "country", "domains"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with profiles(tmp_path_factory.mktemp("profiles")) as running:
        yield running


@pytest.fixture
def store(server: Server) -> Server:
    server.post("reset")
    return server


@pytest.fixture
def crm(store: Server, tmp_path: Path) -> Iterator[InfobipConnector]:
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = InfobipSettings(
        base_url=store.address,
        api_key_file=tmp_path / "key",
        allow_host=["127.0.0.1"],
        page_size=4,
    )
    connector = InfobipConnector.open(settings, runtime())
    yield connector
    connector.close()


def adding(*members: str) -> dict[str, list[str]]:
    return {"add": list(members), "remove": []}


def test_practice_2_1_the_ids_that_salesforce_left_are_read(
    crm: InfobipConnector, store: Server
) -> None:
    number = person(store)
    told = {"salesforce": {"contactId": "0035g00000ABCDEAA2", "leadId": "00Q5g00000ABCDEEA2"}}
    store.act("integrate", "person", id=number, values=told)
    selection = Selection(
        "person",
        tuple(
            InfobipConnector.Mappings["person"]["fields"][one]
            for one in ("cross_id", "cross_lead_id")
        ),
    )
    (record,) = crm.fetch(selection, "id", [number])
    assert tuple(record.values.values()) == ("0035g00000ABCDEAA2", "00Q5g00000ABCDEEA2")
    (page,) = crm.changes(selection, None)
    assert isinstance(page.changes[0], Upserted)
    assert page.changes[0].record.values == record.values


def lead(number: int, **values: Any) -> Write:
    told = {"type": "LEAD", "lastName": f"N{number}", "emails": adding(f"n{number}@acme.com")}
    return Write(Action.CREATE, UUID(int=number), values={**told, **values})


def person(store: Server, **values: Any) -> str:
    told = store.act("create", "person", values={"lastName": "P", "externalId": "x", **values})
    return str(told["id"])


def read(crm: InfobipConnector, id: str | None) -> Record:
    [record] = crm.fetch(PEOPLE, "id", [str(id)])
    return record


def drained(crm: InfobipConnector, since: Cursor | None) -> tuple[dict[str, Record], Cursor]:
    found: dict[str, Record] = {}
    cursor = since or {}
    for page in crm.changes(PEOPLE, since):
        cursor = page.cursor
        found |= {c.record.id: c.record for c in page.changes if isinstance(c, Upserted)}
    return found, cursor


def test_check_names_the_account_and_finds_nothing_wrong(crm: InfobipConnector) -> None:
    checked = crm.check([PEOPLE, FIRMS])
    assert checked.identity == crm.check([]).identity
    assert "127.0.0.1" not in checked.identity
    assert [f for f in checked.findings if f.level is not Level.OK] == []


def test_every_field_of_the_shipped_mapping_is_described(crm: InfobipConnector) -> None:
    assert {f"customAttributes.{n}" for n in ("job_title", "email_opt_out")} <= set(
        crm.describe()[0].fields
    )


def test_a_person_written_is_read_as_written(crm: InfobipConnector) -> None:
    told = {"phones": adding("+41793026727"), "tags": adding("VIP"), OPT_OUT: True}
    [outcome] = crm.write("person", [lead(1, **told)])
    record = read(crm, outcome.id)
    assert (outcome.result, record.key) == (Result.DONE, UUID(int=1))
    assert dict(record.values) == {
        "type": "LEAD",
        "firstName": None,
        "lastName": "N1",
        "city": None,
        "phones": ["+41793026727"],
        "emails": ["n1@acme.com"],
        "tags": ["VIP"],
        "company": None,
        OPT_OUT: True,
    }
    for field, value in {
        "phones": "+41793026727",
        "emails": "N1@acme.com",
        "key": UUID(int=1),
    }.items():
        assert [r.id for r in crm.fetch(PEOPLE, field, [str(value), "nobody"])] == [outcome.id]


def test_listing_and_changes(crm: InfobipConnector, store: Server) -> None:
    crm.write("person", [lead(number) for number in range(30)])
    everybody, cursor = drained(crm, None)
    assert {r.values["lastName"] for r in everybody.values()} == {f"N{n}" for n in range(30)}
    store.post("clock", advance=3600)
    edited = sorted(everybody)[7]
    store.act("update", "person", id=edited, values={"lastName": "Edited"})
    store.act("delete", "person", id=sorted(everybody)[3])
    changed, cursor = drained(crm, cursor)
    assert changed[edited].values["lastName"] == "Edited"
    store.post("clock", advance=3600)
    again, _ = drained(crm, cursor)
    assert set(again) <= {edited}


@pytest.mark.parametrize("enveloped", [False, True])
@pytest.mark.parametrize("number", [1, 5])
def test_a_lost_create_is_found_again(
    crm: InfobipConnector, store: Server, number: int, enveloped: bool
) -> None:
    store.post("switches", enveloped=enveloped)
    store.fault("POST", "/persons(/batch)?$", drop="after")
    writes = [lead(n) for n in range(number)]
    with pytest.raises(TransientError):
        crm.write("person", writes)
    outcomes = crm.write("person", writes)
    assert [o.result for o in outcomes] == [Result.DONE] * number
    assert store.writes() == {"create": number}


def test_updates_clear_add_remove_and_mind_the_version(
    crm: InfobipConnector, store: Server
) -> None:
    [outcome] = crm.write("person", [lead(1, city="Zug", tags=adding("old"))])
    record = read(crm, outcome.id)
    store.post("clock", advance=10)
    values = {
        "city": None,
        "firstName": "J",
        "emails": {"add": ["b@acme.com"], "remove": ["n1@acme.com"]},
        "tags": {"add": ["new"], "remove": ["old"]},
    }
    wish = Write(Action.UPDATE, UUID(int=2), record.id, values, record.version)
    [done] = crm.write("person", [wish])
    assert done.result is Result.DONE
    assert dict(done.values) == {}
    after = read(crm, record.id)
    assert dict(after.values) == {
        **record.values,
        "city": None,
        "firstName": "J",
        "emails": ["b@acme.com"],
        "tags": ["new"],
    }
    assert crm.write("person", [wish])[0].result is Result.STALE
    convert = Write(Action.CONVERT, UUID(int=2), record.id, {"type": "CUSTOMER"}, after.version)
    assert [crm.write("person", [convert])[0].result for _ in range(2)] == [Result.DONE] * 2
    assert read(crm, record.id).values["type"] == "CUSTOMER"
    delete = Write(Action.DELETE, UUID(int=2), record.id)
    assert [crm.write("person", [delete])[0].result for _ in "ab"] == [Result.DONE, Result.GONE]


def test_a_batch_with_bad_rows(crm: InfobipConnector, store: Server) -> None:
    other = person(store, contactInformation={"email": [{"address": "n2@acme.com"}]})
    writes = [
        lead(1),
        lead(2),
        lead(3, **{"customAttributes.unheard_of": "x"}),
        lead(4, emails=adding("no address")),
        lead(5, lastName="(#)"),
        lead(6),
    ]
    outcomes = crm.write("person", writes)
    assert [o.result is Result.DONE for o in outcomes] == [True, False, False, False, False, True]
    assert {o.result for o in outcomes[1:5]} == {Result.REJECTED}
    assert [set(o.faults) for o in outcomes[1:5]] == [
        {"emails"},
        {"customAttributes.unheard_of"},
        {"emails"},
        {"lastName"},
    ]
    updates = [
        Write(Action.UPDATE, UUID(int=9), outcomes[0].id, {"emails": adding("n2@acme.com")}),
        Write(Action.UPDATE, UUID(int=9), other, {"city": "Zug"}),
        Write(Action.UPDATE, UUID(int=9), "99999", {"city": "Zug"}),
    ]
    told = [o.result for o in crm.write("person", updates)]
    assert told == [Result.REJECTED, Result.DONE, Result.GONE]


def test_companies_and_their_members(crm: InfobipConnector, store: Server) -> None:
    def firm(number: int, **values: Any) -> Write:
        return Write(Action.CREATE, UUID(int=number), values={"name": f"Firm {number}", **values})

    outcomes = crm.write("company", [firm(1, domains=adding("one.com")), firm(2), firm(3)])
    assert [o.result for o in outcomes] == [Result.DONE] * 3
    assert [o.id for o in crm.write("company", [firm(1)])] == [outcomes[0].id]
    taken = crm.write("company", [firm(4, domains=adding("one.com")), firm(5, name="FIRM 2")])
    assert [(o.result, set(o.faults)) for o in taken] == [
        (Result.REJECTED, {"domains"}),
        (Result.REJECTED, {"name"}),
    ]
    values = {"country": "CH", "domains": {"add": ["two.com"], "remove": ["one.com"]}}
    crm.write("company", [Write(Action.UPDATE, UUID(int=1), outcomes[0].id, values)])
    [record] = crm.fetch(FIRMS, "domains", ["two.com", "one.com"])
    assert dict(record.values) == {"name": "Firm 1", "country": "CH", "domains": ["two.com"]}
    [born] = crm.write("person", [lead(1, company=outcomes[1].id)])
    assert read(crm, born.id).values["company"] == outcomes[1].id
    move = Write(Action.UPDATE, UUID(int=1), born.id, {"company": outcomes[2].id})
    assert crm.write("person", [move])[0].result is Result.DONE
    leave = Write(Action.UPDATE, UUID(int=1), born.id, {"company": None})
    assert crm.write("person", [leave])[0].result is Result.DONE
    assert read(crm, born.id).values["company"] is None


@pytest.mark.parametrize("enveloped", [False, True])
def test_refusals_mean_the_same_in_both_shapes(
    crm: InfobipConnector, store: Server, enveloped: bool
) -> None:
    store.post("switches", enveloped=enveloped)
    person(store, contactInformation={"email": [{"address": "n1@acme.com"}]})
    told = [
        crm.write("person", [lead(1)])[0],
        crm.write("person", [Write(Action.UPDATE, UUID(int=9), "99999", {"city": "Zug"})])[0],
    ]
    assert [(o.result, set(o.faults)) for o in told] == [
        (Result.REJECTED, {"emails"}),
        (Result.GONE, set()),
    ]
    firm = Write(Action.CREATE, UUID(int=1), values={"name": "One"})
    assert [crm.write("company", [firm])[0].result for _ in "ab"] == [Result.DONE] * 2
    other = Write(Action.CREATE, UUID(int=2), values={"name": "ONE"})
    assert set(crm.write("company", [other])[0].faults) == {"name"}


@pytest.mark.parametrize("clears", [True, False])
def test_practice_4_12_a_clear_lands_or_is_known_not_to(
    crm: InfobipConnector, store: Server, clears: bool
) -> None:
    store.post("switches", null_clears=clears)
    [born] = crm.write("person", [lead(1, city="Zug")])
    [outcome] = crm.write("person", [Write(Action.UPDATE, UUID(int=2), born.id, {"city": None})])
    assert outcome.result is Result.DONE
    assert dict(outcome.values) == ({} if clears else {"city": "Zug"})
    assert read(crm, born.id).values["city"] == (None if clears else "Zug")


def test_practice_5_4_a_refused_change_of_type_is_a_fault_and_nothing_is_replaced(
    crm: InfobipConnector, store: Server
) -> None:
    store.post("switches", type_changes=False)
    [born] = crm.write("person", [lead(1)])
    wish = Write(Action.CONVERT, UUID(int=2), born.id, {"type": "CUSTOMER"})
    [outcome] = crm.write("person", [wish])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"type"})
    assert read(crm, born.id).values["type"] == "LEAD"
    assert store.writes() == {"create": 1}


def test_profiles_merged_in_the_portal_are_one_profile_and_one_that_is_gone(
    crm: InfobipConnector, store: Server
) -> None:
    outcomes = crm.write("person", [lead(1), lead(2)])
    one, two = (str(outcome.id) for outcome in outcomes)
    _, cursor = drained(crm, None)
    store.post("clock", advance=3600)
    store.act("merge", "person", id=one, losers=[two])
    changed, _ = drained(crm, cursor)
    assert changed[one].values["emails"] == ["n1@acme.com", "n2@acme.com"]
    assert crm.fetch(PEOPLE, "id", [two]) == []
    assert set(drained(crm, None)[0]) == {one}


def test_the_last_address_of_a_profile_without_external_id_stays(
    crm: InfobipConnector, store: Server
) -> None:
    mail = {"email": [{"address": "only@acme.com"}]}
    id = person(store, externalId=None, contactInformation=mail)
    values = {"emails": {"add": [], "remove": ["only@acme.com"]}}
    [outcome] = crm.write("person", [Write(Action.UPDATE, UUID(int=2), id, values)])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"emails"})


@pytest.mark.parametrize("name", ["50% / off?", "a#b", "ž&="])
def test_practice_4_8_a_tag_of_any_name_is_given_and_taken(
    crm: InfobipConnector, store: Server, name: str
) -> None:
    [born] = crm.write("person", [lead(1, tags=adding(name))])
    assert read(crm, born.id).values["tags"] == [name]
    values = {"tags": {"add": [], "remove": [name]}}
    [outcome] = crm.write("person", [Write(Action.UPDATE, UUID(int=2), born.id, values)])
    assert outcome.result is Result.DONE
    assert read(crm, born.id).values["tags"] == []


def test_a_date_that_cannot_be_read_is_a_fault_of_its_field_and_no_missing_record(
    crm: InfobipConnector, store: Server
) -> None:
    day = {"name": "since", "dataType": "DATE"}
    store.http.post("/people/2/customAttributes", json=day, headers={"Authorization": f"App {KEY}"})
    [born] = crm.write("person", [lead(1)])
    values = {"customAttributes.since": "1 June"}
    [outcome] = crm.write("person", [Write(Action.UPDATE, UUID(int=2), born.id, values)])
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, set(values))
