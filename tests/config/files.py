"""A small configuration that loads, and what each change of it is told as."""

from collections.abc import Callable
from pathlib import Path

import pytest

import config
from config import ConfigError

CANARY = "canary-hunter2"
Run = Callable[..., tuple[int, str, str]]  #: arguments -> exit code, output, errors
SMALL = """\
instances:
  one:
    connector: infobip
    base_url: https://xyz.api.infobip.com
    api_key: ${KEY}
  two:
    connector: infobip
    base_url: https://abc.api.infobip.com
    api_key: ${KEY}
syncs:
  leads:
    kind: lead
    every: 1m
    sides: {one: person, two: person}
"""


def load(folder: Path, text: str | bytes, **environment: str) -> config.Config:
    path = folder / "crm-sync.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return config.load(path, {"KEY": "k", **environment})


def faults(folder: Path, text: str | bytes, **environment: str) -> list[str]:
    """Every fault as ``line:column: what; remedy``; none may repeat a secret."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environment)
    told = str(caught.value)
    assert "canary" not in told
    assert "Input should" not in told
    return [f"{f.line}:{f.column}: {f.what}; {f.remedy}" for f in caught.value.faults]


def changed(old: str, new: str) -> str:
    assert old in SMALL, old
    return SMALL.replace(old, new, 1)


def write(text: str = SMALL) -> None:
    Path("crm-sync.yaml").write_text(text)
