"""Runs one history from its first event to the verdict."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Engine
from structlog.testing import capture_logs

from tests.simulation import ends, oracles
from tests.simulation.acting import Acting
from tests.simulation.connecting import Violation
from tests.simulation.deeds import People
from tests.simulation.events import Script
from tests.simulation.state import State, look
from tests.simulation.stores import in_memory
from tests.simulation.world import Installation

#: minutes before the cycles by which everything must have settled: at once; past the horizon of
#: unanswered writes, the longest pause of a retry and the daily sweep; then a cycle apart
DRAIN = (1, 1500, 1, 1, 95, 1, 1, 1, 1, 1)
AT_LEAST, SILENT = 4, 3


@dataclass(slots=True)
class Verdict:
    """How a history ended."""

    trace: str
    violation: Violation | None = None
    steps: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)

    @property
    def signature(self) -> str:
        """What went wrong, without whom it happened to."""
        if self.violation is None:
            return ""
        words = self.violation.what.split()
        plain = [w for w in words if not any(c.isdigit() for c in w) and "'" not in w]
        return f"{self.violation.invariant} {' '.join(plain)}"[:90]


#: what is asked at rest, of everything there is
Judge = Callable[[Installation, People, Acting, State], None]


def run(
    script: Script,
    database: Callable[[], AbstractContextManager[Engine]] = in_memory,
    table: list[str] | None = None,
    by: Judge | None = None,
) -> Verdict:
    """The verdict of all oracles, or ``by`` another judge."""
    with database() as engine:
        return _run(script, engine, table, by or judge)


def _run(script: Script, engine: Engine, table: list[str] | None, by: Judge) -> Verdict:
    home = Installation(script.setup, engine)
    home.table = table
    people = People(script.setup, home.systems)
    acting = Acting(home, people, script)
    violation = None
    situations: Counter[str] = Counter()
    try:
        with capture_logs() as lines:
            for event in script.events:
                home.note("event", event.id, event.what, dict(event.args))
                acting.act(event)
                if event.what == "quiet":
                    quiet(home, people, acting, by)
            situations = quiet(home, people, acting, by).situations
        oracles.silent(lines)
    except Violation as found:
        violation = found
    except Exception as error:
        violation = _raised(error)
    if violation is not None:
        home.note("violation", str(violation))
    home.note(sorted(home.faults.fired.items()), sorted(situations.items()))
    return Verdict(
        home.trace.hexdigest(), violation, len(script.events), home.faults.fired, situations
    )


def quiet(home: Installation, people: People, acting: Acting, by: Judge) -> State:
    """People and faults stop; everything must come to rest, and every oracle agree."""
    acting.heal()
    for number, minutes in enumerate(DRAIN):
        before = _written(home)
        acting.cycle(minutes)
        at_rest = _written(home) == before and not acting.has_released
        if number + 1 >= AT_LEAST and at_rest:
            break
    else:
        raise Violation("I-1", f"still writing after {len(DRAIN)} cycles")
    before, history = _written(home), _golden(home)
    for _ in range(SILENT):
        acting.cycle(1)
    if _written(home) != before:
        raise Violation("I-2", "silent cycles have written")
    if _golden(home) != history:
        raise Violation("I-2", "silent cycles have changed golden or history")
    state = look(home.worker.store)
    by(home, people, acting, state)
    people.quiet.append(people.event)
    return state


def judge(home: Installation, people: People, acting: Acting, state: State) -> None:
    if home.setup.frozen:
        _judge_the_rest(home, people, acting, state)
        return
    oracles.settled(home, people, acting, state)
    oracles.linked(home, state)
    oracles.one_kind(home, state)
    oracles.equal(home, state)
    if not acting.decided:
        ends.owned(state)
    if home.setup.clear and not (acting.decided or acting.restored_at):
        if not acting.misled:
            ends.deletes_have_causes(home, people, state)
        if "F19" not in home.setup.faults:  # who is hidden is found by nobody
            ends.nobody_beside(home, people)
    if not acting.decided:
        oracles.made_once(home, acting)
        oracles.nobody_twice(home, people)
    oracles.nothing_lost(home, people, acting, state)
    if not acting.restored_at:
        oracles.audited(home, state)
    # who was parted keeps what he was given; a field that was unmapped is first contact again
    remapped = home.setup.faults.keys() & {"F16", "F17"}
    # of who was hidden nobody knows whether our last write has landed
    if not (remapped or "F19" in home.setup.faults):
        oracles.nobody_differed_in_vain(people, state)
    if not (acting.restored_at or acting.decided or remapped):
        oracles.nothing_comes_back(home, people, state)
        oracles.as_predicted(home, people, state)
        oracles.opted_out(home, people, state)
    if home.setup.clear and not acting.decided:
        oracles.everywhere(home, people, state)


def _judge_the_rest(home: Installation, people: People, acting: Acting, state: State) -> None:
    """I-27: what is broken for good holds up nobody else."""
    crm = home.systems[home.setup.frozen[1]]
    down = [s.id for s in home.worker.world.sources if crm.down and s.instance == crm.name]
    rest = state.without(down, crm.poisoned)
    oracles.settled(home, people, acting, rest)
    oracles.one_kind(home, rest)
    oracles.equal(home, rest)
    oracles.nothing_lost(home, people, acting, state)


def _written(home: Installation) -> list[int]:
    return [len(crm.landed) for crm in home.systems.values()]


def _golden(home: Installation) -> str:
    with home.worker.store.reading() as connection:
        rows = connection.exec_driver_sql("select id, golden, state from entity order by id")
        told = connection.exec_driver_sql("select count(*) from history").scalar()
        return json.dumps([[tuple(row) for row in rows], told], default=str)


def _raised(error: Exception) -> Violation:
    """An error that the service does not expect, by where the engine raised it."""
    trace, places = error.__traceback__, []
    while trace is not None:
        if "sync_engine" in trace.tb_frame.f_code.co_filename:
            places.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    first = str(error).splitlines()[0] if str(error) else ""
    return Violation("raised", f"{type(error).__name__} {first[:60]} in {'.'.join(places[-3:])}")
