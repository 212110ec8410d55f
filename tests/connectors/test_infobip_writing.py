"""Writing persons: creates that cannot update, partial updates, one outcome per write."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.errors import TransientError
from connectors.infobip.connector import InfobipConnector
from connectors.protocol import Action, Outcome, Result, Write
from tests.connectors.infobip_account import Account, connect
from tests.connectors.infobip_writes import (
    TITLE,
    adding,
    change,
    created,
    jane,
    key,
    lose,
    only,
    read,
    refuse,
)

BATCH = "/people/2/persons/batch"


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def crm(account: Account) -> Iterator[InfobipConnector]:
    connector = connect(account)
    yield connector
    connector.close()


# creates


def test_a_create_holds_what_was_given_and_our_key(crm: InfobipConnector) -> None:
    record = created(crm, jane(phones=adding("+41793026727"), city=None, tags=adding("VIP")))
    assert record.key == key(1)
    assert record.values["type"] == "LEAD"
    assert record.values["phones"] == ["+41793026727"]
    assert record.values["tags"] == ["VIP"]
    assert record.values["city"] is None


def test_many_creates_are_one_call_and_one_look_up(crm: InfobipConnector, account: Account) -> None:
    outcomes = crm.write("person", [jane(number) for number in range(1, 501)])
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert [read(crm, outcomes[n].id).key for n in (0, 499)] == [key(1), key(500)]
    assert account.count("POST", BATCH) == account.count("POST", "/people/2/persons/match") == 1


@pytest.mark.parametrize("number", [1, 2])
def test_a_create_whose_answer_was_lost_gives_one_record(
    crm: InfobipConnector, account: Account, number: int
) -> None:
    writes = [jane(n) for n in range(1, number + 1)]
    lose(account, "POST")
    with pytest.raises(TransientError):
        crm.write("person", writes)
    outcomes = crm.write("person", writes)
    assert [outcome.result for outcome in outcomes] == [Result.DONE] * number
    assert sorted(map(str, account.persons)) == sorted(str(o.id) for o in outcomes)


def test_a_key_in_a_custom_attribute_keeps_creates_single_too(account: Account) -> None:
    account.attributes["crm key"] = "STRING"
    crm = connect(account, key_attribute="crm key")
    lose(account, "POST")
    with pytest.raises(TransientError):
        crm.write("person", [jane()])
    outcome = only(crm.write("person", [jane()]))
    assert (outcome.result, outcome.id) == (Result.DONE, "1")
    assert account.persons[1]["customAttributes"] == {"crm key": str(key(1))}
    assert "externalId" not in account.persons[1]
    nobody = Write(Action.CREATE, key(2), values={"type": "LEAD", "lastName": "X"})
    assert only(crm.write("person", [nobody])).faults.keys() == {"emails"}
    crm.close()


def test_an_address_of_somebody_else_is_a_fault_and_never_an_update(
    crm: InfobipConnector, account: Account
) -> None:
    mail = account.add(contactInformation={"email": [{"address": "jane1@acme.com"}]})
    call = account.add(contactInformation={"phone": [{"number": "41793026727"}]})
    before = (dict(account.persons[mail]), dict(account.persons[call]))
    both = jane(phones=adding("+41793026727"))
    for writes in ([both], [both, jane(2)]):
        outcome = crm.write("person", writes)[0]
        assert outcome.result is Result.REJECTED
        assert outcome.reason == "address belongs to another profile"
        assert outcome.faults.keys() == {"emails", "phones"}
    assert (account.persons[mail], account.persons[call]) == before


def test_a_bad_entry_in_the_middle_leaves_the_others_done(
    crm: InfobipConnector, account: Account
) -> None:
    account.add(contactInformation={"email": [{"address": "jane2@acme.com"}]})
    unknown: dict[str, Any] = {"customAttributes.unheard_of": "x"}
    bad = jane(3, **unknown)
    outcomes = crm.write("person", [jane(1), jane(2), bad, jane(4)])
    assert [outcome.result for outcome in outcomes] == [
        Result.DONE,
        Result.REJECTED,
        Result.REJECTED,
        Result.DONE,
    ]
    assert outcomes[2].faults.keys() == {"customAttributes.unheard_of"}


def test_a_batch_refused_whole_is_sent_in_halves(crm: InfobipConnector, account: Account) -> None:
    def strict(_: Account, request: httpx.Request) -> httpx.Response | None:
        if b"Doe3" not in request.content:
            return None
        body = {
            "errorCode": 40001,
            "errorMessage": "no",
            "validationErrors": [{"propertyPath": "lastName"}],
        }
        return httpx.Response(400, json=body)

    account.before.append(strict)
    outcomes = crm.write("person", [jane(n, lastName=f"Doe{n}") for n in range(1, 8)])
    assert [n for n, o in enumerate(outcomes, 1) if o.result is not Result.DONE] == [3]
    assert outcomes[2].faults == {"lastName": "40001"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"type": None}, "type"),
        ({"lastName": "(:)"}, "lastName"),
        ({"firstName": ";"}, "firstName"),
        ({"middleName": "\n"}, "middleName"),
        ({"externalId": "theirs"}, "externalId"),
        ({"nonsense": "x"}, "nonsense"),
        ({"emails": adding(*[f"{n}@a.com" for n in range(101)])}, "emails"),
        ({"customAttributes.crmsync_company_id": "1"}, "customAttributes.crmsync_company_id"),
    ],
)
def test_what_can_never_be_accepted_is_not_sent(
    crm: InfobipConnector, account: Account, values: dict[str, Any], field: str
) -> None:
    outcome = only(crm.write("person", [jane(**values)]))
    assert outcome.result is Result.REJECTED
    assert field in outcome.faults
    assert account.calls == []


@pytest.mark.parametrize("sign", '&<>"/\\\n\r:(){}=;#')
def test_practice_4_10_a_forbidden_sign_in_a_name_is_a_blank(
    crm: InfobipConnector, sign: str
) -> None:
    names: dict[str, Any] = {"firstName": f"{sign}Ann{sign} Mia", "lastName": f"O{sign}b"}
    record = created(crm, jane(**names))
    assert (record.values["firstName"], record.values["lastName"]) == ("Ann Mia", "O b")


# updates


def test_only_given_fields_are_written_and_none_clears(crm: InfobipConnector) -> None:
    told: dict[str, Any] = {"city": "Zug", TITLE: "Boss"}
    record = created(crm, jane(**told))
    outcome = only(crm.write("person", [change(record.id, firstName="J", city=None)]))
    after = read(crm, record.id)
    assert outcome == Outcome(Result.DONE, record.id, after.version)
    assert dict(after.values) == {**record.values, "firstName": "J", "city": None}
    cleared = change(record.id, after.version, **{TITLE: None})
    assert only(crm.write("person", [cleared])).result is Result.DONE
    assert read(crm, record.id).values[TITLE] is None


@pytest.mark.parametrize("several", [False, True])
def test_practice_4_12_a_clear_that_is_ignored_is_found_by_reading_back(
    crm: InfobipConnector, account: Account, several: bool
) -> None:
    ids = [created(crm, jane(n, city="Zug")).id for n in (1, 2)]
    account.null_ignored = True
    outcomes = crm.write("person", [change(id, city=None) for id in ids[: 2 if several else 1]])
    for outcome in outcomes:
        assert (outcome.result, dict(outcome.values)) == (Result.DONE, {"city": "Zug"})


@pytest.mark.parametrize("others", [0, 20])
def test_an_update_of_an_older_version_is_stale_and_writes_nothing(
    crm: InfobipConnector, account: Account, others: int
) -> None:
    record = created(crm, jane())
    rest = [created(crm, jane(n)) for n in range(2, 2 + others)]
    account.edit(int(record.id), city="Bern")
    writes = [change(record.id, record.version, city="Zug")]
    writes += [change(other.id, other.version, city="Zug") for other in rest]
    outcomes = crm.write("person", writes)
    assert [o.result for o in outcomes] == [Result.STALE] + [Result.DONE] * others
    assert read(crm, record.id).values["city"] == "Bern"


def test_records_that_are_gone_are_gone_with_and_without_a_version(
    crm: InfobipConnector, account: Account
) -> None:
    alive, dead = created(crm, jane(1)), created(crm, jane(2))
    del account.persons[int(dead.id)]
    writes = [
        change(dead.id, city="Zug"),
        change(alive.id, city="Zug"),
        change(dead.id, dead.version, city="Zug"),
        change("no-id", city="Zug"),
        Write(Action.DELETE, key(9), id=dead.id),
        Write(Action.DELETE, key(9), id=dead.id, version=dead.version),
    ]
    outcomes = crm.write("person", writes)
    assert [outcome.result is Result.GONE for outcome in outcomes] == [True, False, *[True] * 4]
    assert crm.write("person", writes[:1])[0].result is Result.GONE


def test_members_of_sets_are_added_and_removed_and_repeating_is_harmless(
    crm: InfobipConnector, account: Account
) -> None:
    mails = adding("a@acme.com", "theirs@acme.com")
    record = created(crm, jane(emails=mails, tags=adding("old", "kept")))
    wish = change(
        record.id,
        emails={"add": ["b@acme.com"], "remove": ["A@acme.com"]},
        phones=adding("+41793026727"),
        tags={"add": ["new"], "remove": ["old"]},
    )
    for _ in range(2):
        assert only(crm.write("person", [wish])).result is Result.DONE
        after = read(crm, record.id).values
        assert after["emails"] == ["theirs@acme.com", "b@acme.com"]
        assert after["phones"] == ["+41793026727"]
        assert after["tags"] == ["kept", "new"]
    sent = [(call.method, call.path) for call in account.calls]
    assert sent.index(("PATCH", "/people/2/persons")) < sent.index(
        ("DELETE", "/people/2/persons/contactInformation")
    )


def test_a_person_who_goes_meanwhile_keeps_nobody_elses_tag(
    crm: InfobipConnector, account: Account
) -> None:
    ids = [created(crm, jane(n, tags=adding("old"))).id for n in (1, 2, 3)]

    def goes(_: Account, request: httpx.Request) -> None:
        if request.url.path == "/people/2/tags/old/persons":
            account.persons.pop(int(ids[1]), None)

    account.before.append(goes)
    wishes = [change(id, tags={"add": [], "remove": ["old"]}) for id in ids]
    outcomes = crm.write("person", wishes)
    assert [outcomes[n].result for n in (0, 2)] == [Result.DONE] * 2
    assert [row["tags"] for row in account.persons.values()] == [[], []]


def test_a_removal_that_is_refused_is_a_fault_of_that_field(
    crm: InfobipConnector, account: Account
) -> None:
    record = created(crm, jane())
    no = httpx.Response(400, json={"errorCode": 40018, "errorMessage": "jane1@acme.com is last"})
    refuse(account, "DELETE", "/people/2/persons/contactInformation", no)
    wish = change(record.id, emails={"add": [], "remove": ["jane1@acme.com"]}, city="Zug")
    outcome = only(crm.write("person", [wish]))
    assert (outcome.result, set(outcome.faults)) == (Result.REJECTED, {"emails"})
    assert "jane1" not in outcome.reason + str(outcome.faults)


def test_an_address_that_moves_within_one_call_is_tried_again(crm: InfobipConnector) -> None:
    mails = adding("moving@acme.com", "old@acme.com")
    one, two = created(crm, jane(1, emails=mails)), created(crm, jane(2))
    writes = [
        change(two.id, emails=adding("moving@acme.com")),
        change(one.id, emails={"add": [], "remove": ["moving@acme.com"]}),
    ]
    assert [o.result for o in crm.write("person", writes)] == [Result.RETRY, Result.DONE]
    assert only(crm.write("person", writes[:1])).result is Result.DONE
    taken = only(crm.write("person", [change(one.id, emails=adding("moving@acme.com"))]))
    assert (taken.result, set(taken.faults)) == (Result.REJECTED, {"emails"})


def test_two_writes_of_one_record_are_carried_out_in_order(crm: InfobipConnector) -> None:
    record = created(crm, jane())
    writes = [change(record.id, city="Zug"), change(record.id, city="Bern")]
    assert [o.result for o in crm.write("person", writes)] == [Result.DONE] * 2
    assert read(crm, record.id).values["city"] == "Bern"


def test_a_connection_lost_halfway_leaves_later_for_the_rest(
    crm: InfobipConnector, account: Account
) -> None:
    record = created(crm, jane(1))
    lose(account, "DELETE")
    writes = [change(record.id, city="Zug"), Write(Action.DELETE, key(9), id=record.id)]
    assert [o.result for o in crm.write("person", writes)] == [Result.DONE, Result.RETRY]
    assert crm.write("person", []) == []


@pytest.mark.parametrize("several", [False, True])
def test_a_lead_becomes_a_customer_in_place_and_twice_is_once(
    crm: InfobipConnector, account: Account, several: bool
) -> None:
    leads = [created(crm, jane(n)) for n in ((1, 2) if several else (1,))]
    wishes = [Write(Action.CONVERT, key(5), id=lead.id, version=lead.version) for lead in leads]
    for _ in range(2):
        outcomes = crm.write("person", wishes)
        assert [(o.result, o.id) for o in outcomes] == [(Result.DONE, r.id) for r in leads]
    assert {row["type"] for row in account.persons.values()} == {"CUSTOMER"}


def test_a_refused_or_ignored_change_of_type_is_rejected(
    crm: InfobipConnector, account: Account
) -> None:
    lead = created(crm, jane())
    wish = Write(Action.CONVERT, key(5), id=lead.id)
    account.type_refused = True
    assert only(crm.write("person", [wish])).result is Result.REJECTED
    account.type_refused = False
    refuse(account, "PATCH", "/people/2/persons", httpx.Response(200, json=account.persons[1]))
    assert only(crm.write("person", [wish])).faults.keys() == {"type"}
    back = only(crm.write("person", [change(lead.id, type="LEAD")]))
    assert (back.result, set(back.faults)) == (Result.REJECTED, {"type"})


def test_a_delete_reads_before_and_removes(crm: InfobipConnector, account: Account) -> None:
    one, two = created(crm, jane(1)), created(crm, jane(2))
    account.edit(int(two.id), city="Bern")
    writes = [Write(Action.DELETE, key(9), id=r.id, version=r.version) for r in (one, two)]
    assert [o.result for o in crm.write("person", writes)] == [Result.DONE, Result.STALE]
    assert list(account.persons) == [int(two.id)]


def test_the_time_between_reading_a_record_and_writing_it_is_bounded(
    crm: InfobipConnector, account: Account
) -> None:
    records = [created(crm, jane(n)) for n in range(1, 121)]
    for number in range(1000):
        account.add(lastName="newer", externalId=f"newer {number}")
    account.calls.clear()
    outcomes = crm.write("person", [change(r.id, r.version, city="Zug") for r in records])
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    reads = "".join("r" if call.method == "GET" else "w" for call in account.calls).split("w")
    assert max(map(len, reads)) <= 51
