"""Faults that a test plans: an answer without work, work without an answer, or a long silence."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """One plan: which requests it meets, how often, and what becomes of them."""

    method: str
    path: re.Pattern[str]
    effect: dict[str, Any]
    times: int = 1
    skip: int = 0
    fired: int = 0
    #: set when it has fired; what is held waits on ``lifted``
    happened: threading.Event = field(default_factory=threading.Event)
    lifted: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The plans of one server."""

    def __init__(self) -> None:
        self._plans: dict[int, Fault] = {}
        self._lock = threading.Lock()

    def add(self, plan: dict[str, Any]) -> int:
        fault = Fault(
            plan.get("method", ""),
            re.compile(plan.get("path", "")),
            plan["effect"],
            plan.get("times", 1),
            plan.get("skip", 0),
        )
        with self._lock:
            number = max(self._plans, default=0) + 1
            self._plans[number] = fault
        return number

    def meet(self, method: str, path: str) -> Fault | None:
        """The plan that this request meets, now used up by one."""
        with self._lock:
            for fault in self._plans.values():
                if fault.method not in ("", method) or not fault.path.search(path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                elif fault.fired < fault.times:
                    fault.fired += 1
                    return fault
        return None

    def wait(self, number: int, seconds: float) -> int:
        """How often the plan has fired, as soon as it has."""
        fault = self._plans[number]
        fault.happened.wait(seconds)
        return fault.fired

    def clear(self) -> None:
        with self._lock:
            for fault in self._plans.values():
                fault.lifted.set()
            self._plans.clear()
