"""Carries out the events of a history: deeds of people, cycles, commands, outages and time."""

import random
from collections.abc import Callable
from datetime import timedelta

from sync_engine.operations.deciding import keep_apart, link, unlink
from sync_engine.operations.records import WrongUseError
from sync_engine.operations.releasing import release
from sync_engine.operations.resyncing import Wanted, resync
from tests.simulation.connecting import Crash
from tests.simulation.deeds import People
from tests.simulation.events import Event, Script
from tests.simulation.stores import put_back, serialised
from tests.simulation.systems import OBJECTS
from tests.simulation.world import FAILURES, SYNCS, Installation, Worker

_BY_PEOPLE = frozenset(
    {"birth", "edit", "delete", "undelete", "merge", "convert", "mass", "massdelete"}
)
MOMENT = timedelta(seconds=7)  #: between two events


class Acting:
    """Who carries events out, and what they need to know from one to the next."""

    def __init__(self, home: Installation, people: People, script: Script) -> None:
        self.home, self.people, self.script = home, people, script
        self.backup: bytes | None = None
        self.restored_at = 0  #: the event by which the state was last put back
        self.decided = False  #: whether people have said whose a record is
        self.was_hidden = False
        self.misled = False  #: whether they let go what was hidden, as if it had been deleted
        self.has_released = False  #: whether people let something go after the last cycle
        home.deed = self._in_the_midst
        if script.setup.released:
            self.release_all()

    def act(self, event: Event) -> None:
        home = self.home
        home.pass_time(MOMENT)
        home.tick()
        self.people.event = event.id
        rng = self.script.rng(event)
        home.begin(event, rng)
        try:
            done = self._do(event, rng)
        finally:
            home.faults.end()
        if done and (fault := _FAULT_OF.get(event.what)):
            home.faults.fired[fault] += 1
        self.revive()

    def revive(self) -> None:
        """A killed process is started again, and a new configuration taken."""
        if self.home.is_outdated:
            self.home.start()

    def _do(self, event: Event, rng: random.Random) -> bool:
        if event.what in _BY_PEOPLE:
            return self.people.do(event, rng)
        done: bool | None = getattr(self, f"_{event.what}")(rng, **event.args)
        return done is not False

    def _in_the_midst(self, deed: Event) -> None:
        """Somebody acts while a run is going; a command comes from a process of its own."""
        rng = random.Random(f"{self.script.setup.seed}/{deed.id}/midst")
        if deed.what in _BY_PEOPLE:
            self.people.do(deed, rng)
            return
        home, first = self.home, self.home.worker
        failed = set(first.line.failed)
        home.faults.are_off = True
        home.start()
        home.faults.are_off = True
        try:
            self._do(deed, rng)
        finally:
            home.faults.are_off = False
            home.worker, first.line.failed = first, failed

    def cycle(self, minutes: float, kinds: tuple[str, ...] = ()) -> str:
        self.home.pass_time(timedelta(minutes=minutes))
        ended = self.home.worker.cycle(kinds or self.home.setup.kinds)
        self.home.note("cycle", ended)
        self.revive()
        self._let_go()
        return ended

    def _let_go(self) -> None:
        """People release what waits for them: guard stops, a restored state."""
        store = self.home.worker.store
        with store.reading() as connection:
            waits = any(s.released_at is None for s in store.registry.syncs(connection).values())
            stops = store.issues.all(connection, whats=("guard",))
        self.has_released = bool(waits or stops)
        if self.has_released:
            self.release_all()

    def release_all(self) -> None:
        for kind in self.home.setup.kinds:
            self.home.worker.service.release(SYNCS[kind])

    def heal(self) -> None:
        """Faults end: everybody answers, all is visible, nothing is paused."""
        home = self.home
        home.faults.end()
        home.land_all()
        home.clock.wrong = timedelta()
        for crm in home.systems.values():
            crm.hidden, crm.late, crm.rejects = set(), 0, {}
            crm.tick += 1000
            home.worker.service.resume(instance=crm.name)
        for kind in home.setup.kinds:
            home.worker.service.resume(sync=SYNCS[kind])
            if self.was_hidden:  # no feed tells what changed behind a missing permission
                self._resync(random.Random(0), kind, full=True)
        self.was_hidden = False
        self._freeze()

    def _freeze(self) -> None:
        """What a liveness history leaves broken (I-27)."""
        if not self.script.setup.frozen:
            return
        how, name = self.script.setup.frozen
        crm = self.home.systems[name]
        if how == "down":
            crm.down = True
        else:
            rows = [row.id for kind in self.home.setup.kinds for row in crm.people(kind)]
            crm.poisoned = rows[0] if rows else None

    def _cycle(self, rng: random.Random, kinds: list[str] = []) -> None:  # noqa: B006
        home = self.home
        home.pass_time(timedelta(minutes=1))
        home.note("cycle", home.worker.cycle(tuple(kinds) or home.setup.kinds))

    def _quiet(self, rng: random.Random) -> None:
        """Where people and faults stop for a while; whoever runs the history drains and judges."""

    def _pause(self, rng: random.Random, minutes: int) -> None:
        self.home.pass_time(timedelta(minutes=minutes))

    def _release(self, rng: random.Random, kind: str) -> bool:
        self.misled = self.misled or any(crm.hidden for crm in self.home.systems.values())
        return self._command(lambda worker: release(worker.service, SYNCS[kind]))

    def _stop(self, rng: random.Random, on: str) -> bool:
        return self._command(lambda worker: worker.service.pause(instance=on))

    def _resume(self, rng: random.Random, on: str) -> bool:
        return self._command(lambda worker: worker.service.resume(instance=on))

    def _resync(self, rng: random.Random, kind: str, full: bool, prefer: str = "") -> bool:
        """Everything, or what has failed, is read once more."""
        wanted = Wanted(full=True) if full else Wanted(failed=True)
        return self._command(
            lambda worker: resync(worker.service, SYNCS[kind], wanted, prefer=prefer or None)
        )

    def _hint(self, rng: random.Random, on: str, kind: str, who: int, times: int) -> bool:
        """Somebody says that a record has changed: once, twice, late, or of one that is gone."""
        crm = self.home.systems[on]
        name = OBJECTS[crm.flavour][kind]
        number = next((row.id for row in self.people.rows(crm, kind, who)), f"{name[:3]}-999")
        wanted = Wanted(records=(f"{on}/{name}:{number}",))
        return all(
            self._command(lambda worker: resync(worker.service, SYNCS[kind], wanted))
            for _ in range(times)
        )

    def _link(self, rng: random.Random, kind: str, who: int) -> bool:
        return self._of_two(rng, kind, who, who, link)

    def _keepapart(self, rng: random.Random, kind: str, who: int, other: int) -> bool:
        return self._of_two(rng, kind, who, other, keep_apart)

    def _unlink(self, rng: random.Random, on: str, kind: str, who: int) -> bool:
        crm = self.home.systems[on]
        rows = self.people.rows(crm, kind, who)
        name = f"{on}/{OBJECTS[crm.flavour][kind]}:{rows[0].id}" if rows else ""
        self.decided = True
        return bool(rows) and self._command(lambda worker: unlink(worker.service, name, "somebody"))

    def _of_two(
        self, rng: random.Random, kind: str, who: int, other: int, verdict: Callable[..., object]
    ) -> bool:
        names = [
            f"{crm.name}/{OBJECTS[crm.flavour][kind]}:{row.id}"
            for crm in self.home.systems.values()
            for whom in dict.fromkeys((who, other))
            for row in self.people.rows(crm, kind, whom)
        ]
        if len(names) < 2:
            return False
        left, right = rng.sample(names, 2)
        self.decided = True
        return self._command(lambda worker: verdict(worker.service, left, right, "a person"))

    def _command(self, command: Callable[[Worker], object]) -> bool:
        worker = self.home.worker
        worker.line.failed = set()
        try:
            worker.service.prepare()
            command(worker)
        except (*FAILURES, WrongUseError) as error:
            self.home.note("refused", type(error).__name__)
        except Crash:
            self.home.note("killed")
        return True

    def _backup(self, rng: random.Random) -> None:
        self.backup = serialised(self.home.engine)

    def _restore(self, rng: random.Random) -> bool:
        """Somebody puts an older database in the place of the state."""
        if self.backup is None:
            return False
        put_back(self.home.engine, self.backup)
        self.home.cursors.clear()
        self.restored_at = self.people.event
        self.home.start()
        return True

    def _reload(self, rng: random.Random, fields: list[str]) -> None:
        """A command is given under a new configuration while a run under the old one is going."""
        self._remap(rng, fields)
        self.home.start()

    def _remap(self, rng: random.Random, fields: list[str]) -> None:
        self.home.fields = tuple(fields)

    def _reorder(self, rng: random.Random) -> None:
        self.home.order = (*self.home.order[1:], self.home.order[0])

    def _reject(self, rng: random.Random, on: str, native: str, value: str) -> None:
        self.home.systems[on].rejects = {native: value}

    def _hide(self, rng: random.Random, on: str, share: float) -> bool:
        crm = self.home.systems[on]
        rows = [number for one in crm.objects.values() for number in one.rows]
        crm.hidden = {number for number in rows if rng.random() < share}
        self.was_hidden = self.was_hidden or bool(crm.hidden)
        return bool(crm.hidden)

    def _show(self, rng: random.Random, on: str) -> None:
        self.home.systems[on].hidden = set()


_FAULT_OF = {
    "hint": "F9", "restore": "F15", "remap": "F16", "reorder": "F16", "reject": "F16",
    "hide": "F19", "mass": "F20", "massdelete": "F20", "release": "F21", "stop": "F21",
    "resume": "F21", "resync": "F21", "link": "F21", "keepapart": "F21", "unlink": "F21",
}  # fmt: skip
