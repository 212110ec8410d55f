"""Prints a history as a table: its setting, each event with what went wrong in it, the verdict."""

from tests.simulation.events import Event, Fault, Script
from tests.simulation.history import Verdict, run


def tell(script: Script, *, closely: bool = False) -> str:
    """The history as text; ``closely`` with all that was said between engine and systems."""
    said: list[str] = []
    verdict = run(script, table=said)
    setup = script.setup
    lines = [
        f"seed {setup.seed}: {', '.join(setup.names)}; {', '.join(setup.kinds)}; "
        f"fields {', '.join(setup.fields)}; policy {setup.policy}; deletes {setup.deletes}; "
        f"page {setup.page}, batch {setup.batch}, late {setup.late}",
    ]
    lines += said if closely else [line for event in script.events for line in _event(event)]
    return "\n".join([*lines, _verdict(verdict)])


def _event(event: Event) -> list[str]:
    args = ", ".join(f"{name} {value}" for name, value in event.args.items())
    return [f"{event.id:>4}  {event.what:<10} {args}", *map(_fault, event.faults)]


def _fault(fault: Fault) -> str:
    deed = ""
    if fault.deed is not None:
        deed = f": {fault.deed.what} {dict(fault.deed.args)}"
    return f"{'':>12}{fault.id} at {fault.seam} {fault.nth}: {fault.how}{deed}"


def _verdict(verdict: Verdict) -> str:
    if verdict.violation is None:
        return f"holds; trace {verdict.trace}"
    return f"BROKEN {verdict.violation}; trace {verdict.trace}"
