"""Which records may be one person or company without a key that says so. Pure.

Nothing is linked by this. Who resembles somebody is created nowhere until a person has
decided (practice 2.3); ``evidence`` is what that person is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync_engine.companies import numbers_agree, places_differ
from sync_engine.folding import company, fold, given, near, shortens, sound, surname
from sync_engine.identifiers import SHIPPED, NoKeys, birth_date, is_phone
from sync_engine.matching import digest_of, generations_differ, surnames_overlap

Values = Mapping[str, Any]
_RESEMBLES = 9  #: digests of this rule never link
_ADDRESS = ("city", "postcode")
_STRONG = frozenset({"e-mail", "mobile or phone", "birth date"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two records have in common and what speaks against, in words."""

    agree: tuple[str, ...]
    differ: tuple[str, ...]


def blocks(kind: str, values: Values, no: NoKeys = SHIPPED) -> list[int]:
    """Digests under which records that might be one stand together; they never link.

    A typing error leaves one of them intact; what is found is looked at by ``resembles``.
    """
    place = values.get("address") or {}
    texts = _company_blocks(values, place) if kind == "company" else _blocks(values, place, no)
    return [digest_of(kind, _RESEMBLES, text) for text in dict.fromkeys(texts)]


def _blocks(values: Values, place: Values, no: NoKeys) -> list[str]:
    last = str(values.get("last_name") or "")
    if not last:
        return []
    who, first = sound(surname(last)), _given(values)
    employer = company(values.get("company_name") or "")
    city = fold(place.get("city") or "")
    beside = [employer, place.get("postcode"), city, *_endings(values)]
    if not no.is_personal_email(values.get("email")):  # any other is a match key
        beside.append(values.get("email"))
    found = [f"{who}|{one}" for one in beside if one]
    if first:  # where the surname is mistyped
        found += [f"{first}|{one}" for one in (employer, *_endings(values)) if one]
    if first:  # in either order
        found.append("|".join(sorted((who, sound(first)))))
    if born := birth_date(values.get("birth_date")):
        found.append(born)
    return found


def _company_blocks(values: Values, place: Values) -> list[str]:
    name = company(values.get("name") or "")
    if not name:
        return []
    found = [name, sound(name)]
    if place.get("city"):
        found.append(f"{sound(name.split(' ')[0])}|{fold(place['city'])}")
    return found + _endings(values)


def resembles(kind: str, left: Values, right: Values, no: NoKeys = SHIPPED) -> bool:
    """Whether a person must say that these two are not one."""
    found = evidence(kind, left, right, no)
    if kind == "company":
        return "VAT number" not in found.differ and (
            not {"VAT number", "name"}.isdisjoint(found.agree)
            or ("web domain" in found.agree and "place" not in found.differ)
        )
    if "birth date" in found.differ or _told_apart(left, right):
        return False
    if "name" in found.agree:
        return len(found.agree) > 1
    # a name by marriage: the same first name, and what nobody else is likely to share
    strong = _STRONG.intersection(found.agree)
    if _given(left) != _given(right) or strong == {"birth date"}:
        return bool(strong) and len(found.agree) > 1 and _firsts_alike(left, right)
    return bool(strong)


def evidence(kind: str, left: Values, right: Values, no: NoKeys = SHIPPED) -> Evidence:
    """What both hold, compared: never a value, only what it is of."""
    checks = _company_checks(no) if kind == "company" else _person_checks(no)
    told = {name: check(left, right) for name, check in checks.items()}
    return Evidence(
        tuple(name for name, agree in told.items() if agree),
        tuple(name for name, agree in told.items() if agree is False),
    )


Check = Callable[[Values, Values], bool | None]  #: whether they agree; None: nothing to compare


def _person_checks(no: NoKeys) -> dict[str, Check]:
    return {
        "name": _names_alike,
        "e-mail": lambda left, right: _sets_meet(_mailboxes(left), _mailboxes(right)),
        "mobile or phone": lambda left, right: _sets_meet(_endings(left), _endings(right)),
        "birth date": _births_agree,
        "company": lambda left, right: _equal(_employer(left, no), _employer(right, no)),
        "place": _places_agree,
    }


def _company_checks(no: NoKeys) -> dict[str, Check]:
    return {
        "name": _company_names_alike,
        "VAT number": numbers_agree,
        "web domain": lambda left, right: _equal(_domain(left, no), _domain(right, no)),
        "phone": lambda left, right: _sets_meet(_endings(left), _endings(right)),
        "place": _places_agree,
    }


def _names_alike(left: Values, right: Values) -> bool | None:
    """Also where first and last name changed places."""
    mine, theirs = ((_given(v), surname(str(v.get("last_name") or ""))) for v in (left, right))
    if not mine[1] or not theirs[1]:
        return None
    if _firsts_alike(left, right) and _surnames_alike(mine[1], theirs[1]):
        return True
    return bool(mine[0] and theirs[0]) and all(
        _given_alike(one, other) or _surnames_alike(one, other)
        for one, other in zip(mine, theirs[::-1], strict=True)
    )


def _surnames_alike(left: str, right: str) -> bool:
    return surnames_overlap(left, right) or sound(left) == sound(right) or near(left, right)


def _firsts_alike(left: Values, right: Values) -> bool:
    typed = [fold(str(values.get("first_name") or "")) for values in (left, right)]
    return _given_alike(_given(left), _given(right)) or shortens(typed[0], typed[1])


def _given_alike(left: str, right: str) -> bool:
    if not left or not right or 1 in (len(left), len(right)):
        return not left or not right or left[0] == right[0]
    return left == right or near(left, right)


def _told_apart(left: Values, right: Values) -> bool:
    """Two of one family and name, both marked as which."""
    return generations_differ(left, right) and all(
        surname(str(v.get("last_name"))) != fold(str(v.get("last_name"))) for v in (left, right)
    )


def _company_names_alike(left: Values, right: Values) -> bool | None:
    mine, theirs = (company(str(v.get("name") or "")) for v in (left, right))
    if not mine or not theirs:
        return None
    return mine == theirs or sound(mine) == sound(theirs) or near(mine, theirs)


def _births_agree(left: Values, right: Values) -> bool | None:
    """A day and a month that changed places are no other date for sure."""
    mine, theirs = (birth_date(v.get("birth_date")) for v in (left, right))
    if not mine or not theirs or mine == theirs:
        return _equal(mine, theirs)
    swapped = [part[:5] + part[8:10] + "-" + part[5:7] for part in (mine,)]
    return None if theirs in swapped else False


def _places_agree(left: Values, right: Values) -> bool | None:
    mine, theirs = (v.get("address") or {} for v in (left, right))
    if any(mine.get(n) and fold(mine[n]) == fold(theirs.get(n) or "") for n in _ADDRESS):
        return True
    return False if places_differ(left, right) else None


def _mailboxes(values: Values) -> list[str]:
    found = (values.get("email"), values.get("email2"), *values.get("further", ()))
    return [str(one) for one in found if one and "@" in str(one)]


def _endings(values: Values) -> list[str]:
    """The last six digits of each number."""
    numbers = (values.get("mobile"), values.get("phone"), *values.get("further", ()))
    return list(dict.fromkeys(str(one)[-6:] for one in numbers if is_phone(one)))


def _employer(values: Values, no: NoKeys) -> str:
    name = company(values.get("company_name") or "")
    return name if no.is_name(name) else ""


def _domain(values: Values, no: NoKeys) -> str:
    return str(values["website"]) if no.is_own_domain(values.get("website")) else ""


def _given(values: Values) -> str:
    return given(str(values.get("first_name") or ""))


def _sets_meet(left: list[str], right: list[str]) -> bool | None:
    return None if not left or not right else not set(left).isdisjoint(right)


def _equal(left: str, right: str) -> bool | None:
    return None if not left or not right else left == right
