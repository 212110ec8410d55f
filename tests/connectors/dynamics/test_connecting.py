"""The Dynamics connector against the simulator: what it reads, and as whom."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors import (
    AuthError,
    Converted,
    CursorExpiredError,
    Deleted,
    Merged,
    TransientError,
    Upserted,
)
from tests.connectors.dynamics_org import (
    CONTACT,
    LEAD,
    changes,
    cursor_of,
    lead,
    opened,
    read,
)
from tests.connectors.processes import Server


def test_changes_deletes_merges_and_qualifications_arrive_as_such(
    org: Server, service: Any
) -> None:
    edited, gone, loser, winner, made = (lead(org) for _ in range(5))
    cursor = cursor_of(service)
    org.act("update", "lead", id=edited, values={"jobtitle": "Buyer"})
    org.act("delete", "lead", id=gone)
    org.act("merge", "lead", id=winner, losers=[loser])
    into = org.act("convert", "lead", id=made)["into"]
    for _ in range(2):  # replaying a cursor is harmless
        found = changes(list(service.changes(LEAD, cursor)))
        upserts = {c.record.id: c.record for c in found if isinstance(c, Upserted)}
        assert upserts[edited].values["jobtitle"] == "Buyer"
        assert Deleted(gone) in found
        assert Merged(loser, winner) in found
        assert Converted(made, {"contact": into["contact"]}) in found


def test_a_qualified_lead_names_the_company_that_a_person_had_chosen(
    org: Server, service: Any
) -> None:
    account = org.act("create", "account", values={"name": "Plavi"})["id"]
    number = lead(org)
    cursor = cursor_of(service)
    into = org.act("convert", "lead", id=number, into={"account": account})["into"]
    expected = {"account": account, "contact": into["contact"]}
    assert changes(list(service.changes(LEAD, cursor))) == [Converted(number, expected)]


def test_many_changes_come_in_pages_and_can_be_broken_off(org: Server, service: Any) -> None:
    kept = [lead(org) for _ in range(4)]
    cursor = cursor_of(service)
    org.post("switches", page_size=2)
    for number in kept[1:]:
        org.act("update", "lead", id=number, values={"jobtitle": "Buyer"})
    org.act("delete", "lead", id=kept[0])
    pages = service.changes(LEAD, cursor)
    first = next(pages)
    org.act("update", "lead", id=kept[1], values={"jobtitle": "Boss"})  # was on the first page
    rest = list(service.changes(LEAD, first.cursor))
    found = changes([first, *rest])
    assert [len(page.changes) <= 2 for page in (first, *rest)] == [True] * (1 + len(rest))
    assert {c.record.id for c in found if isinstance(c, Upserted)} == set(kept[1:])
    assert Deleted(kept[0]) in found
    later = changes([*rest, *service.changes(LEAD, rest[-1].cursor)])
    seen = [c.record.values for c in later if isinstance(c, Upserted) and c.record.id == kept[1]]
    assert seen[-1]["jobtitle"] == "Boss"


def test_a_restored_row_is_there(org: Server, service: Any) -> None:
    number = lead(org)
    cursor = cursor_of(service)
    org.act("delete", "lead", id=number)
    org.act("undelete", "lead", id=number)
    org.post("switches", page_size=1)  # its deletion stands on a later page
    (change,) = changes(list(service.changes(LEAD, cursor)))
    assert change.record.id == number


def test_an_old_or_foreign_token_is_expired(org: Server, service: Any) -> None:
    cursor = cursor_of(service)
    with pytest.raises(CursorExpiredError):
        next(iter(service.changes(replace(LEAD, fields=("lastname",)), cursor)))
    org.post("clock", advance=8 * 86400)
    with pytest.raises(CursorExpiredError):
        next(iter(service.changes(LEAD, cursor)))


def test_row_92_a_damaged_token_asks_for_a_new_listing(org: Server, service: Any) -> None:
    cursor = cursor_of(service)
    link, _, _ = cursor["link"].partition("deltatoken=")
    with pytest.raises(CursorExpiredError):
        list(service.changes(LEAD, cursor | {"link": f"{link}deltatoken=damaged"}))


def test_a_token_of_another_table_definition_is_expired(org: Server, service: Any) -> None:
    cursor = cursor_of(service)
    org.post("switches", schema_changed_at=10**6)
    with pytest.raises(CursorExpiredError):
        next(iter(service.changes(LEAD, cursor)))


def test_a_listing_starts_by_the_servers_clock(org: Server, service: Any) -> None:
    """The token is of the end: what changed meanwhile is found by its stamp alone."""
    org.post("clock", advance=-3 * 3600)
    org.post("switches", page_size=2)
    numbers = sorted(lead(org) for _ in range(4))
    pages = service.changes(LEAD, None)
    read = [next(pages)]
    org.act("update", "lead", id=numbers[0], values={"jobtitle": "meanwhile"})
    read += pages
    last = {c.record.id: c.record.values["jobtitle"] for c in changes(read)}
    assert last[numbers[0]] == "meanwhile"


def test_practice_1_4_a_disqualified_lead_is_inactive(org: Server, service: Any) -> None:
    number = lead(org, statecode=2, statuscode=4)
    assert read(service, number).inactive


def test_fetch_by_column_with_quotes(org: Server, service: Any) -> None:
    number = lead(org, lastname='O\'Brien & "Co"')
    found = service.fetch(LEAD, "lastname", ['O\'Brien & "Co"', "x"])
    assert [record.id for record in found] == [number]
    assert service.fetch(LEAD, "id", [str(uuid4())]) == []


def test_fetch_of_more_than_a_url_bears(org: Server, service: Any) -> None:
    number = lead(org, lastname="Жуковский")
    others = [f"{n} {'Ж' * 45}" for n in range(150)]
    found = service.fetch(LEAD, "lastname", [*others, "Жуковский"])
    assert [record.id for record in found] == [number]


def test_fetch_by_what_can_be_no_id_finds_nothing(org: Server, service: Any) -> None:
    number = lead(org)
    assert [r.id for r in service.fetch(LEAD, "id", ["00Q5e00000AbCdE", number])] == [number]


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", "{}"])
def test_row_55_an_id_is_found_however_it_is_written(org: Server, service: Any, form: str) -> None:
    number = lead(org)
    for written in (number.upper(), number.replace("-", "")):
        found = service.fetch(LEAD, "id", [form.format(written), str(UUID(int=0))])
        assert [record.id for record in found] == [number]


def test_fetch_by_a_lookup(org: Server, service: Any) -> None:
    account = org.act("create", "account", values={"name": "Plavi"})["id"]
    bound = {"lastname": "x", "parentcustomerid_account@odata.bind": f"/accounts({account})"}
    number = org.act("create", "contact", values=bound)["id"]
    found = service.fetch(CONTACT, "_parentcustomerid_value", [account])
    assert [record.id for record in found] == [number]


def test_a_company_that_we_may_not_see_is_still_one(org: Server, service: Any) -> None:
    """An empty value would be taken for a person's clearing."""
    account = org.act("create", "account", values={"name": "Plavi"})["id"]
    bound = {"lastname": "x", "parentcustomerid_account@odata.bind": f"/accounts({account})"}
    number = org.act("create", "contact", values=bound)["id"]
    org.post("switches", denied=["Read account"])
    assert read(service, number, CONTACT).values["_parentcustomerid_value"] == account


def test_an_expired_token_is_renewed_between_pages(org: Server, service: Any) -> None:
    org.post("switches", page_size=1)
    numbers = {lead(org) for _ in range(3)}
    pages = service.changes(LEAD, None)
    found = [next(pages)]
    org.post("tokens/expire")
    found += pages
    assert {change.record.id for change in changes(found)} == numbers


def test_a_wrong_secret_is_told_without_it(org: Server) -> None:
    service = opened(org, client_secret="canary-4711")
    with pytest.raises(AuthError, match="refuses the credentials") as caught:
        service.check([])
    service.close()
    assert "canary" not in str(caught.value)


def test_an_unknown_tenant_is_told_with_its_remedy(org: Server) -> None:
    body = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}
    org.fault("GET", "openid-configuration", status=400, body=body)
    service = opened(org)
    with pytest.raises(AuthError) as caught:
        service.check([])
    service.close()
    assert "tenant_id" in caught.value.remedy


def test_a_login_that_is_down_is_tried_later(org: Server) -> None:
    org.fault("POST", "/token", status=500, body="")
    service = opened(org)
    with pytest.raises(TransientError):
        service.check([])
    assert service.check([]).identity
    service.close()
