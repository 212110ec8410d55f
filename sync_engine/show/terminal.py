"""The terminal, to which a value of a system is text and nothing else."""

import os
import re
from typing import Any

from rich.console import Console
from rich.text import Text

#: what moves the cursor, colours, or turns the order of what follows it
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

#: columns of a pipe or file: there whoever reads breaks lines, and looks for whole ids
_PIPED = 400


class Terminal(Console):
    """Shows brackets as brackets, and control characters by their number."""

    def __init__(self) -> None:
        super().__init__(markup=False, highlight=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = _PIPED

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(_seen(text), **how)

    def on_broken_pipe(self) -> None:
        """What a closed pipe means is for the command line to say."""
        raise BrokenPipeError

    def head(self, words: str, rest: str = "", *, style: str = "bold", wrap: bool = True) -> None:
        """A line that begins with strong words; without ``wrap`` it can be copied whole."""
        self.print(Text.assemble((_seen(words), style), _seen(rest)), soft_wrap=not wrap)


def _seen(text: str) -> str:
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
