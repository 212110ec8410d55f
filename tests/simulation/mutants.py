"""Seeded bugs of the engine: each must be noticed by some history, or the oracles are blind.

A mutant is one line of the engine's source replaced while it is imported anew, in a process of
its own; nothing of it is ever on disk. ``python -m tests.simulation.mutants NAME SECONDS`` searches
until a history fails and says how many it took.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line made wrong."""

    module: str
    right: str
    wrong: str


def _engine(name: str, right: str, wrong: str) -> Mutant:
    return Mutant(f"sync_engine.engine.{name}", right, wrong)


MUTANTS: Mapping[str, Mutant] = {
    "losers are not recorded": Mutant(
        "sync_engine.reconcile",
        "return Change(name, old, chosen.value, winner, situation, chosen.stamp, lost)",
        "return Change(name, old, chosen.value, winner, situation, chosen.stamp)",
    ),
    "no base: the last reader wins": Mutant(
        "sync_engine.reconcile", "known = () if insists else (base, *side.offered)", "known = ()"
    ),
    "golden that moved on is no claimant": Mutant(
        "sync_engine.reconcile", "if moved_on and not (old is None and first_contact):", "if False:"
    ),
    "an opt-out loses to any permission": Mutant(
        "sync_engine.reconcile", "    if outs:", "    if False:"
    ),
    "an empty field without a base clears": Mutant(
        "sync_engine.reconcile",
        "(value is None and (name not in side.base or name in side.mute)):",
        "False:",
    ),
    "the base does not advance": Mutant(
        "sync_engine.reconcile", "            base[name] = value", "            pass"
    ),
    "an outcome advances no base": _engine(
        "outcomes", "link.base = link.base | values", "link.base = dict(link.base)"
    ),
    "writes carry no version": _engine(
        "push", "link.record_id, native, link.version)", "link.record_id, native, None)"
    ),
    "each create has a new key": _engine(
        "push", "key = link.key or world.ids.key(", "key = world.ids.key("
    ),
    "nobody is marked when a record changes": _engine(
        "batch", "self.dirty.add(link.entity_id)", "pass"
    ),
    "overdue writes are never closed": _engine("before", "if row.id < horizon", "if row.id < 0"),
    "what becomes free wakes nobody": Mutant(
        "sync_engine.store.entities",
        "ENTITY.c.dirty == POSTPONED)\n            .values(dirty=DIRTY)",
        "ENTITY.c.dirty == POSTPONED)\n            .values(dirty=POSTPONED)",
    ),
    "a lease is never lost": Mutant(
        "sync_engine.store.registry", "if not renewed.rowcount:", "if False:"
    ),
    "an edit on top of our open write is a conflict like any other": Mutant(
        "sync_engine.reconcile",
        "if len(people) == 1 and any(name in offer for offer in sides[people[0]].offered):",
        "if False:",
    ),
    "a cursor is kept before its page": _engine(
        "pull",
        "            ingest(world, source, run, connection, changes, row.tick)\n",
        "            changes and ingest(world, source, run, connection, changes[1:], row.tick)\n",
    ),
    "an open write is no excuse": Mutant(
        "sync_engine.reconcile",
        "known = () if insists else (base, *side.offered)",
        "known = () if insists else (base,)",
    ),
    "a mark is set only where there is none": Mutant(
        "sync_engine.store.entities",
        "among(connection, ENTITY.c.id, chunk)).values(dirty=DIRTY)",
        "among(connection, ENTITY.c.id, chunk), ENTITY.c.dirty == 0).values(dirty=DIRTY)",
    ),
    "what a side shows instead is news": Mutant(
        "sync_engine.reconcile",
        "return kept is None or kept.shown != value or kept.why == MANUAL",
        "return True",
    ),
    "a side deletes what it has not accepted": _engine(
        "deletes",
        "return not difference(world, batch.references, entity, gone, side)",
        "return True",
    ),
    "who is there already is not looked up": _engine(
        "before", "if wanted and wanted[1]:", "if False:"
    ),
    "the base advances whole": _engine(
        "outcomes", "link.base = link.base | values", "link.base = {**(link.seen or {}), **values}"
    ),
    "what is missing is taken for empty": Mutant(
        "sync_engine.store.layouts",
        "return {name: value for name, value in found.items() if value != UNSET_MARK}",
        "return {n: None if value == UNSET_MARK else value for n, value in found.items()}",
    ),
    "a conversion makes a second person": _engine(
        "follow",
        "        if link.into_id is not None and link.entity_id is not None:\n"
        "            _follow_one(world, told, rows, link, rows.links",
        "        if link.into_id is not None and link.state is LinkState.MERGED:\n"
        "            _follow_one(world, told, rows, link, rows.links",
    ),
    "what is held is written all the same": _engine(
        "showing",
        "kept is not None and kept.why != UNREADABLE and kept.of == hash_of(golden)",
        "False",
    ),
    "who won first contact is not recorded": Mutant(
        "sync_engine.reconcile",
        'winner, situation = _preferred(name, golden, sides, against, policy), "first contact"',
        "return Change(name, old, claims[min(claims)].value, min(claims), 'first contact')",
    ),
    "a converted lead stays one": _engine(
        "follow", "source.kind = Kind.CUSTOMER", "source.kind = Kind.LEAD"
    ),
}
#: no stored script notices these, nor did a search of 60 CPU seconds: the gate lacks them
UNNOTICED: Mapping[str, Mutant] = {
    "a refusal to try again closes its row": _engine(
        "outcomes", "plan.row.result = plan.row.answered_at = None", "pass"
    ),
    "values are compared as they come": Mutant(
        "sync_engine.mapping", "one.normal(values[one.field], self.region)", "values[one.field]"
    ),
    "who is no more is created elsewhere": _engine(
        "decide",
        "is_past = not any(link.state in READABLE",
        "is_past = False and any(link.state in READABLE",
    ),
    "a merge moves nobody": _engine("follow", "link.entity_id = survivor.id", "pass"),
    "a missing record is gone at once": _engine(
        "before",
        "[k for k in missing if k.missing_at is not None and now - k.missing_at >= PAUSE]",
        "list(missing)",
    ),
    "a merge's loser counts as deleted": _engine(
        "ended",
        "link.state, link.into_id = LinkState.MERGED, batch.links[change.into].id",
        "link.state = LinkState.GONE",
    ),
}


class _Mutating(MetaPathFinder):
    """Imports one module with its line made wrong."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name != self._mutant.module:
            return None
        path = ROOT / (name.replace(".", "/") + ".py")
        return importlib.util.spec_from_file_location(
            name, path, loader=_Loader(name, str(path), self._mutant)
        )


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType | None:
        text = Path(self.path).read_text()
        if text.count(self._mutant.right) < 1:
            raise LookupError(f"{fullname} has no such line: {self._mutant.right}")
        return compile(text.replace(self._mutant.right, self._mutant.wrong), self.path, "exec")


def hunt(name: str, seconds: float) -> int:
    """How many histories it takes until one fails; 0: none did. Stored scripts come first."""
    sys.meta_path.insert(0, _Mutating({**MUTANTS, **UNNOTICED}[name]))
    from tests.simulation.events import load
    from tests.simulation.generate import MODES
    from tests.simulation.history import run

    start, number = time.process_time(), 0
    for path in sorted(SCRIPTS.glob("*.json")):
        number += 1
        if run(load(path)).violation is not None:
            return number
    while time.process_time() - start < seconds:
        mode = "workers" if number % 4 == 0 else "safety"
        number += 1
        if run(MODES[mode](number)).violation is not None:
            return number
    return 0


def hunted(name: str, seconds: float) -> int:
    """The same in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation.mutants", name, str(seconds)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.stdout.write(f"{hunt(sys.argv[1], float(sys.argv[2]))}\n")
