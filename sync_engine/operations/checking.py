"""Whether every system can work as configured, and offers what the mapping needs."""

from collections.abc import Iterator

from connectors import Action, Level
from sync_engine.engine import Source
from sync_engine.fuzzing import flaws
from sync_engine.models import Kind
from sync_engine.operations.shapes import Finding, InstanceCheck
from sync_engine.owners import FORM as OWNER
from sync_engine.owners import word_of
from sync_engine.service import Health, Service


def check(service: Service) -> list[InstanceCheck]:
    """Ask every instance. Nothing is changed, there or in the state."""
    return [_checked(service, health) for health in service.check()]


def _checked(service: Service, health: Health) -> InstanceCheck:
    checked = health.checked
    findings = [
        Finding(level=str(one.level), what=one.what, remedy=one.remedy)
        for one in (checked.findings if checked else ())
    ]
    if checked is not None:
        for source in service.world.sources:
            if source.instance == health.instance:
                findings += _mapped(source)
                findings += _converting(service, source)
                findings += _owned(source)
                findings += _fuzzed(service, source)
    return InstanceCheck(
        instance=health.instance,
        well=health.is_well and all(one.level != Level.ERROR for one in findings),
        organization=checked.name if checked else None,
        organization_id=checked.identity if checked else None,
        failure=health.failure or None,
        remedy=health.remedy or None,
        findings=findings,
    )


def _mapped(source: Source) -> Iterator[Finding]:
    """What the mapping wants that this organization does not offer."""
    offered = source.type.fields
    if not offered:
        return
    written = {
        native: one
        for one in source.mapping.fields
        if one.direction != "from"
        for native in one.natives
    }
    for native, one in sorted(written.items()):
        field = offered.get(native)
        if field is None:
            continue  # the connector's own check has told
        if not field.updateable or not field.createable:
            yield Finding(
                level=str(Level.WARNING),
                what=f"{source.object}.{native} cannot be written",
                remedy=f"give the right to edit it, or map {one.name} with direction: from",
            )
        if field.choices and one.values:
            strange = sorted(str(v) for v in one.values.values() if v not in field.choices)
            if strange:
                yield Finding(
                    level=str(Level.WARNING),
                    what=f"{source.object}.{native} does not offer {', '.join(strange)}",
                    remedy=f"correct the value map of {one.name}, or add the values there",
                )
    yield from _required(source)


def _converting(service: Service, source: Source) -> Iterator[Finding]:
    """A side that is to convert its leads, and cannot: they would be left as the past."""
    leads = service.world.syncs.get(Kind.LEAD)
    is_meant = leads is not None and leads.converts.get(source.instance, False)
    if is_meant and Kind.LEAD in source.kinds and Action.CONVERT not in source.type.actions:
        yield Finding(
            level=str(Level.WARNING),
            what=f"{source.object}: leads are to be converted there (converts), and cannot be",
            remedy="mend what stands beside this, or write converts: leave",
        )


def _owned(source: Source) -> Iterator[Finding]:
    """Whom what is created belongs to, where its owner is nobody there (practice 4.5)."""
    for one in source.mapping.fields:
        if one.form != OWNER or one.direction == "from":
            continue
        place, known = f"{source.object}.{one.field}", one.owners.ids
        if one.fallback is None:
            yield Finding(
                level=str(Level.WARNING),
                what=f"{place}: what belongs to somebody who is not there, or not active, is "
                "created as our own user's",
                remedy=f"name somebody active as fallback of {one.name}",
            )
        named = [*(one.values or {}).values(), *([one.fallback] if one.fallback else [])]
        if strange := sorted(str(name) for name in named if word_of(name) not in known):
            yield Finding(
                level=str(Level.WARNING),
                what=f"{place}: nobody active there, or several, can own it under the name "
                f"{', '.join(strange)}",
                remedy="write a user's e-mail address, queue:NAME or team:NAME; leads alone can "
                "belong to a queue",
            )


#: sort of flaw -> how it is told, and what helps
_FLAWS = {
    "loses": ("less of it stays", "keep it whole, or declare lossy: true there"),
    "oscillates": ("it is read there as another value", "let what is written be read as it was"),
}


def _fuzzed(service: Service, source: Source) -> Iterator[Finding]:
    """What does not survive the way from any side to this one, tried with made-up records."""
    for kind in sorted(source.kinds):
        for other in service.world.of_kind(kind):
            for flaw in flaws(kind.name.lower(), other.mapping, source.mapping):
                what, remedy = _FLAWS[flaw.sort]
                yield Finding(
                    level=str(Level.ERROR),
                    what=f"{source.object}.{flaw.field} {flaw.sort}: {flaw.golden!r} from "
                    f"{other.name} would be {flaw.shown!r} there: {what}",
                    remedy=f"{remedy} (mapping of {flaw.field})",
                )


def _required(source: Source) -> Iterator[Finding]:
    """Fields without which the organization creates nothing."""
    if Action.CREATE not in source.type.actions:
        return
    filled = {
        native
        for one in source.mapping.fields
        if one.name in source.mapping.required and one.direction != "from"
        for native in one.natives
    }
    filled |= set(source.mapping.on_create) | {source.mapping.kind_by or ""}
    for name, field in sorted(source.type.fields.items()):
        if field.required and name not in filled:
            yield Finding(
                level=str(Level.WARNING),
                what=f"{source.object}.{name} is required there, and creates may lack it",
                remedy="name its golden field under required:, or give a constant under on_create:",
            )
