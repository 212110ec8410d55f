"""What the parts of a file say of each other: names, precedence, policies, schedules."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from config.catalogue import (
    CATALOGUE,
    CONSENT,
    HOLDING_PLACEHOLDERS,
    MATCH_RULES,
    OWN_KEY,
)
from config.faults import suggestion
from config.settings import Settings, SyncSettings
from config.tree import Findings

Where = tuple[str | int, ...]
_RESERVED = ("value", "golden")  #: said of a value at hand in expressions, and of who decided


def check_agreement(findings: Findings, settings: Settings) -> None:
    for own in settings.fields:
        if any(own in fields for fields in CATALOGUE.values()) or own in _RESERVED:
            what = "there is a golden field of this name already"
            findings.refuse(("fields", own), what, "give your own another name")
    kinds: dict[str, str] = {}
    for name, sync in settings.syncs.items():
        where = ("syncs", name)
        if sync.kind in kinds:
            what = f"sync {kinds[sync.kind]} is of this kind too; one sync keeps a kind equal"
            findings.refuse((*where, "kind"), what, "add this sync's sides to it")
        kinds[sync.kind] = name
        _schedule(findings, where, sync)
        _sides(findings, where, sync, settings.instances)
        if sync.prefer is not None:
            _order(findings, (*where, "prefer"), sync.prefer, sync.sides)
        if sync.match is not None:
            _match(findings, (*where, "match"), sync.match, MATCH_RULES[str(sync.kind)])
        _fields(findings, where, sync, settings.catalogue[str(sync.kind)])
        _conversions(findings, where, sync, settings)


def _conversions(findings: Findings, where: Where, sync: SyncSettings, settings: Settings) -> None:
    """Leads alone are converted, and only where somebody keeps what they become."""
    customers = [one for one in settings.syncs.values() if one.kind == "customer"]
    if sync.conversion_from and sync.kind != "lead":
        what = "conversion_from is said of leads: they alone are converted"
        findings.refuse((*where, "conversion_from"), what, "write it in the sync of kind lead")
    for place, name in enumerate(sync.conversion_from):
        if name not in sync.sides:
            here = (*where, "conversion_from", place)
            what = "conversion_from names no side here"
            findings.refuse(here, what, suggestion(name, sync.sides))
    for side, objects in sync.sides.items():
        for place, one in enumerate(objects):
            here = (*where, "sides", side, place, "converts")
            if one.converts is None:
                continue
            if sync.kind != "lead":
                what = "converts is said of leads: they alone are converted"
                findings.refuse(here, what, "write it in the sync of kind lead")
            elif one.converts == "convert" and not any(side in k.sides for k in customers):
                what = f"no sync of kind customer keeps what a lead becomes in {side}"
                findings.refuse(here, what, f"give such a sync the side {side}")


def _schedule(findings: Findings, where: Where, sync: SyncSettings) -> None:
    if sync.every is None and sync.cron is None:
        findings.refuse(where, "says not when it runs", "give every: 1m, or cron")
    if sync.every is not None and sync.cron is not None:
        findings.refuse((*where, "cron"), "every and cron exclude each other", "keep one of them")


def _sides(
    findings: Findings, where: Where, sync: SyncSettings, instances: Collection[str]
) -> None:
    for side, objects in sync.sides.items():
        here = (*where, "sides", side)
        if side not in instances:
            findings.refuse(here, f"there is no instance {side}", suggestion(side, instances))
        if len({one.object for one in objects}) < len(objects):
            findings.refuse(here, "names one object twice", "keep one of them")


def _order(findings: Findings, where: Where, given: Sequence[str], sides: Collection[str]) -> None:
    """An order of precedence names every side once: what it left open would be decided unseen."""
    for place, name in enumerate(given):
        if name not in sides:
            findings.refuse((*where, place), "prefer names no side here", suggestion(name, sides))
    if any(times > 1 for times in Counter(given).values()):
        findings.refuse(where, "prefer names a side twice", "name each side once")
    missing = [side for side in sides if side not in given]
    if missing:
        what = f"prefer lacks {', '.join(missing)}"
        findings.refuse(where, what, "name every side, most trusted first")


def _match(findings: Findings, where: Where, given: Sequence[str], known: Sequence[str]) -> None:
    for place, name in enumerate(given):
        if name not in known:
            findings.refuse((*where, place), "there is no such match rule", suggestion(name, known))
        elif name in given[:place]:
            findings.refuse((*where, place), "names a match rule twice", "keep one of them")
    if given[:1] != [OWN_KEY]:
        what = "a record that carries our key is always ours"
        findings.refuse(where, what, f"name {OWN_KEY} first, then the others in your order")


def _fields(findings: Findings, where: Where, sync: SyncSettings, known: Mapping[str, str]) -> None:
    for name, field in sync.fields.items():
        here = (*where, "fields", name)
        if name not in known:
            findings.refuse(here, f"there is no golden field {name}", suggestion(name, known))
        elif name in CONSENT:
            what = "consent has a policy of its own: an opt-out anywhere wins"
            findings.refuse(here, what, "leave this field out")
        elif field.placeholders.words and known[name] not in HOLDING_PLACEHOLDERS:
            what = f"no {known[name]} stands for nothing: each value of it is an answer"
            findings.refuse((*here, "placeholders"), what, "leave it out")
        if field.prefer is not None:
            _order(findings, (*here, "prefer"), field.prefer, sync.sides)
