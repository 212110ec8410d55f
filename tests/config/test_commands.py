"""Commands about the configuration, and what wrong use of any command is answered with."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import config
from config import schema
from config.catalogue import CATALOGUE
from config.expressions import expression
from tests.config.files import CANARY, SMALL, Run, changed, write


def test_init_writes_a_file_that_loads_and_tells_what_follows(run: Run) -> None:
    code, out, _ = run("init")
    assert (code, out.splitlines()[1:]) == (
        0,
        ["  crm-sync check --offline", "  crm-sync check", "  crm-sync sync"],
    )
    assert run("check", "--offline")[:2] == (
        0,
        "crm-sync.yaml: fine (the systems were not asked)\n",
    )
    loaded = config.load(Path("crm-sync.yaml"))
    assert set(loaded.instances) == {"sales", "service", "profiles"}
    assert {str(sync.kind) for sync in loaded.settings.syncs.values()} == {
        "lead",
        "customer",
        "company",
    }
    assert all(sync.deletes == "unlink" for sync in loaded.settings.syncs.values())


def test_every_line_that_init_writes_is_explained() -> None:
    for line in config.TEMPLATE.read_text().splitlines():
        if ":" in line and not line.lstrip().startswith("#"):
            key = line.strip().split(":")[0]
            explains_itself = {"sales", "service", "profiles", "companies", "leads", "customers"}
            plain = {"kind", "connector", "auth", "sides", "every", "deletes", "filter"}
            assert "#" in line or key in explains_itself | plain, line


NAMED = {"last_name": "Horvat", "email": "ann@plavi.hr"}
TEST = {"last_name": "Test", "email": "a@example.com"}


@pytest.mark.parametrize(
    ("sync", "side", "comes_in", "stays_there"),
    [
        ("leads", "sales", NAMED, TEST),
        ("leads", "service", {"last_name": "Horvat"}, {"email": "ann@plavi.hr"}),
        ("leads", "service", NAMED, TEST),
        ("leads", "profiles", NAMED, {"last_name": "Horvat"}),
        ("leads", "profiles", {"last_name": "Horvat", "mobile": "+385"}, {"email": "a@b.hr"}),
        ("customers", "sales", {"last_name": "Horvat"}, TEST),
        ("customers", "service", NAMED, {"first_name": "Ann"}),
        ("customers", "profiles", NAMED, {"first_name": "Ann"}),
        ("companies", "profiles", {"name": "Plavi", "website": "plavi.hr"}, {"name": "Plavi"}),
    ],
)
def test_practice_3_2_init_writes_an_entry_filter_for_every_side(
    run: Run, sync: str, side: str, comes_in: dict[str, str], stays_there: dict[str, str]
) -> None:
    run("init")
    settings = config.load(Path("crm-sync.yaml")).settings.syncs[sync]
    (one,) = settings.sides[side]
    enters = expression(one.filter or "", CATALOGUE[str(settings.kind)])
    assert (enters.holds(comes_in), enters.holds(stays_there)) == (True, False)


def test_a_side_without_an_entry_filter_says_why() -> None:
    lines = config.TEMPLATE.read_text().splitlines()
    sides = [one for one in lines if re.fullmatch(r"      (sales|service|profiles): \w+ .*", one)]
    assert [one.split()[1] for one in sides] == ["Account", "account"]
    assert "# no filter on accounts" in sides[0]


def test_init_never_overwrites_unasked(run: Run) -> None:
    Path("mine.yaml").write_text("mine")
    code, _, err = run("init", "mine.yaml")
    assert (code, "exists already" in err, "--force" in err) == (2, True, True)
    assert Path("mine.yaml").read_text() == "mine"
    code, out, _ = run("init", "mine.yaml", "--force")
    assert (code, "crm-sync check --offline --config mine.yaml" in out) == (0, True)
    assert Path("mine.yaml").read_text() == config.TEMPLATE.read_text()
    for where in (".", "nowhere/crm-sync.yaml"):
        assert run("init", where, "--force")[0] == 2


def test_config_show_fills_in_defaults_and_masks_secrets(run: Run) -> None:
    write("state: postgresql://u:${KEY}@db/x?password=${KEY}\n" + SMALL)
    code, out, _ = run("config", "show")
    assert code == 0
    shown = YAML(typ="safe").load(out)
    assert shown == json.loads(run("config", "show", "--json")[1])
    assert shown["state"] == "postgresql://u:***@db/x?password=***"
    assert shown["instances"]["one"]["api_key"] == "***"
    assert shown["instances"]["one"]["page_size"] == 1000
    sync = shown["syncs"]["leads"]
    assert (sync["every"], sync["prefer"], sync["deletes"]) == ("1m", ["one", "two"], "unlink")
    assert sync["guard"]["delete"] == {"count": 10, "share": 0.02}
    shown = {"field": "firstName", "repair": ["replace"]}
    assert sync["sides"]["one"][0]["fields"]["first_name"] == shown


def test_config_schema_is_the_one_that_is_shipped(run: Run) -> None:
    assert run("config", "schema")[:2] == (0, schema.PATH.read_text())


def test_check_tells_faults_as_json(run: Run) -> None:
    write()
    code, out, _ = run("check", "--offline", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"file": "crm-sync.yaml", "faults": [], "warnings": []},
    )
    write(changed("every", "evry"))
    code, out, err = run("check", "--offline", "--json")
    assert (code, err) == (2, "")
    fault = json.loads(out)["faults"][0]
    assert (fault["line"], fault["column"]) == (13, 5)
    assert fault["remedy"] == "did you mean every?"


def test_check_warns_of_a_secret_that_all_may_read(run: Run) -> None:
    Path("secret").write_text(CANARY)
    Path("secret").chmod(0o644)
    write(changed("api_key: ${KEY}", "api_key_file: secret"))
    code, _, err = run("check", "--offline")
    assert code == 0
    assert err.startswith("warning: crm-sync.yaml:5:5: every user of this machine")


def test_version_names_what_a_bug_report_needs(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("crm-sync ")
    assert ", Python 3." in out
    assert "connector protocol 1" in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(
    run: Run, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_CRM_SYNC_COMPLETE", f"source_{shell}")
    code, out, _ = run()
    assert (code, "_CRM_SYNC_COMPLETE" in out) == (0, True)
    monkeypatch.setenv("_CRM_SYNC_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", "crm-sync ini")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "crm-sync ini")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    code, out, _ = run()
    assert (code, "init" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nonsense",), "No such command"),
        (("check", "--ofline"), "No such option"),
        (("sync", "--wait", "-1"), "Invalid value"),
        (("sync", "--wait", "soon"), "Invalid value"),
        (("runs", "--limit", "0"), "Invalid value"),
        (("runs", "--limit", "1000000000"), "Invalid value"),
        (("release",), "Missing argument"),
        (("issues", "show", "x"), "Invalid value"),
        (("config",), "Usage"),
        (("sync", "contacts"), "configured are: leads"),
        (("plan", "lead"), "there is no sync lead"),
        (("release", "lead"), "there is no sync lead"),
        (("resync", "lead", "--full"), "there is no sync lead"),
        (("resync", "leads", "--full", "--prefer", "three"), "configured are: one, two"),
        (("rebind", "three"), "there is no instance three"),
        (("pause",), "say what: a sync or an instance"),
        (("pause", "leads", "--instance", "one"), "say what: a sync or an instance"),
        (("resume", "--instance", "three"), "there is no instance three"),
        (("explain", "three:1"), "three"),
        (("history", "one"), "INSTANCE:ID"),
        (("issues", "resolve", "--same"), "say which"),
        (("check", "--config", "none.yaml"), "there is no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_code_2_and_a_sentence(
    run: Run, arguments: tuple[str, ...], expected: str
) -> None:
    write()
    code, out, err = run(*arguments)
    assert (code, expected in out + err) == (2, True), out + err


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LISTEN", "8470", "CRM_SYNC_LISTEN must be HOST:PORT"),
        ("LOG_LEVEL", "loud", "CRM_SYNC_LOG_LEVEL must be debug, info"),
        ("ADMIN_TOKEN", "canary", "CRM_SYNC_ADMIN_TOKEN must have at least 16 characters"),
    ],
)
def test_a_bad_variable_is_told_without_its_value(
    run: Run, name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CRM_SYNC_{name}", value)
    code, _, err = run("health")
    assert (code, expected in err, "canary" in err) == (2, True, False)


def test_a_state_file_that_is_no_database(run: Run) -> None:
    write("state: sqlite:///notes.txt\n" + SMALL)
    Path("notes.txt").write_text("these are only notes, and long enough to be read\n" * 100)
    code, _, err = run("status")
    assert (code, "the state file is no database" in err) == (1, True)
