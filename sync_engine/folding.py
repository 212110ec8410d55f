"""Names reduced to what people agree on who spell them differently. Pure."""

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ß": "ss", "ä": "a", "ö": "o", "ü": "u", "å": "a", "ø": "o", "æ": "ae", "œ": "oe",
        "đ": "d", "ð": "d", "þ": "th", "ł": "l", "\u0131": "i",
    }
)  # fmt: skip
#: two-letter spellings of marked letters, so that Juergen meets Jürgen
_SPELLINGS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("dj", "d"), ("aa", "a"))
#: soft hyphen, zero-width and direction marks, joiners: nobody sees them, so no name differs by one
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_WORDS = re.compile(r"[^\w]+|_")
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "ing", "mag", "dipl", "sir", "jr", "sr", "phd"}
)
_NICKNAMES = (
    ("robert", "bob", "rob", "bobby", "robbie"),
    ("william", "bill", "will", "billy", "liam"),
    ("richard", "dick", "rick", "rich"),
    ("james", "jim", "jimmy", "jamie"),
    ("john", "jack", "johnny"),
    ("joseph", "joe", "joey"),
    ("michael", "mike", "mick", "mickey"),
    ("thomas", "tom", "tommy"),
    ("charles", "charlie", "chuck"),
    ("edward", "ed", "eddie", "ted", "ned"),
    ("david", "dave", "davy"),
    ("daniel", "dan", "danny"),
    ("matthew", "matt"),
    ("anthony", "tony"),
    ("andrew", "andy", "drew"),
    ("alexander", "alex", "sasha", "aleksandar"),
    ("christopher", "chris", "kit"),
    ("nicholas", "nick", "nicolas"),
    ("samuel", "sam", "sammy"),
    ("benjamin", "ben", "benny"),
    ("elizabeth", "liz", "beth", "eliza", "betty", "lisa"),
    ("margaret", "maggie", "meg", "peggy"),
    ("katherine", "kate", "kathy", "catherine", "katie", "kathryn"),
    ("jennifer", "jen", "jenny"),
    ("susan", "sue", "susie"),
    ("patricia", "pat", "patty", "tricia"),
    ("rebecca", "becky"),
    ("victoria", "vicky", "tori"),
    ("josip", "joso"),
    ("ivan", "ivo"),
    ("johannes", "hans", "johann"),
    ("friedrich", "fritz"),
    ("giuseppe", "beppe"),
    ("francisco", "paco", "pancho"),
)  # fmt: skip
_FORMAL = {nick: names[0] for names in _NICKNAMES for nick in names}

_ALIKE = str.maketrans("cqwyvgz", "kkfifks")

_LEGAL_FORMS = frozenset(
    {
        "inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc",
        "llp", "plc", "gmbh", "ag", "kg", "ohg", "ug", "mbh", "sa", "sas", "sarl", "srl", "spa",
        "bv", "nv", "oy", "ab", "as", "aps", "doo", "dd", "jdoo", "obrt", "kft", "zrt", "sro",
        "pty", "group", "holding", "the", "and", "und", "i",
    }
)  # fmt: skip


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, without marks, points and titles; words joined by one blank."""
    lowered = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).casefold().translate(_LETTERS)
    marked = unicodedata.normalize("NFD", lowered)
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    for spelling, letter in _SPELLINGS:
        plain = plain.replace(spelling, letter)
    return " ".join(word for word in _WORDS.split(plain) if word and word not in _TITLES)


@lru_cache(maxsize=65536)
def given(text: str) -> str:
    """A first name, folded, a nickname as the name it is short for."""
    folded = fold(text)
    first = folded.split(" ")[0] if folded else ""
    return _FORMAL.get(first, first)


@lru_cache(maxsize=65536)
def company(name: str) -> str:
    """A company's name without its legal form."""
    squeezed = re.sub(r"\b(\w)\.\s?(?=\w\b)", r"\1", name)  # d.o.o. -> doo.
    words = fold(squeezed).split(" ")
    bare = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(bare or words)


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """What is left of a word when its vowels and doubled or confusable letters go."""
    folded = fold(word).replace(" ", "")
    for spelling, letter in (
        ("ph", "f"), ("ck", "k"), ("sch", "s"), ("sh", "s"), ("th", "t"), ("ch", "k"),
        ("tz", "z"), ("cz", "z"), ("dt", "t"),
    ):  # fmt: skip
        folded = folded.replace(spelling, letter)
    folded = folded.translate(_ALIKE)
    found = folded[:1]
    for letter in folded[1:]:
        if letter not in "aeiouh" and letter != found[-1:]:
            found += letter
    return found
