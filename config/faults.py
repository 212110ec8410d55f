"""What is wrong in a configuration file, and where.

No text here repeats a value of the file: it may be a secret, or stand where one was meant.
Keys are told, and so is what would be valid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the file; at line 0 it concerns the file itself."""

    line: int
    column: int
    what: str
    remedy: str = ""

    def text(self, file: str) -> str:
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        end = f"; {self.remedy}" if self.remedy else ""
        return f"{place}: {self.what}{end}"


class ConfigError(Exception):
    """The configuration cannot be used; ``faults`` say where and why."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(fault.text(file) for fault in faults))
        self.file, self.faults = file, tuple(faults)


def suggestion(given: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, else all of them."""
    words = list(known)
    near = get_close_matches(given, words, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are: {', '.join(sorted(words))}" if words else ""
