"""Normal forms of golden values, and how a native system writes them. Pure.

``normal`` takes what a system holds to the one form in which values are compared;
``native`` writes that form the way a side likes it. Text that has no normal form (an e-mail
that is none) stays as it is, trimmed: nothing is lost, it is only no match key. What is no
value of its form at all (a date that no calendar has, a thousand with a comma) is UNSET: no
news, and written nowhere.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import pycountry
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from sync_engine.owners import word_of
from sync_engine.phones import e164
from sync_engine.values import UNSET

_BLANKS = re.compile(r"\s+")
_LINES = re.compile(r"\r\n?")
#: control characters and noncharacters, which XML and so Dataverse refuses (powerapps-docs,
#: invalidcharactersinfield), zero-width marks and the byte order mark; tab and newline stay, and
#: the joiners that emoji and Persian are written with
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff]")
_HALVES = re.compile("[\ud800-\udfff]")  #: of a character: JSON can hold one, UTF-8 cannot
LONGEST = 1_000_000  #: characters of a value; no standard field of the systems holds more
_WHOLE = re.compile(r"([+-]?[0-9]{1,10})(?:\.0*)?")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")
DECIMALS = 10
_CURRENCY = re.compile("[A-Z]{3}")
_MOST = 2**31 - 1  #: of a whole number: Salesforce's int and Dataverse's have 32 bits

#: an address of which the library would change the case alone, as nearly all are; at most 64 long
_PLAIN_EMAIL = re.compile(
    r"[\w+-]+(?:\.[\w+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,})", re.ASCII | re.IGNORECASE
)
_RESERVED = frozenset(domain.split(".")[-1] for domain in SPECIAL_USE_DOMAIN_NAMES)


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of golden value."""

    name: str
    normal: Callable[[Any, str | None], Any]  #: native value, default region -> golden value
    native: Callable[[Any, str | None], Any]  #: golden value, style -> native value


def _line(value: Any) -> str:
    plain = str(value)
    # printable ASCII has no marks, no unseen characters and no blank but the space
    if plain.isascii() and plain.isprintable() and "  " not in plain:
        return plain.strip()
    return _BLANKS.sub(" ", _legible(plain)).strip()


def _legible(text: str) -> str:
    return _UNSEEN.sub("", _HALVES.sub("\ufffd", unicodedata.normalize("NFC", text)))


def _text(value: Any, _region: str | None) -> str | None:
    return _line(value) or None


def _multiline(value: Any, _region: str | None) -> str | None:
    text = _legible(_LINES.sub("\n", str(value)))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip() or None


def _email(value: Any, _region: str | None) -> str | None:
    text = _line(value)
    if not text:
        return None
    plain = _PLAIN_EMAIL.fullmatch(text) if len(text) <= 64 else None
    if plain and plain[1].lower() not in _RESERVED:
        return text.lower()
    try:  # NFKC: a full-width @ is one
        found = validate_email(
            unicodedata.normalize("NFKC", text),
            check_deliverability=False,
            globally_deliverable=False,
        )
    except EmailNotValidError:
        return text
    return found.normalized.lower()


def _phone(value: Any, region: str | None) -> str | None:
    text = _line(value)
    if not text:
        return None
    return e164(text, region) or text


def _phone_native(value: Any, style: str | None) -> Any:
    return value.removeprefix("+") if style == "digits" and value else value


def _domain(value: Any, _region: str | None) -> str | None:
    text = _line(value).lower()
    if not text or " " in text:  # words are no address
        return text or None
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = parts.hostname or "" if parts.port != 0 else ""
        if "xn--" in host:  # the same domain as it is read (RFC 3492)
            host = host.encode().decode("idna")
    except ValueError:  # an unclosed bracket, words where a port is due: no address at all
        return text
    while host.startswith("www."):
        host = host.removeprefix("www.")
    host = host.strip(".")
    return host if "." in host else text


def _date(value: Any, _region: str | None) -> Any:
    """The same day in every zone: a time of day is cut off, never shifted."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    text = _line(value)
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return UNSET
    return day if text[10:11] in ("", "T", " ") else UNSET


def _datetime(value: Any, _region: str | None) -> Any:
    """A moment in UTC, to the whole second, which all systems keep; without a zone it is UTC."""
    if isinstance(value, datetime):
        moment = value
    else:
        text = _line(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return UNSET
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except OverflowError:  # the first or last day of the calendar, in another zone
        return UNSET


def _number(value: Any, _region: str | None) -> Any:
    """To ten decimals. UNSET for a text with more than digits and a point, as for ``_integer``."""
    if isinstance(value, bool):
        return int(value)
    text = _line(value)
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        return UNSET
    try:
        number = round(Decimal(text), DECIMALS)
    except InvalidOperation:
        return UNSET
    if abs(number) >= 10**15:  # beyond that a JSON number is not what was written
        return UNSET
    return int(number) if number == number.to_integral_value() else float(number)


def _owner(value: Any, _region: str | None) -> str | None:
    return word_of(_line(value)) or None


def _currency(value: Any, _region: str | None) -> Any:
    """The code of ISO 4217; UNSET for anything else: an amount without its currency is none."""
    text = _line(value).upper()
    return (text or None) if _CURRENCY.fullmatch(text) or not text else UNSET


def _integer(value: Any, _region: str | None) -> Any:
    """UNSET for a text with more than digits: how thousands are parted there nobody has said."""
    if isinstance(value, bool):
        return int(value)
    text = _line(value)
    if not text:
        return None
    number = _WHOLE.fullmatch(text)
    return int(number[1]) if number and abs(int(number[1])) <= _MOST else UNSET


def _boolean(value: Any, _region: str | None) -> Any:
    """UNSET for what is no flag: it tells nothing, least of all a permission (practice 4.1)."""
    if isinstance(value, bool):
        return value
    text = _line(value).lower()
    return {"": None, "true": True, "1": True, "false": False, "0": False}.get(text, UNSET)


def _choice(value: Any, _region: str | None) -> Any:
    if isinstance(value, int):
        return value if abs(value) <= _MOST else UNSET
    return _line(value) or None


def _choices(value: Any, _region: str | None) -> Any:
    """Several choices, each once, in an order of their own: a list, or a text parted by ``;``."""
    several = value if isinstance(value, list | tuple) else str(value).split(";")
    if any(isinstance(one, dict | list) for one in several):
        return UNSET
    return sorted({text for one in several if (text := _line(one))}) or None


def _language(value: Any, _region: str | None) -> str | None:
    text = _line(value).replace("_", "-").lower()
    return _language_code(text) if text else None


@lru_cache(maxsize=4096)
def _language_code(text: str) -> str:
    """BCP 47 in lower case; a language's name or its code of three letters becomes that of two."""
    word, dash, rest = text.partition("-")
    if len(word) <= 2:
        return text
    try:
        found = pycountry.languages.lookup(word)
    except LookupError:
        return text
    return f"{getattr(found, 'alpha_2', found.alpha_3)}{dash}{rest}"


@lru_cache(maxsize=4096)
def _country_code(text: str) -> str:
    try:
        found = pycountry.countries.lookup(text)
    except LookupError:
        return text
    return str(found.alpha_2)


def _country(value: Any, _region: str | None) -> str | None:
    text = _line(value)
    return _country_code(text) if text else None


@lru_cache(maxsize=512)
def _country_native(value: Any, style: str | None) -> Any:
    if value is None or style == "code":
        return value
    found = pycountry.countries.get(alpha_2=value)
    if found is None:
        return value
    return getattr(found, "common_name", found.name)


def _as_it_is(value: Any, _other: str | None) -> Any:
    return value


def _form(name: str, normal: Any, native: Any = _as_it_is, *, many: bool = False) -> Form:
    def to_normal(value: Any, region: str | None) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return normal(value, region) if len(value) <= LONGEST else UNSET
        if isinstance(value, dict) or (isinstance(value, list) and not many):
            return UNSET
        return normal(value, region)

    return Form(name, to_normal, native)


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        _form("text", _text),
        _form("multiline", _multiline),
        _form("email", _email),
        _form("phone", _phone, _phone_native),
        _form("domain", _domain),
        _form("date", _date),
        _form("datetime", _datetime),
        _form("integer", _integer),
        _form("number", _number),
        _form("currency", _currency),
        _form("boolean", _boolean),
        _form("choice", _choice),
        _form("choices", _choices, many=True),
        _form("language", _language),
        _form("country", _country, _country_native),
        _form("address", _as_it_is),  # its parts have forms of their own, and so has money
        _form("money", _as_it_is),
        _form("reference", _text),
        _form("owner", _owner),
    )
}

#: part of an address -> its form
PARTS: Mapping[str, str] = {
    "street": "multiline",
    "city": "text",
    "postcode": "text",
    "state": "text",
    "country": "country",
}
#: form of a value that is made of parts -> each part's form
PARTED: Mapping[str, Mapping[str, str]] = {
    "address": PARTS,
    "money": {"amount": "number", "currency": "currency"},
}


def resembles(ours: Any, theirs: Any) -> bool:
    """Whether a system may have stored ours as theirs: up to case, blanks, marks or a cut end."""
    left, right = _bare(ours), _bare(theirs)
    if not left or not right:
        return False
    return left == right or (len(right) >= 10 and left.startswith(right))


def is_cut(ours: Any, theirs: Any) -> bool:
    """Whether theirs is only the beginning of ours."""
    left, right = _bare(ours), _bare(theirs)
    return bool(right) and left != right and left.startswith(right)


def _bare(value: Any) -> str:
    return "".join(ch for ch in str(value).casefold() if ch.isalnum())
