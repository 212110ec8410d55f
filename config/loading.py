"""From a file to settings, with every fault at its line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.agreement import check_agreement
from config.faults import ConfigError, Fault, suggestion
from config.files import beside, check_files, check_secret, inline_secrets
from config.sentences import model_faults
from config.settings import Settings
from config.sides import SourceSettings, sources
from config.state import check_epoch_file, check_state, resolved
from config.tree import Findings, read_tree
from connectors import registry
from connectors.errors import SetupError
from connectors.secret_files import read_secret

TEMPLATE = Path(__file__).with_name("template.yaml")  #: what ``init`` writes
PLACES = ("crm-sync.yaml", "/etc/crm-sync/crm-sync.yaml")


@dataclass(frozen=True, slots=True)
class Instance:
    """A configured connector: its class and its validated settings."""

    name: str
    connector: Any
    settings: Any


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the service is built from."""

    path: Path
    settings: Settings
    instances: Mapping[str, Instance]
    sources: tuple[SourceSettings, ...]
    warnings: tuple[Fault, ...] = ()  #: what works, but should be otherwise
    mask_key: bytes = field(default=b"", repr=False)  #: secret of masks

    @property
    def state_url(self) -> str:
        return resolved(self.settings.state, self.path.parent)

    @property
    def epoch_file(self) -> Path | None:
        name = self.settings.epoch_file
        return None if name is None else (self.path.parent / name).resolve()


def find(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """``--config``, else CRM_SYNC_CONFIG, else the usual places."""
    if given is not None:
        return given
    if environment.get("CRM_SYNC_CONFIG"):
        return Path(environment["CRM_SYNC_CONFIG"])
    present = (Path(place) for place in PLACES if Path(place).is_file())
    return next(present, Path(PLACES[0]))


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file, without any connection. Raises ConfigError."""
    tree = read_tree(path, environment)
    try:
        settings = Settings.model_validate(tree.values)
    except ValidationError as error:
        raise ConfigError(tree.file, model_faults(tree, (), error, Settings)) from None
    findings = Findings(tree)
    check_state(findings, settings.state, path.parent)
    check_epoch_file(findings, settings.epoch_file, settings.state, path.parent)
    check_agreement(findings, settings)
    mask_key = _mask_key(findings, path, settings)
    instances = {}
    for name in settings.instances:
        instance = _instance(findings, path, settings, name)
        if instance is not None:
            instances[name] = instance
    read: list[SourceSettings] = []
    if not findings.faults:
        shipped = {name: one.connector.Mappings for name, one in instances.items()}
        read = sources(findings, settings, shipped)
        _check_masks(findings, settings, mask_key)
    if findings.faults:
        raise ConfigError(tree.file, findings.faults)
    return Config(path, settings, instances, tuple(read), tuple(findings.warnings), mask_key)


def _mask_key(findings: Findings, path: Path, settings: Settings) -> bytes:
    """The secret of masks; empty where there is none."""
    if settings.mask_key is not None:
        if ("mask_key",) not in findings.tree.from_environment:
            what = "a secret must not stand in the file"
            findings.refuse(("mask_key",), what, "use ${VARIABLE} or mask_key_file")
        return settings.mask_key.get_secret_value().encode()
    if settings.mask_key_file is None:
        return b""
    check_secret(findings, ("mask_key_file",), path.parent / settings.mask_key_file)
    try:
        return read_secret(path.parent / settings.mask_key_file).encode()
    except SetupError:
        return b""  # it has been told


def _check_masks(findings: Findings, settings: Settings, key: bytes) -> None:
    """A hash without a secret is no mask: names and numbers are soon guessed."""
    if key:
        return
    for sync, of_sync in settings.syncs.items():
        for instance, objects in of_sync.sides.items():
            for place, side in enumerate(objects):
                for name, entry in side.fields.items():
                    if entry is not None and entry.mask == "hash":
                        where = ("syncs", sync, "sides", instance, place, "fields", name, "mask")
                        remedy = "give mask_key: ${VARIABLE} or mask_key_file at the top"
                        findings.refuse(where, "a hash needs a secret", remedy)


def _instance(findings: Findings, path: Path, settings: Settings, name: str) -> Instance | None:
    where = ("instances", name)
    configured = settings.instances[name]
    connector = _connector(findings, (*where, "connector"), configured.connector)
    if connector is None:
        return None
    own = beside(path.parent, configured.own)
    try:
        validated = connector.Settings.model_validate(own)
    except ValidationError as error:
        findings.faults.extend(model_faults(findings.tree, where, error, connector.Settings))
        return None
    for found in inline_secrets(validated, own, where):
        if found not in findings.tree.from_environment:
            what = "a secret must not stand in the file"
            findings.refuse(found, what, "use ${VARIABLE} or the _file key")
    check_files(findings, validated, own, where)
    return Instance(name, connector, validated)


def _connector(findings: Findings, where: tuple[str, ...], name: str) -> Any:
    installed = registry.names()
    if name not in installed:
        findings.refuse(where, "no such connector is installed", suggestion(name, installed))
        return None
    try:
        return registry.load(name)
    except SetupError as error:
        findings.refuse(where, error.what, error.remedy)
        return None
