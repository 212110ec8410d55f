"""The fault catalogue: which fault strikes at which seam, and in which ways.

Seams are crossings that both the real and the simulated engine make: a COMMIT of the store, a
read of a system, a write to it. Faults that are somebody's deed at such a moment (F10, F11,
F17, F21) carry it as an event; those that stand in the list of events themselves have no seam.
"""

from collections import Counter
from collections.abc import Sequence

from tests.simulation.events import Fault

#: fault -> seam -> its ways
WAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "F1": {"commit": ("crash before", "crash after")},
    "F2": {"write": ("crash unsent", "crash applied"), "read": ("crash unread", "crash read")},
    "F3": {"write": ("lost", "applied", "edited", "edited", "later", "later"), "read": ("lost",)},
    "F4": {"write": ("reset", "html"), "read": ("reset", "html")},
    "F5": {
        "write": ("429", "429 for ever", "503", "500 applied"),
        "read": ("429", "429 for ever", "503"),
    },
    "F6": {"write": ("some", "none", "short", "locked", "landed locked")},
    "F7": {"write": ("401", "401 half", "403 field"), "read": ("401",)},
    "F8": {"read": ("expired", "replayed", "foreign")},
    "F10": {"read": ("deed",), "write": ("deed",)},
    "F11": {"write": ("deed", "window", "echo")},
    "F12": {"read": ("forward", "back")},
    "F13": {"read": ("beside", "past lease"), "write": ("beside", "past lease")},
    "F14": {"commit": ("busy", "full", "unknown")},
    "F17": {"read": ("deed",), "write": ("deed",)},
    "F18": {"read": ("cut",), "write": ("truncated",)},
    "F21": {"read": ("deed",), "write": ("deed",)},
}
#: what stands among the events: hints, restores, mappings, permissions, masses
EVENTS = ("F9", "F15", "F16", "F19", "F20")
ALL = tuple(f"F{number}" for number in range(1, 22))
RATES = (0.005, 0.05, 0.2)  #: rare, medium, storm
#: how often an event may cross a seam, as far as faults are planned
CROSSINGS = {"commit": 30, "read": 14, "write": 6}


class Faults:
    """The faults planned for the event at hand, and how often each has struck."""

    def __init__(self) -> None:
        self.fired: Counter[str] = Counter()
        self._crossed: Counter[str] = Counter()
        self._planned: dict[tuple[str, int], Fault] = {}
        self.are_off = False  #: while a process starts

    def begin(self, planned: Sequence[Fault]) -> None:
        self._crossed.clear()
        self._planned = {(one.seam, one.nth): one for one in planned}

    def end(self) -> None:
        self._planned = {}

    def cross(self, seam: str) -> Fault | None:
        """What strikes at this crossing."""
        if self.are_off:
            return None
        self._crossed[seam] += 1
        found = self._planned.pop((seam, self._crossed[seam]), None)
        if found is not None:
            self.fired[found.id] += 1
        return found
