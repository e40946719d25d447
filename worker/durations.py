"""Lengths of time as written in the configuration: `90s`, `15m`, `2h`, `30d`, `7y`, `1h30m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from worker.problems import Wrong, in_words

# A year is never shorter than one of the calendar: what is to be kept for years is kept.
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 366 * 86400}
_WHOLE = re.compile(r"(?:[0-9]{1,9}[smhdwy])+")
_PART = re.compile(r"([0-9]+)([smhdwy])")
_LONGEST = timedelta(days=36500)


def parse_duration(text: str) -> timedelta:
    """A length of time from text; raises Wrong unless it is more than nothing."""
    text = "".join(text.split()).lower()
    if not _WHOLE.fullmatch(text):
        raise Wrong('is not a length of time; write such as "90s", "15m", "2h" or "30d"')
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise Wrong("must be longer than nothing and shorter than a hundred years")
    return timedelta(seconds=seconds)


def as_duration(value: object) -> timedelta:
    """A length of time from what a file has; raises Wrong."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise Wrong(f'must be a length of time such as "15m", not {in_words(value)}')
    return parse_duration(value)


Duration = Annotated[timedelta, BeforeValidator(as_duration)]


def in_file(length: timedelta) -> str:
    """A length of time as it is written: `15m`, `1h30m`; nothing is `0s`."""
    left, parts = int(length.total_seconds()), ""
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, _SECONDS[unit])
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"
