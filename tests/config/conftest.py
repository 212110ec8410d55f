"""The program in this process, for commands that need no system."""

import sys
from pathlib import Path

import pytest

from sync_engine.cli import main
from tests.config.files import CANARY, Run

VARIABLES = (
    "SF_CLIENT_ID",
    "SF_CLIENT_SECRET",
    "DYNAMICS_TENANT_ID",
    "DYNAMICS_CLIENT_ID",
    "DYNAMICS_CLIENT_SECRET",
    "INFOBIP_API_KEY",
    "KEY",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The program in an empty folder; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRM_SYNC_CONFIG", raising=False)
    for name in VARIABLES:
        monkeypatch.setenv(name, CANARY)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crm-sync", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        assert CANARY not in told.out + told.err
        return int(left.value.code or 0), told.out, told.err

    return call
