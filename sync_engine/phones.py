"""Phone numbers in their one form, E.164. Pure.

``phonenumbers`` spends its time on what few numbers have: letters, extensions, carrier codes.
A number of digits and marks alone is read here by the numbering plans of the same library;
where these leave any doubt it is the library that reads it.
"""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_PLAIN = re.compile(r"\+?[0-9(][0-9 ()./-]*")
_MARKS = str.maketrans("", "", "+ ()./-")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the numbers of one country, or of those that share its calling code, are written."""

    code: str
    abroad: re.Pattern[str] | None  #: dialled before a calling code
    prefix: re.Pattern[str] | None  #: dialled before a national number
    is_bare: bool  #: whether the prefix is only left out, and nothing put in its place
    national: re.Pattern[str]
    lengths: frozenset[int]  #: of national numbers


def e164(text: str, region: str | None) -> str | None:
    """A number as text, one without a calling code being of the region; None if it is none."""
    return _plain(text, region) or _read(text, region)


def _plain(text: str, region: str | None) -> str | None:
    """What the library would say; None where it may see more than digits in it."""
    if not _PLAIN.fullmatch(text):
        return None
    digits = text.translate(_MARKS)
    if text[0] == "+":
        plan = _plan_of(digits)
        number = digits[len(plan.code) :] if plan else ""
        if plan is None or (plan.prefix and plan.prefix.match(number)):
            return None
    else:
        plan = _national_plan(region)
        if plan is None or (plan.abroad and plan.abroad.match(digits)):
            return None
        dialled = plan.prefix.match(digits) if plan.prefix else None
        number = digits[dialled.end() :] if dialled else digits
        doubtful = dialled and not (plan.is_bare and plan.national.fullmatch(number))
        if doubtful or digits.startswith(plan.code):
            return None
    return f"+{plan.code}{number}" if len(number) in plan.lengths and number.strip("0") else None


def _read(text: str, region: str | None) -> str | None:
    # Customer Profiles and some exports leave the plus sign out
    for attempt in (text, f"+{text}" if text[:1].isdigit() and len(text) > 9 else ""):
        if not attempt:
            continue
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        if not number.national_number:  # zeros stand for no number
            return None
        if phonenumbers.is_possible_number(number) and not number.extension:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def _plan_of(digits: str) -> _Plan | None:
    """By the calling code that they begin with; none of these begins with another one."""
    codes = (digits[:size] for size in (1, 2, 3))
    return next((_plan(code) for code in codes if code in _CODES), None)


@cache
def _national_plan(region: str | None) -> _Plan | None:
    return _plan_from(PhoneMetadata.metadata_for_region(region.upper(), None)) if region else None


@cache
def _plan(code: str) -> _Plan | None:
    region = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    return _plan_from(PhoneMetadata.metadata_for_region_or_calling_code(int(code), region))


def _plan_from(metadata: PhoneMetadata | None) -> _Plan | None:
    if metadata is None or metadata.general_desc is None:
        return None
    prefix, abroad = metadata.national_prefix_for_parsing, metadata.international_prefix
    pattern = re.compile(prefix) if prefix else None
    rule = metadata.national_prefix_transform_rule
    return _Plan(
        code=str(metadata.country_code),
        abroad=re.compile(abroad) if abroad else None,
        prefix=pattern,
        is_bare=pattern is None or not (pattern.groups or rule),
        national=re.compile(metadata.general_desc.national_number_pattern or ""),
        lengths=frozenset(metadata.general_desc.possible_length),
    )


_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
