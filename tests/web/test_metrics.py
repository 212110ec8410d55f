"""Health, readiness and metrics: what a monitoring system is told."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlalchemy.exc import OperationalError

import sync_engine.web
from tests.engine.three import Three
from tests.web.conftest import Face, client_of, daemon_of, settings_of

ROOM = Path(sync_engine.web.__file__).parent
ANN = {"first": "Ann", "last": "Horvat", "mail": "ann@plavi.example"}


def shown(face: Face) -> dict[str, tuple[str, set[str]]]:
    """Metric -> its type and labels, as Prometheus reads them."""
    found = {}
    for family in text_string_to_metric_families(face.http.get("/metrics").text):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[family.name + "_total" * (family.type == "counter")] = (family.type, labels)
    return found


def lived_in(face: Face) -> None:
    """A service in which every metric has a sample."""
    face.three.sales.create("Contact", **ANN)
    face.three.service.rejects = {"last": "Horvat"}
    face.ok("/api/syncs/customers/run")
    registry = face.three.store.registry
    with face.three.store.transaction() as connection:
        row = registry.instances(connection)["sales"]
        registry.save_instance(connection, row.id, budget={"used": 70, "limit": 100})
        now = face.daemon.clock.now()
        registry.take_lease(connection, "pull:1", "other:1", now, 90, lambda _holder: False)


def test_the_table_names_every_metric(face: Face) -> None:
    lived_in(face)
    rows = re.findall(
        r"^\| `(crm_sync_\w+)` \| (\w+) \|([^|]*)\|", (ROOM / "README.md").read_text(), re.M
    )
    table = {name: (sort, set(re.findall(r"`(\w+)`", labels))) for name, sort, labels in rows}
    assert table == shown(face)


def test_every_alert_asks_for_a_metric_that_exists(face: Face) -> None:
    lived_in(face)
    rules = YAML(typ="safe").load((ROOM / "alerts.yml").read_text())
    known = set(shown(face))
    told = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(told) >= 10
    for rule in told:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "description"}
        named = set(re.findall(r"crm_sync_\w+", rule["expr"]))
        assert named, rule["alert"]
        assert named <= known, rule["alert"]


def test_a_cycle_is_counted(face: Face) -> None:
    done = 'crm_sync_cycles_total{result="done",sync="customers"}'
    before = face.sample(done)
    face.three.sales.create("Contact", **ANN)
    face.ok("/api/syncs/customers/run")
    assert face.sample(done) == before + 1
    assert face.sample('crm_sync_cycles_total{result="failed",sync="customers"}') == 0
    assert face.sample("crm_sync_records_read_total") >= 1
    place = 'instance="service",object="contact"'
    written = f'crm_sync_writes_total{{action="create",{place},result="done"}}'
    assert face.sample(written) == 1
    linked = f'crm_sync_linked_records{{{place},sync="customers"}}'
    assert face.sample(linked) == 1


def test_a_cycle_that_fails_is_counted(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("sync_engine.service.service.cycle", fail)
    assert face.post("/api/syncs/customers/run").status_code == 500
    assert face.sample('crm_sync_cycles_total{result="failed",sync="customers"}') == 1


def test_what_stands_is_read_on_each_scrape(face: Face) -> None:
    lived_in(face)
    assert face.sample('crm_sync_issues{what="rejected"}') == 1
    assert face.sample('crm_sync_held_writes{sync="customers"}') == 1
    assert face.sample('crm_sync_api_budget_used_calls{instance="sales"}') == 70
    assert face.sample('crm_sync_api_budget_limit_calls{instance="sales"}') == 100
    assert (
        'crm_sync_api_budget_used_calls{instance="service"}' not in face.http.get("/metrics").text
    )
    assert face.sample('crm_sync_lease_remaining_seconds{lease="pull:1"}') == 90
    face.three.clock.time += timedelta(minutes=5)
    age = 'crm_sync_cursor_age_seconds{instance="sales",object="Contact"}'
    assert face.sample(age) == 300
    assert face.sample('crm_sync_last_run_age_seconds{sync="customers"}') == 300
    face.ok("/api/syncs/leads/pause")
    assert face.sample('crm_sync_sync_paused{sync="leads"}') == 1
    face.ok("/api/instances/sales/pause")
    assert face.sample('crm_sync_instance_paused{instance="sales"}') == 1


def test_an_instance_that_is_down_is_shown(face: Face) -> None:
    up = 'crm_sync_instance_up{instance="service"}'
    assert face.sample(up) == 1
    face.three.service.down = True
    face.ok("/api/syncs/customers/run")
    assert face.sample(up) == 0
    assert face.sample('crm_sync_cycles_total{result="partly",sync="customers"}') == 1
    assert face.http.get("/readyz").status_code == 200  # the others go on


def test_practice_7_6_a_metric_counts_what_a_check_warns_of(face: Face) -> None:
    warnings = 'crm_sync_check_warnings{instance="service"}'
    assert face.sample(warnings) == 0
    fields = dict(face.three.service.objects["lead"].fields)
    del fields["title"]  # what has been listed goes on without it, and the check warns
    face.three.service.objects["lead"].fields = fields
    face.three.clock.time += timedelta(hours=2)
    face.ok("/api/syncs/leads/run")
    assert face.sample(warnings) == 1


def test_without_the_state_metrics_say_so(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    assert face.sample("crm_sync_state_up") == 1
    monkeypatch.setattr(face.daemon.service.store, "reading", broken)
    assert face.sample("crm_sync_state_up") == 0
    told = face.http.get("/readyz")
    assert (told.status_code, told.json()["state"]) == (503, "does not answer (OperationalError)")
    assert face.get("/api/runs").status_code == 503


def test_ready_once_the_instances_were_asked(three: Three) -> None:
    daemon = daemon_of(three)
    http = client_of(daemon, settings_of())
    told = http.get("/readyz")
    assert told.status_code == 503
    assert told.json() == {
        "ready": False,
        "state": "ok",
        "configuration": "ok",
        "instances": "have not been asked for the first time yet",
    }
    daemon.run_due()
    assert (http.get("/readyz").status_code, http.get("/readyz").json()["ready"]) == (200, True)


def test_ready_also_when_nothing_is_due(three: Three) -> None:
    daemon = daemon_of(three)
    with three.store.transaction() as connection:
        for name in ("leads", "customers", "companies"):
            later = three.clock.now() + timedelta(hours=1)
            three.store.registry.save_sync(connection, name, due_at=later)
    daemon.run_due()
    assert client_of(daemon, settings_of()).get("/readyz").status_code == 200


def test_112_what_a_wrong_clock_has_planned_is_not_waited_for(three: Three) -> None:
    daemon = daemon_of(three)
    with three.store.transaction() as connection:
        for name in ("leads", "customers", "companies"):
            one_day = three.clock.now() + timedelta(days=20_000)
            three.store.registry.save_sync(connection, name, due_at=one_day)
    three.sales.create("Lead", first="Ann", last="Horvat", mail="ann@plavi.example")
    daemon.run_due()
    with three.store.reading() as connection:
        rows = three.store.registry.syncs(connection).values()
    soon = three.clock.now() + timedelta(minutes=2)
    assert all(row.due_at is not None and row.due_at < soon for row in rows)
    assert len(three.links("sales/Lead")) == 1  # and it did run


def test_a_worker_that_is_silent_is_stuck(face: Face) -> None:
    assert face.http.get("/healthz").json() == {"status": "ok", "why": None}
    face.three.clock.time += timedelta(minutes=31)
    told = face.http.get("/healthz")
    assert (told.status_code, told.json()["status"]) == (503, "stuck")
    assert "31 minutes" in told.json()["why"]
    face.three.world.note("pull", "sales/Lead", 500)  # a step of a long run is a sign of life
    assert face.http.get("/healthz").status_code == 200
