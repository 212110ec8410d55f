"""Each route once, over three systems in memory: what it gives and what it leaves behind."""

import json
from typing import Any, cast

from config import ConfigError
from sync_engine.models import Kind
from sync_engine.operations import status
from sync_engine.service import Service
from sync_engine.store import LinkRow
from sync_engine.web.app import DOCUMENT, document_of
from tests.engine.three import ORDER, Three
from tests.web.conftest import Face, client_of, daemon_of, settings_of

ANN: dict[str, Any] = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example"}
BEN: dict[str, Any] = {"first": "Ben", "last": "Kos", "mail": "ben@plavi.example"}


def ask(face: Face) -> str:
    """Two contacts that share an address but not a name: somebody must decide. Gives the issue."""
    face.three.sales.create("Contact", **BEN)
    face.three.service.create("contact", **{**BEN, "first": "Bernhard", "last": "Kos"})
    face.ok("/api/syncs/customers/run")
    groups = face.get("/api/issues").json()
    return cast(str, groups[0]["issues"][0]["id"])


def link_of(three: Three, source_name: str, number: str) -> LinkRow:
    (source,) = [one for one in three.world.sources if one.name == source_name]
    with three.store.reading() as connection:
        return three.store.links.by_record(connection, source.id, [number])[number]


def test_the_document_is_current(three: Three) -> None:
    app = client_of(daemon_of(three), settings_of()).app
    text = document_of(app)  # type: ignore[arg-type]  # a TestClient keeps any application
    assert DOCUMENT.read_text() == text, "run python -m tests.web.document"


def test_status_and_runs(face: Face) -> None:
    told = face.get("/api/status").json()
    assert told == status(face.daemon.service).model_dump(mode="json")
    assert {one["name"] for one in told["syncs"]} == {"leads", "customers", "companies"}
    assert face.get("/api/runs").json() == []
    face.three.sales.create("Contact", **ANN)
    run = face.ok("/api/syncs/customers/run")
    (line,) = face.get("/api/runs", limit=1).json()
    assert (line["run"], line["sync"]) == (run["run"], "customers")
    assert face.get("/api/runs", limit=0).status_code == 422
    assert face.get("/api/runs", limits=1).status_code == 422


def test_run_writes_and_reports(face: Face) -> None:
    face.three.sales.create("Contact", **ANN)
    told = face.ok("/api/syncs/customers/run", yes=True)
    sides = [row for row in told["sides"] if row["sync"] == "customers"]
    created = {row["instance"]: row["created"] for row in sides}
    assert created == {"sales": 0, "service": 1, "profiles": 1}
    assert face.three.written()["service"] == {"create": 1}
    assert "Ann" not in json.dumps(told)


def test_a_first_run_stops_unless_told(face: Face) -> None:
    with face.three.store.transaction() as connection:
        face.three.store.registry.save_sync(connection, "customers", released_at=None)
    face.three.sales.create("Contact", **ANN)
    told = face.ok("/api/syncs/customers/run")
    assert told["waiting_for_release"] == ["customers"]
    assert face.three.written()["service"] == {}
    assert face.ok("/api/syncs/customers/release") == {"sync": "customers", "changes": {}}
    face.ok("/api/syncs/customers/run")
    assert face.three.written()["service"] == {"create": 1}


def test_a_sync_that_has_shown_no_report_is_not_released(face: Face) -> None:
    registry = face.three.store.registry
    with face.three.store.transaction() as connection:
        registry.save_sync(connection, "customers", released_at=None)
        for source in registry.sources(connection):
            registry.save_source(connection, source.id, listed_at=None)
    refused = face.post("/api/syncs/customers/release")
    assert refused.status_code == 400
    assert "there is no report of customers yet" in refused.json()["error"]


def test_plan_writes_nothing(face: Face) -> None:
    face.three.sales.create("Contact", **ANN)
    told = face.ok("/api/syncs/customers/plan")
    assert [line["does"] for line in told["lines"]] == ["create", "create"]
    assert face.three.written()["service"] == {}
    assert face.sample("crm_sync_records_read_total") == 0  # a rehearsal is no cycle


def test_resync_and_its_rehearsal(face: Face) -> None:
    number = face.three.sales.create("Contact", **ANN)
    face.ok("/api/syncs/customers/run")
    there = face.three.service.alive("contact")[0]
    face.three.service.update("contact", there.id, title="Boss")
    wish = {"ids": [f"sales:{number}"], "dry_run": True}
    told = face.ok("/api/syncs/customers/resync", **wish)
    assert [line["does"] for line in told["lines"]] == ["update", "update"]
    assert face.three.sales.row("Contact", number).values["title"] is None
    face.ok("/api/syncs/customers/resync", **{**wish, "dry_run": False})
    assert face.three.sales.row("Contact", number).values["title"] == "Boss"
    assert face.post("/api/syncs/customers/resync").status_code == 422
    told = face.post("/api/syncs/customers/resync", full=True, failed=True)
    assert (told.status_code, "exactly one" in told.json()["error"]) == (400, True)
    told = face.post("/api/syncs/customers/resync", full=True, prefer="crm")
    assert told.status_code == 404


def test_history_and_explanation(face: Face) -> None:
    number = face.three.sales.create("Contact", **ANN)
    face.ok("/api/syncs/customers/run")
    told = face.get(f"/api/records/sales/{number}/history").json()
    assert told["record"] == f"sales/Contact:{number}"
    assert any(event["new"] == "Horvat" for event in told["events"])
    told = face.get(f"/api/records/sales/{number}/identity", at="2100-01-01").json()
    assert {one["state"] for one in told["records"]} == {"live"}
    assert len(told["records"]) == 3
    told = face.get(f"/api/records/sales/{number}/identity", at="once")
    assert (told.status_code, "is no moment" in told.json()["error"]) == (400, True)
    told = face.get(f"/api/records/sales/{number}/explanation", object="Contact", field="last_name")
    assert [one["golden"] for one in told.json()["fields"]] == ["Horvat"]
    for path in ("sales/con-77", "crm/con-1"):
        told = face.get(f"/api/records/{path}/history")
        assert (told.status_code, set(told.json())) == (404, {"error", "remedy"})
    told = face.get(f"/api/records/sales/{number}/explanation", field="shoe_size")
    assert told.status_code == 400


def test_issues_are_shown_and_resolved(face: Face) -> None:
    number = ask(face)
    told = face.get(f"/api/issues/{number}").json()
    assert {"Ben", "Bernhard"} == {side["values"]["first_name"] for side in told["sides"]}
    assert number in [one["issue"]["id"] for one in face.get("/api/issues/export").json()]
    told = face.post(f"/api/issues/{number}/resolve", says="seen")
    assert (told.status_code, "takes" in told.json()["remedy"]) == (400, True)
    told = face.post(f"/api/issues/{number}/retry")
    assert told.status_code == 400
    told = face.ok(f"/api/issues/{number}/resolve", says="same", by="Dora")
    assert (told["verdict"], told["carried_out"]) == ("same", True)
    assert face.get(f"/api/issues/{number}").status_code == 404
    with face.three.store.reading() as connection:
        said = face.three.store.issues.all_decisions(connection)
    assert {row.by for row in said} == {"Dora"}


def test_a_delete_is_approved(face: Face) -> None:
    face.three.deletes(Kind.LEAD, "propagate", approved_on=ORDER)
    number = face.three.sales.create(
        "Lead", first="Ann", last="Novak", mail="a@n.example", firm="N"
    )
    face.ok("/api/syncs/leads/run")
    face.three.sales.delete("Lead", number)
    face.ok("/api/syncs/leads/run")
    (group,) = face.get("/api/issues").json()
    assert group["what"] == "delete waits for approval"
    assert len(face.three.service.alive("lead")) == 1
    told = face.ok("/api/issues/resolve", what=group["what"], says="approve", carry_out=True)
    assert [one["carried_out"] for one in told] == [True]
    face.ok("/api/syncs/leads/run")
    assert face.three.service.alive("lead") == []


def test_a_group_is_previewed_first(face: Face) -> None:
    ask(face)
    (group,) = face.get("/api/issues").json()
    answer = {"what": group["what"], "cause": group["cause"], "says": "different"}
    told = face.ok("/api/issues/resolve", **answer)
    assert {one["carried_out"] for one in told} == {False}
    assert face.get("/api/issues").json()[0]["count"] == group["count"]
    told = face.ok("/api/issues/resolve", **answer, carry_out=True)
    assert {one["carried_out"] for one in told} == {True}
    face.ok("/api/syncs/customers/run")
    assert group["what"] not in [one["what"] for one in face.get("/api/issues").json()]
    assert face.post("/api/issues/resolve", **answer).status_code == 404


def test_a_refused_write_is_retried(face: Face) -> None:
    face.three.service.rejects = {"last": "Horvat"}
    face.three.sales.create("Contact", **ANN)
    face.ok("/api/syncs/customers/run")
    (group,) = [g for g in face.get("/api/issues").json() if g["what"] == "rejected"]
    face.three.service.rejects = {}
    told = face.ok(f"/api/issues/{group['issues'][0]['id']}/retry")
    assert told["verdict"] == "retry"
    face.ok("/api/syncs/customers/run")
    assert len(face.three.service.alive("contact")) == 1


def test_link_keep_apart_and_unlink(face: Face) -> None:
    one = face.three.sales.create("Contact", **ANN)
    other = face.three.service.create("contact", first="Zoe", last="Babic", mail="z@b.example")
    face.ok("/api/syncs/customers/pause")  # each would be created on the other side
    face.ok("/api/syncs/customers/run")
    pair = {"left": f"sales:{one}", "right": f"service:{other}"}

    def entities() -> tuple[int | None, int | None]:
        left = link_of(face.three, "sales/Contact", one)
        return left.entity_id, link_of(face.three, "service/contact", other).entity_id

    assert face.ok("/api/link", **pair)["verdict"] == "same"
    assert entities()[0] == entities()[1]
    assert face.ok("/api/keep-apart", **pair)["verdict"] == "different"
    assert entities()[0] != entities()[1]
    assert face.ok("/api/unlink", record=f"sales:{one}")["verdict"] == "unlink"
    assert face.post("/api/unlink", record=f"sales:{one}").status_code == 400
    assert face.post("/api/unlink", record="Ann").status_code == 400
    assert face.post("/api/unlink", record="sales:con-77").status_code == 404


def test_pause_and_resume(face: Face) -> None:
    def states() -> dict[str, str]:
        told = face.get("/api/status").json()
        return {one["name"]: one["state"] for one in (*told["syncs"], *told["instances"])}

    for path, name in (("syncs", "leads"), ("instances", "sales")):
        assert face.ok(f"/api/{path}/{name}/pause") == {"name": name, "state": "paused"}
        assert states()[name] == "paused"
        assert face.ok(f"/api/{path}/{name}/resume") == {"name": name, "state": "active"}
        assert states()[name] == "active"


def test_check_and_rebind(face: Face) -> None:
    told = face.ok("/api/check")
    assert [(one["instance"], one["well"]) for one in told] == [
        ("sales", True),
        ("service", True),
        ("profiles", True),
    ]
    face.three.sales.identity = "moved"
    moved = {one["instance"]: one for one in face.ok("/api/check")}["sales"]
    assert (moved["well"], "rebind" in moved["remedy"]) == (False, True)
    assert face.ok("/api/instances/sales/rebind")["organization_id"] == "moved"
    assert all(one["well"] for one in face.ok("/api/check"))


def test_a_name_nobody_has_is_not_found(face: Face) -> None:
    for path in ("run", "plan", "release", "pause", "resume"):
        told = face.post(f"/api/syncs/contacts/{path}")
        assert (told.status_code, "configured are" in told.json()["remedy"]) == (404, True), path
    for path in ("pause", "resume", "rebind"):
        assert face.post(f"/api/instances/crm/{path}").status_code == 404
    assert face.post("/api/syncs/contacts/resync", full=True).status_code == 404


def test_reload_takes_a_good_file_and_refuses_another(face: Face, three: Three) -> None:
    def refuse(_clock: object) -> Service:
        raise ConfigError("crm-sync.yaml", [])

    face.daemon._rebuild = refuse
    told = face.post("/api/reload")
    assert (told.status_code, "the old one stays" in told.json()["error"]) == (422, True)
    assert "refused" in face.http.get("/readyz").json()["configuration"]
    fresh = daemon_of(three).service
    face.daemon._rebuild = lambda _clock: fresh
    told = face.ok("/api/reload")
    assert told["instances"] == ["sales", "service", "profiles"]
    assert face.daemon.service is fresh
    assert face.http.get("/readyz").json()["configuration"] == "ok"
    before = face.sample('crm_sync_cycles_total{result="done",sync="customers"}')
    face.ok("/api/syncs/customers/run")
    after = face.sample('crm_sync_cycles_total{result="done",sync="customers"}')
    assert after > before  # what is counted is counted of the new service too
