"""What was asked and changed, and the control face for tests and the demo.

The face acts as people of the account do, moves the clock and plans faults; it is served
with ``--control`` only.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from profiles.errors import Refusal
from profiles.merging import merge
from profiles.store import Store

if TYPE_CHECKING:
    from profiles.app import PeopleApi


@dataclass(slots=True)
class Journal:
    """Calls and writes since the last reset; kept for the control face only."""

    kept: bool
    calls: list[dict[str, Any]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)
    by: str = "api"

    def call(self, method: str, path: str, status: int) -> None:
        if not self.kept:
            return
        self.calls.append(
            {"n": len(self.calls) + 1, "method": method, "path": path, "status": status}
        )

    def write(self, name: str, number: int, action: str, fields: Iterable[str]) -> None:
        if not self.kept:
            return
        self.writes.append(
            {
                "n": len(self.writes) + 1,
                "object": name,
                "id": str(number),
                "action": action,
                "fields": sorted(fields),
                "by": self.by,
            }
        )

    def changed(self, name: str, number: int, fields: list[str]) -> None:
        if fields:
            self.write(name, number, "update", fields)


@dataclass(slots=True)
class Fault:
    method: str
    path: re.Pattern[str]
    effect: dict[str, Any]
    times: int
    skip: int = 0  #: requests that pass before the first is met
    fired: int = 0
    happened: threading.Event = field(default_factory=threading.Event)
    lifted: threading.Event = field(default_factory=threading.Event)


class Control:
    """The control face of one store."""

    def __init__(self, store: Store, api: "PeopleApi", journal: Journal) -> None:
        self._store, self._api, self._journal = store, api, journal
        self._faults: list[Fault] = []
        self.routes = [
            Route("/_control/{what:path}", self._answer, methods=["GET", "POST", "DELETE"])
        ]

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """The application with planned faults in front."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self._meet(scope)
            if fault is None:
                await app(scope, receive, send)
                return
            if "status" in fault.effect:
                fault.happened.set()
                planned = JSONResponse(
                    fault.effect.get("body", {}),
                    fault.effect["status"],
                    fault.effect.get("headers"),
                )
                await planned(scope, receive, send)
                return
            if fault.effect.get("drop") != "before":
                await app(scope, receive, _swallow)
            fault.happened.set()
            if "hold" in fault.effect:
                await run_in_threadpool(fault.lifted.wait)
            # in the middle of an answer: before one begins, uvicorn would answer 500
            length = [(b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            raise ConnectionResetError("planned")

        return guarded

    def _meet(self, scope: Scope) -> Fault | None:
        if scope["type"] != "http" or scope["path"].startswith("/_control/"):
            return None
        for fault in self._faults:
            fits = fault.method in ("", scope["method"]) and fault.path.search(scope["path"])
            if fits and fault.skip:
                fault.skip -= 1
            elif fits and fault.fired < fault.times:
                fault.fired += 1
                return fault
        return None

    async def _answer(self, request: Request) -> Response:
        given = await request.json() if await request.body() else {}
        try:
            return JSONResponse(await run_in_threadpool(self._do, request, given))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    def _do(self, request: Request, given: dict[str, Any]) -> Any:
        what = request.path_params["what"]
        if what == "act":
            return {"results": [self._act(act) for act in given["acts"]]}
        if what == "counts":
            ours = Counter(w["action"] for w in self._journal.writes if w["by"] == "api")
            return {"calls": len(self._journal.calls), "writes": dict(sorted(ours.items()))}
        if what == "journal":
            since = int(request.query_params.get("since", 0))
            writes = [w for w in self._journal.writes if w["n"] > since]
            return {
                "next": len(self._journal.writes),
                "calls": self._journal.calls,
                "writes": writes,
            }
        if what == "records":
            return {"records": self._records(request.query_params["object"])}
        if what == "clock":
            self._store.offset += timedelta(seconds=given["advance"])
            return {"now": self._store.now()}
        if what == "switches":
            self._store.switches = replace(self._store.switches, **given)
            return asdict(self._store.switches)
        if what == "reset":
            self._lift()
            self._store.reset()
            self._journal.calls.clear()
            self._journal.writes.clear()
            return {}
        return self._plan(request, what, given)

    def _plan(self, request: Request, what: str, given: dict[str, Any]) -> Any:
        if what == "faults" and request.method == "DELETE":
            self._lift()
            return {}
        if what == "faults":
            self._faults.append(
                Fault(
                    given.get("method", ""),
                    re.compile(given.get("path", "")),
                    given["effect"],
                    given.get("times", 1),
                    given.get("skip", 0),
                )
            )
            return {"id": len(self._faults)}
        fault = self._faults[int(what.removeprefix("faults/")) - 1]
        fault.happened.wait(float(request.query_params.get("wait", 0)))
        return {"fired": fault.fired}

    def _lift(self) -> None:
        for fault in self._faults:
            fault.lifted.set()
        self._faults.clear()

    def _records(self, name: str) -> list[dict[str, Any]]:
        things = self._things(name)
        with self._store.transaction() as db:
            return list(things.page(db, 100_000, 1, "createdAt:asc"))

    def _things(self, name: str) -> Any:
        return self._api.persons.persons if name == "person" else self._api.companies.companies

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        self._journal.by = "person"
        try:
            with self._store.transaction("PORTAL") as db:
                return {"id": str(self._carry_out(db, act))}
        except Refusal as refusal:
            return {"error": f"{refusal.code}: {refusal.message}"}
        finally:
            self._journal.by = "api"

    def _carry_out(self, db: Any, act: dict[str, Any]) -> int:
        name, action = act["object"], act["action"]
        things = self._things(name)
        number = int(things.create(db, act["values"])) if action == "create" else int(act["id"])
        if action == "update":
            # in the portal a person sees and edits a whole set of addresses or domains
            values = dict(act["values"])
            if "contactInformation" in values:
                told = {"contactInformation": values.pop("contactInformation")}
                things.replace_contacts(db, number, told)
            whole = {"replace_domains": True} if name == "company" else {}
            things.update(db, number, values, **whole)
        elif (name, action) == ("person", "integrate"):
            things.integrate(db, number, act["values"])
        elif action == "delete":
            things.delete(db, number)
        elif (name, action) == ("person", "convert"):
            things.update(db, number, {"type": "CUSTOMER"})
        elif (name, action) == ("person", "merge"):
            number = merge(self._store, db, [number, *map(int, act["losers"])])
        elif action != "create":
            raise Refusal(40001, f"nobody can {action} a {name}")
        self._journal.write(name, number, action, act.get("values", {}))
        return number


async def _swallow(_message: Message) -> None:
    """The answer that nobody gets."""
