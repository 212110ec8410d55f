"""What stands where a value is due and none is known (practice 1.1). Pure.

Where a side shares no base with golden, such a value is as empty. A flag, a choice, a code of a
country or a language has none: there ``no`` is an answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sync_engine.identifiers import SHIPPED, NoKeys

#: as they are compared: without brackets and quotes around them, in lower case
WORDS = frozenset(
    {
        "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "?", "??", "???", "_", "/", "n/a",
        "n.a.", "n.a", "not available", "not provided", "not specified", "not known", "no name",
        "no email", "no e-mail", "no phone", "none", "null", "undefined", "unknown", "tbd", "tba",
        "xx", "xxx", "xxxx", "xxxxx", "unbekannt", "k.a.", "keine angabe", "nepoznato", "inconnu",
        "desconocido", "sconosciuto",
    }
)  # fmt: skip
#: of these words people bear some as names, so in names they are values
NAMES = frozenset({"first_name", "middle_name", "last_name"})
BORNE = frozenset({"null", "none"})
#: days that systems put where none is known; 1970-01-01 is a birthday too
DAYS = frozenset({"0001-01-01", "1753-01-01", "1900-01-01", "9999-12-31"})
_AROUND = " []()<>{}\"'`#"
_LONGEST = 200  #: a longer text is somebody's words
_DIGITS = 6  #: of a number that is one digit over and over


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Those of one golden field."""

    form: str
    words: frozenset[str] = WORDS | DAYS
    no: NoKeys = SHIPPED

    def with_more(self, words: Iterable[str] = (), without: Iterable[str] = ()) -> "Placeholders":
        """These and more, without some."""
        more, gone = ({_bare(word) for word in several} for several in (words, without))
        return replace(self, words=(self.words | more) - gone)

    def holds(self, value: Any) -> bool:
        """Whether a golden value stands for none."""
        if self.form == "address":
            return self._is_no_address(value)
        if not isinstance(value, str) or len(value) > _LONGEST:
            return False
        if _bare(value) in self.words:
            return True
        if self.form == "email":
            return self.no.is_placeholder_email(value)
        if self.form == "phone":
            digits = [one for one in value if one.isalnum()]
            return len(digits) >= _DIGITS and len(set(digits)) == 1
        return self.form == "domain" and value in self.no.placeholder_domains

    def _is_no_address(self, value: Any) -> bool:
        """An address is none if no part of it says anything."""
        parts = [part for part in value.values() if part] if isinstance(value, dict) else []
        return bool(parts) and all(_bare(part) in self.words for part in parts)


def _bare(text: str) -> str:
    return text.strip(_AROUND).casefold() or text
