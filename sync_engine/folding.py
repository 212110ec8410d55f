"""Names reduced to what people agree on who spell them differently. Pure."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ß": "ss", "ä": "a", "ö": "o", "ü": "u", "å": "a", "ø": "o", "æ": "ae", "œ": "oe",
        "đ": "d", "ð": "d", "þ": "th", "ł": "l", "\u0131": "i",
    }
)  # fmt: skip
#: Cyrillic by ISO 9 and Greek by ISO 843, without their marks; composed letters come first
_CYRILLIC = dict(
    zip("абвгґдђежзиійјклљмнњопрстћуўфхцчџшыэ",
        ("a", "b", "v", "g", "g", "d", "d", "e", "z", "z", "i", "i", "j", "j", "k", "l", "lj", "m",
         "n", "nj", "o", "p", "r", "s", "t", "c", "u", "u", "f", "h", "c", "c", "dz", "s", "y",
         "e"), strict=True)
) | {"є": "je", "ї": "ji", "ё": "e", "щ": "sc", "ъ": "", "ь": "", "ю": "ju", "я": "ja", "ѓ": "g",
     "ќ": "k", "\u0455": "dz"}  # fmt: skip
_GREEK = dict(zip("αβγδεζηικλμνξοπρστυφχω", "avgdeziiklmnxoprstyfho", strict=True)) | {
    "θ": "th", "ς": "s", "ψ": "ps",
}  # fmt: skip
_ALPHABETS = str.maketrans(_CYRILLIC | _GREEK)
#: two-letter spellings of marked letters, so that Juergen meets Jürgen
_SPELLINGS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("dj", "d"), ("aa", "a"))
#: soft hyphen, zero-width and direction marks, joiners: nobody sees them, so no name differs by one
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LETTERS_ALONE, _LATIN = re.compile(r"[^\W\d_]+"), re.compile("[a-z]")
_WORDS = re.compile(r"[^\w]+|_")
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "ing", "mag", "dipl", "sir", "phd"})
#: what tells father from son at the end of a surname
_GENERATIONS = {
    "jr": "junior", "junior": "junior", "ml": "junior", "sr": "senior", "senior": "senior",
    "st": "senior", "ii": "ii", "iii": "iii", "iv": "iv",
}  # fmt: skip
#: a line for each name: what is short for it, the name itself first
_NICKNAMES = """
robert bob rob bobby robbie bert
william bill will billy willy liam
richard dick rick rich ricky
james jim jimmy jamie
john jack johnny jon
jonathan jonny
joseph joe joey
michael mike mick mickey michel
thomas tom tommy
charles charlie chuck
edward ed eddie ted ned
david dave davy
daniel dan danny
matthew matt
anthony tony
andrew andy drew
alexander alex sasha aleksandar alec
christopher chris kit
nicholas nick nicolas nicky
samuel sam sammy
benjamin ben benny
stephen steve steven stevie
gregory greg
timothy tim timmy
peter pete
philip phil
ronald ron ronnie
donald don donnie
kenneth ken kenny
lawrence larry laurence
leonard len lenny
patrick paddy
raymond ray
frederick fred freddy freddie
gerald gerry jerry
theodore theo teddy
zachary zach zack
vincent vince
walter walt wally
elizabeth liz beth eliza betty lisa lizzie
margaret maggie meg peggy
katherine kate kathy catherine katie kathryn cathy cath katharine katharina
jennifer jen jenny
susan sue susie suzanne
patricia pat patty tricia
rebecca becky becca
victoria vicky tori
deborah deb debbie
barbara barb babs
christine chrissy christina tina
dorothy dot dolly
jacqueline jackie
judith judy
pamela pam
sandra sandy
theresa terry tess
abigail abby
amanda mandy
cynthia cindy
eleanor ellie nell
josip joso jozo
ivan ivo ivica
stjepan stipe stipo
antun ante toni
franjo frano
nikola niko
dragutin drago
tomislav tomo
vladimir vlado
zvonimir zvonko
dubravka dubra
ljubica ljuba
johannes hans johann
friedrich fritz
maximilian max
sebastian basti
wolfgang wolf
heinrich heinz
guenter gunther
giuseppe beppe peppe
francesco franco cecco
luigi gigi
giovanni gianni
francisco paco pancho
jose pepe
ignacio nacho
guadalupe lupe
dolores lola
"""
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
    plain = lowered if lowered.isascii() else _plain(lowered)
    for spelling, letter in _SPELLINGS:
        plain = plain.replace(spelling, letter)
    return " ".join(word for word in _WORDS.split(plain) if word and word not in _TITLES)


_FORMAL = {
    fold(nick): fold(names[0])
    for names in map(str.split, _NICKNAMES.strip().splitlines())
    for nick in names
}


@lru_cache(maxsize=65536)
def surname(text: str) -> str:
    """A last name, folded, without what tells father from son."""
    words = fold(text).split(" ")
    return " ".join(words[:-1] if len(words) > 1 and words[-1] in _GENERATIONS else words)


def _plain(text: str) -> str:
    """Without marks, and in Latin letters."""
    marked = unicodedata.normalize("NFD", _LETTERS_ALONE.sub(_latin, text))
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return _LETTERS_ALONE.sub(_latin, plain)  # Greek ones stood under their accents


def _latin(word: re.Match[str]) -> str:
    """Another alphabet's word; one of several alphabets is no word, but a forgery."""
    return word[0] if _LATIN.search(word[0]) else word[0].translate(_ALPHABETS)


def generation(text: str) -> str:
    """What tells father from son at the end of a last name, in one form; empty: nothing."""
    words = fold(text).split(" ")
    return _GENERATIONS.get(words[-1], "") if len(words) > 1 else ""


@lru_cache(maxsize=65536)
def given(text: str) -> str:
    """A first name, folded, a nickname as the name it is short for."""
    folded = fold(text)
    first = folded.split(" ")[0] if folded else ""
    return _FORMAL.get(first, first)


@lru_cache(maxsize=65536)
def company(name: str) -> str:
    """A company's name without its legal form."""
    words = form_words(name)
    bare = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(bare or words)


def form_words(name: str) -> list[str]:
    """The words of a company's name, folded; the letters of a legal form are one word."""
    squeezed = re.sub(r"\b(\w)\.\s?(?=\w\b)", r"\1", name)  # d.o.o. -> doo.
    return fold(squeezed).split(" ")


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """What is left of a word when its vowels and doubled or confusable letters go."""
    folded = fold(word).replace(" ", "")
    for spelling, letter in (
        ("ph", "f"), ("ck", "k"), ("sch", "s"), ("tch", "k"), ("sh", "s"), ("th", "t"),
        ("ch", "k"), ("kh", "h"), ("zh", "z"), ("tz", "z"), ("cz", "z"), ("sz", "s"), ("dt", "t"),
    ):  # fmt: skip
        folded = folded.replace(spelling, letter)
    folded = folded.translate(_ALIKE)
    found = folded[:1]
    for letter in folded[1:]:
        if letter not in "aeiouh" and letter != found[-1:]:
            found += letter
    return found


def shortens(left: str, right: str) -> bool:
    """Whether one of two words may be short for the other: Tea, Dorotea; Ben, Bernhard."""
    short, long = sorted((left, right), key=len)
    if len(short) < 3 or short in long:
        return len(short) > 2
    letters = iter(long)
    return short[0] == long[0] and all(letter in letters for letter in short)


def near(left: str, right: str) -> bool:
    """Whether one slip of a finger may be all that lies between two words."""
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= 0.66
