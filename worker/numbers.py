"""Phone numbers in E.164, whatever their spelling, so that equal numbers are equal texts."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from worker.problems import Wrong

DEFAULT_REGION = "US"  # of numbers written without a country code
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NUMBER_ONLY = re.compile(r"\+?[0-9 ()./\u00a0\u2010-\u2013-]+")
_SEVERAL = re.compile(r"[0-9]{2,8}\s*(?:-|\u2013|\.\.|,|;|to)\s*[0-9]{2,8}")
# without an example, which the log would mask
NO_NUMBER = "is no phone number; write + and the country code, then all its digits"
_ONE_EACH = 'are several; write a list such as ["101", "102"], or a pattern such as "10?"'
_AT_HOME = re.compile(r"\+1[0-9]{10}")
_INTERNATIONAL = re.compile(r"\+ ?[0-9]")
_PATTERN_ONLY = re.compile(r"[0-9 ()./*?-]+")
_PUNCTUATION = re.compile(r"[ ()./-]")
_LONGEST_EXTENSION = 8
_SHORTEST_NUMBER = 7  # what has fewer digits may be an extension, a short code, a name
_NOWHERE = ("+10", "+11")  # no area code begins so
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


def check_number(text: str) -> None:
    """Raise Wrong for what is written like a phone number and is none; other texts pass."""
    if _INTERNATIONAL.match(text) and not _NUMBER_ONLY.fullmatch(text):
        raise Wrong(NO_NUMBER)
    if _SEVERAL.fullmatch(text) and sum(map(str.isdecimal, text)) < _SHORTEST_NUMBER:
        raise Wrong(_ONE_EACH)
    is_long = sum(map(str.isdecimal, text)) >= _SHORTEST_NUMBER
    if not _NUMBER_ONLY.fullmatch(text) or not is_long:
        return
    if _AT_HOME.fullmatch(text):
        return  # as most of a long list are
    # `e164` takes what RingCentral writes so as it is; what is written by hand is to be possible
    number = _parse(text) if text.startswith("+") else e164(text)
    if not text.startswith("+") and number and number.startswith(_NOWHERE):
        raise Wrong("has no country code; write + and the country code before it")
    if number is None and not (text.isdecimal() and len(text) <= _LONGEST_EXTENSION):
        raise Wrong(NO_NUMBER)


def check_extension(text: str) -> None:
    """Raise Wrong for what can be no extension: several at once, or a phone number."""
    if _SEVERAL.fullmatch(text):
        raise Wrong(_ONE_EACH)
    if _NUMBER_ONLY.fullmatch(text) and not text.isdecimal() and e164(text) is not None:
        raise Wrong("is a phone number; write the extension's number, id or name")


def check_pattern(text: str) -> None:
    """Raise Wrong for what is written like a pattern of phone numbers and fits none."""
    digits = sum(map(str.isdecimal, text))
    if _INTERNATIONAL.match(text) and not _PATTERN_ONLY.fullmatch(text[1:]):
        raise Wrong('is no pattern of a phone number; write such as "+1 650 *"')
    if not digits or not _PATTERN_ONLY.fullmatch(text):
        return
    if _PUNCTUATION.search(text) or digits > _LONGEST_EXTENSION:
        raise Wrong('has no country code; write such as "+1 650 *"')
