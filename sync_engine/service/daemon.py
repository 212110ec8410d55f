"""The long-running service: runs what is due, takes a new configuration, ends in time.

APScheduler is only the timer and knows how to read a schedule. What is due stands in
the state (``sync.due_at``), so a restart goes on where it was, and a simulation may call
``run_due`` itself. Runs and wishes happen in one thread, one after the other: cycles never
overlap, and what falls due meanwhile is one run afterwards. Within a run instances work side
by side (``turns``), and one that is still at work when its time is over goes on beside what
follows.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from config import ConfigError, SyncSettings
from connectors import ConnectorError
from sync_engine.engine import Sync, new_run
from sync_engine.logs import where
from sync_engine.service.seams import SystemClock
from sync_engine.service.service import Service
from sync_engine.store import LeaseTakenError, StateError, unusable

MOST_JITTER = 30  #: seconds by which runs of many installations are spread
RETRY = timedelta(seconds=15)  #: after a run that could not begin
PATIENCE = 60.0  #: seconds to wait for a lease that a command holds
TURN = 10.0  #: seconds that the instances of a run wait for one another

log = structlog.get_logger("crm_sync")
Answer = TypeVar("Answer")


class StoppingError(Exception):
    """The service ends; what was asked of it has not been begun."""


class Daemon:
    """One service at work. ``heard_at`` tells when it last gave a sign of life."""

    def __init__(self, service: Service, rebuild: Callable[[SystemClock], Service]) -> None:
        self.service = service
        self.clock: SystemClock = service.clock
        self.heard_at: datetime = service.clock.now()  #: when the worker last came to itself
        self.failure = ""  #: why the last run could not be made, empty if it could
        self.is_refused = False  #: whether the file, when read anew, could not be used
        self._asked: set[Future[Any]] = set()
        self._out: dict[str, str] = {}  #: instance -> why it is out, as last told in the log
        self._waiting: list[str] = []  #: syncs that wait for a release, as last told in the log
        self._rebuild = rebuild
        self._adopt(service)
        self._timer = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )

    def start(self) -> None:
        """Begin; what was due while nobody ran is due at once."""
        log.info("started", syncs=[sync.name for sync in self.service.world.syncs.values()])
        self._timer.start()
        self._timer.add_job(self.run_due, id="due", replace_existing=True)

    def wait(self) -> None:
        """Until the clock is stopped; then until the work at hand has come to its next pause."""
        while self.clock.wait(3600.0):
            pass
        log.info("stopping")
        self._timer.shutdown(wait=True)
        for answer in list(self._asked):
            answer.cancel()
        self.service.close()
        log.info("ended")

    def call(self, wish: Callable[[Service], Answer]) -> Answer:
        """Do something with the service in the thread that owns its connectors.

        Waits for the run at hand. Raises StoppingError where the service ends before.
        """
        answer: Future[Answer] = Future()

        def carry_out() -> None:
            self.heard_at = self.clock.now()
            if not answer.set_running_or_notify_cancel():
                return
            try:
                with self.service.turns.held():
                    answer.set_result(wish(self.service))
            except BaseException as error:
                answer.set_exception(error)

        self._asked.add(answer)
        try:
            if self.clock.is_stopped:
                raise StoppingError
            # the run at hand may take longer than a late start is forgiven otherwise
            self._timer.add_job(carry_out, misfire_grace_time=None)
            return answer.result()
        except CancelledError as error:
            raise StoppingError from error
        finally:
            self._asked.discard(answer)

    def reload(self) -> None:
        """Take the configuration anew, between two runs; one that is invalid is refused whole."""
        self._timer.add_job(self._reload, id="reload", replace_existing=True)

    def take_anew(self) -> None:
        """Take the configuration anew, now; called in the thread that owns the connectors.

        Raises ConfigError, StateError or ConnectorError; the old one stays then.
        """
        self.is_refused = True
        fresh = self._rebuild(self.clock)
        self.is_refused = False
        fresh.listeners = self.service.listeners
        self._adopt(fresh)
        old, self.service = self.service, fresh
        old.close()
        log.info("configuration taken anew", syncs=[s.name for s in fresh.world.syncs.values()])
        self._timer.add_job(self.run_due, id="due", replace_existing=True)

    def _adopt(self, service: Service) -> None:
        for fault in service.config.warnings:
            log.warning("configuration", why=fault.text(service.config.path.name))
        service.store.patience, service.turns.patience = PATIENCE, TURN
        service.world.watch = self._heard  # a first listing may take hours; that is no standstill

    def _heard(self, _stage: str, _source: str, _number: int) -> None:
        self.heard_at = self.clock.now()

    def run_due(self) -> None:
        """Run every sync that is due, in one cycle, and arrange for the next."""
        self.heard_at = self.clock.now()
        due: list[Sync] = []
        try:
            with self.service.turns.held():
                due = self._due()
                if due:
                    self._run(due)
                elif not self.service.is_prepared:
                    self._prepare()
                self.failure = ""
                self._plan_next(due)
        except SQLAlchemyError as error:
            self._failed(due, unusable(error).what)
        except (LeaseTakenError, ConnectorError, StateError) as error:
            self._failed(due, str(getattr(error, "what", "") or type(error).__name__))
        except Exception as error:
            self._failed(due, where(error))
        finally:
            self.heard_at = self.clock.now()

    def _due(self) -> list[Sync]:
        now = self.clock.now()
        with self.service.store.reading() as connection:
            rows = self.service.store.registry.syncs(connection)
        found, strange = [], []
        for sync in self.service.world.syncs.values():
            due_at = rows[sync.name].due_at
            if due_at is None or due_at <= now:
                found.append(sync)
            elif due_at > latest_fire(self.service.config.settings.syncs[sync.name], now):
                strange.append(sync)
        if strange:  # else nothing would run until the day that a wrong clock had named
            names = [sync.name for sync in strange]
            why = "this machine's clock was set back, or the schedule was changed"
            log.warning("planned later than the schedule says, so run now", why=why, syncs=names)
        return found + strange

    def _run(self, due: list[Sync]) -> None:
        self._prepare()
        name = due[0].name if len(due) == 1 else "+".join(sync.name for sync in due)
        run = new_run(self.service.world, name)
        self.service.cycle(due, run)

    def _prepare(self) -> None:
        """Find out who takes part; what keeps work from being done is told when it changes."""
        self.service.prepare()
        out, before = dict(self.service.world.down), self._out
        for instance, why in out.items():
            if before.get(instance) != why:
                log.warning("instance is out", instance=instance, why=why)
        for instance in sorted(before.keys() - out.keys()):
            log.info("instance is back", instance=instance)
        with self.service.store.reading() as connection:
            rows = self.service.store.registry.syncs(connection)
        syncs = self.service.world.syncs.values()
        waiting = [sync.name for sync in syncs if rows[sync.name].released_at is None]
        if waiting and waiting != self._waiting:
            log.warning("nothing is written before crm-sync release", syncs=waiting)
        self._out, self._waiting = out, waiting

    def _plan_next(self, done: list[Sync]) -> None:
        now = self.clock.now()
        moments = {
            sync.name: next_fire(self.service.config.settings.syncs[sync.name], now)
            for sync in done
        }
        self._keep_due(moments)

    def _failed(self, due: list[Sync], why: str) -> None:
        self.failure = why
        log.error("run failed", why=why, syncs=[sync.name for sync in due])
        self._keep_due({sync.name: self.clock.now() + RETRY for sync in due})

    def _keep_due(self, moments: dict[str, datetime]) -> None:
        """Store when each sync is due next, and set the timer to the first of all."""
        registry = self.service.store.registry
        soonest = self.clock.now() + RETRY
        try:
            with self.service.store.transaction() as connection:
                for name, moment in moments.items():
                    registry.save_sync(connection, name, due_at=moment)
                rows = registry.syncs(connection)
            wanted = {sync.name for sync in self.service.world.syncs.values()}
            soonest = min(row.due_at or soonest for row in rows.values() if row.name in wanted)
        except SQLAlchemyError:
            log.error("state cannot be written")
        if not self.clock.is_stopped:
            self._timer.add_job(self.run_due, DateTrigger(soonest), id="due", replace_existing=True)

    def _reload(self) -> None:
        try:
            with self.service.turns.held():
                self.take_anew()
        except ConfigError as error:
            log.error("configuration refused, the old one stays", faults=str(error).splitlines())
        except (StateError, ConnectorError) as error:
            log.error("configuration refused, the old one stays", faults=[error.what])


def next_fire(settings: SyncSettings, now: datetime) -> datetime:
    """When a sync that ran until ``now`` is due again, spread by a little jitter."""
    trigger = trigger_of(settings)
    following: datetime | None = trigger.get_next_fire_time(now, now)
    return following or now


def latest_fire(settings: SyncSettings, now: datetime) -> datetime:
    """The latest moment that a run until ``now``, or before, can have been planned for."""
    if settings.cron is not None:
        return next_fire(settings, now)
    return now + timedelta(seconds=(settings.every or 60) + MOST_JITTER)


def trigger_of(settings: SyncSettings) -> Any:
    """The schedule of a sync, as APScheduler reads it."""
    if settings.cron is not None:
        return CronTrigger.from_crontab(settings.cron, timezone="UTC")
    seconds = settings.every or 60
    jitter = min(seconds // 10, MOST_JITTER) or None
    return IntervalTrigger(seconds=seconds, timezone="UTC", jitter=jitter)
