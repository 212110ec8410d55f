"""The control face, for tests and the demo: act as a person, look at the journal, plan faults.

Wraps a vendor's application: requests below ``/_control`` are answered here, all others
go to the vendor, are written to the journal and may meet a planned fault.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from connectors.simulators.clock import ServerClock
from connectors.simulators.faults import Fault, Faults
from connectors.simulators.journal import Journal

TOKEN_PATHS = ("/oauth2/", "/.well-known/")  #: not counted as API calls


class ActError(Exception):
    """A person may not do that."""


class World(Protocol):
    """What a vendor's application lets its people do."""

    clock: ServerClock
    journal: Journal
    switches: dict[str, Any]

    def reset(self) -> None: ...

    def act(self, act: dict[str, Any]) -> dict[str, Any]: ...

    def records(self, name: str) -> list[dict[str, Any]]: ...

    def expire_tokens(self) -> None: ...


@dataclass(slots=True)
class Control:
    """The ASGI application around a vendor's."""

    vendor: Callable[[Scope, Receive, Send], Awaitable[None]]
    world: World
    faults: Faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith("/_control/"):
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        fault = self.faults.meet(method, path)
        if fault is not None and "status" in fault.effect:
            fault.happened.set()
            await _planned(fault)(scope, receive, send)
            self._note(method, path, fault.effect["status"])
            return
        if fault is not None and fault.effect.get("drop") == "before":
            fault.happened.set()
            await _cut(send)
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.vendor(scope, receive, keep)
        self._note(method, path, answer[0]["status"])
        if fault is not None:
            fault.happened.set()
            if fault.effect.get("hold") == "after":
                await run_in_threadpool(fault.lifted.wait)
            if fault.effect.get("drop") == "after" or "hold" in fault.effect:
                await _cut(send)
        for message in answer:
            await send(message)

    def _note(self, method: str, path: str, status: int) -> None:
        if not any(part in path for part in TOKEN_PATHS):
            self.world.journal.call(method, path, status)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        given = json.loads(body) if body else {}
        what = request.url.path.removeprefix("/_control/")
        try:
            return JSONResponse(await run_in_threadpool(self._do, request, what, given))
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    def _do(self, request: Request, what: str, given: dict[str, Any]) -> Any:
        if what == "act":
            return {"results": [self._act(act) for act in given["acts"]]}
        if what == "records":
            return {"records": self.world.records(request.query_params["object"])}
        if what == "journal":
            return self.world.journal.since(int(request.query_params.get("since", 0)))
        if what == "counts":
            return self.world.journal.counts()
        if what == "clock":
            self.world.clock.advance(given["advance"])
            return {"now": self.world.clock.now().isoformat()}
        if what == "switches":
            unknown = set(given) - set(self.world.switches)
            if unknown:
                raise ValueError(f"no switch {', '.join(sorted(unknown))}")
            self.world.switches |= given
            return self.world.switches
        return self._plan(request, what, given)

    def _plan(self, request: Request, what: str, given: dict[str, Any]) -> Any:
        if what == "tokens/expire":
            self.world.expire_tokens()
            return {}
        if what == "reset":
            self.faults.clear()
            self.world.reset()
            return {}
        if what == "faults" and request.method == "DELETE":
            self.faults.clear()
            return {}
        if what == "faults":
            return {"id": self.faults.add(given)}
        number = int(what.removeprefix("faults/"))
        return {"fired": self.faults.wait(number, float(request.query_params.get("wait", 0)))}

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.world.act(act)
        except ActError as error:
            return {"error": str(error)}


async def _cut(send: Send) -> None:
    """Break the connection in the middle of an answer; before one begins, uvicorn answers 500."""
    head: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"1000")],
    }
    await send(head)
    raise ConnectionResetError("planned")


def _planned(fault: Fault) -> Response:
    body = fault.effect.get("body", "")
    headers = fault.effect.get("headers", {})
    if isinstance(body, str):
        return Response(body, fault.effect["status"], headers)
    return JSONResponse(body, fault.effect["status"], headers)
