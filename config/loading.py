"""From a file to settings, with every fault at its line: structure, connectors, mappings."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from config.catalogue import ADDRESS_PARTS, CATALOGUE
from config.expressions import condition
from config.settings import FieldMapSettings, Settings, SideSettings, SyncSettings
from config.tree import ConfigError, Fault, Tree, read_tree
from connectors.errors import SetupError
from connectors.registry import load as load_connector

PLACES = ("crm-sync.yaml", "/etc/crm-sync/crm-sync.yaml")


@dataclass(frozen=True, slots=True)
class Instance:
    """A configured connector: its class and its validated settings."""

    name: str
    connector: Any
    settings: Any


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One object of one instance as all syncs together map it."""

    instance: str
    object: str
    mapping: Mapping[str, Any]  #: in the form of connectors' shipped mappings
    kinds: frozenset[str]
    region: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the service is built from."""

    path: Path
    settings: Settings
    instances: Mapping[str, Instance]
    sources: tuple[SourceSettings, ...]


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
        raise ConfigError(tree.file, _faults(tree, (), error, Settings)) from error
    faults: list[Fault] = []
    instances = {name: _instance(tree, faults, path, settings, name) for name in settings.instances}
    sources = _sources(tree, faults, settings, instances) if not faults else ()
    _policies(tree, faults, settings)
    if faults:
        raise ConfigError(tree.file, faults)
    return Config(path, settings, {n: i for n, i in instances.items() if i}, tuple(sources))


def _instance(
    tree: Tree, faults: list[Fault], path: Path, settings: Settings, name: str
) -> Instance | None:
    where = ("instances", name)
    configured = settings.instances[name]
    try:
        connector = load_connector(configured.connector)
    except SetupError as error:
        faults.append(tree.fault((*where, "connector"), error.what, error.remedy))
        return None
    own = _beside(path.parent, configured.own)
    try:
        validated = connector.Settings.model_validate(own)
    except ValidationError as error:
        faults += _faults(tree, where, error, connector.Settings)
        return None
    faults += [
        tree.fault(found, "a secret must not stand in the file", "use ${VARIABLE} or the _file key")
        for found in _inline_secrets(validated, own, where)
        if found not in tree.from_environment
    ]
    return Instance(name, connector, validated)


def _beside(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Relative paths of ``..._file`` keys count from the configuration file."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found[key] = _beside(folder, value)
        elif key.endswith("_file") and isinstance(value, str):
            found[key] = str(folder / value)
        else:
            found[key] = value
    return found


def _inline_secrets(
    model: BaseModel, written: Mapping[str, Any], where: tuple[str | int, ...]
) -> list[tuple[str | int, ...]]:
    """Where the file itself gives a value that the connector calls a secret."""
    found = []
    for name in type(model).model_fields:
        value, here = getattr(model, name), (*where, name)
        if isinstance(value, SecretStr) and name in written:
            found.append(here)
        elif isinstance(value, BaseModel) and isinstance(written.get(name), dict):
            found += _inline_secrets(value, written[name], here)
    return found


def _sources(
    tree: Tree,
    faults: list[Fault],
    settings: Settings,
    instances: Mapping[str, Instance | None],
) -> list[SourceSettings]:
    found: dict[tuple[str, str], SourceSettings] = {}
    for sync_name, sync in settings.syncs.items():
        for side in sync.sides:
            instance = instances[side]
            for one in sync.objects(side) if instance else ():
                where = ("syncs", sync_name, "sides", side)
                mapping = _mapping(tree, faults, where, instance, one)
                if mapping is None:
                    continue
                if not _right_kind(tree, faults, where, sync, one.object, mapping):
                    continue
                here = (side, one.object)
                earlier = found.get(here)
                if earlier and _is_plain(one):
                    mapping = dict(earlier.mapping)
                kinds = {str(sync.kind)} | (earlier.kinds if earlier else set())
                region = one.region or (earlier.region if earlier else None) or settings.region
                found[here] = SourceSettings(side, one.object, mapping, frozenset(kinds), region)
    return list(found.values())


def _is_plain(side: SideSettings) -> bool:
    return side == SideSettings(object=side.object)


def _mapping(
    tree: Tree,
    faults: list[Fault],
    where: tuple[str, ...],
    instance: Instance | None,
    side: SideSettings,
) -> dict[str, Any] | None:
    """The connector's shipped mapping of the object with the user's changes in it."""
    shipped = instance.connector.Mappings if instance else {}
    if side.object not in shipped:
        near = get_close_matches(side.object, shipped, 1)
        remedy = (
            f"did you mean {near[0]}?" if near else f"offered are: {', '.join(sorted(shipped))}"
        )
        faults.append(tree.fault(where, f"there is no object {side.object}", remedy))
        return None
    mapping = dict(shipped[side.object])
    _golden_fields(tree, faults, where, mapping, side)
    _filter(tree, faults, where, mapping, side)
    fields = dict(mapping["fields"])
    for name, field in side.fields.items():
        if field is None:
            fields.pop(name, None)
        elif isinstance(field, FieldMapSettings):
            fields[name] = field.model_dump(exclude_none=True, mode="json")
        else:
            fields[name] = field
    mapping["fields"] = fields
    if side.required is not None:
        mapping["required"] = side.required
    if side.on_create is not None:
        mapping["on_create"] = side.on_create
    return mapping


def _golden_fields(
    tree: Tree,
    faults: list[Fault],
    where: tuple[str, ...],
    mapping: Mapping[str, Any],
    side: SideSettings,
) -> None:
    """What a side says of golden fields must be about fields that its kinds have."""
    kind = mapping["kind"]
    kinds = [kind] if isinstance(kind, str) else [v for k, v in kind.items() if k != "by"]
    known = {name: form for one in kinds for name, form in CATALOGUE[one].items()}
    for name, entry in side.fields.items():
        here = (*where, "fields", name)
        if _known(tree, faults, here, name, known) and entry is not None:
            mapped = FieldMapSettings(field=entry) if isinstance(entry, str) else entry
            _fitting(tree, faults, here, known[name], mapped)
    for name in side.required or ():
        _known(tree, faults, (*where, "required"), name, known)


def _filter(
    tree: Tree,
    faults: list[Fault],
    where: tuple[str, ...],
    mapping: Mapping[str, Any],
    side: SideSettings,
) -> None:
    if side.filter is None:
        return
    kind = mapping["kind"]
    kinds = [kind] if isinstance(kind, str) else [v for k, v in kind.items() if k != "by"]
    try:
        condition(side.filter, {name for one in kinds for name in CATALOGUE[one]})
    except ValueError as error:
        faults.append(tree.fault((*where, "filter"), f"filter {error}", "see cel.dev"))


def _known(
    tree: Tree, faults: list[Fault], where: tuple[str, ...], name: str, known: Iterable[str]
) -> bool:
    if name in known:
        return True
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
    faults.append(tree.fault(where, f"there is no golden field {name}", remedy))
    return False


def _fitting(
    tree: Tree, faults: list[Fault], where: tuple[str, ...], form: str, entry: FieldMapSettings
) -> None:
    if (entry.parts is None) == (form == "address"):
        what = "an address is mapped by its parts, and nothing else is"
        faults.append(tree.fault(where, what, f"parts are: {', '.join(ADDRESS_PARTS)}"))
    for part in set(entry.parts or ()) - set(ADDRESS_PARTS):
        what = f"an address has no part {part}"
        faults.append(tree.fault((*where, "parts", part), what, f"{', '.join(ADDRESS_PARTS)}"))
    if (entry.ref is None) == (form == "reference"):
        what = "ref belongs to a field that refers to a record, and to no other"
        faults.append(tree.fault(where, what, "write ref: company, or leave it out"))


def _policies(tree: Tree, faults: list[Fault], settings: Settings) -> None:
    """What a sync says of fields must be about fields of its kind, and sides of its own."""
    for name, sync in settings.syncs.items():
        for field_name, field in sync.fields.items():
            here = ("syncs", name, "fields", field_name)
            _known(tree, faults, here, field_name, CATALOGUE[str(sync.kind)])
            for stranger in set(field.prefer or ()) - set(sync.sides):
                what = f"prefer names {stranger}, which is no side"
                faults.append(
                    tree.fault((*here, "prefer"), what, f"sides are: {', '.join(sync.sides)}")
                )


def _right_kind(
    tree: Tree,
    faults: list[Fault],
    where: tuple[str, ...],
    sync: SyncSettings,
    name: str,
    mapping: Mapping[str, Any],
) -> bool:
    kind = mapping["kind"]
    kinds = {kind} if isinstance(kind, str) else {v for k, v in kind.items() if k != "by"}
    if sync.kind in kinds:
        return True
    what = (
        f"{name} holds records of kind {' and '.join(sorted(kinds))}, this sync is of {sync.kind}"
    )
    faults.append(tree.fault(where, what, "leads match leads, customers match customers"))
    return False


def _faults(
    tree: Tree, where: tuple[str, ...], error: ValidationError, model: type[BaseModel]
) -> list[Fault]:
    found = []
    for each in error.errors(include_input=False, include_url=False):
        location = (*where, *each["loc"])
        named = ".".join(str(part) for part in location if part in _words(tree, location))
        what, remedy = each["msg"].removeprefix("Value error, "), ""
        if each["type"] == "extra_forbidden":
            key = str(each["loc"][-1])
            near = get_close_matches(key, _keys(model, each["loc"]), 1)
            what, remedy = f"unknown key {key}", f"did you mean {near[0]}?" if near else ""
        elif each["type"] == "missing":
            what = f"{each['loc'][-1]} is missing"
        found.append(tree.fault(location, f"{named}: {what}" if named else what, remedy))
    return list(dict.fromkeys(found))


def _words(tree: Tree, location: tuple[str | int, ...]) -> set[str | int]:
    """The parts of a location that are in the file, not pydantic's names of union members."""
    present: set[str | int] = set()
    node: Any = tree.values
    for part in location:
        inside = isinstance(node, dict) and part in node
        listed = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if inside or listed:
            present.add(part)
            node = node[part]
    return present


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Every key of the model and the models below it, for a suggestion."""
    schema = model.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return sorted({key for one in models for key in one.get("properties", {})})
