"""Phone numbers in E.164."""

import pytest

from worker.numbers import e164


@pytest.mark.parametrize(
    "written",
    [
        "+16505550100",
        "16505550100",
        "6505550100",
        "(650) 555-0100",
        "+1 (650) 555-0100",
        "650.555.0100",
        " +1 650 555 0100 ",
        "650\u2011555\u20110100",
    ],
)
def test_spellings_of_one_number(written: str) -> None:
    """All spellings of a number give the same text."""
    assert e164(written) == "+16505550100"


@pytest.mark.parametrize("written", ["+44 20 7946 0958", "011 44 20 7946 0958", "442079460958"])
def test_numbers_abroad(written: str) -> None:
    """A number with its country code is read as such, with or without the plus."""
    assert e164(written) == "+442079460958"


@pytest.mark.parametrize(
    "written", ["", "101", "5550100", "Anna", "1-800-FLOWERS", "+1650", "anonymous", "0" * 40]
)
def test_no_number(written: str) -> None:
    """What is no whole phone number is left alone."""
    assert e164(written) is None
