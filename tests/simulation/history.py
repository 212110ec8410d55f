"""Runs one history and tells what is wrong with its end."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sync_engine import operations
from sync_engine.models import Kind
from tests.simulation import ideal, oracles
from tests.simulation.events import Event, History
from tests.simulation.faults import PLACES, Armed, Crash
from tests.simulation.world import FAILED, Simulated

KINDS = (Kind.LEAD, Kind.CUSTOMER)
POLICIES = ("prefer", "newest", "longest", "manual")
HORIZON = timedelta(minutes=40)  #: no write lands later, and every pause is over
SWEEP = timedelta(hours=26)  #: a source that tells no deletions is listed anew by then
QUIET = 3  #: cycles that must write nothing (I-2)


@dataclass(slots=True)
class Verdict:
    """What came of a history."""

    failure: str = ""  #: empty: nothing is wrong
    hash: str = ""
    steps: int = 0
    systems: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)

    @property
    def sort(self) -> str:
        """The failure without what differs from one history to the next."""
        return self.failure.partition(":")[0]


def run(history: History) -> Verdict:
    sim = Simulated(history.order, KINDS)
    try:
        failure = _played(sim, history)
        sim.count_situations()
    except Exception as error:
        failure = _crashed(error)
    finally:
        sim.engine.dispose()
    verdict = Verdict(failure, sim.hash, len(history.events), len(history.order))
    verdict.fired, verdict.situations = sim.faults.fired, sim.situations
    return verdict


def _played(sim: Simulated, history: History) -> str:
    truth = ideal.Ideal(sim)
    for event in history.events:
        sim.step += 1
        sim.trace(event.id, event.do)
        _do(sim, event)
        sim.land()
        truth.look()
    settle(sim)
    return oracles.judge(sim, truth, quiet(sim))


def settle(sim: Simulated) -> None:
    """Heal everything, let a person release what waits, and wait until all is quiet."""
    sim.heal()
    _until_nothing_is_written(sim)
    if oracles.rows(
        sim,
        "select 1 from sent where result is null union select 1 from link where "
        "owes > 0 and due_at is not null limit 1",
    ):
        sim.clock.time += HORIZON
        _until_nothing_is_written(sim)
    for _ in range(2 if sim.people.ended else 0):  # what is gone is proven by being missing twice
        sim.clock.time += SWEEP
        _until_nothing_is_written(sim)


def _until_nothing_is_written(sim: Simulated) -> None:
    for _ in range(8):
        before = sim.written()
        sim.let_go()
        sim.run()
        sim.run()
        if sim.written() == before:
            break


def quiet(sim: Simulated) -> str:
    """What happens although nobody does anything; empty if nothing does."""
    written, told = sim.written(), oracles.rows(sim, "select count(*) from history")
    for _ in range(QUIET):
        sim.run()
    if sim.written() != written:
        return f"writes without an edit (I-2): {written} -> {sim.written()}"
    if oracles.rows(sim, "select count(*) from history") != told:
        return "history grows without an edit (I-2)"
    return ""


def _do(sim: Simulated, event: Event) -> None:
    deed = _DEEDS.get(event.do)
    if deed is not None:
        deed(sim, event)
    else:
        _happen(sim, event)


def _arm(sim: Simulated, event: Event) -> None:
    a = event.args
    sim.faults.armed.append(Armed(a["place"], a["what"], a["system"], a["after"], a["seed"]))
    if a["what"] not in PLACES[a["place"]]:
        raise ValueError(f"nobody knows the fault {a['what']}")


_DEEDS: dict[str, Callable[[Simulated, Event], None]] = {
    "arm": _arm,
    "cycle": lambda sim, e: sim.run(*(Kind(k) for k in e.args["kinds"])),
    "create": lambda sim, e: sim.people.create(
        e.args["system"], e.args["kind"], e.args["token"], title=e.args["title"]
    ),
    "edit": lambda sim, e: sim.people.edit(
        e.args["system"], e.args["kind"], e.args["pick"], e.args["field"], e.args["how"]
    ),
    "opt out": lambda sim, e: sim.people.opt_out(e.args["system"], e.args["kind"], e.args["pick"]),
    "delete": lambda sim, e: sim.people.delete(e.args["system"], e.args["kind"], e.args["pick"]),
    "undelete": lambda sim, e: sim.people.undelete(
        e.args["system"], e.args["kind"], e.args["pick"]
    ),
    "convert": lambda sim, e: sim.people.convert(
        e.args["system"], e.args["pick"], into_known=e.args["into_known"]
    ),
    "merge": lambda sim, e: sim.people.merge(e.args["system"], e.args["kind"], e.args["pick"]),
}


def _happen(sim: Simulated, event: Event) -> None:
    """Faults that need no call to fire."""
    system, fired = sim.systems[event.args["system"]], sim.faults.fire
    name, pick = event.do, event.args["pick"]
    if name == "down":
        system.down = not system.down
        fired("F4")
    elif name == "lag":
        system.lagging = system.position() if system.lagging is None else None
        fired("F10")
    elif name == "clock":
        sim.clock.time += timedelta(hours=1 if pick < 0.5 else -1)
        fired("F12")
    elif name == "hour":
        sim.clock.time += timedelta(minutes=20)
        fired("F12")
    elif name == "snapshot":
        sim.take_snapshot()
    elif name == "restore":
        sim.restore()
    elif name == "policy":
        sim.set_policy("title", POLICIES[int(pick * len(POLICIES))])
        fired("F16")
    elif name == "drift":
        sim.drift(event.args["system"], event.args["kind"])
        fired("F16")
    elif name == "reload":
        sim.start_again()
        fired("F17")
    elif name in ("mass clear", "mass delete"):
        many = sim.people.clear_all if name == "mass clear" else sim.people.delete_all
        if many(event.args["system"], event.args["kind"]) > 1:
            fired("F20")
    else:
        _command(sim, event)
        fired("F21")


def _command(sim: Simulated, event: Event) -> None:
    face, name = sim.face(), ("leads", "customers")[event.args["kind"]]
    try:
        if event.do == "resync":
            operations.resync(face, name, operations.Wanted(full=True))
        elif event.do == "pause":
            face.pause(instance=event.args["system"])
        elif event.do == "resume":
            face.resume(instance=event.args["system"])
        else:
            raise ValueError(f"nobody knows the event {event.do}")
    except Crash:
        sim.start_again()
    except FAILED as error:
        sim.trace("failed", type(error).__name__)


def _crashed(error: Exception) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "sync_engine" in f.filename]
    where = f"{frames[-1].name} {frames[-1].lineno}" if frames else "the simulation"
    text = str(error).partition("\n")[0][:100]
    return f"{type(error).__name__} in {where}: {text}"
