"""What tells companies apart, and what does not: numbers, names, legal forms, places. Pure."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from sync_engine.folding import company, fold, form_words, sound

Values = Mapping[str, Any]

#: what VAT numbers begin with: their country, where that is another code -> ISO 3166
_ISSUERS = {
    **{code: code for code in (
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "HR", "HU", "IE",
        "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    )},
    "EL": "GR", "XI": "GB",
}  # fmt: skip
_LEAST_DIGITS = 7  #: of a VAT number; a shorter one is a register's, whatever stands before it
#: sorts of companies -> how they are written; what may stand for several sorts is in none
_SORTS = {
    "limited": {"ltd", "limited", "llc", "gmbh", "mbh", "ug", "doo", "jdoo", "srl", "sarl", "sro",
                "kft", "bv", "aps", "pty"},
    "joint stock": {"plc", "ag", "dd", "nv", "zrt", "spa"},
    "partnership": {"kg", "ohg", "llp"},
    "sole": {"obrt"},
}  # fmt: skip


def bare(value: Any) -> str:
    """Letters and digits alone, in capitals."""
    return "".join(c for c in str(value or "").upper() if c.isalnum())


def number(value: Any) -> tuple[str, str]:
    """A VAT number's country, empty where it tells none, and the rest: many leave the first out."""
    text = bare(value)
    country, rest = _ISSUERS.get(text[:2], ""), text[2:]
    if country and len(re.findall(r"\d", rest)) >= _LEAST_DIGITS:
        return country, rest
    return "", text


def numbers_agree(left: Values, right: Values) -> bool | None:
    """Whether both VAT numbers are one; None where either has none.

    One that names no country is of the company's own; where that is not known either, the names
    must have something in common.
    """
    mine, theirs = (number(values.get("vat")) for values in (left, right))
    if not mine[1] or not theirs[1]:
        return None
    if mine[1] != theirs[1]:
        return False
    if mine[0] == theirs[0]:
        return True
    countries = [mine[0] or _country(left), theirs[0] or _country(right)]
    return countries[0] == countries[1] if all(countries) else names_meet(left, right)


def names_agree(left: Values, right: Values) -> bool:
    """Equal without their forms, in whatever order of words, or up to a slip of a finger.

    A word more is no slip: companies of one group share a domain.
    """
    mine, theirs = _names(left, right)
    if not mine or not theirs or sorted(mine.split(" ")) == sorted(theirs.split(" ")):
        return True
    if re.findall(r"\d+", mine) != re.findall(r"\d+", theirs):
        return False
    ratio = SequenceMatcher(None, mine, theirs, autojunk=False).ratio()
    return sound(mine) == sound(theirs) or ratio >= 0.9


def names_meet(left: Values, right: Values) -> bool:
    """Whether they have a word in common."""
    mine, theirs = _names(left, right)
    return not mine or not theirs or bool(set(mine.split(" ")) & set(theirs.split(" ")))


def forms_differ(left: Values, right: Values) -> bool:
    """Whether both say what sort of company they are, and another one."""
    mine, theirs = (_sorts(str(values.get("name") or "")) for values in (left, right))
    return bool(mine) and bool(theirs) and mine.isdisjoint(theirs)


def places_differ(left: Values, right: Values) -> bool:
    """Whether both stand in a town, and in another one."""
    mine, theirs = (v.get("address") or {} for v in (left, right))
    if mine.get("postcode") and mine.get("postcode") == theirs.get("postcode"):
        return False
    towns = [fold(place.get("city") or "") for place in (mine, theirs)]
    return all(towns) and towns[0] != towns[1]


def _names(left: Values, right: Values) -> tuple[str, str]:
    return company(str(left.get("name") or "")), company(str(right.get("name") or ""))


def _country(values: Values) -> str:
    country = str((values.get("address") or {}).get("country") or "")
    return country if len(country) == 2 else ""


def _sorts(name: str) -> set[str]:
    words = set(form_words(name))
    return {sort for sort, written in _SORTS.items() if not words.isdisjoint(written)}
