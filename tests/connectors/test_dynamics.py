"""The Dynamics connector against the simulator, over https."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from connectors import (
    Action,
    AuthError,
    Converted,
    CursorExpiredError,
    Deleted,
    Level,
    Merged,
    Page,
    Record,
    Result,
    Selection,
    Upserted,
    Write,
    registry,
)
from tests.connectors.processes import Server, runtime, simulator

LEAD = Selection("lead", ("companyname", "emailaddress1", "jobtitle", "lastname"))
ANN = {"lastname": "Horvat", "companyname": "Plavi", "emailaddress1": "ann@plavi.example"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("dataverse", tmp_path_factory.mktemp("dataverse")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


def opened(org: Server, **more: Any) -> Any:
    connector = registry.load("dynamics")
    given = {
        "url": org.address,
        "authority": f"{org.address}/tenant",
        "tenant_id": "tenant",
        "client_id": "demo-client",
        "client_secret": "demo-secret-dynamics",
        "ca_file": org.ca_file,
        "allow_host": ["127.0.0.1"],
    }
    return connector.open(connector.Settings(**given | more), runtime())


@pytest.fixture
def service(org: Server) -> Iterator[Any]:
    connector = opened(org)
    yield connector
    connector.close()


def lead(org: Server, **values: Any) -> str:
    return str(org.act("create", "lead", values=ANN | values)["id"])


def changes(pages: list[Page]) -> list[Any]:
    return [change for page in pages for change in page.changes]


def cursor_of(service: Any) -> Any:
    return list(service.changes(LEAD, None))[-1].cursor


def read(service: Any, number: str) -> Record:
    found: Record = service.fetch(LEAD, "id", [number])[0]
    return found


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


def test_an_old_or_foreign_token_is_expired(org: Server, service: Any) -> None:
    cursor = cursor_of(service)
    with pytest.raises(CursorExpiredError):
        next(iter(service.changes(replace(LEAD, fields=("lastname",)), cursor)))
    org.post("clock", advance=8 * 86400)
    with pytest.raises(CursorExpiredError):
        next(iter(service.changes(LEAD, cursor)))


def test_practice_1_4_a_disqualified_lead_is_inactive(org: Server, service: Any) -> None:
    number = lead(org, statecode=2, statuscode=4)
    assert read(service, number).inactive


def test_fetch_by_column_with_quotes(org: Server, service: Any) -> None:
    number = lead(org, lastname='O\'Brien & "Co"')
    found = service.fetch(LEAD, "lastname", ['O\'Brien & "Co"', "x"])
    assert [record.id for record in found] == [number]
    assert service.fetch(LEAD, "id", [str(uuid4())]) == []


def test_outcomes_stand_in_order_with_a_bad_row_in_the_middle(org: Server, service: Any) -> None:
    values = [ANN, ANN | {"lastname": "x" * 51}, ANN]
    outcomes = service.write("lead", [Write(Action.CREATE, uuid4(), values=v) for v in values])
    assert [o.result for o in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]


def test_only_the_given_fields_are_written_and_the_version_is_told(
    org: Server, service: Any
) -> None:
    number = lead(org, jobtitle="Buyer")
    record = read(service, number)
    write = Write(Action.UPDATE, uuid4(), number, {"emailaddress1": None}, record.version)
    outcome = service.write("lead", [write])[0]
    after = read(service, number)
    assert (outcome.result, outcome.version) == (Result.DONE, after.version)
    assert after.values == ANN | {"emailaddress1": None, "jobtitle": "Buyer"}


def test_a_record_that_moved_on_is_stale_and_what_is_gone_is_gone(
    org: Server, service: Any
) -> None:
    number = lead(org)
    version = read(service, number).version
    org.act("update", "lead", id=number, values={"jobtitle": "Buyer"})
    update = Write(Action.UPDATE, uuid4(), number, {"jobtitle": "Boss"}, version)
    delete = replace(update, action=Action.DELETE)
    assert [o.result for o in service.write("lead", [update, delete])] == [Result.STALE] * 2
    org.act("delete", "lead", id=number)
    assert [o.result for o in service.write("lead", [update, delete])] == [Result.GONE] * 2


def test_a_company_is_bound_cleared_and_told_from_a_parent_contact(
    org: Server, service: Any
) -> None:
    selection = Selection("contact", ("_parentcustomerid_value", "lastname"))
    account = org.act("create", "account", values={"name": "Plavi"})["id"]
    values = {"lastname": "Horvat", "_parentcustomerid_value": account}
    number = str(service.write("contact", [Write(Action.CREATE, uuid4(), values=values)])[0].id)
    assert service.fetch(selection, "id", [number])[0].values == values
    clear = Write(Action.UPDATE, uuid4(), number, {"_parentcustomerid_value": None})
    assert service.write("contact", [clear])[0].result is Result.DONE
    parent = {"parentcustomerid_contact@odata.bind": f"/contacts({number})"}
    child = org.act("create", "contact", values={"lastname": "Kid", **parent})["id"]
    assert service.fetch(selection, "id", [child])[0].values["_parentcustomerid_value"] is None


def test_an_expired_token_is_renewed(org: Server, service: Any) -> None:
    number = lead(org)
    read(service, number)
    org.post("tokens/expire")
    assert read(service, number).id == number


def test_a_wrong_secret_is_told_without_it(org: Server) -> None:
    service = opened(org, client_secret="canary-4711")
    with pytest.raises(AuthError, match="refuses the credentials") as caught:
        service.check([])
    service.close()
    assert "canary" not in str(caught.value)


def test_check_names_the_organization_and_what_is_wrong(org: Server, service: Any) -> None:
    checked = service.check([LEAD])
    assert checked.findings == ()
    assert checked.identity == service.check([]).identity
    org.post("switches", untracked=["lead"])
    findings = service.check([replace(LEAD, fields=("nope",)), Selection("nope", ())]).findings
    assert [f.level for f in findings] == [Level.ERROR] * 3
    assert all(finding.remedy for finding in findings)


def test_the_shipped_mapping_names_only_columns_that_exist(service: Any) -> None:
    types = {one.name: one.fields for one in service.describe()}
    for name, mapping in type(service).Mappings.items():
        for entry in mapping["fields"].values():
            natives = [entry] if isinstance(entry, str) else list(entry.get("parts", {}).values())
            natives = natives or [entry["field"]]
            assert set(natives) <= set(types[name]), (name, entry)
