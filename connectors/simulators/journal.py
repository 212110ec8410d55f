"""What was asked of a server and what it changed, for assertions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Journal:
    calls: list[dict[str, Any]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, path: str, status: int) -> None:
        self.calls.append(
            {"n": len(self.calls) + 1, "method": method, "path": path, "status": status}
        )

    def write(self, name: str, number: str, action: str, fields: Iterable[str], by: str) -> None:
        self.writes.append(
            {
                "n": len(self.writes) + 1,
                "object": name,
                "id": number,
                "action": action,
                "fields": sorted(fields),
                "by": by,
            }
        )

    def since(self, number: int) -> dict[str, Any]:
        return {
            "next": len(self.writes),
            "calls": self.calls,
            "writes": [write for write in self.writes if write["n"] > number],
        }

    def counts(self) -> dict[str, Any]:
        """API calls, and writes by the API; people's are not counted."""
        ours = Counter(write["action"] for write in self.writes if write["by"] == "api")
        return {"calls": len(self.calls), "writes": dict(sorted(ours.items()))}

    def clear(self) -> None:
        self.calls.clear()
        self.writes.clear()
