"""The files that an instance's settings name: secrets and certificates, checked before use."""

import ssl
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from config.tree import Findings
from connectors.errors import SetupError
from connectors.secret_files import read_secret

Where = tuple[str | int, ...]


def beside(folder: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Relative paths of ``..._file`` keys count from the configuration file."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found[key] = beside(folder, value)
        elif key.endswith("_file") and isinstance(value, str):
            found[key] = str(folder / value)
        else:
            found[key] = value
    return found


def check_files(
    findings: Findings, model: BaseModel, written: Mapping[str, Any], where: Where
) -> None:
    """Refuse files that cannot serve; what is secret is told by ``X`` beside ``X_file``."""
    for here, name, model_of, path in _named(model, written, where):
        if name == "ca_file":
            _certificates(findings, here, path)
        elif name.removesuffix("_file") in type(model_of).model_fields:
            check_secret(findings, here, path)
        elif not path.is_file():
            findings.refuse(here, "there is no such file", "check its path")


def _named(
    model: BaseModel, written: Mapping[str, Any], where: Where
) -> Iterator[tuple[Where, str, BaseModel, Path]]:
    for name in type(model).model_fields:
        value, here = getattr(model, name), (*where, name)
        if isinstance(value, BaseModel) and isinstance(written.get(name), dict):
            yield from _named(value, written[name], here)
        elif name.endswith("_file") and value is not None:
            yield here, name, model, Path(value)


def check_secret(findings: Findings, where: Where, path: Path) -> None:
    """Refuse a file that holds no secret, warn of one that everybody may read."""
    try:
        read_secret(path)
    except SetupError as error:
        findings.refuse(where, error.what, error.remedy)
        return
    if path.stat().st_mode & stat.S_IROTH:
        findings.warn(where, "every user of this machine may read this secret", "chmod o-r it")


def _certificates(findings: Findings, where: Where, path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        findings.refuse(where, "holds no certificate", "name a PEM file of the CA's certificates")
    except OSError as error:
        findings.refuse(where, f"cannot be read: {error.strerror}", "check its path and mode")


def inline_secrets(model: BaseModel, written: Mapping[str, Any], where: Where) -> Iterator[Where]:
    """Where the file itself gives a value that the connector calls a secret."""
    for name in type(model).model_fields:
        value, here = getattr(model, name), (*where, name)
        if isinstance(value, SecretStr) and name in written:
            yield here
        elif isinstance(value, BaseModel) and isinstance(written.get(name), dict):
            yield from inline_secrets(value, written[name], here)
