"""The mutation gate: bugs sown in the engine, each of which the simulation must catch.

A mutant is the engine with one piece of text replaced, in a process of its own. The stored
scripts are played first, then histories until one fails or the box is used up.
"""

import importlib.abc
import importlib.machinery
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    module: str
    old: str
    new: str
    focus: str = ""


ENGINE, STORE = "sync_engine.engine.", "sync_engine.store."
RECONCILE = "sync_engine.reconcile"

MUTANTS: Sequence[Mutant] = (
    # the clauses of state-model 6
    Mutant("an open write's value is news", RECONCILE, "(side.base, *side.offered)", "(side.base,)"),
    Mutant("golden's value is news", RECONCILE, "if golden.get(name, UNSET) == value:", "if False:"),
    Mutant("an edit on an open write loses", RECONCILE,
           "elif (editor := _edited_ours(name, sides, against)) is not None:", "elif False:"),
    Mutant("golden claims nothing", RECONCILE, "if moved_on and not (", "if False and not ("),
    Mutant("an empty first value is a claim", RECONCILE,
           "if value is None and name not in side.base:", "if False:"),
    Mutant("losers are not kept", ENGINE + "decide", "lost={s: {", "lost=None and {s: {"),
    Mutant("the base advances by the whole record", ENGINE + "outcomes",
           "link.base = link.base | values", "link.base = (link.seen or {}) | values"),
    Mutant("the base does not advance", ENGINE + "outcomes",
           "link.base = link.base | values", "pass"),
    Mutant("a claim that lost is a claim again", RECONCILE,
           "    if side.seen == side.base:\n        return side.base\n    base = dict(side.base)",
           "    return {n: v for n, v in side.seen.items() if golden.get(n) == v} | {\n"
           "        n: v for n, v in side.base.items() if golden.get(n) != side.seen.get(n)}\n"
           "    base = dict(side.base)"),
    # the write protocol
    Mutant("no look-up before a create is tried again", ENGINE + "push",
           "if Owes.CREATE in classes:", "if False:"),
    Mutant("sent rows keep no values", ENGINE + "push", "values=dict(values),", "values={},"),
    Mutant("an unanswered write is taken for done", ENGINE + "outcomes",
           "plan.row.result = plan.row.answered_at = None", "pass"),
    Mutant("a stale answer is forgotten", ENGINE + "outcomes",
           "link.owes, link.due_at = Owes.REREAD, None", "link.owes = Owes.NOTHING"),
    Mutant("a lost answer is forgotten", ENGINE + "push",
           "        link.owes, link.due_at = Owes.REREAD, None\n    world.store.links.save",
           "        link.owes = Owes.NOTHING\n    world.store.links.save"),
    Mutant("what is undecided is written over", ENGINE + "push",
           "if entities[link.entity_id or 0].dirty != DIRTY]", "]"),
    Mutant("a key for each try", ENGINE + "push", "key = link.key or world", "key = world"),
    Mutant("a write that landed is owed no more whatever changed", ENGINE + "outcomes",
           "if as_sent and not moved:", "if True:"),
    # reading
    Mutant("the cursor is ahead of the page", ENGINE + "pull",
           "            ingest(world, source, run, connection, changes, row.tick)\n",
           "            if row.tick % 3: ingest(world, source, run, connection, changes, row.tick)\n"),
    Mutant("an equal fingerprint hides a restored record", ENGINE + "ingest",
           "if link.fingerprint == mark and not returned and not remapped:",
           "if link.fingerprint == mark:"),
    Mutant("a page older than our write is stored", ENGINE + "ingest",
           "if link.acked > tick:", "if False:"),
    Mutant("the mark is set only where there is none", STORE + "entities",
           "update(ENTITY).where(ENTITY.c.id.in_(chunk)).values(dirty=DIRTY)",
           "update(ENTITY).where(ENTITY.c.id.in_(chunk), ENTITY.c.rev > 0).values(dirty=DIRTY)"),
    Mutant("what waits for an instance sleeps for ever", ENGINE + "cycle",
           "    _wake(world)\n", ""),
    # people
    Mutant("a lead matches a customer", "sync_engine.matching",
           'f"{kind}|{rule}|{text}".encode()', 'f"{rule}|{text}".encode()'),
    Mutant("a converted lead makes a second person", ENGINE + "follow",
           "        target.entity_id = source.id\n", "        pass\n"),
    Mutant("the loser of a merge is deleted elsewhere", ENGINE + "ended",
           "link.state = LinkState.MERGED", "link.state = LinkState.GONE"),
    Mutant("whoever is asked about is created", ENGINE + "create",
           "elif alike := hits[wish.entity.id]:", "elif alike := []:"),
    Mutant("a fresh record hides its opt-out", ENGINE + "outcomes",
           "dict.fromkeys(sorted(empty)) | values", "dict(values)"),
    Mutant("a deleted profile comes back", ENGINE + "create",
           "if link.state is LinkState.GONE and world", "if False and world"),
    Mutant("a merge fills in silence", ENGINE + "follow",
           "        # an opt-out keeps its author", "        if empty: continue\n        # an"),
    Mutant("permission from anybody", RECONCILE, "    if old is not True:\n", "    if True:\n"),
    Mutant("a restored state writes at once", ENGINE + "recognise",
           "if strangers and not world.restoring:", "if False:", "restore"),
    Mutant("the fence is not looked at", STORE + "registry", "        if not renewed.rowcount:",
           "        if False:", "workers"),
)  # fmt: skip


class _Sown(importlib.abc.MetaPathFinder):
    """Gives the mutant's module instead of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: object, target: ModuleType | None = None) -> object:
        if name != self.mutant.module:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)  # type: ignore[arg-type]
        if found is None or found.origin is None:
            raise ImportError(name)
        found.loader = _Loader(name, found.origin, self.mutant)
        return found


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self.mutant = mutant

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # never from a cache
        text = self.get_data(self.path).decode()
        if text.count(self.mutant.old) == 0:
            raise ImportError(f"{self.mutant.name}: {fullname} has no such text any more")
        return compile(text.replace(self.mutant.old, self.mutant.new, 1), self.path, "exec")


def catch(mutant: Mutant, seconds: float) -> str:
    """How the mutant was caught, in this process; empty if it survived."""
    sys.meta_path.insert(0, _Sown(mutant))  # type: ignore[arg-type]
    from tests.simulation.events import drawn
    from tests.simulation.history import run
    from tests.simulation.search import quietly
    from tests.simulation.shrink import SCRIPTS, read

    quietly()
    start = time.process_time()
    for script in sorted(SCRIPTS.glob("*.json")):
        if failure := run(read(script)).failure:
            return f"{script.name}: {failure}"
    seed = 0
    while time.process_time() - start < seconds:
        if failure := run(drawn(seed, mutant.focus)).failure:
            return f"seed {seed}: {failure}"
        seed += 1
    return ""


def gate(seconds: float, processes: int) -> list[str]:
    """The names of the mutants that survive; tells of each how it was caught."""
    waiting, running = list(enumerate(MUTANTS)), []
    survivors = []
    while waiting or running:
        while waiting and len(running) < processes:
            number, mutant = waiting.pop(0)
            arguments = ["-m", "tests.simulation.mutants", str(number), str(seconds)]
            started = subprocess.Popen(
                [sys.executable, *arguments], stdout=subprocess.PIPE, text=True
            )
            running.append((mutant, started))
        mutant, process = running.pop(0)
        out, _ = process.communicate()
        sys.stdout.write(f"{'survived' if not out else 'caught'}: {mutant.name}: {out[:100]}\n")
        if not out:
            survivors.append(mutant.name)
    return survivors


if __name__ == "__main__":
    sys.stdout.write(catch(MUTANTS[int(sys.argv[1])], float(sys.argv[2])))
