"""The admin API: a route for what each command does; answers are the shapes of ``--json``.

What uses connectors, or makes row ids, waits for the run at hand (``Daemon.call``): both
belong to one thread. What only reads the state, and what must work at once (pause, resume,
release), is answered beside it.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Security
from fastapi.security import HTTPBearer

from sync_engine import operations
from sync_engine.operations.shapes import (
    Decision,
    Explanation,
    History,
    Identity,
    InstanceCheck,
    IssueDetail,
    IssueGroup,
    Plan,
    Rebound,
    Released,
    Reloaded,
    Resolution,
    RunLine,
    RunReport,
    Status,
    Switched,
)
from sync_engine.service import Daemon, Service
from sync_engine.web.errors import PROBLEMS
from sync_engine.web.requests import (
    Answer,
    FieldAsked,
    GroupAnswer,
    IssuesAsked,
    MomentAsked,
    One,
    Pair,
    RecordAsked,
    ResyncWanted,
    RunsAsked,
    RunWanted,
)

Number = Annotated[int, Path(ge=1, lt=2**63)]
Name = Annotated[str, Path(max_length=63)]
RecordId = Annotated[str, Path(min_length=1, max_length=500)]


def admin_api(daemon: Daemon) -> APIRouter:
    # the guard asks for the token; here it is named for the document
    bearer = HTTPBearer(auto_error=False, description="CRM_SYNC_ADMIN_TOKEN")
    api = APIRouter(prefix="/api", dependencies=[Security(bearer)], responses=PROBLEMS)
    _looking(api, daemon)
    _records(api, daemon)
    _issues(api, daemon)
    _deciding(api, daemon)
    _running(api, daemon)
    _switching(api, daemon)
    return api


def _looking(api: APIRouter, daemon: Daemon) -> None:
    @api.get("/status")
    def status() -> Status:
        """How things stand, from the state alone."""
        return operations.status(daemon.service)

    @api.get("/runs")
    def runs(asked: Annotated[RunsAsked, Query()]) -> list[RunLine]:
        """The newest runs that changed something, newest first."""
        return operations.runs(daemon.service, asked.limit)

    @api.post("/check")
    def check() -> list[InstanceCheck]:
        """Ask every system whether it can work as configured."""
        return daemon.call(operations.check)

    @api.post("/reload")
    def reload() -> Reloaded:
        """Read the configuration anew; one that cannot be used is refused whole."""
        daemon.call(lambda _old: daemon.take_anew())
        service = daemon.service
        return Reloaded(
            instances=list(service.connectors),
            syncs=[sync.name for sync in service.world.syncs.values()],
        )


def _records(api: APIRouter, daemon: Daemon) -> None:
    @api.get("/records/{instance}/{record:path}/history")
    def history(
        instance: Name, record: RecordId, asked: Annotated[RecordAsked, Query()]
    ) -> History:
        """Everything that happened to a person or company; holds people's values."""
        return operations.history(daemon.service, _named(instance, asked, record))

    @api.get("/records/{instance}/{record:path}/identity")
    def identity(
        instance: Name, record: RecordId, asked: Annotated[MomentAsked, Query()]
    ) -> Identity:
        """Which records were one person or company at a moment, or at the end of a day."""
        return operations.identity(daemon.service, _named(instance, asked, record), asked.at)

    @api.get("/records/{instance}/{record:path}/explanation")
    def explanation(
        instance: Name, record: RecordId, asked: Annotated[FieldAsked, Query()]
    ) -> Explanation:
        """Why each value is what it is, and where the person is; holds people's values."""
        named = _named(instance, asked, record)
        return operations.explain(daemon.service, named, asked.field)


def _named(instance: str, asked: RecordAsked, record: str) -> str:
    place = f"{instance}/{asked.object_name}" if asked.object_name else instance
    return f"{place}:{record}"


def _issues(api: APIRouter, daemon: Daemon) -> None:
    @api.get("/issues")
    def issues(asked: Annotated[IssuesAsked, Query()]) -> list[IssueGroup]:
        """What waits for a person, grouped by cause; or what was put off."""
        return operations.grouped(daemon.service, later=asked.later)

    @api.get("/issues/export")
    def export() -> list[IssueDetail]:
        """Every open issue whole; holds people's values."""
        return operations.exported(daemon.service)

    @api.get("/issues/{number}")
    def issue(number: Number) -> IssueDetail:
        """One issue with its records side by side; holds people's values."""
        return operations.shown(daemon.service, number)

    @api.post("/issues/resolve")
    def resolve_group(said: GroupAnswer) -> list[Resolution]:
        """Answer all issues of a sort alike; without ``carry_out`` only show what that does."""
        return daemon.call(
            lambda service: operations.resolve_group(
                service, said.what, said.cause, said.verdict, said.by, carry_out=said.carry_out
            )
        )

    @api.post("/issues/{number}/resolve")
    def resolve(number: Number, said: Answer) -> Resolution:
        """Answer one issue; decisions last and survive a resync."""
        return daemon.call(
            lambda service: operations.resolve(service, number, said.verdict, said.by)
        )

    @api.post("/issues/{number}/retry")
    def retry(number: Number) -> Resolution:
        """Try a refused or parked write once more, with the next cycle."""
        return daemon.call(lambda service: operations.retry(service, number))


def _deciding(api: APIRouter, daemon: Daemon) -> None:
    @api.post("/link")
    def link(pair: Pair) -> Resolution:
        """Two records are one person or company, for good."""
        return daemon.call(lambda s: operations.link(s, pair.left, pair.right, pair.by))

    @api.post("/keep-apart")
    def keep_apart(pair: Pair) -> Resolution:
        """Two records are never one; they are parted if they were."""
        return daemon.call(lambda s: operations.keep_apart(s, pair.left, pair.right, pair.by))

    @api.get("/decisions")
    def decisions() -> list[Decision]:
        """What people have decided of records: ids, no values."""
        return operations.decisions(daemon.service)

    @api.post("/unlink")
    def unlink(one: One) -> Resolution:
        """Leave a record alone from now on; nothing is created in its place."""
        return daemon.call(lambda s: operations.unlink(s, one.record, one.by))


def _running(api: APIRouter, daemon: Daemon) -> None:
    @api.post("/syncs/{name}/run")
    def run(name: Name, wish: RunWanted | None = None) -> RunReport:
        """One cycle now; a first one stops before its first write unless ``yes``."""

        def carry_out(service: Service) -> RunReport:
            operations.known_sync(service.world, name)
            service.prepare()
            if wish is not None and wish.yes:
                for waiting in operations.unreleased(service, name):
                    service.release(waiting)
            return operations.of_run(service, service.sync(name), name)

        return daemon.call(carry_out)

    @api.post("/syncs/{name}/plan")
    def plan(name: Name) -> Plan:
        """Every write that the sync would make now; holds people's values."""

        def rehearse(service: Service) -> Plan:
            operations.known_sync(service.world, name)
            service.prepare()
            return operations.plan(service, name)

        return daemon.call(rehearse)

    @api.post("/syncs/{name}/resync")
    def resync(name: Name, wish: ResyncWanted) -> Plan:
        """Read records again and put right what differs; holds people's values."""

        def carry_out(service: Service) -> Plan:
            operations.known_sync(service.world, name)
            operations.known_instance(service.connectors, wish.prefer)
            return operations.resync(
                service, name, wish.wanted, prefer=wish.prefer, dry_run=wish.dry_run
            )

        return daemon.call(carry_out)

    @api.post("/syncs/{name}/release")
    def release(name: Name) -> Released:
        """Let a sync write after its first report or a stop of its guard, once."""
        operations.known_sync(daemon.service.world, name)
        return Released(sync=name, changes=operations.release(daemon.service, name) or {})


def _switching(api: APIRouter, daemon: Daemon) -> None:
    @api.post("/syncs/{name}/pause")
    def pause_sync(name: Name) -> Switched:
        """No writes for the sync's kind until it is resumed; reading goes on."""
        operations.known_sync(daemon.service.world, name)
        daemon.service.pause(sync=name)
        return Switched(name=name, state="paused")

    @api.post("/syncs/{name}/resume")
    def resume_sync(name: Name) -> Switched:
        """Let a paused sync go on."""
        operations.known_sync(daemon.service.world, name)
        daemon.service.resume(sync=name)
        return Switched(name=name, state="active")

    @api.post("/instances/{name}/pause")
    def pause_instance(name: Name) -> Switched:
        """No traffic with the instance from its next run on, until it is resumed."""
        operations.known_instance(daemon.service.connectors, name)
        daemon.service.pause(instance=name)
        return Switched(name=name, state="paused")

    @api.post("/instances/{name}/resume")
    def resume_instance(name: Name) -> Switched:
        """Let a paused instance go on."""
        operations.known_instance(daemon.service.connectors, name)
        daemon.service.resume(instance=name)
        return Switched(name=name, state="active")

    @api.post("/instances/{name}/rebind")
    def rebind(name: Name) -> Rebound:
        """Accept the instance's present organization for the one it was linked with."""
        operations.known_instance(daemon.service.connectors, name)
        checked = daemon.call(lambda service: service.rebind(name))
        return Rebound(instance=name, organization=checked.name, organization_id=checked.identity)
