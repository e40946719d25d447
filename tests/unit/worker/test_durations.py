"""Lengths of time in the configuration."""

from datetime import timedelta

import pytest

from worker.durations import parse_duration
from worker.problems import Wrong


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("30d", 2592000),
        ("1w", 604800),
        ("7y", 7 * 366 * 86400),
        ("1h 30m", 5400),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    """A number and a unit, or several."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "15 minutes", "-5m", "1.5h", "0s", "99999999w"])
def test_no_durations(text: str) -> None:
    """Anything else is refused with the reason."""
    with pytest.raises(Wrong):
        parse_duration(text)
