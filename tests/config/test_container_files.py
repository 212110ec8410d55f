"""compose.yaml and the Dockerfile name only what crm-sync knows."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from config.loading import PLACES
from config.service import SECRETS, ServiceSettings, service_settings
from sync_engine.cli.common import app

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")
SERVICE = COMPOSE["services"]["crm-sync"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IN_IMAGE = dict(re.findall(r"\b(CRM_SYNC_\w+)=(\S+)", DOCKERFILE))
IN_COMPOSE = {n: v for n, v in SERVICE["environment"].items() if n.startswith("CRM_SYNC_")}
KNOWN = {f"CRM_SYNC_{name.upper()}" for name in ServiceSettings.model_fields}


def test_every_variable_is_a_setting_and_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = IN_IMAGE | IN_COMPOSE
    assert {"CRM_SYNC_CONFIG", "CRM_SYNC_LISTEN", "CRM_SYNC_LOG_FORMAT"} <= set(variables) <= KNOWN
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = service_settings()
    assert settings.config == Path(PLACES[-1])
    assert settings.log_format == "json"


def test_our_own_secrets_are_settings_too() -> None:
    ours = {name for name in SERVICE["secrets"] if name.startswith("crm_sync_")}
    assert ours == {"crm_sync_admin_token"}
    assert {name.upper() for name in ours} <= KNOWN


def test_every_secret_and_volume_is_declared_and_used() -> None:
    services = COMPOSE["services"].values()
    used = {name for service in services for name in service["secrets"]}
    assert used == set(COMPOSE["secrets"])
    mounted = {volume.split(":")[0] for service in services for volume in service["volumes"]}
    assert {name for name in mounted if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert set(SERVICE["depends_on"]) <= set(COMPOSE["services"])


def test_no_secret_stands_in_the_file() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            is_secret = re.search("PASS|TOKEN|KEY", name)
            assert not is_secret or value.startswith(f"{SECRETS}/"), name
            if is_secret:
                assert value.removeprefix(f"{SECRETS}/") in service["secrets"]


def test_the_configuration_and_the_state_are_where_the_image_looks() -> None:
    targets = [volume.split(":")[1] for volume in SERVICE["volumes"]]
    assert targets == [IN_IMAGE["CRM_SYNC_CONFIG"], "/data"]
    assert "\nVOLUME /data\n" in DOCKERFILE


def test_the_port_that_is_published_is_the_one_listened_at() -> None:
    (published,) = SERVICE["ports"]
    port = IN_IMAGE["CRM_SYNC_LISTEN"].rpartition(":")[2]
    assert published == f"127.0.0.1:{port}:{port}"
    assert f"\nEXPOSE {port}\n" in DOCKERFILE


def test_the_health_is_asked_by_a_command_that_exists() -> None:
    cmd, program, command = SERVICE["healthcheck"]["test"]
    assert (cmd, program) == ("CMD", "crm-sync")
    assert command in get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    assert f'CMD ["crm-sync", "{command}"]' in DOCKERFILE


def test_nothing_but_the_state_can_be_written() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["tmpfs"] == ["/tmp"]
    assert SERVICE["cap_drop"] == ["ALL"]
    assert re.search(r"\nUSER \d+:\d+\n", DOCKERFILE)
