"""What can stand for one person or company, and what many share. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

FORM = 3  #: how keys are made; a higher one has every record looked at again

MAILBOXES = frozenset(
    {
        "info", "office", "sales", "support", "contact", "kontakt", "mail", "admin", "hello",
        "service", "billing", "accounts", "marketing", "hr", "jobs", "team", "webmaster",
        "noreply", "no-reply", "postmaster", "reception", "enquiries", "prodaja", "ured",
    }
)  # fmt: skip
PLACEHOLDERS = frozenset({"none", "no", "na", "noemail", "unknown", "test", "nomail", "xxx"})
PLACEHOLDER_DOMAINS = frozenset(
    {
        "none.com", "example.com", "example.org", "example.net", "noemail.com", "test.com",
        "nomail.com",
    }
)  # fmt: skip
#: domains that say nothing about whose company it is
SHARED_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com",
        "icloud.com", "me.com", "gmx.de", "gmx.net", "web.de", "proton.me", "protonmail.com",
        "aol.com", "mail.ru", "yandex.ru", "wordpress.com", "wixsite.com", "blogspot.com",
        "github.io", "sites.google.com", "facebook.com", "linkedin.com", "instagram.com",
    }
)  # fmt: skip
#: what systems and people put where a date is due and none is known
_NO_DATES = frozenset({"1970-01-01", "9999-12-31"})
_FIRST_BIRTH = "1902"
_FILLERS = ("1234567", "7654321")

#: several addresses, a name around one, a scheme before it: no address that two could share
_IN_NO_ADDRESS = frozenset(' <>,;:"[]()')
#: a number of these is not one person's: a household's, an office's, a service's
_SHARED_NUMBERS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)


@dataclass(frozen=True, slots=True)
class NoKeys:
    """What nobody is recognised by (practice 2.2): the shipped lists, or a user's."""

    mailboxes: frozenset[str] = MAILBOXES  #: names before the @ that belong to a role
    placeholders: frozenset[str] = PLACEHOLDERS  #: names before the @, or of people, of nobody
    placeholder_domains: frozenset[str] = PLACEHOLDER_DOMAINS
    shared_domains: frozenset[str] = SHARED_DOMAINS  #: of mail and web hosting

    @property
    def mark(self) -> str:
        """Another one asks for new keys: of these lists, and of how keys are made (``FORM``)."""
        lists = (
            self.mailboxes, self.placeholders, self.placeholder_domains, self.shared_domains
        )  # fmt: skip
        text = "|".join(",".join(sorted(one)) for one in lists)
        return hashlib.blake2b(f"{FORM}|{text}".encode(), digest_size=8).hexdigest()

    def with_more(
        self, *, mailboxes: Iterable[str] = (), placeholders: Iterable[str] = (),
        placeholder_domains: Iterable[str] = (), shared_domains: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> "NoKeys":  # fmt: skip
        """These and more, ``without`` some words wherever they stand."""
        gone = {word.casefold() for word in without}

        def joined(known: frozenset[str], more: Iterable[str]) -> frozenset[str]:
            return (known | {word.casefold() for word in more}) - gone

        return NoKeys(
            joined(self.mailboxes, mailboxes),
            joined(self.placeholders, placeholders),
            joined(self.placeholder_domains, placeholder_domains),
            joined(self.shared_domains, shared_domains),
        )

    def is_name(self, folded: str) -> bool:
        """Whether a folded name names anybody."""
        return folded not in self.placeholders and folded not in ("", "n a", "null", "undefined")

    def is_personal_email(self, value: Any) -> bool:
        """Whether an address can stand for a person."""
        if not is_email(value):
            return False
        mailbox = value.split("@")[0].split("+")[0]
        return mailbox not in self.mailboxes and not self.is_placeholder_email(value)

    def is_placeholder_email(self, value: Any) -> bool:
        """Whether it has the form of an address and is nobody's."""
        if not is_email(value):
            return False
        local, domain = value.split("@")
        return local.split("+")[0] in self.placeholders or domain in self.placeholder_domains

    def is_own_domain(self, value: Any) -> bool:
        """Whether a web domain can stand for a company."""
        return (
            isinstance(value, str)
            and "." in value
            and " " not in value
            and value not in self.shared_domains
            and value not in self.placeholder_domains
        )


SHIPPED = NoKeys()


def is_email(value: Any) -> bool:
    if not isinstance(value, str) or value.count("@") != 1 or not _IN_NO_ADDRESS.isdisjoint(value):
        return False
    local, domain = value.split("@")
    return bool(local) and "." in domain and not domain.endswith(".")


def is_phone(value: Any) -> bool:
    """Whether it is a number in E.164 that is no filler; any other text is none."""
    text = str(value or "")
    digits = text[1:]
    return (
        text[:1] == "+"
        and digits.isdigit()
        and len(digits) > 6
        and len(set(digits[-7:])) > 1
        and not digits.endswith(_FILLERS)
    )


def is_mobile(value: Any, *, labelled: bool) -> bool:
    """Whether a number in E.164 can be one person's; ``labelled``: it stands where mobiles do.

    Where numbering plans do not tell (North America's), only the label does.
    """
    if not is_phone(value):
        return False
    kind = _number_type(value)
    if kind == PhoneNumberType.FIXED_LINE_OR_MOBILE:
        return labelled
    return kind not in _SHARED_NUMBERS


def is_address(value: Any) -> bool:
    """Whether it is an e-mail address or a number in E.164, whosever."""
    return is_email(value) or is_phone(value)


def birth_date(value: Any) -> str:
    """The date as ISO 8601; empty where it is none that somebody was born on."""
    text = str(value or "")
    return "" if text in _NO_DATES or text < _FIRST_BIRTH else text


@lru_cache(maxsize=4096)
def _number_type(number: str) -> int:
    try:
        return int(phonenumbers.number_type(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return int(PhoneNumberType.UNKNOWN)
