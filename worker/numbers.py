"""Phone numbers in E.164, whatever their spelling, so that equal numbers are equal texts."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

DEFAULT_REGION = "US"  # of numbers written without a country code
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LIKE_A_NUMBER = re.compile(r"[+(0-9][0-9 ()./\u00a0\u2010-\u2013-]{5,30}")


@lru_cache(maxsize=8192)
def e164(text: str) -> str | None:
    """`+16505550100` for `(650) 555-0100`; None for what is no whole phone number.

    Old messages carry bare digits or formatted numbers. Source:
    https://developers.ringcentral.com/guide/basics/formats/phone-numbers
    """
    if _E164.fullmatch(text):
        return text
    text = text.strip()
    if not _LIKE_A_NUMBER.fullmatch(text):
        return None
    # bare digits too long for a number at home begin with a country code
    return _parse(text) or (None if text.startswith("+") else _parse("+" + text))


def _parse(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None  # an extension number, or a local number without its area code
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
