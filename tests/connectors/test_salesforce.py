"""The Salesforce connector against the simulator, over https."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from connectors import (
    Action,
    AuthError,
    Converted,
    Deleted,
    Level,
    Merged,
    Page,
    Record,
    Result,
    Selection,
    Write,
    registry,
)
from tests.connectors.processes import Server, runtime, simulator

LEAD = Selection("Lead", ("Company", "Email", "LastName", "Title"))
ANN = {"LastName": "Horvat", "Company": "Plavi", "Email": "ann@plavi.example"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with simulator("salesforce", tmp_path_factory.mktemp("salesforce")) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Server:
    server.post("reset")
    return server


def opened(org: Server, **more: Any) -> Any:
    connector = registry.load("salesforce")
    auth = {
        "flow": "client_credentials",
        "client_id": "demo-client",
        "client_secret": "demo-secret-salesforce",
    }
    given = {"url": org.address, "auth": auth, "ca_file": org.ca_file}
    settings = connector.Settings(**given, allow_host=["127.0.0.1"], **more)
    return connector.open(settings, runtime())


@pytest.fixture
def sales(org: Server) -> Iterator[Any]:
    connector = opened(org, safety_lag=0)
    yield connector
    connector.close()


def lead(org: Server, **values: Any) -> str:
    return str(org.act("create", "Lead", values=ANN | values)["id"])


def listed(sales: Any, selection: Selection = LEAD) -> list[Page]:
    return list(sales.changes(selection, None))


def changes(pages: list[Page]) -> list[Any]:
    return [change for page in pages for change in page.changes]


def read(sales: Any, number: str) -> Record:
    found: Record = sales.fetch(LEAD, "id", [number])[0]
    return found


def test_deletes_merges_and_conversions_arrive_as_such(org: Server, sales: Any) -> None:
    gone, loser, winner, made = (lead(org, Email=f"p{n}@x.example") for n in range(4))
    cursor = listed(sales)[-1].cursor
    org.act("delete", "Lead", id=gone)
    org.act("merge", "Lead", id=winner, losers=[loser])
    into = org.act("convert", "Lead", id=made)["into"]
    found = changes(list(sales.changes(LEAD, cursor)))
    assert Deleted(gone) in found
    assert Merged(loser, winner) in found
    assert Converted(made, into) in found
    assert sales.fetch(LEAD, "id", [gone, loser, made]) == []


def test_practice_1_4_a_disqualified_lead_is_inactive(org: Server, sales: Any) -> None:
    number = lead(org, Status="Closed - Not Converted")
    assert read(sales, number).inactive


def test_fetch_by_field_and_by_key(org: Server, sales: Any) -> None:
    number = lead(org, LastName="O'Brien")
    assert [r.id for r in sales.fetch(LEAD, "LastName", ["O'Brien", "x"])] == [number]
    assert sales.fetch(LEAD, "key", [str(uuid4())]) == []


def test_outcomes_stand_in_order_with_a_bad_row_in_the_middle(org: Server, sales: Any) -> None:
    values = [ANN, ANN | {"Email": "no address"}, ANN | {"LastName": "Novak"}]
    outcomes = sales.write("Lead", [Write(Action.CREATE, uuid4(), values=v) for v in values])
    assert [o.result for o in outcomes] == [Result.DONE, Result.REJECTED, Result.DONE]
    assert outcomes[1].faults == {"Email": "INVALID_EMAIL_ADDRESS"}
    assert "no address" not in outcomes[1].reason


def test_only_the_given_fields_are_written(org: Server, sales: Any) -> None:
    number = lead(org, Title="Buyer")
    record = read(sales, number)
    write = Write(Action.UPDATE, uuid4(), number, {"Email": None}, record.version)
    assert sales.write("Lead", [write])[0].result is Result.DONE
    assert read(sales, number).values == ANN | {"Email": None, "Title": "Buyer"}
    fields = [w["fields"] for w in org.get("journal")["writes"] if w["by"] == "api"]
    assert fields == [["Email"]]


def test_what_is_gone_is_gone(org: Server, sales: Any) -> None:
    gone, made = lead(org), lead(org, Email="b@x.example")
    org.act("delete", "Lead", id=gone)
    org.act("convert", "Lead", id=made)
    writes = [Write(Action.UPDATE, uuid4(), n, {"Title": "x"}) for n in (gone, made)]
    assert [o.result for o in sales.write("Lead", writes)] == [Result.GONE, Result.GONE]
    assert sales.write("Lead", [Write(Action.DELETE, uuid4(), gone)])[0].result is Result.GONE


def test_an_assignment_rule_does_not_take_what_we_create(org: Server, sales: Any) -> None:
    org.post("switches", assignment_rule=True)
    sales.write("Lead", [Write(Action.CREATE, uuid4(), values=ANN)])
    (row,) = org.records("Lead")
    assert row["OwnerId"] == row["CreatedById"]


def test_an_expired_token_is_renewed_and_the_condition_kept(org: Server, sales: Any) -> None:
    number = lead(org)
    record = read(sales, number)
    org.post("clock", advance=3 * 3600)
    org.act("update", "Lead", id=number, values={"Title": "Buyer"})
    write = Write(Action.UPDATE, uuid4(), number, {"Title": "Boss"}, record.version)
    assert sales.write("Lead", [write])[0].result is Result.STALE


def test_a_wrong_secret_is_told_without_it(org: Server) -> None:
    auth = {"flow": "client_credentials", "client_id": "x", "client_secret": "canary-4711"}
    connector = registry.load("salesforce")
    settings = connector.Settings(
        url=org.address, auth=auth, ca_file=org.ca_file, allow_host=["127.0.0.1"]
    )
    sales = connector.open(settings, runtime())
    with pytest.raises(AuthError, match="invalid_client") as caught:
        sales.check([])
    sales.close()
    assert "canary" not in str(caught.value)


def test_check_names_the_organization_and_what_is_wrong(org: Server, sales: Any) -> None:
    checked = sales.check([LEAD])
    assert (checked.identity, checked.findings) == ("00D000000000001AAA", ())
    wrong = sales.check([Selection("Lead", ("Nope",)), Selection("Nope", ())])
    assert [f.level for f in wrong.findings] == [Level.ERROR, Level.ERROR]
    assert all(finding.remedy for finding in wrong.findings)


def test_without_the_key_field_nothing_is_created(org: Server) -> None:
    sales = opened(org, external_id_field="Other_Key__c")
    assert Action.CREATE not in sales.describe()[0].actions
    (finding,) = sales.check([LEAD]).findings
    assert "nothing is created there" in finding.what
    sales.close()


def test_describe_tells_types_lengths_and_what_is_required(sales: Any) -> None:
    types = {one.name: one for one in sales.describe()}
    assert set(types) == {"Lead", "Contact", "Account"}
    fields = types["Lead"].fields
    assert (fields["Email"].type, fields["Email"].length) == ("email", 80)
    required = {name for name, field in fields.items() if field.required}
    assert required == {"LastName", "Company"}


def test_the_shipped_mapping_names_only_fields_that_exist(sales: Any) -> None:
    types = {one.name: one.fields for one in sales.describe()}
    for name, mapping in type(sales).Mappings.items():
        for entry in mapping["fields"].values():
            natives = [entry] if isinstance(entry, str) else list(entry.get("parts", {}).values())
            natives = natives or [entry["field"]]
            assert set(natives) <= set(types[name]), (name, entry)
