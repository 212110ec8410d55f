"""The sides of syncs as sources: shipped mappings with the user's changes in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.catalogue import RECOGNISED_BY
from config.expressions import expression
from config.faults import suggestion
from config.field_maps import check_field_map
from config.settings import RuleSettings, Settings, SideSettings, SyncSettings
from config.tree import Findings

Where = tuple[str | int, ...]
Shipped = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One object of one instance as all syncs together map it."""

    instance: str
    object: str
    mapping: Mapping[str, Any]  #: in the form of connectors' shipped mappings
    kinds: frozenset[str]
    region: str | None


@dataclass(frozen=True, slots=True)
class _Mention:
    """A source as one sync speaks of it."""

    where: Where
    side: SideSettings
    sync: SyncSettings
    mapping: Mapping[str, Any]


def sources(
    findings: Findings, settings: Settings, shipped: Mapping[str, Shipped]
) -> list[SourceSettings]:
    """Every source that the syncs name; ``shipped`` has each instance's mappings by object."""
    mentions: dict[tuple[str, str], list[_Mention]] = {}
    for sync_name, sync in settings.syncs.items():
        for instance, objects in sync.sides.items():
            for place, side in enumerate(objects):
                where = ("syncs", sync_name, "sides", instance, place)
                mapping = _mapping(
                    findings, where, sync, side, shipped[instance], settings.catalogue
                )
                if mapping is not None:
                    mention = _Mention(where, side, sync, mapping)
                    mentions.setdefault((instance, side.object), []).append(mention)
    return [_source(findings, settings, *key, several) for key, several in mentions.items()]


def _source(
    findings: Findings,
    settings: Settings,
    instance: str,
    name: str,
    mentions: list[_Mention],
) -> SourceSettings:
    """A source is read once for all its syncs, so that only one may say how it is mapped."""
    detailed = [one for one in mentions if not _is_plain(one.side)]
    first = (detailed or mentions)[0]
    for other in detailed[1:]:
        if (other.mapping, other.side.region) != (first.mapping, first.side.region):
            what = (
                f"{name} is mapped differently in sync {first.where[1]}; it is read once for both"
            )
            findings.refuse(other.where, what, "give its details in one of them only")
    kinds = frozenset(str(one.sync.kind) for one in mentions)
    return SourceSettings(
        instance, name, first.mapping, kinds, first.side.region or settings.region
    )


def _is_plain(side: SideSettings) -> bool:
    own = {"creates": side.creates, "deletes": side.deletes, "filter": side.filter}
    own |= {"accept": side.accept, "exit": side.exit, "converts": side.converts}
    return side == SideSettings(object=side.object, approve_deletes=side.approve_deletes, **own)


def _mapping(
    findings: Findings,
    where: Where,
    sync: SyncSettings,
    side: SideSettings,
    shipped: Shipped,
    catalogue: Mapping[str, Mapping[str, str]],
) -> dict[str, Any] | None:
    """The connector's shipped mapping of the object with the user's changes in it."""
    if side.object not in shipped:
        remedy = suggestion(side.object, shipped)
        findings.refuse((*where, "object"), "the connector maps no such object", remedy)
        return None
    mapping = dict(shipped[side.object])
    kinds = _kinds(mapping)
    if sync.kind not in kinds:
        holds = " and ".join(sorted(kinds))
        what = f"this object holds records of kind {holds}, this sync is of {sync.kind}"
        findings.refuse(where, what, "leads match leads, customers match customers")
        return None
    known = {name: form for kind in kinds for name, form in catalogue[kind].items()}
    mapping["fields"] = _fields(findings, where, known, mapping["fields"], side)
    _filter(findings, where, known, side)
    if side.required is not None:
        mapping["required"] = side.required
        _required(findings, (*where, "required"), known, mapping)
    if side.on_create is not None:
        mapping["on_create"] = _on_create(findings, (*where, "on_create"), known, side.on_create)
    own = {n: e for n, e in mapping["fields"].items() if n in catalogue[str(sync.kind)]}
    _once_each(findings, where, own)
    if not RECOGNISED_BY[str(sync.kind)] & set(mapping["fields"]):
        remedy = f"map one of {', '.join(sorted(RECOGNISED_BY[str(sync.kind)]))}"
        findings.refuse(where, "nothing by which records are recognised is mapped here", remedy)
    return mapping


def _on_create(
    findings: Findings, where: Where, known: Mapping[str, str], entries: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for native, entry in entries.items():
        is_rule = isinstance(entry, RuleSettings)
        found[native] = {"rule": entry.rule} if is_rule else entry
        if is_rule:
            try:
                expression(entry.rule, known)
            except ValueError as error:
                findings.refuse(
                    (*where, native, "rule"), str(error), "see cel.dev for the language"
                )
    return found


def _kinds(mapping: Mapping[str, Any]) -> set[str]:
    kind = mapping["kind"]
    return {kind} if isinstance(kind, str) else {v for k, v in kind.items() if k != "by"}


def _fields(
    findings: Findings,
    where: Where,
    known: Mapping[str, str],
    shipped: Mapping[str, Any],
    side: SideSettings,
) -> dict[str, Any]:
    fields = dict(shipped)
    for name, entry in side.fields.items():
        here = (*where, "fields", name)
        if name not in known:
            findings.refuse(here, f"there is no golden field {name}", suggestion(name, known))
        elif entry is None:
            fields.pop(name, None)
        else:
            check_field_map(findings, here, name, known, entry)
            fields[name] = entry.told()
    return fields


def _filter(findings: Findings, where: Where, known: Mapping[str, str], side: SideSettings) -> None:
    for key in ("filter", "accept"):
        text = getattr(side, key)
        if text is None:
            continue
        try:
            expression(text, known)
        except ValueError as error:
            findings.refuse((*where, key), str(error), "see cel.dev for the language")
    if side.exit != "keep" and side.filter is None and side.accept is None:
        what = "there is neither filter nor accept that anybody could fail"
        findings.refuse((*where, "exit"), what, "give one, or leave exit out")


def _required(
    findings: Findings, where: Where, known: Mapping[str, str], mapping: Mapping[str, Any]
) -> None:
    for place, name in enumerate(mapping["required"]):
        if name not in known:
            what = "there is no such golden field"
            findings.refuse((*where, place), what, suggestion(name, known))
        elif name not in mapping["fields"]:
            what = "a required field must be mapped here"
            findings.refuse((*where, place), what, "map it under fields, or leave it out")


def _once_each(findings: Findings, where: Where, fields: Mapping[str, Any]) -> None:
    """Two golden values in one native field would overwrite each other for ever; sets hold many."""
    taken: dict[str, str] = {}
    for name, entry in fields.items():
        here = (*where, "fields", name)
        for native, is_set in _natives(entry):
            if native in taken and not (is_set and taken[native] == ""):
                other = taken[native] or "several others"
                what = f"{name} stands in the native field of {other}"
                findings.refuse(here, what, f"map one of them elsewhere, or write {name}: null")
            taken[native] = "" if is_set else name


def _natives(entry: Any) -> list[tuple[str, bool]]:
    """The native fields of a mapped field, each with whether several may stand in it."""
    if isinstance(entry, str):
        return [(entry, False)]
    if "parts" in entry:
        # a currency is the record's: every amount of it names the same field
        return [(native, part == "currency") for part, native in entry["parts"].items()]
    if "field" in entry:
        return [(entry["field"], False)]
    shared = entry.get("member_of") or entry.get("part_of")
    return [] if shared is None else [(shared, True)]
