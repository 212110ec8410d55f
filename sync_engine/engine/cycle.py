"""One pass of the stages: pull, match, reconcile, push. One system down stops no other."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from connectors import ConnectorError
from sync_engine.engine.decide import decide
from sync_engine.engine.match import match
from sync_engine.engine.pull import pull
from sync_engine.engine.push import push
from sync_engine.engine.restored import begin, finish, look
from sync_engine.engine.risk import review_stops
from sync_engine.engine.world import KINDS, LATE, RestoredError, Run, Source, Sync, World, log
from sync_engine.models import Kind
from sync_engine.store import decide_under, decided_under, keep_out, out_before

#: writes may make others due (a company's contacts); each round is shorter than the one before
ROUNDS = 3


def new_run(world: World, name: str, prefer: str | None = None) -> Run:
    """A run that has done nothing yet."""
    return Run(world.ids.row(), name, world.clock.now(), prefer)


def cycle(world: World, syncs: Iterable[Sync], run: Run) -> None:
    """Bring these syncs up to date; what each stage did is in the run's counts.

    A connection that fails takes its instance out of the run (``World.down``).
    Raises LeaseTakenError where another worker is at the same work.
    """
    wanted = sorted(syncs, key=lambda sync: KINDS.index(sync.kind))
    look(world)
    _decide_anew(world)
    try:
        _stages(world, wanted, run)
    except RestoredError as noticed:
        begin(world, str(noticed))
        _stages(world, wanted, run)
    review_stops(world, wanted, run)
    _finish(world, run)


def _finish(world: World, run: Run) -> None:
    run.finished_at = world.clock.now()
    for instance, number in run.called.items():
        run.counts[f"calls {instance}"] = number
    if run.stored:
        with world.store.transaction() as connection:
            world.store.registry.finish_run(connection, run.id, run.finished_at, run.counts)


def _decide_anew(world: World) -> None:
    """Under other mappings or filters everybody is decided again, whoever answers now.

    What a link owes, and what golden lacks, rests on what is mapped.
    """
    with world.store.reading() as connection:
        before = decided_under(connection)
    if before == world.fingerprint:
        return
    with world.store.transaction() as connection:
        decide_under(connection, world.fingerprint)
        for kind in sorted(world.syncs) if before else ():
            world.store.entities.mark_kind(connection, kind)
            world.store.links.ask_all_anew(connection, kind)


def _stages(world: World, wanted: Sequence[Sync], run: Run) -> None:
    kinds = [sync.kind for sync in wanted]
    _wake(world)
    reading = _reading_order(world, kinds)
    _take_turns(world, run, [(one, partial(pull, world, one, run)) for one in reading])
    match(world, run)
    finish(world, run)
    for _ in range(ROUNDS):
        written = run.counts.total()
        for sync in wanted:
            decide(world, sync, run)
            pushes = [(s, partial(push, world, sync, s, run)) for s in world.of_kind(sync.kind)]
            _take_turns(world, run, pushes)
        if run.counts.total() == written or not world.clock.wait(0):
            break
        match(world, run)


def _wake(world: World) -> None:
    """What waits for an instance, of any kind, is decided again when others are out than before.

    Before may have been another process: a command that did not reach what the service reaches.
    """
    out = world.out()
    with world.store.reading() as connection:
        if out_before(connection) == out:
            return
    with world.store.transaction() as connection:
        keep_out(connection, out)
        for kind in KINDS:
            world.store.entities.wake(connection, kind)


def _reading_order(world: World, kinds: list[Kind]) -> list[Source]:
    """Companies, then leads, then customers: a conversion is known before its contact is read.

    So leads are read also where only customers are wanted (practice 3.1).
    """
    wanted = [k for k in KINDS if k in kinds or (k is Kind.LEAD and Kind.CUSTOMER in kinds)]
    found: list[Source] = []
    for kind in wanted:
        found += [s for s in world.of_kind(kind) if s not in found]
    return found


def _take_turns(
    world: World, run: Run, stages: Sequence[tuple[Source, Callable[[], None]]]
) -> None:
    """Who is still at work when the others go on is out of this run; its turn goes on by itself."""
    steps = [(one.instance, partial(_turn, world, run, one, stage)) for one, stage in stages]
    late = set(world.turns(steps)) - world.down.keys()
    for instance in sorted(late):
        world.down[instance] = LATE
        log.warning("instance out of this run", instance=instance, why=LATE)


def _turn(world: World, run: Run, source: Source, stage: Callable[[], None]) -> None:
    """One that outlasts its run adds what it did there."""
    before = world.calls[source.instance]
    try:
        _unless_down(world, source, stage)
    finally:
        if made := world.calls[source.instance] - before:
            run.called[source.instance] += made
        if run.finished_at is not None:
            _finish(world, run)


def _unless_down(world: World, source: Source, stage: Callable[[], None]) -> None:
    if world.is_out(source.instance):
        return
    try:
        stage()
    except ConnectorError as error:
        world.down[source.instance] = error.told
        log.warning("instance out of this run", instance=source.instance, why=error.what)
