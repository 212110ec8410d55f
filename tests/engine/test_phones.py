"""Numbers that are read by the plans of ``phonenumbers`` come out as the library reads them."""

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from sync_engine.phones import e164

FORMATS = (
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
)
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def as_the_library_reads(text: str, region: str | None) -> str | None:
    for attempt in (text, f"+{text}" if text[:1].isdigit() and len(text) > 9 else ""):
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        if not number.national_number:
            return None
        if phonenumbers.is_possible_number(number) and not number.extension:
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def examples(region: str) -> Iterator[str]:
    """The library's own numbers of a region, as people there write them."""
    for kind in phonenumbers.supported_types_for_region(region):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            yield from (phonenumbers.format_number(number, form) for form in FORMATS)


def misspelt(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(letters) + 1)
        letters[place : place + chance.randint(0, 1)] = chance.choice("0123456789 +(-/.x#000")
    return " ".join("".join(letters).split())


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_of_every_country_are_read_as_the_library_does(region: str) -> None:
    chance = random.Random(region)
    texts = [*examples(region), "00", "0", "112"]
    texts += [misspelt(text, chance) for text in texts for _ in range(5)]
    for there in (region, chance.choice(REGIONS), None):
        found = {text: e164(text, there) for text in texts}
        assert found == {text: as_the_library_reads(text, there) for text in texts}
