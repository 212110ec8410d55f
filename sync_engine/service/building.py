"""Builds a service from a configuration: state, connectors, mappings, syncs."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx

from config import Config, ConvertPolicy, CreatePolicy, Settings, SyncSettings
from config.catalogue import CONSENT, HOLDING_PLACEHOLDERS, OWN_KEY
from config.expressions import expression
from connectors import Budget, Connector, Runtime
from connectors.http import GuardedTransport
from sync_engine.engine import Source, Sync, World
from sync_engine.fieldmap import Compute
from sync_engine.guard import Limit, Limits
from sync_engine.identifiers import SHIPPED, NoKeys
from sync_engine.ids import END, EPOCH, Ids
from sync_engine.matching import rule_of
from sync_engine.models import Kind
from sync_engine.parsing import parse
from sync_engine.placeholders import BORNE, NAMES, Placeholders
from sync_engine.reconcile import Policy
from sync_engine.service.confined import confined
from sync_engine.service.processes import holder, is_dead, look_for_cycles_seldom
from sync_engine.service.seams import CountingTransport, SystemClock, random_id
from sync_engine.service.service import Service
from sync_engine.service.turns import Turns
from sync_engine.service.witness import watch
from sync_engine.store import StateError, Store, migrate, open_database


def build(config: Config, clock: SystemClock | None = None) -> Service:
    """A service for a configuration; nothing is sent yet. Raises StateError."""
    look_for_cycles_seldom()
    clock = clock or SystemClock()
    if not EPOCH < clock.now() < END:
        raise StateError(
            f"this machine's clock stands at {clock.now():%Y-%m-%d}",
            remedy="set it right: who edited last, and whom to trust, is told by it",
        )
    engine = open_database(config.state_url)
    migrate(engine)
    ids = Ids(clock.now, random.SystemRandom())
    turns = Turns(config.instances)
    store = Store(engine, clock.now, holder(), is_dead, turns.waiting(clock.wait))
    calls: Counter[str] = Counter(dict.fromkeys(config.instances, 0))
    budgets: dict[str, Budget] = {}
    connectors = {
        name: confined(
            name,
            instance.connector.open(
                instance.settings, _runtime(clock, calls, budgets, name, instance.settings)
            ),
            turns,
        )
        for name, instance in config.instances.items()
    }
    world = _world(config, clock, ids, store, connectors)
    world.calls, world.turns = calls, turns
    if config.epoch_file is not None:
        watch(world, config.epoch_file)
    return Service(config, clock, store, world, connectors, turns, budgets)


def _runtime(
    clock: SystemClock,
    calls: Counter[str],
    budgets: dict[str, Budget],
    name: str,
    settings: Any,
) -> Runtime:
    allowed: Sequence[str] = getattr(settings, "allow_host", ())

    def transport(ca_file: str | None) -> httpx.BaseTransport:
        return CountingTransport(GuardedTransport(ca_file, allowed), calls, name, clock)

    def told(budget: Budget) -> None:
        budgets[name] = budget

    return Runtime(clock, random_id, transport, told)


def _world(
    config: Config,
    clock: SystemClock,
    ids: Ids,
    store: Store,
    connectors: Mapping[str, Connector],
) -> World:
    catalogue = config.settings.catalogue
    known = {"value", *(name for fields in catalogue.values() for name in fields)}

    def compiled(text: str) -> Compute:
        return expression(text, known).value

    parsed = {
        (s.instance, s.object): parse(
            s.object, s.mapping, catalogue, s.region, compiled, config.mask_key
        )
        for s in config.sources
    }
    names = {field.name for mapping in parsed.values() for field in mapping.fields}
    store.open(mapping.forms for mapping in parsed.values())
    with store.transaction() as connection:
        registry = store.registry
        ids.after(max(store.entities.newest(connection), store.writes.newest(connection)))
        installation = registry.installation(connection, ids.installation())
        registry.add_instances(connection, config.settings.instances)
        instances = registry.instances(connection)
        wanted = [(instances[s.instance].id, s.object) for s in config.sources]
        registry.add_sources(connection, wanted)
        rows = {(row.instance_id, row.object): row.id for row in registry.sources(connection)}
        for name, sync in config.settings.syncs.items():
            registry.add_sync(connection, name, Kind[sync.kind.upper()])
    no_keys = SHIPPED.with_more(**config.settings.no_keys.model_dump())
    sources = [
        Source(
            id=rows[instances[s.instance].id, s.object],
            instance=s.instance,
            instance_id=instances[s.instance].id,
            object=s.object,
            connector=connectors[s.instance],
            mapping=parsed[s.instance, s.object],
            kinds=frozenset(Kind[kind.upper()] for kind in s.kinds),
            keyed=f"{no_keys.mark}{_rules(config.settings, s.kinds)}",
        )
        for s in config.sources
    ]
    syncs = {
        Kind[sync.kind.upper()]: _sync(
            name,
            sync,
            names,
            catalogue[str(sync.kind)],
            _placeholders(config.settings, sync, no_keys),
        )
        for name, sync in config.settings.syncs.items()
    }
    return World(store, clock, ids, installation, sources, syncs, no_keys)


def _entry(settings: SyncSettings, placeholders: Mapping[str, Placeholders]) -> str:
    """Who may enter where, and what says nothing, so that it is seen when that changes."""
    sides = {
        side: [
            (one.object, one.filter, one.accept, one.exit, one.creates, one.converts)
            for one in objects
        ]
        for side, objects in settings.sides.items()
    }
    empty = {name: sorted(one.words) for name, one in sorted(placeholders.items())}
    return json.dumps([sides, settings.create_inactive, settings.conversion_from, empty])


def _rules(settings: Settings, kinds: Iterable[str]) -> str:
    """The match rules of these kinds, where the file chooses them: another choice asks anew."""
    chosen = {str(sync.kind): sync.match for sync in settings.syncs.values() if sync.match}
    return "".join(f"|{kind}:{','.join(chosen[kind])}" for kind in sorted({*kinds} & {*chosen}))


def _placeholders(settings: Settings, sync: SyncSettings, no: NoKeys) -> dict[str, Placeholders]:
    """Golden field -> what stands there for nothing: by the file, its kind's sync and the field."""
    found = {}
    for name, form in settings.catalogue[str(sync.kind)].items():
        if form not in HOLDING_PLACEHOLDERS:
            continue
        own = sync.fields.get(name)
        one = Placeholders(form, no=no).with_more(without=BORNE if name in NAMES else ())
        for said in (settings, sync, *([own] if own else ())):
            one = one.with_more(said.placeholders.words, said.placeholders.without)
        found[name] = one
    return found


def _sync(
    name: str,
    settings: SyncSettings,
    fields: Iterable[str],
    known: Iterable[str],
    placeholders: Mapping[str, Placeholders],
) -> Sync:
    order = tuple(settings.prefer or ())
    order += tuple(side for side in settings.sides if side not in order)
    policies = {}
    for field_name in fields:
        own = settings.fields.get(field_name)
        rule: str = (own.policy if own else None) or settings.policy
        if field_name in CONSENT:
            rule = "consent"
        policies[field_name] = Policy(
            rule,
            tuple(own.prefer) if own and own.prefer else order,
            concerns=CONSENT.get(field_name, ()),
        )
    objects = settings.sides
    guard = settings.guard
    return Sync(
        name=name,
        kind=Kind[settings.kind.upper()],
        sides=order,
        policies=policies,
        deletes={
            side: next((o.deletes for o in ones if o.deletes), settings.deletes)
            for side, ones in objects.items()
        },
        approvals=frozenset(
            side for side, ones in objects.items() if any(settings.approves(o) for o in ones)
        ),
        creates={  # the strictest of its objects
            side: str(max((one.creates for one in ones), key=list(CreatePolicy).index))
            for side, ones in objects.items()
        },
        enters=_conditions(settings, "filter", known),
        accepts=_conditions(settings, "accept", known),
        pauses=frozenset(
            side for side, ones in objects.items() if any(one.exit == "pause" for one in ones)
        ),
        conversion_from=frozenset(settings.conversion_from),
        converts={
            side: one.converts is ConvertPolicy.CONVERT
            for side, ones in objects.items()
            for one in ones
            if one.converts
        },
        limits=Limits(
            **{
                risk: Limit(limit.count, limit.share)
                for risk, limit in ((r, getattr(guard, r)) for r in type(guard).model_fields)
            }
        ),
        born_inactive=settings.create_inactive,
        entry=_entry(settings, placeholders),
        match=tuple(
            rule_of(str(settings.kind), one) for one in settings.match or () if one != OWN_KEY
        ),
        placeholders=placeholders,
    )


def _conditions(
    settings: SyncSettings, key: str, known: Iterable[str]
) -> dict[str, Callable[[Mapping[str, Any]], bool]]:
    """Instance -> its condition of that name."""
    texts = {side: getattr(one, key) for side, ones in settings.sides.items() for one in ones}
    return {
        side: expression(text, set(known)).holds for side, text in texts.items() if text is not None
    }
